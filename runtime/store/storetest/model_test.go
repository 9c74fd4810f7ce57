package storetest_test

import (
	"bytes"
	"context"
	"sync"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/storetest"
)

// model is a store that keeps every rule, except for the one bug that is planted
// in it: each place where a store can go wrong asks has.
type model struct {
	bug string

	mu      sync.Mutex
	now     time.Duration
	fence   idem.Fence
	records map[idem.ID]*entry
	rows    map[string]int

	writer  chan struct{} // one transaction at a time
	running map[idem.ID]bool
	current *modelTx
}

type entry struct {
	idem.Record
	leaseUntil, expiresAt, claimedAt time.Duration
	ttl                              time.Duration
	operation                        string
	abandoned, byTx                  bool
}

func newModel(bug string) *model {
	return &model{
		bug:     bug,
		records: map[idem.ID]*entry{},
		rows:    map[string]int{},
		writer:  make(chan struct{}, 1),
		running: map[idem.ID]bool{},
	}
}

func (m *model) has(bug string) bool { return m.bug == bug }

func (m *model) harness() storetest.Harness {
	return storetest.Harness{
		Store:   m,
		Advance: func(d time.Duration) { m.now += d },
		Reopen:  m.reopen,
		Write:   func(tx any, key string) error { return tx.(*modelTx).write(key) },
		Count: func(key string) (int, error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			return m.rows[key], nil
		},
	}
}

func (m *model) reopen() (idem.Store, error) {
	if m.has("reopening restarts the fences") {
		m.fence = 0
	}
	for id, e := range m.records {
		switch {
		case m.has("reopening loses answers") && e.State == idem.StateDone && !e.byTx,
			m.has("reopening loses commits") && e.byTx:
			delete(m.records, id)
		case m.has("reopening loses holds"):
			e.Hold = false
		case m.has("reopening forgets the operation"):
			e.operation = ""
		}
	}
	return m, nil
}

// done reports the end of ctx, unless the bug makes the caller forget to look.
func (m *model) done(ctx context.Context, bug string) error {
	if m.has(bug) {
		return nil
	}
	return ctx.Err()
}

func (m *model) key(id idem.ID) idem.ID {
	if m.has("the last octet of an ID is ignored") {
		id[len(id)-1] = 0
	}
	return id
}

