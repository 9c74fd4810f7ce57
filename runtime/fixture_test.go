package runtime_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"
	"github.com/idemgen/idemgen/runtime/store/memory"
)

// orders stands for a generated package with one keyed operation, one plain one
// and a versioned resource: what follows has the shape of generated code.
type orders struct {
	h       *idem.Handler
	runs    atomic.Int64
	handler func(w http.ResponseWriter, r *http.Request)
	version int64 // of the one pet
}

type petVersion int64

var petCodec = etag.Int64[petVersion]()

func placeOrder() *idem.Operation {
	return &idem.Operation{
		ID: "placeOrder", Method: "POST", Path: "/orders", Pattern: "POST /orders",
		Idempotency: &idem.Idempotency{Required: true, Scope: []string{"tenant", "operation"}, TTL: 24 * time.Hour, Lease: 30 * time.Second},
	}
}

// serve builds the server of one keyed operation.
func serve(t testing.TB, op *idem.Operation, options ...idem.Option) (*orders, http.Handler) {
	t.Helper()
	o := &orders{version: 1}
	o.handler = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"run":%d}`, o.runs.Load())
	}
	plain := &idem.Operation{ID: "listOrders", Method: "GET", Path: "/orders", Pattern: "GET /orders"}
	read := &idem.Operation{
		ID: "getPet", Method: "GET", Path: "/pet", Pattern: "GET /pet",
		Precondition: &idem.Precondition{Resource: "Pet", ReadPath: "/pet", Policy: etag.Policy{Role: etag.RoleRead}},
	}
	write := &idem.Operation{
		ID: "replacePet", Method: "PUT", Path: "/pet", Pattern: "PUT /pet",
		Precondition: &idem.Precondition{Resource: "Pet", ReadPath: "/pet", Policy: etag.Policy{
			Role: etag.RoleUpdate, Require: []etag.Field{etag.IfMatch}, RejectWildcard: true,
		}},
	}
	options = append([]idem.Option{
		idem.WithStore(memory.New()),
		idem.WithLogger(nil),
		idem.WithScope(func(r *http.Request) (idem.Scope, error) {
			return idem.Scope{Tenant: r.Header.Get("Tenant")}, nil
		}),
	}, options...)
	h, err := idem.NewHandler([]*idem.Operation{op, plain, read, write}, options...)
	if err != nil {
		t.Fatal(err)
	}
	o.h = h
	counted := func(w http.ResponseWriter, r *http.Request) {
		o.runs.Add(1)
		o.handler(w, r)
	}
	current := idem.CurrentOf(petCodec, func(context.Context) (etag.Current[petVersion], error) {
		return etag.Found(petVersion(o.version)), nil
	})
	h.Router().HandleFunc(op.Pattern, func(w http.ResponseWriter, r *http.Request) { h.Serve(w, r, op, nil, counted) })
	h.Router().HandleFunc(plain.Pattern, counted)
	h.Router().HandleFunc(read.Pattern, func(w http.ResponseWriter, r *http.Request) {
		h.Serve(w, r, read, nil, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=1")
			err := idem.Version(petCodec, petVersion(o.version)).Visit(w, func(w http.ResponseWriter) error {
				w.Header().Set("Content-Type", "text/plain")
				w.WriteHeader(http.StatusOK)
				_, err := io.WriteString(w, "pet")
				return err
			})
			if err != nil {
				h.ResponseError(w, r, err)
			}
		})
	})
	h.Router().HandleFunc(write.Pattern, func(w http.ResponseWriter, r *http.Request) { h.Serve(w, r, write, current, counted) })
	return o, h.Router()
}

// post is one request for placeOrder of tenant t1.
func post(key, body string) *http.Request {
	r := httptest.NewRequest("POST", "/orders", strings.NewReader(body))
	r.Header.Set("Tenant", "t1")
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	return r
}

func do(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// wantProblem checks a refusal: status, type, and what every refusal has.
func wantProblem(t *testing.T, w *httptest.ResponseRecorder, status int, suffix string) idem.Problem {
	t.Helper()
	var p idem.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("status %d, body %q: %v", w.Code, w.Body, err)
	}
	if w.Code != status || p.Status != status || !strings.HasSuffix(p.Type, "#"+suffix) {
		t.Errorf("got %d %s, want %d %s", w.Code, p.Type, status, suffix)
	}
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q", got)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	return p
}

func wantStatus(t *testing.T, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	if w.Code != status {
		t.Errorf("status %d, want %d; body %s", w.Code, status, w.Body)
	}
}
