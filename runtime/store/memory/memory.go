// Package memory keeps idempotency records in the memory of one process. It is
// for tests, for development, and for services with a single instance that may
// forget their keys when they restart. It has no transactions: handlers run in
// lease mode.
//
// Looking up a record takes no lock, so that replays of one hot key scale over
// cores.
package memory

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// DefaultMaxBytes is the bound of a store that was made without WithMaxBytes.
const DefaultMaxBytes = 64 << 20

// recordBytes is what a record without an answer is taken to occupy: itself,
// its ID and its place in the table.
const recordBytes = 256

// shards is a power of two large enough that writers of different IDs seldom
// meet on a lock.
const shards = 64

// Store is an [idem.Store], [idem.Sweeper], [idem.Resolver] and [idem.Counter]
// in memory. Use New; the zero value is not usable. All methods may be called concurrently.
//
// The responses it returns share the store's memory and are read-only, as
// [idem.Record] says.
type Store struct {
	clock func() time.Time // nil: time.Now
	epoch time.Time        // instants are kept as durations since then
	max   int64            // bytes
	seed  maphash.Seed

	used   atomic.Int64  // bytes
	cursor atomic.Uint64 // shard that the next removal begins with
	shards [shards]shard
}

// A shard owns the IDs whose hash it is the remainder of. Writers hold mu;
// readers take no lock.
type shard struct {
	mu    sync.Mutex
	table table
	next  atomic.Int64 // no record of the shard expires before; written under mu
}

// record is what is known of an ID at one time. It is never changed: what
// follows is another one.
type record struct {
	*claim
	leaseUntil time.Duration
	expiresAt  time.Duration  // never before leaseUntil
	answer     *idem.Response // nil: running; free records need no memory, because fences do not come from them
}

// claim is what stays the same from a claim to its end.
type claim struct {
	fingerprint idem.Fingerprint
	hold        bool
	attempts    int32
	fence       idem.Fence
	claimedAt   time.Duration
	operation   string
}

// fences numbers the claims of the whole process, so that they rise per ID
// without a trace of the IDs that were forgotten. It begins at the time in
// microseconds for those who keep a fence longer than the process lives.
var fences = fencesSince(time.Now())

func fencesSince(t time.Time) *atomic.Int64 {
	last := new(atomic.Int64)
	last.Store(t.UnixMicro())
	return last
}

// An Option changes a store that New makes.
type Option func(*Store)

// WithClock makes now the clock that decides about leases and retention. The
// default is time.Now. It is called concurrently.
func WithClock(now func() time.Time) Option {
	return func(s *Store) { s.clock = now }
}

// WithMaxBytes bounds the memory that records may occupy, as the store
// estimates it; the default is DefaultMaxBytes. A full store removes expired
// records, never live ones, and answers [idem.ErrStoreBusy] when that is not
// enough. New claims may fill seven eighths: the rest is kept for the answers of
// those that run already.
func WithMaxBytes(n int64) Option {
	return func(s *Store) { s.max = n }
}

// New returns an empty store.
func New(options ...Option) *Store {
	s := &Store{epoch: time.Now(), max: DefaultMaxBytes, seed: maphash.MakeSeed()}
	for _, o := range options {
		o(s)
	}
	if s.clock != nil {
		s.epoch = s.clock()
	}
	for i := range s.shards {
		s.shards[i].next.Store(never)
	}
	return s
}

func (s *Store) now() time.Duration {
	if s.clock == nil {
		return time.Since(s.epoch) // reads one clock, where time.Now reads two
	}
	return s.clock().Sub(s.epoch)
}

// place returns the shard and the hash of id.
func (s *Store) place(id *idem.ID) (*shard, uint64) {
	hash := s.hash(id)
	return &s.shards[hash%shards], hash
}

// load returns the record of id, or nil. It takes no lock.
func (sh *shard) load(hash uint64, id *idem.ID) *record {
	if e := sh.table.find(hash, id); e != nil {
		return e.record.Load()
	}
	return nil
}

