package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// Claim implements [idem.Store]. Replays and duplicates of a live lease are
// answered by the readers; only a claim that may be owned takes the writer.
func (s *Store) Claim(ctx context.Context, c idem.Claim) (idem.Claimed, error) {
	if err := ctx.Err(); err != nil {
		return idem.Claimed{}, err
	}
	if claimed, refused, err := s.refuse(ctx, &c); refused || err != nil {
		return claimed, err
	}
	var claimed idem.Claimed
	err := s.write(ctx, func(ctx context.Context, w *writer) (err error) {
		if claimed, err = w.decide(ctx, &c); err != nil || claimed.State != idem.ClaimOwned {
			return err
		}
		_, err = w.exec(ctx, s.sql.claim, s.shiftMS(), c.ID[:], c.Fingerprint[:],
			c.Hold, int64(claimed.Fence), claimed.Attempts, ms(c.Lease), ms(max(c.TTL, c.Lease)), c.Operation)
		return err
	})
	if err != nil {
		return idem.Claimed{}, fmt.Errorf("sqlite: claim: %w", busyError(err))
	}
	return claimed, nil
}

// refuse answers a claim that somebody else owns, as far as that can be seen
// without the writer.
func (s *Store) refuse(ctx context.Context, c *idem.Claim) (claimed idem.Claimed, refused bool, err error) {
	if r, ok := s.running.owner(&c.ID); ok {
		return idem.Claimed{State: idem.ClaimRunning, Record: r}, true, nil
	}
	r, ok, err := s.Lookup(ctx, c.ID)
	switch {
	case err != nil:
		return idem.Claimed{}, false, err
	case !ok:
		return idem.Claimed{}, false, nil
	case r.State == idem.StateDone:
		return idem.Claimed{State: idem.ClaimDone, Record: r}, true, nil
	case r.LeaseLeft > 0:
		return idem.Claimed{State: idem.ClaimRunning, Record: r}, true, nil
	}
	return idem.Claimed{}, false, nil
}

// decide says under the write lock whether c is owned.
func (w *writer) decide(ctx context.Context, c *idem.Claim) (idem.Claimed, error) {
	s := w.s
	var (
		free     bool
		fence    int64
		attempts int
	)
	err := w.row(ctx, s.sql.decide, []any{s.shiftMS(), c.ID[:], c.Fingerprint[:], s.lastFence + 1}, &free, &fence, &attempts)
	if err != nil {
		return idem.Claimed{}, err
	}
	if free {
		s.lastFence = fence
		return idem.Claimed{State: idem.ClaimOwned, Fence: idem.Fence(fence), Attempts: attempts}, nil
	}
	var row recordRow
	err = w.row(ctx, s.sql.refuse, []any{s.shiftMS(), c.ID[:]}, row.fields()...)
	if err != nil {
		return idem.Claimed{}, err
	}
	claimed := idem.Claimed{State: idem.ClaimRunning, Record: row.record()}
	if claimed.Record.State == idem.StateDone {
		claimed.State = idem.ClaimDone
	}
	return claimed, nil
}

// Heartbeat implements [idem.Store].
func (s *Store) Heartbeat(ctx context.Context, id idem.ID, f idem.Fence, lease time.Duration) error {
	return s.update(ctx, "heartbeat", s.sql.heartbeat, id, f, ms(lease))
}

// Complete implements [idem.Store].
func (s *Store) Complete(ctx context.Context, id idem.ID, f idem.Fence, r idem.Response, ttl time.Duration) error {
	return s.update(ctx, "complete", s.sql.complete, id, f, ms(ttl),
		r.Status, nullable(r.Headers), nullable(r.Body), int64(r.Flags))
}

// Release implements [idem.Store].
func (s *Store) Release(ctx context.Context, id idem.ID, f idem.Fence) error {
	return s.update(ctx, "release", s.sql.release, id, f)
}

// Abandon implements [idem.Store].
func (s *Store) Abandon(ctx context.Context, id idem.ID, f idem.Fence) error {
	return s.update(ctx, "abandon", s.sql.abandon, id, f)
}

// update executes a statement that changes the record that runs under f.
func (s *Store) update(ctx context.Context, verb string, stmt *sql.Stmt, id idem.ID, f idem.Fence, args ...any) error {
	n, err := s.exec(ctx, stmt, append([]any{s.shiftMS(), id[:], int64(f)}, args...)...)
	if err != nil {
		return fmt.Errorf("sqlite: %s: %w", verb, err)
	}
	if n == 0 {
		return idem.ErrClaimLost
	}
	return nil
}
