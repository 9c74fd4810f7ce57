package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

var _ idem.Resolver = (*Store)(nil)

// unknown reports whether nobody knows what became of the claim.
func (r *record) unknown(now time.Duration) bool {
	return !r.done() && r.hold && r.leaseUntil <= now && r.expiresAt > now
}

// Unknown implements [idem.Resolver]. It walks over every record, and takes no
// lock.
func (s *Store) Unknown(ctx context.Context, after idem.Cursor, limit int) ([]idem.Entry, error) {
	now, from := s.now(), after.ClaimedAt.Sub(s.epoch)
	type found struct {
		id     idem.ID
		record *record
	}
	var all []found
	for i := range s.shards {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for e := range s.shards[i].table.all() {
			r := e.record.Load()
			if r.unknown(now) && (r.claimedAt > from || r.claimedAt == from && bytes.Compare(e.id[:], after.ID[:]) > 0) {
				all = append(all, found{e.id, r})
			}
		}
	}
	slices.SortFunc(all, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.record.claimedAt, b.record.claimedAt), bytes.Compare(a.id[:], b.id[:]))
	})
	var list []idem.Entry
	for _, one := range all[:min(len(all), max(limit, 0))] {
		list = append(list, s.entry(one.id, one.record, now))
	}
	return list, nil
}

// Get implements [idem.Resolver].
func (s *Store) Get(ctx context.Context, id idem.ID) (idem.Entry, bool, error) {
	if err := ctx.Err(); err != nil {
		return idem.Entry{}, false, err
	}
	sh, hash := s.place(&id)
	r, now := sh.load(hash, &id), s.now()
	if r == nil || r.expiresAt <= now {
		return idem.Entry{}, false, nil
	}
	return s.entry(id, r, now), true, nil
}

// entry is what an operator sees. The time has no monotonic part, so that it is
// the same after a journey through a database or a URL.
func (s *Store) entry(id idem.ID, r *record, now time.Duration) idem.Entry {
	return idem.Entry{
		ID: id, Record: r.view(now), Operation: r.operation,
		ClaimedAt: s.epoch.Add(r.claimedAt).Round(0).UTC(),
	}
}

// Resolve implements [idem.Resolver]. When the answer does not fit any more, the
// error wraps [idem.ErrStoreBusy] and the record stays unknown.
func (s *Store) Resolve(ctx context.Context, id idem.ID, f idem.Fence, done *idem.Completion) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	answer := int64(0)
	var resp idem.Response
	if done != nil {
		resp = done.Response
		answer = int64(len(resp.Headers) + len(resp.Body))
		if err := s.reserve(answer, s.max); err != nil {
			return err
		}
		resp.Headers, resp.Body = clone(resp.Headers, resp.Body)
	}
	sh, hash := s.place(&id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	now := s.now()
	e := sh.table.find(hash, &id)
	if e == nil || !e.record.Load().runsUnder(f) || !e.record.Load().unknown(now) {
		s.used.Add(-answer)
		return idem.ErrNotUnknown
	}
	if done == nil {
		s.remove(sh, e)
		return nil
	}
	sh.finish(e, &resp, now+done.TTL)
	return nil
}
