package runtime_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// A handler that ends its goroutine, as a failed assertion in it does, must not
// leave a heartbeat behind that keeps the key for ever.
func TestServe_EndedGoroutineAbandonsTheKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, h := serve(t, placeOrder())
		normal := o.handler
		o.handler = func(http.ResponseWriter, *http.Request) { runtime.Goexit() }
		var first sync.WaitGroup
		first.Go(func() { do(h, post("k", `{}`)) })
		first.Wait()
		o.handler = normal
		wantStatus(t, do(h, post("k", `{}`)), 201)
		time.Sleep(time.Hour) // a heartbeat that went on would be found by the end of the bubble
	})
}

func TestBeforeCommit_PanicAbandonsTheKey(t *testing.T) {
	o, h := serve(t, placeOrder())
	normal := o.handler
	o.handler = func(w http.ResponseWriter, r *http.Request) {
		idem.BeforeCommit(r.Context(), func(context.Context) error { panic("full") })
		normal(w, r)
	}
	func() {
		defer func() {
			if got := recover(); got != "full" {
				t.Errorf("recovered %v, want the hook's panic", got)
			}
		}()
		do(h, post("k", `{}`))
	}()
	o.handler = normal
	wantStatus(t, do(h, post("k", `{}`)), 201)
}

func explode(http.ResponseWriter, *http.Request) { panic("boom") }

// What a server logs of a panic must show where it began.
func TestServe_PanicKeepsItsStack(t *testing.T) {
	o, h := serve(t, placeOrder())
	o.handler = explode
	defer func() {
		_ = recover()
		if stack := string(debug.Stack()); !strings.Contains(stack, "runtime_test.explode") {
			t.Errorf("the stack does not show the handler:\n%s", stack)
		}
	}()
	do(h, post("k", `{}`))
}

// Metrics are told about answers; they do not take them away.
func TestMetrics_PanicGoesNoFurther(t *testing.T) {
	var calls int
	broken := func() { calls++; panic("collector is gone") }
	o, h := serve(t, placeOrder(), idem.WithMetrics(idem.Metrics{
		Request:      func(context.Context, *idem.Operation, idem.Outcome) { broken() },
		Precondition: func(context.Context, *idem.Operation, idem.PreconditionOutcome, string, string) { broken() },
		Store:        func(context.Context, string, time.Duration, error) { broken() },
		Takeover:     func(context.Context, *idem.Operation) { broken() },
		ResponseSize: func(context.Context, *idem.Operation, int) { broken() },
	}))
	normal := o.handler
	o.handler = func(w http.ResponseWriter, r *http.Request) { o.h.ResponseError(w, r, errors.New("timeout")) }
	wantProblem(t, do(h, post("k", `{}`)), 500, "internal-error")
	o.handler = normal
	wantStatus(t, do(h, post("k", `{}`)), 201) // a takeover
	wantStatus(t, do(h, post("k", `{}`)), 201)
	o.handler = o.replace
	wantStatus(t, do(h, put(`"1"`)), 200)
	if calls < 10 {
		t.Errorf("%d calls, want every function called", calls)
	}
}
