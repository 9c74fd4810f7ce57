package runtime_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/memory"
)

// A client that follows the retry member must never perform a request twice.
func TestProblem_RetryOfAFailure(t *testing.T) {
	op := placeOrder()
	op.Idempotency.Required = false
	o, h := serve(t, op)
	failed := errors.New("timeout")
	for _, tt := range []struct {
		name string
		r    *http.Request
		err  error
		want string
	}{
		{"with a key", post("k", `{}`), failed, "same-key"},
		{"without", post("", `{}`), failed, "none"},
		{"without, before any effect", post("", `{}`), idem.NotExecuted(failed), "same-key"},
		{"guarded by a tag", put(`"1"`), failed, "same-key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o.handler = func(w http.ResponseWriter, r *http.Request) { o.h.ResponseError(w, r, tt.err) }
			if p := wantProblem(t, do(h, tt.r), 500, "internal-error"); p.Retry != tt.want {
				t.Errorf("retry %q, want %q", p.Retry, tt.want)
			}
		})
	}
}

// endings is a store whose transactions end as told.
type endings struct {
	idem.Store
	err error
}

func (s endings) Begin(context.Context, *idem.Claim) (idem.StoreTx, idem.Claimed, error) {
	return ending{s.err}, idem.Claimed{State: idem.ClaimOwned, Attempts: 1}, nil
}

type ending struct{ err error }

func (ending) Tx() any                                                  { return nil }
func (ending) Rollback(context.Context) error                           { return nil }
func (e ending) Complete(context.Context, *idem.Completion, bool) error { return e.err }

func TestProblem_RetryOfAnUnclearCommit(t *testing.T) {
	dropped := errors.New("connection reset")
	for _, tt := range []struct {
		name, key, want, suffix string
		status, counted         int
		err                     error
	}{
		{"with a key", "k", "same-key", "store-unavailable", 503, 1, dropped},
		{"without", "", "none", "internal-error", 500, 0, dropped},
		{"ended by the handler", "k", "none", "internal-error", 500, 1, idem.ErrTxEnded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			op := placeOrder()
			op.Idempotency.Required = false
			counted := 0
			_, h := serve(t, op, idem.WithStore(endings{memory.New(), tt.err}), idem.WithMetrics(idem.Metrics{
				Request: func(context.Context, *idem.Operation, idem.Outcome) { counted++ },
			}))
			if p := wantProblem(t, do(h, post(tt.key, `{}`)), tt.status, tt.suffix); p.Retry != tt.want {
				t.Errorf("retry %q, want %q", p.Retry, tt.want)
			}
			if counted != tt.counted {
				t.Errorf("%d outcomes counted, want %d", counted, tt.counted)
			}
		})
	}
}
