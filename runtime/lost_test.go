package runtime_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/memory"
)

// replaced is a store in which another attempt takes the claim over and answers
// before the first one ends.
type replaced struct {
	idem.Store
	answer idem.Response
}

func (s replaced) lose(ctx context.Context, id idem.ID, f idem.Fence) error {
	if err := s.Complete(ctx, id, f, s.answer, 1<<40); err != nil {
		return err
	}
	return idem.ErrClaimLost
}

func (s replaced) Release(ctx context.Context, id idem.ID, f idem.Fence) error {
	return s.lose(ctx, id, f)
}

func (s replaced) Abandon(ctx context.Context, id idem.ID, f idem.Fence) error {
	return s.lose(ctx, id, f)
}

// What a replaced attempt has to say is not the truth any more, whatever it is.
func TestServe_LostClaimAnswersWithTheRecord(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusInternalServerError} {
		lost := 0
		store := replaced{Store: memory.New(), answer: idem.Response{Status: 201, Body: []byte("theirs")}}
		o, h := serve(t, placeOrder(), idem.WithStore(store), idem.WithMetrics(idem.Metrics{
			Lost: func(context.Context, *idem.Operation) { lost++ },
		}))
		o.handler = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
		w := do(h, post("k", `{}`))
		wantStatus(t, w, 201)
		if w.Body.String() != "theirs" || lost != 1 {
			t.Errorf("handler's %d: body %q, %d losses", status, w.Body, lost)
		}
	}
}

// unreachable is a store in which another attempt takes the claim over and
// answers, which the first one's heartbeat is told, and that fails when the first
// one ends.
type unreachable struct {
	idem.Store
	answer idem.Response
}

func (s unreachable) Heartbeat(ctx context.Context, id idem.ID, f idem.Fence, _ time.Duration) error {
	return replaced(s).lose(ctx, id, f)
}

func (unreachable) Complete(context.Context, idem.ID, idem.Fence, idem.Response, time.Duration) error {
	return errors.New("unreachable")
}

func (unreachable) Abandon(context.Context, idem.ID, idem.Fence) error {
	return errors.New("unreachable")
}

// A heartbeat has told that the claim is lost. That the store cannot be reached
// when the handler ends does not make its answer the truth again.
func TestServe_LostClaimAndFailingStore(t *testing.T) {
	for _, status := range []int{http.StatusCreated, http.StatusInternalServerError} {
		synctest.Test(t, func(t *testing.T) {
			op := placeOrder()
			store := unreachable{Store: memory.New(), answer: idem.Response{Status: 201, Body: []byte("theirs")}}
			o, h := serve(t, op, idem.WithStore(store))
			var cause error
			o.handler = func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(op.Idempotency.Lease)
				cause = context.Cause(r.Context())
				w.WriteHeader(status)
			}
			w := do(h, post("k", `{}`))
			wantStatus(t, w, 201)
			if w.Body.String() != "theirs" || !errors.Is(cause, idem.ErrClaimLost) {
				t.Errorf("handler's %d: body %q; its context ended with %v", status, w.Body, cause)
			}
		})
	}
}

// cut is a store whose claim is interrupted by the client's own end.
type cut struct {
	idem.Store
	hangUp func()
}

func (s cut) Claim(ctx context.Context, _ idem.Claim) (idem.Claimed, error) {
	s.hangUp()
	return idem.Claimed{}, errors.Join(errors.New("claim"), ctx.Err())
}

// A client that went away sends its request again: the store is well, and the
// second attempt will be protected. The first must not run unprotected.
func TestServe_ClientGoesAwayDuringTheClaim(t *testing.T) {
	op := placeOrder()
	op.Idempotency.OnStoreError = idem.OnStoreErrorRun
	ctx, cancel := context.WithCancel(t.Context())
	o, h := serve(t, op, idem.WithStore(cut{memory.New(), cancel}))
	wantProblem(t, do(h, post("k", `{}`).WithContext(ctx)), 503, "store-unavailable")
	if o.runs.Load() != 0 {
		t.Errorf("%d unprotected runs", o.runs.Load())
	}
}
