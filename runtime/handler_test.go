package runtime_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/memory"
)

func TestServe_ReplaysTheFirstAnswer(t *testing.T) {
	o, h := serve(t, placeOrder())
	first := do(h, post("k", `{"sku":"tea"}`))
	again := do(h, post(`"k"`, ` {"sku": "tea"}`))
	wantStatus(t, first, 201)
	wantStatus(t, again, 201)
	if again.Body.String() != first.Body.String() || o.runs.Load() != 1 {
		t.Errorf("bodies %q, %q after %d runs", first.Body, again.Body, o.runs.Load())
	}
	if first.Header().Get("Idempotent-Replayed") != "" || again.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("markers %q, %q", first.Header(), again.Header())
	}
	wantProblem(t, do(h, post("k", `{"sku":"coffee"}`)), 409, "key-reused")
}

func TestServe_AnotherTenantIsAnotherRequest(t *testing.T) {
	o, h := serve(t, placeOrder())
	do(h, post("k", `{}`))
	other := post("k", `{}`)
	other.Header.Set("Tenant", "t2")
	if w := do(h, other); w.Header().Get("Idempotent-Replayed") != "" || o.runs.Load() != 2 {
		t.Errorf("tenant t2 got %v after %d runs", w.Header(), o.runs.Load())
	}
	nobody := post("k", `{}`)
	nobody.Header.Del("Tenant")
	wantProblem(t, do(h, nobody), 403, "scope-unresolved")
}

// Every refusal of the layer leaves the key usable.
func TestServe_RefusalsRecordNothing(t *testing.T) {
	small := placeOrder()
	small.Idempotency.Fingerprint.MaxBody = 16
	o, h := serve(t, small)
	two := post("k", `{}`)
	two.Header.Add("Idempotency-Key", "l")
	badQuery := post("k", `{}`)
	badQuery.URL.RawQuery = "a=%zz"
	cut := post("k", `{}`)
	cut.ContentLength = -1
	cut.Body = http.NoBody
	for _, tt := range []struct {
		name   string
		r      *http.Request
		status int
		suffix string
	}{
		{"no key", post("", `{}`), 400, "key-missing"},
		{"malformed key", post(`"k`, `{}`), 400, "key-invalid"},
		{"two key lines", two, 400, "key-invalid"},
		{"malformed JSON", post("k", `{"a":`), 400, "malformed-body"},
		{"malformed query", badQuery, 400, "malformed-request"},
		{"oversized body", post("k", `{"a":"0123456789abcdef"}`), 413, "body-too-large"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantProblem(t, do(h, tt.r), tt.status, tt.suffix) })
	}
	if o.runs.Load() != 0 {
		t.Errorf("%d runs before the good request", o.runs.Load())
	}
	wantStatus(t, do(h, post("k", `{"a":1}`)), 201)
}

func TestServe_PanicSettlesAndGoesOn(t *testing.T) {
	o, h := serve(t, placeOrder())
	normal := o.handler
	o.handler = func(http.ResponseWriter, *http.Request) { panic("boom") }
	func() {
		defer func() {
			if got := recover(); got != "boom" {
				t.Errorf("recovered %v, want the handler's panic", got)
			}
		}()
		do(h, post("k", `{}`))
	}()
	o.handler = normal
	wantProblem(t, do(h, post("k", `{"other":1}`)), 409, "key-reused") // the outcome is unclear: still bound
	wantStatus(t, do(h, post("k", `{}`)), 201)
}

func TestServe_NothingAnsweredIsAnError(t *testing.T) {
	o, h := serve(t, placeOrder())
	normal := o.handler
	o.handler = func(http.ResponseWriter, *http.Request) {}
	wantProblem(t, do(h, post("k", `{}`)), 500, "internal-error")
	o.handler = normal
	wantStatus(t, do(h, post("k", `{}`)), 201)
}

func TestServe_NotExecutedFreesTheKey(t *testing.T) {
	o, h := serve(t, placeOrder())
	normal := o.handler
	o.handler = func(w http.ResponseWriter, r *http.Request) {
		o.h.ResponseError(w, r, idem.NotExecuted(errors.New("no stock service")))
	}
	wantProblem(t, do(h, post("k", `{}`)), 500, "internal-error")
	o.handler = normal
	wantStatus(t, do(h, post("k", `{"other":1}`)), 201) // free, even for another body
}

func TestServe_ClientGoesAway(t *testing.T) {
	o, h := serve(t, placeOrder())
	ctx, cancel := context.WithCancel(context.Background())
	normal := o.handler
	o.handler = func(w http.ResponseWriter, r *http.Request) {
		cancel()
		if err := r.Context().Err(); err != nil {
			t.Errorf("the handler's context ended with the client: %v", err)
		}
		normal(w, r)
	}
	do(h, post("k", `{}`).WithContext(ctx))
	if w := do(h, post("k", `{}`)); w.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("the answer was lost: %d %s", w.Code, w.Body)
	}
}

func TestServe_HeartbeatKeepsTheClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, h := serve(t, placeOrder())
		normal := o.handler
		o.handler = func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(5 * time.Minute) // ten leases
			normal(w, r)
		}
		done := make(chan struct{})
		go func() { defer close(done); do(h, post("k", `{}`)) }()
		time.Sleep(4 * time.Minute)
		p := wantProblem(t, do(h, post("k", `{}`)), 409, "in-flight")
		if p.Retry != "same-key" || p.RetryAfterMs < 500 || p.RetryAfterMs > 1000 {
			t.Errorf("in flight: %+v", p)
		}
		<-done
		if o.runs.Load() != 1 {
			t.Errorf("%d runs", o.runs.Load())
		}
	})
}

// lost is a store whose heartbeats find the claim taken over.
type lost struct{ idem.Store }

func (lost) Heartbeat(context.Context, idem.ID, idem.Fence, time.Duration) error {
	return idem.ErrClaimLost
}

func TestServe_LostClaimCancelsTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, h := serve(t, placeOrder(), idem.WithStore(lost{memory.New()}))
		o.handler = func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			if cause := context.Cause(r.Context()); !errors.Is(cause, idem.ErrClaimLost) {
				t.Errorf("cause %v", cause)
			}
			panic(http.ErrAbortHandler)
		}
		defer func() { _ = recover() }()
		do(h, post("k", `{}`))
	})
}

func TestServe_WaitIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := placeOrder()
		op.Idempotency.Concurrency, op.Idempotency.MaxWait = idem.ConcurrencyWait, 3*time.Second
		o, h := serve(t, op)
		normal := o.handler
		o.handler = func(w http.ResponseWriter, r *http.Request) { time.Sleep(10 * time.Second); normal(w, r) }
		var first sync.WaitGroup
		first.Go(func() { do(h, post("k", `{}`)) })
		synctest.Wait()
		begin := time.Now()
		wantProblem(t, do(h, post("k", `{}`)), 409, "in-flight")
		if waited := time.Since(begin); waited < 3*time.Second || waited > 4*time.Second {
			t.Errorf("waited %v, want the policy's 3s", waited)
		}
		begin = time.Now()
		hurried := post("k", `{}`)
		hurried.Header.Set("Prefer", "respond-async, wait=1")
		wantProblem(t, do(h, hurried), 409, "in-flight")
		if waited := time.Since(begin); waited > 2*time.Second {
			t.Errorf("waited %v, want the client's 1s", waited)
		}
		time.Sleep(4 * time.Second)
		patient := do(h, post("k", `{}`)) // the first answer comes within the bound
		if patient.Header().Get("Idempotent-Replayed") != "true" {
			t.Errorf("got %d %v, want the replay", patient.Code, patient.Header())
		}
		first.Wait()
	})
}

func TestServe_ObserveChangesNothing(t *testing.T) {
	op := placeOrder()
	op.Idempotency.Rollout = idem.RolloutObserve
	counts := map[idem.Outcome]int{}
	o, h := serve(t, op, idem.WithMetrics(idem.Metrics{
		Request: func(_ context.Context, _ *idem.Operation, outcome idem.Outcome) { counts[outcome]++ },
	}))
	for _, r := range []*http.Request{
		post("k", `{}`), post("k", `{}`), post("k", `{"other":1}`), post("", `{}`), post(`"bad`, `{}`), post("k", `{"a":`),
	} {
		w := do(h, r)
		wantStatus(t, w, 201)
		if w.Header().Get("Idempotent-Replayed") != "" {
			t.Error("an observed request was replayed")
		}
	}
	want := map[idem.Outcome]int{
		idem.OutcomeExecuted: 1, idem.OutcomeWouldReplay: 1, idem.OutcomeWouldConflict: 1,
		idem.OutcomeMissing: 1, idem.OutcomeInvalid: 1, idem.OutcomeRefused: 1,
	}
	for outcome, n := range want {
		if counts[outcome] != n {
			t.Errorf("%s counted %d times, want %d (all: %v)", outcome, counts[outcome], n, counts)
		}
	}
	if o.runs.Load() != 6 {
		t.Errorf("%d runs, want 6", o.runs.Load())
	}
}

// broken is a store that cannot be reached.
type broken struct{ idem.Store }

func (broken) Claim(context.Context, idem.Claim) (idem.Claimed, error) {
	return idem.Claimed{}, errors.New("connection refused")
}

