package runtime_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/memory"
)

// down is a transactional store that cannot be reached.
type down struct{ broken }

func (down) Begin(context.Context, *idem.Claim) (idem.StoreTx, idem.Claimed, error) {
	return nil, idem.Claimed{}, errors.New("connection refused")
}

// An observed policy fails nothing: not with its store, and not with a body
// that only the layer wanted to read.
func TestObserve_FailuresChangeNoAnswer(t *testing.T) {
	op := placeOrder()
	op.Idempotency.Rollout = idem.RolloutObserve
	t.Run("store", func(t *testing.T) {
		o, h := serve(t, op, idem.WithStore(down{}))
		o.handler = func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if string(body) != `{"a":1}` || err != nil {
				t.Errorf("body %q, %v", body, err)
			}
			w.WriteHeader(http.StatusCreated)
		}
		for _, key := range []string{"k", ""} {
			wantStatus(t, do(h, post(key, `{"a":1}`)), 201)
		}
	})
	t.Run("body", func(t *testing.T) {
		cut := errors.New("cut")
		o, h := serve(t, op, idem.WithStore(memory.New()))
		o.handler = func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if string(body) != `{"a"` || !errors.Is(err, cut) {
				t.Errorf("body %q, %v", body, err)
			}
			w.WriteHeader(http.StatusCreated)
		}
		r := post("k", "")
		r.ContentLength = -1
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"a"`), iotest.ErrReader(cut)))
		wantStatus(t, do(h, r), 201)
	})
}
