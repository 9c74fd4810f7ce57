package postgres

import (
	"context"
	"fmt"

	idem "github.com/idemgen/idemgen/runtime"
)

// Begin implements [idem.TxStore]. The lock and the look at the record travel
// with BEGIN. A duplicate of a request that is in a transaction is refused at
// once, in whatever process that runs; only within this one is its fingerprint
// known before the commit.
func (s *Store) Begin(ctx context.Context, c *idem.Claim) (idem.StoreTx, idem.Claimed, error) {
	if err := ctx.Err(); err != nil {
		return nil, idem.Claimed{}, err
	}
	if c != nil {
		if r, ok := s.running.owner(&c.ID); ok {
			return nil, idem.Claimed{State: idem.ClaimRunning, Record: r}, nil
		}
		if s.answered.has(&c.ID) {
			claimed, ok, err := s.replay(ctx, c)
			if ok || err != nil {
				return nil, claimed, err
			}
		}
	}
	conn, err := s.acquire(ctx)
	if err != nil {
		return nil, idem.Claimed{}, fmt.Errorf("postgres: begin: %w", err)
	}
	begun := false
	defer func() { // also on a panic of the driver
		if !begun {
			conn.free()
		}
	}()
	t, claimed, err := s.begin(ctx, conn, c)
	if err != nil || t == nil {
		_ = conn.rollback(ctx) // where it fails, free closes the connection
		if err != nil {
			err = fmt.Errorf("postgres: begin: %w", busyError(err))
		}
		return nil, claimed, err
	}
	begun = true
	if c != nil {
		s.running.enter(c, &claimed)
	}
	return t, claimed, nil
}

// begin opens the transaction and decides on c. There is no storeTx when the
// claim is not owned.
func (s *Store) begin(ctx context.Context, conn conn, c *idem.Claim) (*storeTx, idem.Claimed, error) {
	var (
		fence, started int64 // fence 0: somebody else has the lock
		found          found
	)
	b := newBatch()
	if c != nil {
		b.queue(s.sql.lock, readInts(&fence, &started), b.int8(s.lockOf(&c.ID)))
		b.queue(s.sql.lookup, found.read, c.ID[:])
	} else {
		b.queue(s.sql.started, readInts(&started))
	}
	if err := conn.begin(ctx, b, s.unnamed); err != nil {
		return nil, idem.Claimed{}, err
	}
	t := &storeTx{s: s, conn: conn, started: started, replaces: found.exists}
	if c == nil {
		t.owned = idem.Claimed{State: idem.ClaimOwned, Attempts: 1}
	} else {
		t.owned = s.decide(c, idem.Fence(fence), &found)
		keyed := *c
		t.claim = &keyed
	}
	if t.owned.State != idem.ClaimOwned {
		return nil, t.owned, nil
	}
	t.give()
	return t, t.owned, nil
}

// decide says what a claim in a transaction has met. A finished record counts
// also without the lock, which another one that replays it may hold.
func (s *Store) decide(c *idem.Claim, fence idem.Fence, found *found) idem.Claimed {
	r := &found.record
	switch {
	case found.ok && r.State == idem.StateDone:
		s.answered.add(&c.ID)
		return idem.Claimed{State: idem.ClaimDone, Record: *r}
	case found.ok && (r.LeaseLeft > 0 || r.Hold || r.Fingerprint != c.Fingerprint || fence == 0):
		return idem.Claimed{State: idem.ClaimRunning, Record: *r}
	case fence == 0:
		return idem.Claimed{State: idem.ClaimRunning, Record: inFlight(c)}
	case found.ok: // a lease that is over
		return idem.Claimed{State: idem.ClaimOwned, Fence: fence, Attempts: r.Attempts + 1}
	}
	return idem.Claimed{State: idem.ClaimOwned, Fence: fence, Attempts: 1}
}