func TestServe_StoreDown(t *testing.T) {
	o, h := serve(t, placeOrder(), idem.WithStore(broken{}))
	w := do(h, post("k", `{}`))
	wantProblem(t, w, 503, "store-unavailable")
	if w.Header().Get("Retry-After") != "1" || o.runs.Load() != 0 {
		t.Errorf("Retry-After %q after %d runs", w.Header().Get("Retry-After"), o.runs.Load())
	}
	op := placeOrder()
	op.Idempotency.OnStoreError = idem.OnStoreErrorRun
	_, h = serve(t, op, idem.WithStore(broken{}))
	w = do(h, post("k", `{}`))
	wantStatus(t, w, 201)
	if w.Header().Get("Idempotency-Status") != "unprotected" {
		t.Errorf("Idempotency-Status %q", w.Header().Get("Idempotency-Status"))
	}
}

func TestBeforeCommit_ErrorIsUnclear(t *testing.T) {
	o, h := serve(t, placeOrder())
	normal := o.handler
	ran := false
	o.handler = func(w http.ResponseWriter, r *http.Request) {
		idem.BeforeCommit(r.Context(), func(context.Context) error { ran = true; return errors.New("outbox is full") })
		normal(w, r)
	}
	wantProblem(t, do(h, post("k", `{}`)), 500, "internal-error")
	if !ran {
		t.Error("the hook did not run")
	}
	if idem.BeforeCommit(context.Background(), func(context.Context) error { return nil }) {
		t.Error("a hook was taken outside a run")
	}
}

func TestNewHandler_ReportsAllThatIsMissing(t *testing.T) {
	tx := placeOrder()
	tx.Idempotency.Mode = idem.ModeTx
	named := placeOrder()
	named.ID, named.Pattern, named.Idempotency.Store = "other", "POST /other", "archive"
	_, err := idem.NewHandler([]*idem.Operation{tx, named}, idem.WithStore(memory.New()), idem.WithBaseURL("api/"))
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{"WithBaseURL", "placeOrder", "mode: tx", "WithScope", `no store is named "archive"`} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not mention %s:\n%v", part, err)
		}
	}
}

func TestRouter_UnknownPathAndMethod(t *testing.T) {
	_, h := serve(t, placeOrder())
	wantProblem(t, do(h, httptest.NewRequest("GET", "/nowhere", nil)), 404, "not-found")
	w := do(h, httptest.NewRequest("DELETE", "/orders", nil))
	wantProblem(t, w, 405, "method-not-allowed")
	if got := w.Header().Get("Allow"); got != "GET, HEAD, POST" {
		t.Errorf("Allow %q", got)
	}
}

func TestRouter_PlainOperationKeepsTheWriter(t *testing.T) {
	seen := ""
	o, h := serve(t, placeOrder(), idem.WithMiddleware(func(op *idem.Operation, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen = op.ID; next.ServeHTTP(w, r) })
	}))
	o.handler = func(w http.ResponseWriter, _ *http.Request) {
		if _, ok := w.(*httptest.ResponseRecorder); !ok {
			t.Errorf("the handler got a %T", w)
		}
		w.WriteHeader(http.StatusOK)
	}
	r := httptest.NewRequest("GET", "/orders", nil)
	r.Header.Set("Idempotency-Key", "k")
	if w := do(h, r); w.Header().Get("Idempotency-Status") != "ignored" {
		t.Errorf("Idempotency-Status %q", w.Header().Get("Idempotency-Status"))
	}
	if seen != "listOrders" {
		t.Errorf("the middleware saw %q", seen)
	}
}

func TestSweepRunner_SweepsUntilItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.New()
		_, h := serve(t, placeOrder(), idem.WithStore(store))
		do(h, post("k", `{}`))
		ctx, cancel := context.WithCancel(t.Context())
		var swept atomic.Int64
		runner := idem.SweepRunner{Store: store, Swept: func(_ context.Context, n int) { swept.Add(int64(n)) }}
		var end sync.WaitGroup
		end.Go(func() {
			if err := runner.Run(ctx); err != nil {
				t.Errorf("Run: %v", err)
			}
		})
		time.Sleep(23 * time.Hour)
		synctest.Wait()
		if swept.Load() != 0 {
			t.Errorf("a live record was swept")
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if swept.Load() != 1 {
			t.Errorf("%d records swept, want 1", swept.Load())
		}
		cancel()
		end.Wait()
	})
	runner := idem.SweepRunner{Store: lost{memory.New()}}
	if err := runner.Run(context.Background()); !errors.Is(err, idem.ErrNoSweep) {
		t.Errorf("a store without Sweep: %v", err)
	}
}
