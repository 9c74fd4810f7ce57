package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	goredis "github.com/redis/go-redis/v9"
)

// Lookup implements [idem.Store].
func (s *Store) Lookup(ctx context.Context, id idem.ID) (idem.Record, bool, error) {
	r, err := s.read(ctx, &id)
	if err != nil {
		return idem.Record{}, false, fmt.Errorf("redis: lookup: %w", known(err))
	}
	if !r.live() {
		return idem.Record{}, false, nil
	}
	return r.Record, true, nil
}

func (s *Store) read(ctx context.Context, id *idem.ID) (row, error) {
	values, err := s.run(ctx, lookupScript, id).Slice()
	if err != nil {
		return row{}, err
	}
	return readRow(values)
}

// Claim implements [idem.Store].
func (s *Store) Claim(ctx context.Context, c idem.Claim) (idem.Claimed, error) {
	claimed, err := s.claim(ctx, &c)
	if err != nil {
		return idem.Claimed{}, fmt.Errorf("redis: claim: %w", known(err))
	}
	return claimed, nil
}

func (s *Store) claim(ctx context.Context, c *idem.Claim) (idem.Claimed, error) {
	x, err := s.open(ctx, &c.ID)
	if err != nil {
		return idem.Claimed{}, err
	}
	defer x.close()
	what := appendClaim(make([]byte, 0, headerLength-atHold+len(c.Operation)), c)
	ttl := max(c.TTL, c.Lease)
	values, err := x.run(ctx, claimScript, &c.ID, mark(), us(c.Lease), us(ttl), life(ttl), what).Slice()
	if err != nil {
		return idem.Claimed{}, err
	}
	claimed, err := decide(values)
	if err != nil || claimed.State != idem.ClaimOwned {
		return claimed, err
	}
	if err := x.confirm(ctx); err != nil { // nothing has run yet
		return idem.Claimed{}, errors.Join(err, s.Release(context.WithoutCancel(ctx), c.ID, claimed.Fence))
	}
	return claimed, nil
}

// decide reads the answer of claimScript.
func decide(values []any) (idem.Claimed, error) {
	if len(values) == 2 {
		fence, err1 := integer(values[0])
		attempts, err2 := integer(values[1])
		if err := errors.Join(err1, err2); err != nil {
			return idem.Claimed{}, err
		}
		return idem.Claimed{State: idem.ClaimOwned, Fence: idem.Fence(fence), Attempts: int(attempts)}, nil
	}
	r, err := readRow(values)
	switch {
	case err != nil:
		return idem.Claimed{}, err
	case !r.live(): // nobody has it, and yet it was not claimable
		return idem.Claimed{}, errMalformed
	case r.State == idem.StateDone:
		return idem.Claimed{State: idem.ClaimDone, Record: r.Record}, nil
	}
	return idem.Claimed{State: idem.ClaimRunning, Record: r.Record}, nil
}

// Heartbeat implements [idem.Store].
func (s *Store) Heartbeat(ctx context.Context, id idem.ID, f idem.Fence, lease time.Duration) error {
	return outcome("heartbeat", s.run(ctx, heartbeatScript, &id, octets(f), mark(), us(lease)))
}

// Complete implements [idem.Store].
func (s *Store) Complete(ctx context.Context, id idem.ID, f idem.Fence, r idem.Response, ttl time.Duration) error {
	return s.finish(ctx, "complete", completeScript, &id, f, &r, ttl)
}

// finish stores an answer by a script with the parameters of finish.
func (s *Store) finish(ctx context.Context, verb string, script *goredis.Script, id *idem.ID, f idem.Fence, r *idem.Response, ttl time.Duration) error {
	answer := appendAnswer(make([]byte, 0, answerLength+len(r.Headers)+len(r.Body)), r)
	x, err := s.open(ctx, id)
	if err != nil {
		return fmt.Errorf("redis: %s: %w", verb, known(err))
	}
	defer x.close()
	if err := outcome(verb, x.run(ctx, script, id, octets(f), mark(), us(ttl), life(ttl), answer)); err != nil {
		return err
	}
	if err := x.confirm(ctx); err != nil {
		return fmt.Errorf("redis: %s: the answer is stored, but may be lost if the server fails: %w", verb, err)
	}
	return nil
}

// Release implements [idem.Store].
func (s *Store) Release(ctx context.Context, id idem.ID, f idem.Fence) error {
	return outcome("release", s.run(ctx, releaseScript, &id, octets(f), mark()))
}

// Abandon implements [idem.Store].
func (s *Store) Abandon(ctx context.Context, id idem.ID, f idem.Fence) error {
	return outcome("abandon", s.run(ctx, abandonScript, &id, octets(f), mark()))
}

// outcome reads the answer of a script with the condition of ownedPrelude.
func outcome(verb string, cmd *goredis.Cmd) error {
	n, err := cmd.Int64()
	if err != nil {
		return fmt.Errorf("redis: %s: %w", verb, known(err))
	}
	switch n {
	case 1:
		return nil
	case 0:
		return idem.ErrClaimLost
	}
	return fmt.Errorf("redis: %s: %w", verb, errMalformed)
}

// mark tells calls apart.
func mark() []byte {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return b
}
