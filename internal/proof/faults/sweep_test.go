package faults_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/idemgen/idemgen/internal/proof/faults"
	idem "github.com/idemgen/idemgen/runtime"
)

// patience bounds what is waited for: a call that does not return, a connection
// that does not come back. It is generous, because a loaded machine is no
// failure.
const patience = time.Minute

// trial is one scenario with one fault.
type trial struct {
	*world
	ctx     context.Context
	id      idem.ID
	effect  string
	fence   idem.Fence
	claimed idem.Claimed
}

func (t *trial) claim(fp idem.Fingerprint) idem.Claim {
	return idem.Claim{ID: t.id, Fingerprint: fp, Lease: lease, TTL: ttl, Operation: "sweep"}
}

// broken is what a trial panics with when something is wrong.
type broken struct{ error }

func (b broken) Unwrap() error { return b.error }

func (t *trial) failf(format string, args ...any) { panic(broken{fmt.Errorf(format, args...)}) }

func (t *trial) must(err error, what string) {
	if err != nil {
		t.failf("%s: %w", what, err)
	}
}

// view is what another process sees of the key.
type view struct {
	idem.Record
	found bool
}

func (t *trial) look() view {
	r, found, err := t.clean.Lookup(t.ctx, t.id)
	t.must(err, "lookup by another process")
	return view{r, found}
}

// equal reports whether nothing has changed but the time.
func (v view) equal(w view) bool {
	return v.found == w.found && v.State == w.State && v.Fingerprint == w.Fingerprint && v.Hold == w.Hold &&
		v.Fence == w.Fence && v.Attempts == w.Attempts && same(v.Response, w.Response) &&
		about(v.LeaseLeft, w.LeaseLeft) && about(v.ExpiresIn, w.ExpiresIn)
}

func (v view) String() string {
	if !v.found {
		return "no record"
	}
	return fmt.Sprintf("state %d, fingerprint %c, fence %d, attempt %d, lease %v, expires %v, body %s",
		v.State, v.Fingerprint[1], v.Fence, v.Attempts, v.LeaseLeft, v.ExpiresIn, v.Response.Body)
}

// about allows for the time that a trial takes.
func about(a, b time.Duration) bool { return (a - b).Abs() < time.Hour/2 }

func same(a, b idem.Response) bool {
	return a.Status == b.Status && string(a.Headers) == string(b.Headers) && string(a.Body) == string(b.Body)
}

// TestSweep sets every kind of fault at every boundary of everything that a
// store does.
func TestSweep(t *testing.T) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			todo := make(chan scenario, len(scenarios()))
			for _, s := range scenarios() {
				named := func(begin string) bool { return strings.HasPrefix(s.name, begin) }
				if b.only == nil || slices.ContainsFunc(b.only, named) {
					todo <- s
				}
			}
			close(todo)
			var workers sync.WaitGroup
			for range b.workers {
				w := b.open(t)
				workers.Go(func() {
					for s := range todo {
						if !t.Run(s.String(), func(t *testing.T) { sweep(t, w, s) }) {
							return // nobody knows what is left open
						}
					}
				})
			}
			workers.Wait()
			for s := range todo {
				t.Errorf("%v was not tried, because of the failures before", s)
			}
		})
	}
}

// sweep tries one scenario with every kind of fault at every boundary.
func sweep(t *testing.T, w *world, s scenario) {
	t.Helper()
	if err := faultless(t.Context(), w, s); err != nil {
		t.Fatalf("without a fault: %v", err)
	}
	for _, k := range faults.Kinds() {
		for at := 0; ; at++ {
			fired, err := try(t.Context(), w, s, k, at)
			if err != nil {
				t.Fatalf("%v at %s: %v", k, fired, err)
			}
			if fired == "" {
				break // there are no more boundaries
			}
		}
	}
}

// faultless checks what a scenario expects of itself. The store's budget may be
// too short for the machine.
func faultless(ctx context.Context, w *world, s scenario) (err error) {
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if _, err = try(ctx, w, s, faults.None, 0); !errors.Is(err, idem.ErrStoreBusy) {
			break
		}
	}
	return err
}

// try runs a scenario with a fault at one boundary and says what is wrong
// afterwards.
func try(ctx context.Context, w *world, s scenario, k faults.Kind, at int) (fired string, err error) {
	t := &trial{world: w, ctx: ctx, effect: rand.Text()}
	t.id = sha256.Sum256([]byte(t.effect))
	defer func() {
		w.plan.Disarm()
		if p := recover(); p != nil {
			b, ok := p.(broken)
			if !ok {
				panic(p)
			}
			err = b
		}
	}()
	t.fence = t.prepare(s.from)
	pre := t.look()
	if s.cold {
		w.cool()
	}

	caller := faults.NewContext(ctx)
	w.plan.Arm(at, k, caller.End)
	answered := t.guard(func() error { return s.do(caller, t) })
	fired = w.plan.Disarm()
	t.settle()
	if k == faults.None && answered != nil && !errors.Is(answered, errRolledBack) && !s.lost {
		t.failf("got %w", answered)
	}
	if errors.Is(answered, errPanicked) && w.restart != nil {
		// database/sql does not get over a driver that panics: it counts the
		// connection as used for good. To others nothing may be closed by it;
		// to this process only a new start helps.
		defer w.plan.Forget()()
		t.eventually(w.restart)
	}
	t.check(s, pre, answered)
	t.free()
	t.finish(s, pre, answered)
	return fired, nil
}

// errPanicked stands for an answer that did not come.
var errPanicked = errors.New("a panic")