// Lookup implements [idem.Store].
func (s *Store) Lookup(ctx context.Context, id idem.ID) (idem.Record, bool, error) {
	if err := ctx.Err(); err != nil {
		return idem.Record{}, false, err
	}
	sh, hash := s.place(&id)
	r := sh.load(hash, &id)
	if r == nil {
		return idem.Record{}, false, nil
	}
	now := s.now()
	if r.expiresAt <= now {
		return idem.Record{}, false, nil
	}
	return r.view(now), true, nil
}

// Claim implements [idem.Store]. A full store answers an error that wraps
// [idem.ErrStoreBusy].
func (s *Store) Claim(ctx context.Context, c idem.Claim) (idem.Claimed, error) {
	if err := ctx.Err(); err != nil {
		return idem.Claimed{}, err
	}
	sh, hash := s.place(&c.ID)
	now := s.now()
	if r := sh.load(hash, &c.ID); r != nil {
		if !r.claimable(now, &c.Fingerprint) {
			return r.refuse(now), nil
		}
		if claimed, ok := s.claim(sh, hash, now, &c, false); ok {
			return claimed, nil
		}
	}
	if err := s.reserve(recordBytes, s.max-s.max/8); err != nil {
		return idem.Claimed{}, err
	}
	claimed, _ := s.claim(sh, hash, now, &c, true)
	return claimed, nil
}

// claim decides under the lock. It reports false when the record must be added
// and no memory was reserved for it.
func (s *Store) claim(sh *shard, hash uint64, now time.Duration, c *idem.Claim, reserved bool) (idem.Claimed, bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	var old *record
	e := sh.table.find(hash, &c.ID)
	switch {
	case e == nil && !reserved:
		return idem.Claimed{}, false
	case e != nil && reserved:
		s.used.Add(-recordBytes) // somebody else was faster
	}
	if e != nil {
		old = e.record.Load()
	}
	if old != nil && !old.claimable(now, &c.Fingerprint) {
		return old.refuse(now), true
	}
	attempts := int32(1)
	if old != nil && !old.done() && old.fingerprint == c.Fingerprint {
		attempts = old.attempts + 1
	}
	if old != nil && old.done() { // it has expired, and its entry would keep the answer
		s.remove(sh, e)
		s.used.Add(recordBytes)
		e = nil
	}
	own := claim{
		fingerprint: c.Fingerprint, hold: c.Hold, attempts: attempts,
		fence: idem.Fence(fences.Add(1)), claimedAt: now, operation: c.Operation,
	}
	next := record{leaseUntil: now + c.Lease, expiresAt: now + max(c.TTL, c.Lease)}
	if e == nil {
		sh.table.add(hash, &c.ID, &own, next)
	} else {
		later := own
		next.claim = &later
		e.set(next)
	}
	sh.expect(&next)
	return idem.Claimed{State: idem.ClaimOwned, Fence: own.fence, Attempts: int(attempts)}, true
}

// Heartbeat implements [idem.Store].
func (s *Store) Heartbeat(ctx context.Context, id idem.ID, f idem.Fence, lease time.Duration) error {
	return s.update(ctx, &id, f, func(r *record, now time.Duration) {
		r.leaseUntil = now + lease
		r.expiresAt = max(r.expiresAt, r.leaseUntil)
	})
}

// Abandon implements [idem.Store].
func (s *Store) Abandon(ctx context.Context, id idem.ID, f idem.Fence) error {
	return s.update(ctx, &id, f, func(r *record, now time.Duration) {
		r.leaseUntil = min(r.leaseUntil, now)
	})
}

// Complete implements [idem.Store]. When the answer does not fit any more, the
// error wraps [idem.ErrStoreBusy] and the record keeps running.
func (s *Store) Complete(ctx context.Context, id idem.ID, f idem.Fence, resp idem.Response, ttl time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	answer := int64(len(resp.Headers) + len(resp.Body))
	if err := s.reserve(answer, s.max); err != nil {
		return err
	}
	resp.Headers, resp.Body = clone(resp.Headers, resp.Body)
	err := s.end(&id, f, &resp, ttl)
	if err != nil {
		s.used.Add(-answer)
	}
	return err
}

