package runtime_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/memory"
)

// unknown lets the first request of key "k" end without an outcome.
func unknown(t *testing.T) (o *orders, h http.Handler, s *memory.Store) {
	t.Helper()
	op := placeOrder()
	op.Idempotency.OnCrash = idem.OnCrashHold
	s = memory.New()
	o, h = serve(t, op, idem.WithStore(s))
	answer := o.handler
	o.handler = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
	wantStatus(t, do(h, post("k", `{}`)), 500)
	o.handler = answer
	wantProblem(t, do(h, post("k", `{}`)), 409, "outcome-unknown")
	wantProblem(t, do(h, post("k", `{"other":1}`)), 409, "key-reused")
	return o, h, s
}

// find looks the record up as an operator does who knows tenant and key.
func find(t *testing.T, h http.Handler, s idem.Resolver) (*idem.Handler, idem.Entry) {
	t.Helper()
	handler, ok := idem.HandlerOf(h)
	if !ok {
		t.Fatalf("HandlerOf(%T) found none", h)
	}
	id, err := handler.KeyID("placeOrder", idem.Scope{Tenant: "t1"}, "", "k")
	if err != nil {
		t.Fatal(err)
	}
	e, found, err := s.Get(t.Context(), id)
	if err != nil || !found || e.Operation != "placeOrder" || !e.Hold || e.LeaseLeft != 0 {
		t.Fatalf("Get: %+v, found %v, error %v", e, found, err)
	}
	list, err := s.Unknown(t.Context(), idem.Cursor{}, 10)
	if err != nil || len(list) != 1 || list[0].ID != id {
		t.Fatalf("Unknown: %+v, %v", list, err)
	}
	return handler, e
}

