package postgres

import (
	"context"
	"fmt"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// claimTries bounds how often a claim is made again because the record was
// given back between the refusal and the look at it.
const claimTries = 10

// Claim implements [idem.Store]. It is one round trip.
func (s *Store) Claim(ctx context.Context, c idem.Claim) (idem.Claimed, error) {
	if err := ctx.Err(); err != nil {
		return idem.Claimed{}, err
	}
	if r, ok := s.running.owner(&c.ID); ok {
		return idem.Claimed{State: idem.ClaimRunning, Record: r}, nil
	}
	if s.answered.has(&c.ID) {
		claimed, ok, err := s.replay(ctx, &c)
		if ok || err != nil {
			return claimed, err
		}
	}
	for range claimTries {
		claimed, err := s.claim(ctx, &c)
		if err != nil {
			return idem.Claimed{}, fmt.Errorf("postgres: claim: %w", err)
		}
		if claimed.State != 0 {
			return claimed, nil
		}
	}
	return idem.Claimed{}, fmt.Errorf("postgres: claim: %w: the record changed hands %d times", idem.ErrStoreBusy, claimTries)
}

// replay answers from a record that is done.
func (s *Store) replay(ctx context.Context, c *idem.Claim) (claimed idem.Claimed, ok bool, err error) {
	r, ok, err := s.Lookup(ctx, c.ID)
	if err != nil || !ok || r.State != idem.StateDone {
		return idem.Claimed{}, false, err
	}
	return idem.Claimed{State: idem.ClaimDone, Record: r}, true, nil
}

// claim makes one attempt: the statement that decides, and a look at the record
// with a snapshot of its own. The state is zero when the record was neither
// claimable nor there afterwards.
func (s *Store) claim(ctx context.Context, c *idem.Claim) (claimed idem.Claimed, err error) {
	var (
		fence, attempts int64
		found           found
	)
	err = s.atomically(ctx, func(b *batch) {
		b.queue(s.sql.claim, readInts(&fence, &attempts), c.ID[:], c.Fingerprint[:],
			b.int8(micros(c.Lease)), b.int8(micros(max(c.TTL, c.Lease))), b.bool(c.Hold), []byte(c.Operation))
		b.queue(s.sql.lookup, found.read, c.ID[:])
	})
	switch {
	case err != nil:
		return idem.Claimed{}, err
	case fence != 0:
		claimed = idem.Claimed{State: idem.ClaimOwned, Fence: idem.Fence(fence), Attempts: int(attempts)}
	case !found.ok:
	case found.record.State == idem.StateDone:
		s.answered.add(&c.ID)
		claimed = idem.Claimed{State: idem.ClaimDone, Record: found.record}
	default:
		claimed = idem.Claimed{State: idem.ClaimRunning, Record: found.record}
	}
	return claimed, nil
}

// Heartbeat implements [idem.Store].
func (s *Store) Heartbeat(ctx context.Context, id idem.ID, f idem.Fence, lease time.Duration) error {
	return s.update(ctx, "heartbeat", func(b *batch, changed reader) {
		b.queue(s.sql.heartbeat, changed, id[:], b.int8(int64(f)), b.int8(micros(lease)))
	})
}

// Complete implements [idem.Store].
func (s *Store) Complete(ctx context.Context, id idem.ID, f idem.Fence, r idem.Response, ttl time.Duration) error {
	err := s.update(ctx, "complete", func(b *batch, changed reader) {
		b.queue(s.sql.complete, changed, id[:], b.int8(int64(f)), b.int8(micros(ttl)),
			b.int2(int16(r.Status)), r.Headers, r.Body, b.int4(int32(r.Flags)))
	})
	if err == nil {
		s.answered.add(&id)
	}
	return err
}

// Release implements [idem.Store].
func (s *Store) Release(ctx context.Context, id idem.ID, f idem.Fence) error {
	return s.update(ctx, "release", func(b *batch, changed reader) {
		b.queue(s.sql.release, changed, id[:], b.int8(int64(f)))
	})
}

// Abandon implements [idem.Store].
func (s *Store) Abandon(ctx context.Context, id idem.ID, f idem.Fence) error {
	return s.update(ctx, "abandon", func(b *batch, changed reader) {
		b.queue(s.sql.abandon, changed, id[:], b.int8(int64(f)))
	})
}

// update executes a statement that changes the record that runs under a fence.
func (s *Store) update(ctx context.Context, verb string, fill func(b *batch, changed reader)) error {
	var n int64
	err := s.atomically(ctx, func(b *batch) { fill(b, readCount(&n)) })
	if err != nil {
		return fmt.Errorf("postgres: %s: %w", verb, err)
	}
	if n == 0 {
		return idem.ErrClaimLost
	}
	return nil
}
