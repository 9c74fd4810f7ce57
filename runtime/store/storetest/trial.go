package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// The durations are long, so that a slow machine does not end a lease that a
// rule lets live; only Advance does.
const (
	lease   = 10 * time.Minute
	ttl     = 10 * time.Hour // of a running record
	keep    = 24 * time.Hour // of an answer
	instant = time.Minute    // what may pass during a rule by itself
)

var (
	fpA = idem.Fingerprint{1, 'a'}
	fpB = idem.Fingerprint{1, 'b'}

	answer = idem.Response{Status: 201, Headers: []byte("location: /orders/1\r\n"), Body: []byte(`{"id":1}`)}
)

// A trial is one run of one rule. Its methods leave the rule at the first thing
// that is wrong.
type trial struct {
	Harness
	ctx context.Context
}

// broken is what a rule panics with.
type broken struct{ err error }

func (t *trial) failf(format string, args ...any) {
	panic(broken{fmt.Errorf(format, args...)})
}

// must expects a call to work.
func (t *trial) must(err error, what string) {
	if err != nil {
		t.failf("%s: %v", what, err)
	}
}

// lost expects a call to fail because the claim is gone.
func (t *trial) lost(err error, what string) {
	if !errors.Is(err, idem.ErrClaimLost) {
		t.failf("%s: got error %v, want ErrClaimLost", what, err)
	}
}

func newID(name string) idem.ID { return sha256.Sum256([]byte(name)) }

// ask is a claim with fingerprint A that everyone can make.
func ask(id idem.ID) idem.Claim {
	return idem.Claim{ID: id, Fingerprint: fpA, Lease: lease, TTL: ttl, Operation: "createOrder"}
}

func with(c idem.Claim, fp idem.Fingerprint) idem.Claim {
	c.Fingerprint = fp
	return c
}

func held(c idem.Claim) idem.Claim {
	c.Hold = true
	return c
}

func (t *trial) claim(c idem.Claim) idem.Claimed {
	got, err := t.Store.Claim(t.ctx, c)
	t.must(err, "Claim")
	return got
}

// own claims and expects to own.
func (t *trial) own(c idem.Claim, when string) idem.Claimed {
	got := t.claim(c)
	t.isOwned(got, when)
	return got
}

func (t *trial) isOwned(got idem.Claimed, when string) {
	if got.State != idem.ClaimOwned {
		t.failf("Claim %s: got %s, want owned", when, claimState(got.State))
	}
}

// refused claims and expects that somebody else runs.
func (t *trial) refused(c idem.Claim, when string) idem.Record {
	got := t.claim(c)
	if got.State != idem.ClaimRunning {
		t.failf("Claim %s: got %s, want running", when, claimState(got.State))
	}
	return got.Record
}

// done claims and expects an answer.
func (t *trial) done(c idem.Claim, when string) idem.Record {
	got := t.claim(c)
	if got.State != idem.ClaimDone {
		t.failf("Claim %s: got %s, want done", when, claimState(got.State))
	}
	return got.Record
}

// finish claims and completes.
func (t *trial) finish(id idem.ID) idem.Claimed {
	got := t.own(ask(id), "on an absent ID")
	t.must(t.Store.Complete(t.ctx, id, got.Fence, answer, keep), "Complete")
	return got
}

// found looks up and expects a record.
func (t *trial) found(id idem.ID, when string) idem.Record {
	r, ok, err := t.Store.Lookup(t.ctx, id)
	t.must(err, "Lookup")
	if !ok {
		t.failf("Lookup %s: no record", when)
	}
	return r
}

// absent looks up and expects none.
func (t *trial) absent(id idem.ID, when string) {
	r, ok, err := t.Store.Lookup(t.ctx, id)
	t.must(err, "Lookup")
	if ok {
		t.failf("Lookup %s: got a record in state %d, want none", when, r.State)
	}
}

// within expects d to be what is left of whole after passed.
func (t *trial) within(d, whole, passed time.Duration, what string) {
	if left := whole - passed; d > left || d < left-instant {
		t.failf("%s is %v, want about %v", what, d, left)
	}
}

// same expects two responses to be equal bit for bit.
func (t *trial) same(got, want idem.Response, when string) {
	switch {
	case got.Status != want.Status:
		t.failf("%s: status is %d, want %d", when, got.Status, want.Status)
	case string(got.Headers) != string(want.Headers):
		t.failf("%s: headers are %q, want %q", when, got.Headers, want.Headers)
	case string(got.Body) != string(want.Body):
		t.failf("%s: body is %.100q, want %.100q", when, got.Body, want.Body)
	case got.Flags != want.Flags:
		t.failf("%s: flags are %#x, want %#x", when, got.Flags, want.Flags)
	}
}

// rises expects a later claim's fence to be higher.
func (t *trial) rises(before, after idem.Claimed, over string) {
	if after.Fence <= before.Fence {
		t.failf("fence %d after %s, want more than %d", after.Fence, over, before.Fence)
	}
}

func (t *trial) cancelled() context.Context {
	ctx, cancel := context.WithCancel(t.ctx)
	cancel()
	return ctx
}

func claimState(s idem.ClaimState) string {
	switch s {
	case idem.ClaimOwned:
		return "owned"
	case idem.ClaimDone:
		return "done"
	case idem.ClaimRunning:
		return "running"
	}
	return fmt.Sprintf("the state %d", s)
}