func TestResolve_Done(t *testing.T) {
	o, h, s := unknown(t)
	handler, e := find(t, h, s)
	header := http.Header{"Content-Type": {"application/json"}, "Location": {"/orders/1"}, "Set-Cookie": {"a=b"}, "X-Other": {"1"}}
	done, err := handler.Completion(t.Context(), "placeOrder", e.ID, 201, header, []byte(`{"id":1}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Resolve(t.Context(), e.ID, e.Fence, done); err != nil {
		t.Fatal(err)
	}
	w := do(h, post("k", `{}`))
	wantStatus(t, w, 201)
	if w.Body.String() != `{"id":1}` || w.Header().Get("Idempotent-Replayed") != "true" || w.Header().Get("Location") != "/orders/1" {
		t.Errorf("the resolved answer is %v %s", w.Header(), w.Body)
	}
	if w.Header().Get("Set-Cookie") != "" || w.Header().Get("X-Other") != "" {
		t.Errorf("headers that the policy does not keep were sent: %v", w.Header())
	}
	if o.runs.Load() != 1 {
		t.Errorf("%d runs, want the one that failed", o.runs.Load())
	}
	if err := s.Resolve(t.Context(), e.ID, e.Fence, nil); !errors.Is(err, idem.ErrNotUnknown) {
		t.Errorf("a second Resolve: %v", err)
	}
}

func TestResolve_NotDone(t *testing.T) {
	o, h, s := unknown(t)
	_, e := find(t, h, s)
	if err := s.Resolve(t.Context(), e.ID, e.Fence, nil); err != nil {
		t.Fatal(err)
	}
	w := do(h, post("k", `{"other":1}`))
	wantStatus(t, w, 201)
	if w.Header().Get("Idempotent-Replayed") != "" || o.runs.Load() != 2 {
		t.Errorf("after a free resolution: %v after %d runs", w.Header(), o.runs.Load())
	}
}

func TestHandler_CompletionRefuses(t *testing.T) {
	_, h := serve(t, placeOrder())
	handler, _ := idem.HandlerOf(h)
	for _, tt := range []struct {
		operation string
		status    int
		want      string
	}{
		{"placeOrder", 500, "does not record answers with status 500"},
		{"placeOrder", 401, "status 401"},
		{"placeOrder", -1, "status -1"},
		{"listOrders", 200, "keeps no keys"},
		{"other", 200, "no such operation"},
	} {
		_, err := handler.Completion(t.Context(), tt.operation, idem.ID{}, tt.status, nil, nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.operation) {
			t.Errorf("%s %d: %v, want %q", tt.operation, tt.status, err, tt.want)
		}
	}
}

func TestHandlerOf_Wrapped(t *testing.T) {
	_, h := serve(t, placeOrder())
	if _, ok := idem.HandlerOf(http.StripPrefix("/x", h)); ok {
		t.Error("HandlerOf found a handler inside another one")
	}
}

// The stored key is the one that requests are kept under, whatever the policy.
func TestHandler_KeyID(t *testing.T) {
	tests := []struct {
		name   string
		policy func(*idem.Idempotency)
		send   func(*http.Request)
		scope  idem.Scope
		path   string
		key    string
	}{
		{"bare", func(*idem.Idempotency) {}, nil, idem.Scope{Tenant: "t1"}, "", "k-1"},
		{"quoted", func(*idem.Idempotency) {}, nil, idem.Scope{Tenant: "t1", Principal: "not in the scope"}, "/ignored", ` "k-1" `},
		{"strict", func(p *idem.Idempotency) { p.Key.Strict = true }, func(r *http.Request) { r.Header.Set("Idempotency-Key", `"k-1"`) }, idem.Scope{Tenant: "t1"}, "", "k-1"},
		{"path", func(p *idem.Idempotency) { p.Scope = []string{"tenant", "path"} }, nil, idem.Scope{Tenant: "t1"}, "/%6Frders", "k-1"},
		{"body", func(p *idem.Idempotency) { p.Key.Body = "/id" }, nil, idem.Scope{Tenant: "t1"}, "", `"a" b`},
		{"observed", func(p *idem.Idempotency) { p.Rollout = idem.RolloutObserve }, nil, idem.Scope{Tenant: "t1"}, "", "k-1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			op, s := placeOrder(), memory.New()
			tt.policy(op.Idempotency)
			_, h := serve(t, op, idem.WithStore(s), idem.WithNamespace("staging"))
			r := post("k-1", `{"id":"\"a\" b"}`)
			if tt.send != nil {
				tt.send(r)
			}
			wantStatus(t, do(h, r), 201)
			handler, _ := idem.HandlerOf(h)
			id, err := handler.KeyID("placeOrder", tt.scope, tt.path, tt.key)
			if err != nil {
				t.Fatal(err)
			}
			if _, found, err := s.Get(t.Context(), id); !found || err != nil {
				t.Errorf("no record under %x (%v)", id, err)
			}
		})
	}
}

func TestHandler_KeyIDRefuses(t *testing.T) {
	op := placeOrder()
	op.Idempotency.Scope = []string{"tenant", "path"}
	_, h := serve(t, op)
	handler, _ := idem.HandlerOf(h)
	for _, tt := range []struct{ operation, tenant, path, key, want string }{
		{"getPet", "t1", "/pet", "k", "keeps no keys"},
		{"PlaceOrder", "t1", "/orders", "k", "no such operation"},
		{"placeOrder", "", "/orders", "k", "tenant is not known"},
		{"placeOrder", "t1", "", "k", "pass the one that the client requested"},
		{"placeOrder", "t1", "/%zz", "k", "hexadecimal"},
		{"placeOrder", "t1", "/orders", "", "empty"},
		{"placeOrder", "t1", "/orders", `"k`, "quote"},
	} {
		_, err := handler.KeyID(tt.operation, idem.Scope{Tenant: tt.tenant}, tt.path, tt.key)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

func TestNewResponse_LeavesOutWhatIsNeverReplayed(t *testing.T) {
	_, h, s := unknown(t)
	_, e := find(t, h, s)
	header := http.Header{"x-order": {"1", "2"}, "Content-Type": {"text/plain"}, "Set-Cookie": {"a=b"}}
	done := &idem.Completion{Response: idem.NewResponse(200, header, nil), TTL: placeOrder().Idempotency.TTL}
	if err := s.Resolve(t.Context(), e.ID, e.Fence, done); err != nil {
		t.Fatal(err)
	}
	w := do(h, post("k", `{}`))
	if got := w.Header()["X-Order"]; w.Code != 200 || len(got) != 2 || w.Header().Get("Content-Type") != "text/plain" || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("status %d, header %v", w.Code, w.Header())
	}
}
