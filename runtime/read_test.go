package runtime_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"
)

// A browser may read a refusal only with the headers that a middleware set.
func TestRead_RefusalKeepsTheMiddlewaresHeaders(t *testing.T) {
	_, h := serve(t, placeOrder(), idem.WithMiddleware(func(_ *idem.Operation, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			next.ServeHTTP(w, r)
		})
	}))
	r := httptest.NewRequest("GET", "/pet", nil)
	r.Header.Set("If-Match", `"0"`)
	w := do(h, r)
	wantProblem(t, w, 412, "precondition-failed")
	if w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Header().Get("ETag") != "" {
		t.Errorf("header %v", w.Header())
	}
}

// Flushing sends the status: it must not overtake the decision on it.
func TestRead_FlushComesAfterTheDecision(t *testing.T) {
	read := &idem.Operation{
		ID: "getPet", Method: "GET", Path: "/pet", Pattern: "GET /pet",
		Precondition: &idem.Precondition{Resource: "Pet", ReadPath: "/pet", Policy: etag.Policy{Role: etag.RoleRead}},
	}
	h, err := idem.NewHandler([]*idem.Operation{read}, idem.WithLogger(nil))
	if err != nil {
		t.Fatal(err)
	}
	h.Router().HandleFunc(read.Pattern, func(w http.ResponseWriter, r *http.Request) {
		h.Serve(w, r, read, nil, func(w http.ResponseWriter, _ *http.Request) {
			err := idem.Version(petCodec, 1).Visit(w, func(w http.ResponseWriter) error {
				return http.NewResponseController(w).Flush()
			})
			if err != nil {
				t.Errorf("flush: %v", err)
			}
		})
	})
	r := httptest.NewRequest("GET", "/pet", nil)
	r.Header.Set("If-None-Match", `"1"`)
	if w := do(h.Router(), r); w.Code != 304 || w.Header().Get("ETag") != `"1"` {
		t.Errorf("got %d %v, want 304 with the tag", w.Code, w.Header())
	}
}