// end puts an answer, whose retention starts now, in the place of what runs under f.
func (s *Store) end(id *idem.ID, f idem.Fence, resp *idem.Response, ttl time.Duration) error {
	sh, hash := s.place(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := sh.table.find(hash, id)
	if e == nil || !e.record.Load().runsUnder(f) {
		return idem.ErrClaimLost
	}
	sh.finish(e, resp, s.now()+ttl)
	return nil
}

// finish makes the running record of e an answer; the shard is locked.
func (sh *shard) finish(e *entry, resp *idem.Response, expiresAt time.Duration) {
	e.answer = *resp // once: where an answer has expired, its entry is not used again
	next := record{claim: e.record.Load().claim, expiresAt: expiresAt, answer: &e.answer}
	e.set(next)
	sh.expect(&next)
}

// Release implements [idem.Store].
func (s *Store) Release(ctx context.Context, id idem.ID, f idem.Fence) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	sh, hash := s.place(&id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := sh.table.find(hash, &id)
	if e == nil || !e.record.Load().runsUnder(f) {
		return idem.ErrClaimLost
	}
	s.remove(sh, e)
	return nil
}

// update replaces the record that runs under f by a changed copy.
func (s *Store) update(ctx context.Context, id *idem.ID, f idem.Fence, change func(*record, time.Duration)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	sh, hash := s.place(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := sh.table.find(hash, id)
	if e == nil || !e.record.Load().runsUnder(f) {
		return idem.ErrClaimLost
	}
	next := *e.record.Load()
	change(&next, s.now())
	e.set(next)
	sh.expect(&next)
	return nil
}

// claimable is the condition of [idem.Store.Claim] for a record that exists.
func (r *record) claimable(now time.Duration, fp *idem.Fingerprint) bool {
	switch {
	case r.done():
		return r.expiresAt <= now
	case r.leaseUntil > now:
		return false
	default:
		return r.expiresAt <= now || r.fingerprint == *fp && !r.hold
	}
}

func (r *record) done() bool { return r.answer != nil }

func (r *record) runsUnder(f idem.Fence) bool { return !r.done() && r.fence == f }

// clone copies both parts of an answer into one piece of memory. Nil stays nil
// and empty stays empty.
func clone(headers, body []byte) (h, b []byte) {
	buf := make([]byte, len(headers)+len(body))
	if n := copy(buf, headers); headers != nil {
		h = buf[:n:n]
	}
	if copy(buf[len(headers):], body); body != nil {
		b = buf[len(headers):]
	}
	return h, b
}

func (r *record) answerBytes() int64 {
	if !r.done() {
		return 0
	}
	return int64(len(r.answer.Headers) + len(r.answer.Body))
}

func (r *record) refuse(now time.Duration) idem.Claimed {
	state := idem.ClaimRunning
	if r.done() {
		state = idem.ClaimDone
	}
	return idem.Claimed{State: state, Record: r.view(now)}
}

func (r *record) view(now time.Duration) idem.Record {
	v := idem.Record{
		Fingerprint: r.fingerprint,
		State:       idem.StateRunning,
		Hold:        r.hold,
		Fence:       r.fence,
		Attempts:    int(r.attempts),
		ExpiresIn:   max(r.expiresAt-now, 0),
	}
	if r.done() {
		v.State = idem.StateDone
		v.Response = *r.answer
	} else {
		v.LeaseLeft = max(r.leaseUntil-now, 0)
	}
	return v
}

// busy says what to do about a full store.
func (s *Store) busy(n int64) error {
	return fmt.Errorf("memory store is full: %d more bytes do not fit into %d (raise memory.WithMaxBytes, shorten ttl, or lower replay.maxResponse): %w",
		n, s.max, idem.ErrStoreBusy)
}
