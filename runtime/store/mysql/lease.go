package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"time"
	"unicode/utf8"

	idem "github.com/idemgen/idemgen/runtime"
)

// Claim implements [idem.Store]. Replays and duplicates cost one SELECT and no
// lock.
func (s *Store) Claim(ctx context.Context, c idem.Claim) (claimed idem.Claimed, err error) {
	err = s.within(ctx, func(ctx context.Context) (err error) {
		claimed, err = s.claim(ctx, &c)
		return err
	})
	if err != nil {
		return idem.Claimed{}, fmt.Errorf("mysql: claim: %w", err)
	}
	return claimed, nil
}

// claimRounds bounds how often a claim is beaten to a row, each time by somebody
// who then goes away before the row is read again.
const claimRounds = 10

func (s *Store) claim(ctx context.Context, c *idem.Claim) (idem.Claimed, error) {
	if r, ok := s.running.owner(&c.ID); ok {
		return idem.Claimed{State: idem.ClaimRunning, Record: r}, nil
	}
	for range claimRounds {
		seen, err := read(ctx, s.sql.read, &c.ID)
		if err != nil {
			return idem.Claimed{}, err
		}
		if !seen.claimable(&c.Fingerprint) {
			return s.refusal(&c.ID, &seen), nil
		}
		claimed, err := s.take(ctx, c, &seen)
		if err != nil || claimed.State == idem.ClaimOwned {
			return claimed, err
		}
	}
	return idem.Claimed{}, fmt.Errorf("%w: the record changed hands %d times", idem.ErrStoreBusy, claimRounds)
}

// take makes c the owner of the row that was seen, unless somebody was faster:
// then it returns the zero value.
func (s *Store) take(ctx context.Context, c *idem.Claim, seen *row) (idem.Claimed, error) {
	lease, ttl := us(c.Lease), us(max(c.TTL, c.Lease))
	attempt := seen.attempt(&c.Fingerprint)
	var (
		result sql.Result
		err    error
	)
	if !seen.exists {
		result, err = exec(ctx, s.sql.insert, c.ID[:], c.Fingerprint[:], c.Hold, lease, ttl, operation(c))
	} else {
		result, err = exec(ctx, s.sql.take, c.Fingerprint[:], c.Hold, attempt, lease, ttl, operation(c),
			c.ID[:], int64(seen.fence), int64(seen.state), c.Fingerprint[:])
	}
	if err != nil {
		return idem.Claimed{}, err
	}
	if n, err := result.RowsAffected(); n == 0 || err != nil {
		return idem.Claimed{}, err
	}
	fence, err := result.LastInsertId()
	if err != nil {
		return idem.Claimed{}, err
	}
	return idem.Claimed{State: idem.ClaimOwned, Fence: idem.Fence(fence), Attempts: attempt}, nil
}

// Heartbeat implements [idem.Store].
func (s *Store) Heartbeat(ctx context.Context, id idem.ID, f idem.Fence, lease time.Duration) error {
	return s.touch(ctx, "heartbeat", s.sql.heartbeat, id, f, us(lease), us(lease))
}

// Complete implements [idem.Store].
func (s *Store) Complete(ctx context.Context, id idem.ID, f idem.Fence, r idem.Response, ttl time.Duration) error {
	err := s.update(ctx, "complete", s.sql.complete, id, f, answerArgs(&r, ttl)...)
	if err == nil {
		s.answered.add(&id)
	}
	return err
}

// Release implements [idem.Store].
func (s *Store) Release(ctx context.Context, id idem.ID, f idem.Fence) error {
	return s.update(ctx, "release", s.sql.release, id, f)
}

// Abandon implements [idem.Store].
func (s *Store) Abandon(ctx context.Context, id idem.ID, f idem.Fence) error {
	return s.touch(ctx, "abandon", s.sql.abandon, id, f)
}

// update executes a statement that changes the record that runs under f.
func (s *Store) update(ctx context.Context, verb string, stmt *sql.Stmt, id idem.ID, f idem.Fence, args ...any) error {
	n, err := s.change(ctx, verb, stmt, id, f, args)
	if err == nil && n == 0 {
		return idem.ErrClaimLost
	}
	return err
}

// touch is update for statements that may find everything as they would leave
// it. The server does not count such rows, unless the DSN says clientFoundRows.
func (s *Store) touch(ctx context.Context, verb string, stmt *sql.Stmt, id idem.ID, f idem.Fence, args ...any) error {
	n, err := s.change(ctx, verb, stmt, id, f, args)
	if n > 0 || err != nil {
		return err
	}
	err = s.within(ctx, func(ctx context.Context) error {
		return s.sql.owns.QueryRowContext(ctx, id[:], int64(f)).Scan(&n)
	})
	if err != nil {
		return fmt.Errorf("mysql: %s: %w", verb, err)
	}
	if n == 0 {
		return idem.ErrClaimLost
	}
	return nil
}

// change executes a statement with the condition owned, and returns how many
// rows it changed.
func (s *Store) change(ctx context.Context, verb string, stmt *sql.Stmt, id idem.ID, f idem.Fence, args []any) (n int64, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		result, err := exec(ctx, stmt, append(args, id[:], int64(f))...)
		if err == nil {
			n, err = result.RowsAffected()
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("mysql: %s: %w", verb, err)
	}
	return n, nil
}

const (
	tries = 3
	pause = 2 * time.Millisecond
)

// exec executes a statement that is a transaction of its own, again after a
// deadlock.
func exec(ctx context.Context, stmt *sql.Stmt, args ...any) (result sql.Result, err error) {
	err = again(ctx, func() error {
		result, err = stmt.ExecContext(ctx, args...)
		return err
	})
	return result, err
}

// again calls f until it meets no deadlock any more.
func again(ctx context.Context, f func() error) error {
	for try := 1; ; try++ {
		err := f()
		if number(err) != deadlock || try == tries {
			return err
		}
		select {
		case <-time.After(rand.N(time.Duration(try) * pause)):
		case <-ctx.Done():
			return err
		}
	}
}

// operation is the name that goes into its column, which has 255 characters.
func operation(c *idem.Claim) string {
	const most = 255
	name := c.Operation
	if utf8.RuneCountInString(name) > most {
		name = string([]rune(name)[:most])
	}
	return name
}
