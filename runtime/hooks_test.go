package runtime_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// What BeforeCommit has accepted must run, also where a guarded write has
// neither key nor transaction.
func TestBeforeCommit_GuardedWithoutKey(t *testing.T) {
	o, h := serve(t, placeOrder())
	var ran []string
	fail := error(nil)
	o.handler = func(w http.ResponseWriter, r *http.Request) {
		idem.BeforeCommit(r.Context(), func(ctx context.Context) error {
			ran = append(ran, "first")
			idem.BeforeCommit(ctx, func(context.Context) error { ran = append(ran, "second"); return fail })
			return nil
		})
		o.replace(w, r)
	}
	wantStatus(t, do(h, put(`"1"`)), 200)
	if len(ran) != 2 || ran[1] != "second" {
		t.Errorf("ran %v", ran)
	}
	wantStatus(t, do(h, put(`"1"`)), 412)
	if len(ran) != 2 {
		t.Errorf("a refused write ran its hooks: %v", ran)
	}
	fail = errors.New("outbox is full")
	wantProblem(t, do(h, put(`"2"`)), 500, "internal-error")
}

func TestBeforeCommit_OnlyForAnswersThatAreKept(t *testing.T) {
	o, h := serve(t, placeOrder())
	var late context.Context
	ran := false
	o.handler = func(w http.ResponseWriter, r *http.Request) {
		late = r.Context() //nolint:fatcontext // the test is about a context that outlives its run
		idem.BeforeCommit(r.Context(), func(context.Context) error { ran = true; return nil })
		w.WriteHeader(http.StatusTooManyRequests)
	}
	wantStatus(t, do(h, post("k", `{}`)), 429)
	if ran {
		t.Error("the hook ran for an answer that is not recorded")
	}
	if idem.BeforeCommit(late, func(context.Context) error { return nil }) {
		t.Error("a hook was taken after the run")
	}
}

func TestBeforeCommit_Concurrent(t *testing.T) {
	o, h := serve(t, placeOrder())
	normal := o.handler
	ran := 0
	o.handler = func(w http.ResponseWriter, r *http.Request) {
		var calls sync.WaitGroup
		for range 8 {
			calls.Go(func() {
				idem.KeepWrites(r.Context())
				idem.BeforeCommit(r.Context(), func(context.Context) error { ran++; return nil })
			})
		}
		calls.Wait()
		normal(w, r)
	}
	wantStatus(t, do(h, post("k", `{}`)), 201)
	if ran != 8 {
		t.Errorf("%d hooks ran, want 8", ran)
	}
}

// A slow hook is part of the run: nobody may take the claim over meanwhile.
func TestBeforeCommit_HeartbeatGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, h := serve(t, placeOrder())
		normal := o.handler
		o.handler = func(w http.ResponseWriter, r *http.Request) {
			idem.BeforeCommit(r.Context(), func(context.Context) error { time.Sleep(5 * time.Minute); return nil })
			normal(w, r)
		}
		var first sync.WaitGroup
		first.Go(func() { wantStatus(t, do(h, post("k", `{}`)), 201) })
		time.Sleep(4 * time.Minute)
		wantProblem(t, do(h, post("k", `{}`)), 409, "in-flight")
		first.Wait()
	})
}