// guard calls f and gives up when it does not return.
func (t *trial) guard(f func() error) error {
	result := make(chan error, 1)
	go func() {
		defer func() {
			switch p := recover().(type) {
			case nil:
			case faults.Panic:
				result <- errPanicked
			default:
				result <- fmt.Errorf("panic: %v\n%s", p, stack())
			}
		}()
		result <- f()
	}()
	select {
	case err := <-result:
		return err
	case <-time.After(patience):
		t.failf("the call did not return after %s:\n%s", t.plan.Fired(), stack())
		return nil
	}
}

func stack() string {
	buffer := make([]byte, 1<<20)
	return string(buffer[:runtime.Stack(buffer, true)])
}

// check looks at the key after the fault.
func (t *trial) check(s scenario, pre view, answered error) {
	post := t.look()
	applied := s.after != nil && s.after(t, post)
	untouched := post.equal(pre)
	effects, err := t.count(t.effect)
	t.must(err, "count effects")
	isTx, isClaim := strings.HasPrefix(s.name, "tx"), strings.HasPrefix(s.name, "claim")
	switch {
	case !applied && !untouched:
		t.failf("answered %v; the key is half changed: it was %v and is %v", answered, pre, post)
	case s.lost && answered == nil:
		t.failf("a call under a stale fence was acknowledged: the key is %v", post)
	case answered == nil && s.after != nil && !applied:
		t.failf("acknowledged, but the key is %v", post)
	case errors.Is(answered, errRolledBack) && !untouched, errors.Is(answered, idem.ErrRetryTx) && !untouched:
		t.failf("answered %v, but the key is %v", answered, post)
	case errors.Is(answered, idem.ErrClaimLost) && !s.lost && untouched:
		t.failf("the claim is said to be lost, but the key is %v", post)
	case s.name == "tx without a key":
		if effects > 1 || answered == nil && effects != 1 {
			t.failf("answered %v, but %d effects are there", answered, effects)
		}
	case s.effect == 1 && applied != (effects == 1), s.effect == 0 && effects != 0:
		t.failf("answered %v; the key is %v, but %d effects are there", answered, post, effects)
	case answered == nil && (isClaim || isTx):
		t.checkClaimed(s, pre, post)
	}
}

// checkClaimed holds the answer of a claim against what is there.
func (t *trial) checkClaimed(s scenario, pre, post view) {
	got := t.claimed
	switch {
	case s.after != nil && (got.State != idem.ClaimOwned || got.Fence <= pre.Fence):
		t.failf("claimed %+v, but the key was %v", got, pre)
	case s.after != nil && strings.HasPrefix(s.name, "claim") && (post.Fence != got.Fence || post.Attempts != got.Attempts):
		t.failf("claimed %+v, but the key is %v", got, post)
	case s.after == nil && (got.State == idem.ClaimOwned || !pre.equal(view{got.Record, true})):
		t.failf("claimed %+v, but the key was %v", got, pre)
	}
}

// settle waits until the server has settled what was begun on connections that
// are gone.
func (t *trial) settle() {
	if t.open == nil {
		return
	}
	t.eventually(func() error {
		n, err := t.open()
		if err == nil && n != 0 {
			err = fmt.Errorf("%d connections are still active, or a transaction on them is open", n)
		}
		return err
	})
}

// free waits until the store has given all connections back.
func (t *trial) free() {
	t.eventually(func() error {
		if n := t.inUse(); n != 0 {
			return fmt.Errorf("%d connections were not given back", n)
		}
		return nil
	})
}

func (t *trial) eventually(f func() error) {
	if err := eventually(t.patience, f); err != nil {
		t.failf("%w", err)
	}
}

// eventually calls f until it returns nil, or patience is over.
func eventually(patience time.Duration, f func() error) (err error) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if err = f(); err == nil {
			break
		}
	}
	return err
}

// finish is the client's retry: it must come to an answer, by the same store,
// and the effect must have happened once.
func (t *trial) finish(s scenario, pre view, answered error) {
	highest := max(pre.Fence, t.claimed.Fence)
	t.eventually(func() error { return t.retry(s, highest) })
	if r := t.look(); !r.found || r.State != idem.StateDone {
		t.failf("the retry was answered, but the key is %v", r)
	}
	want := s.effect
	effects, err := t.count(t.effect)
	t.must(err, "count effects")
	if s.name == "tx without a key" {
		return
	}
	if effects != want {
		t.failf("answered %v, and then the retry: %d effects are there, want %d", answered, effects, want)
	}
	t.free()
}

// retry makes one attempt to come to an answer. An error means: once more.
func (t *trial) retry(s scenario, highest idem.Fence) error {
	c := t.claim(own)
	var (
		tx      idem.StoreTx
		claimed idem.Claimed
		err     error
	)
	if strings.HasPrefix(s.name, "tx") {
		tx, claimed, err = t.faulty.Begin(t.ctx, &c)
	} else {
		claimed, err = t.faulty.Claim(t.ctx, c)
	}
	switch {
	case err != nil:
		return fmt.Errorf("the retry failed: %w", err)
	case claimed.State == idem.ClaimDone:
		return nil
	case claimed.State == idem.ClaimRunning:
		if r := t.look(); r.found && r.State == idem.StateRunning {
			t.must(t.advance(t.id, 1000*time.Hour), "advance")
			return errors.New("the key is claimed")
		}
		return errors.New("the key is said to be in flight, and is not")
	case claimed.Fence <= highest:
		t.failf("the retry was given fence %d after %d", claimed.Fence, highest)
	}
	if tx == nil {
		return t.faulty.Complete(t.ctx, t.id, claimed.Fence, answer, keep)
	}
	if s.effect == 1 {
		if err := t.write(t.ctx, tx.Tx(), t.effect); err != nil {
			return errors.Join(err, tx.Rollback(t.ctx))
		}
	}
	return tx.Complete(t.ctx, &idem.Completion{Response: answer, TTL: keep}, true)
}