func (m *model) Lookup(ctx context.Context, id idem.ID) (idem.Record, bool, error) {
	if err := m.done(ctx, "Lookup ignores the context"); err != nil {
		return idem.Record{}, false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.records[m.key(id)]
	if e == nil {
		for _, other := range m.records {
			if m.has("Lookup returns what is there") {
				return other.Record, true, nil
			}
		}
		return idem.Record{}, false, nil
	}
	if e.State == idem.StateFree && !m.has("Lookup shows free records") {
		return idem.Record{}, false, nil
	}
	lapsed := e.State == idem.StateRunning && e.leaseUntil <= m.now
	switch expired := e.expiresAt <= m.now && e.leaseUntil <= m.now; {
	case expired && m.has("Lookup shows expired answers") && e.State == idem.StateDone && !e.byTx:
	case expired && m.has("Lookup shows expired leases") && lapsed:
	case expired,
		m.has("Lookup hides lapsed leases") && lapsed && !e.Hold,
		m.has("Lookup hides held records") && lapsed && e.Hold:
		return idem.Record{}, false, nil
	}
	r := m.view(e)
	if m.has("Lookup does not count the lease down") && r.LeaseLeft > 0 {
		r.LeaseLeft = 10 * time.Minute
	}
	return r, true, nil
}

func (m *model) view(e *entry) idem.Record {
	r := e.Record
	r.ExpiresIn = max(e.expiresAt-m.now, 0)
	switch {
	case e.State == idem.StateRunning:
		r.LeaseLeft = max(e.leaseUntil-m.now, 0)
	case m.has("an answer has a lease"):
		r.LeaseLeft = r.ExpiresIn
	}
	return r
}

func (m *model) Claim(ctx context.Context, c idem.Claim) (idem.Claimed, error) {
	if err := m.done(ctx, "Claim ignores the context"); err != nil {
		return idem.Claimed{}, err
	}
	c.ID = m.key(c.ID)
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.records[c.ID]
	free := m.claimable(e, c)
	absent := e == nil || e.State == idem.StateFree
	if m.has("a gap before a first claim") && absent || m.has("a gap before a takeover") && !absent && free {
		m.mu.Unlock()
		time.Sleep(time.Millisecond) // the clock of the bubble: everyone gets here
		m.mu.Lock()
	}
	if !free {
		return m.refuse(e, &c), nil
	}
	return m.own(e, c), nil
}

// claimable is the contract's condition with the bugs of lease mode.
func (m *model) claimable(e *entry, c idem.Claim) bool {
	if e == nil {
		return true
	}
	same, expired := e.Fingerprint == c.Fingerprint, e.expiresAt <= m.now
	lapsed := e.leaseUntil <= m.now
	if m.has("a lease ends early") {
		lapsed = e.leaseUntil-90*time.Second <= m.now
	}
	switch e.State {
	case idem.StateFree:
		return (same || !m.has("a released ID keeps its fingerprint")) &&
			(!e.Hold || !m.has("a released ID stays on hold"))
	case idem.StateDone:
		return expired && (same || !m.has("an expired answer keeps its fingerprint"))
	}
	switch {
	case m.has("another fingerprint takes a live lease") && !same && !e.Hold && !lapsed:
		return true
	case m.has("a lapsed lease blocks its own fingerprint") && !expired && !e.abandoned:
		return false
	case m.has("another fingerprint takes a lapsed lease") && !e.abandoned,
		m.has("another fingerprint takes an abandoned record") && e.abandoned:
		same = true
	case m.has("a fingerprint holds a lapsed lease for ever"):
		expired = expired && same
	case m.has("hold is ignored") && !e.abandoned, m.has("hold is ignored when abandoned") && e.abandoned:
		return lapsed && (expired || same)
	case m.has("hold is for ever") && e.Hold:
		return false
	}
	return lapsed && (expired || same && !e.Hold)
}

// own makes the caller of Claim the owner.
func (m *model) own(old *entry, c idem.Claim) idem.Claimed {
	m.fence++
	fence, attempts := m.fence, 1
	if m.has("attempts begin at 0") {
		attempts = 0
	}
	if old != nil {
		taken := old.State == idem.StateRunning && old.Fingerprint == c.Fingerprint
		switch {
		case taken && m.has("a takeover lowers the fence") && !old.abandoned,
			old.State == idem.StateFree && m.has("a release lowers the fence"),
			old.State == idem.StateDone && m.has("expiry lowers the fence"):
			fence = old.Fence - 1
		}
		switch {
		case taken && m.has("a takeover is not counted") && !old.abandoned,
			taken && m.has("an abandoned attempt is not counted") && old.abandoned:
		case taken,
			old.State == idem.StateDone && m.has("attempts go on after an answer"),
			old.State == idem.StateFree && m.has("attempts go on after a release"):
			attempts = old.Attempts + 1
		}
	}
	e := &entry{
		Record: idem.Record{
			Fingerprint: c.Fingerprint, State: idem.StateRunning, Hold: c.Hold,
			Fence: fence, Attempts: attempts,
		},
		leaseUntil: m.now + c.Lease,
		expiresAt:  m.now + max(c.TTL, c.Lease),
		claimedAt:  m.now,
		operation:  c.Operation,
	}
	if m.has("the retention may be shorter than the lease") && c.TTL > 0 {
		e.expiresAt, e.leaseUntil = m.now+c.TTL, m.now+min(c.Lease, c.TTL)
	}
	if m.has("a takeover does not show in the record") && attempts > 1 {
		e.Attempts = 1
	}
	if m.has("a new run shows the old answer") && old != nil {
		e.Response = old.Response
	}
	m.records[c.ID] = e
	return idem.Claimed{State: idem.ClaimOwned, Fence: fence, Attempts: attempts}
}

// refuse says who has the record.
func (m *model) refuse(e *entry, c *idem.Claim) idem.Claimed {
	r := m.view(e)
	if e.State == idem.StateRunning {
		if m.has("a refusal shows the lease for the retention") {
			r.ExpiresIn = r.LeaseLeft
		}
		return idem.Claimed{State: idem.ClaimRunning, Record: r}
	}
	if m.has("a replay shows the asker's fingerprint") && !e.byTx {
		r.Fingerprint = c.Fingerprint
	}
	if m.has("a replay extends the retention") {
		e.expiresAt = m.now + e.ttl
	}
	return idem.Claimed{State: idem.ClaimDone, Record: r}
}

// update changes the record that runs under f, or that a bug takes for one.
func (m *model) update(ctx context.Context, verb string, id idem.ID, f idem.Fence, change func(*entry)) error {
	if err := m.done(ctx, verb+" ignores the context"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.records[m.key(id)]
	switch {
	case e == nil && m.has(verb+" succeeds without a record"):
		return nil
	case e == nil:
		return idem.ErrClaimLost
	case e.Fence != f && !m.has(verb+" ignores the fence"),
		e.State == idem.StateFree && !m.has(verb+" succeeds after a release"),
		e.State == idem.StateDone && !m.has(verb+" changes an answer"),
		e.State == idem.StateRunning && e.leaseUntil <= m.now && m.has(verb+" needs a live lease"):
		return idem.ErrClaimLost
	}
	change(e)
	return nil
}

func (m *model) Heartbeat(ctx context.Context, id idem.ID, f idem.Fence, lease time.Duration) error {
	return m.update(ctx, "Heartbeat", id, f, func(e *entry) {
		if !m.has("Heartbeat leaves the lease") {
			e.leaseUntil = m.now + lease
		}
		switch {
		case m.has("Heartbeat leaves the retention"):
		case m.has("Heartbeat shortens the retention"):
			e.expiresAt = m.now + lease
		default:
			e.expiresAt = max(e.expiresAt, m.now+lease)
		}
	})
}

func (m *model) Complete(ctx context.Context, id idem.ID, f idem.Fence, r idem.Response, ttl time.Duration) error {
	return m.update(ctx, "Complete", id, f, func(e *entry) {
		e.State = idem.StateDone
		e.Response = m.keep(r, "an answer")
		e.expiresAt, e.ttl = m.now+ttl, ttl
		if m.has("the retention starts at the claim") {
			e.expiresAt = e.claimedAt + ttl
		}
	})
}

// keep copies an answer.
func (m *model) keep(r idem.Response, what string) idem.Response {
	if !m.has("an answer is not copied") {
		r.Headers, r.Body = bytes.Clone(r.Headers), bytes.Clone(r.Body)
	}
	if m.has(what + " is trimmed") {
		r.Body = bytes.TrimSuffix(r.Body, []byte("\n"))
	}
	if m.has(what+" loses its empty body") && len(r.Body) == 0 {
		r.Body = nil
	}
	return r
}

func (m *model) Release(ctx context.Context, id idem.ID, f idem.Fence) error {
	return m.update(ctx, "Release", id, f, func(e *entry) { e.State = idem.StateFree })
}

func (m *model) Abandon(ctx context.Context, id idem.ID, f idem.Fence) error {
	return m.update(ctx, "Abandon", id, f, func(e *entry) {
		if m.has("Abandon leaves the lease") {
			return
		}
		e.abandoned = true
		e.leaseUntil = min(e.leaseUntil, m.now)
		if e.State == idem.StateDone {
			e.expiresAt = m.now
		}
	})
}

func (m *model) Sweep(ctx context.Context, limit int) (int, error) {
	if err := m.done(ctx, "Sweep ignores the context"); err != nil {
		return 0, err
	}
	removed := 0
	for id, e := range m.records {
		if removed == limit && !m.has("Sweep ignores the limit") {
			break
		}
		over := e.expiresAt <= m.now && (e.State != idem.StateRunning || e.leaseUntil <= m.now)
		running, lapsed := e.State == idem.StateRunning, e.leaseUntil <= m.now
		switch {
		case e.State == idem.StateDone && m.has("Sweep removes live answers"),
			running && !lapsed && m.has("Sweep removes live leases"),
			running && lapsed && m.has("Sweep removes lapsed leases"):
			over = true
		case running && m.has("Sweep leaves what nobody completed"),
			e.State == idem.StateDone && m.has("Sweep leaves answers"):
			over = false
		}
		if !over {
			continue
		}
		delete(m.records, id)
		removed++
		if e.State == idem.StateDone && m.has("Sweep forgets the fence of an answer") ||
			e.State == idem.StateFree && m.has("Sweep forgets the fence of a release") {
			m.fence = 0
		}
	}
	return removed, nil
}
