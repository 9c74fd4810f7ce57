package runtime_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/memory"
)

// referring has a keyed operation whose replays refer to a read operation, as
// generated code would register them.
type referring struct {
	create func(w http.ResponseWriter, r *http.Request)
	read   func(w http.ResponseWriter, r *http.Request)
	seen   []*http.Request // by the read
	store  *memory.Store
}

func (s *referring) serve(t *testing.T, change func(*idem.Idempotency), options ...idem.Option) http.Handler {
	t.Helper()
	create := placeOrder()
	create.Idempotency.Replay.Reference = true
	create.Idempotency.Key.Aliases = []string{"X-Request-Key"}
	if change != nil {
		change(create.Idempotency)
	}
	read := &idem.Operation{ID: "getOrder", Method: "GET", Path: "/orders/{id}", Pattern: "GET /orders/{id}"}
	s.store = memory.New()
	h, err := idem.NewHandler([]*idem.Operation{create, read}, append([]idem.Option{
		idem.WithStore(s.store), idem.WithLogger(nil),
		idem.WithScope(func(r *http.Request) (idem.Scope, error) { return idem.Scope{Tenant: r.Header.Get("Tenant")}, nil }),
	}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	h.Router().HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		h.Serve(w, r, create, nil, func(w http.ResponseWriter, r *http.Request) { s.create(w, r) })
	})
	h.Router().HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.seen = append(s.seen, r)
		s.read(w, r)
	})
	return h.Router()
}

// created answers 201 with a location.
func created(location string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Content-Language", "en")
		if location != "" {
			w.Header().Set("Location", location)
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(`{"state":"new","token":"` + secret + `"}`))
	}
}

// current answers a read with the state of today.
func current(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/vnd.order+json")
	w.Header().Set("ETag", `"7"`)
	w.Header().Set("Set-Cookie", "a=b")
	w.Header().Set("Cache-Control", "max-age=60")
	_, _ = fmt.Fprintf(w, `{"id":%q,"state":"paid","tenant":%q}`, r.PathValue("id"), r.Header.Get("Tenant"))
	w.Header().Set("Last-Modified", "too late")
}

func TestReference_RendersTheCurrentState(t *testing.T) {
	s := &referring{create: created("/orders/o%201"), read: current}
	h := s.serve(t, nil)
	first := do(h, post("k", `{}`))
	wantStatus(t, first, 201)
	if len(s.seen) != 0 || !strings.Contains(first.Body.String(), secret) {
		t.Errorf("the first answer is %s after %d reads", first.Body, len(s.seen))
	}
	retry := post("k", `{}`)
	retry.Host = "api.example"
	for name, value := range map[string]string{
		"X-Request-Key": "k", "Accept": "application/json", "Authorization": "Bearer t", "Accept-Encoding": "gzip",
		"Range": "bytes=0-1", "X-Own": "1", "Content-Encoding": "identity", "Expect": "100-continue",
	} {
		retry.Header.Set(name, value)
	}
	w := do(h, retry)
	wantStatus(t, w, 201)
	if got := w.Body.String(); got != `{"id":"o 1","state":"paid","tenant":"t1"}` {
		t.Errorf("body %s", got)
	}
	for name, want := range map[string]string{
		"Idempotent-Replayed": "true", "Location": "/orders/o%201", "Cache-Control": "no-store", "Set-Cookie": "",
		"Content-Type": "application/vnd.order+json", "ETag": `"7"`, "Content-Language": "", "Last-Modified": "",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if len(s.seen) != 1 {
		t.Fatalf("%d reads", len(s.seen))
	}
	r := s.seen[0]
	if r.Method != "GET" || r.RequestURI != "/orders/o%201" || r.Host != "api.example" || r.ContentLength != 0 || r.Body != http.NoBody {
		t.Errorf("the read was %s %s of %s with %d octets", r.Method, r.RequestURI, r.Host, r.ContentLength)
	}
	if len(r.Header) != 4 || r.Header.Get("Accept") == "" || r.Header.Get("Authorization") == "" || r.Header.Get("X-Own") == "" || r.Header.Get("Tenant") == "" {
		t.Errorf("the read had the header %v", r.Header)
	}
	if got := retry.Header.Get("Idempotency-Key"); got != "k" {
		t.Errorf("the retry's own header was changed: %v", retry.Header)
	}
	if e := s.record(t, h); strings.Contains(string(e.Response.Body), secret) || e.Response.Flags != idem.FlagReference {
		t.Errorf("the record is %+v", e.Response)
	}
}

func (s *referring) record(t *testing.T, h http.Handler) idem.Record {
	t.Helper()
	_, r := record(t, h, s.store)
	return r
}

// What a location may be, and what it must not lead to.
func TestReference_Locations(t *testing.T) {
	for _, tt := range []struct {
		location string
		path     string // read; empty: unavailable
	}{
		{"/orders/1", "/orders/1"},
		{"/orders/1?view=all#top", "/orders/1"},
		{"orders/1", "/orders/1"},
		{"./orders/1", "/orders/1"},
		{"http://example.com/orders/1", "/orders/1"},
		{"https://EXAMPLE.com/orders/1", "/orders/1"},
		{"//example.com/orders/1", "/orders/1"},
		{"https://other.example/orders/1", ""},
		{"//other.example/orders/1", ""},
		{"https://u:p@example.com/orders/1", ""},
		{"https://example.com", ""},
		{"mailto:orders/1", ""},
		{"/orders/%zz", ""},
		{"/nowhere", ""},
		{"/orders//1", ""},
	} {
		t.Run(tt.location, func(t *testing.T) {
			s := &referring{create: created(tt.location), read: current}
			h := s.serve(t, nil)
			wantStatus(t, do(h, post("k", `{}`)), 201)
			w := do(h, post("k", `{}`))
			if tt.path == "" {
				wantProblem(t, w, 409, "response-unavailable")
				if w.Header().Get("Location") != tt.location || w.Header().Get("ETag") != "" || len(s.seen) != 0 {
					t.Errorf("header %v after %d reads", w.Header(), len(s.seen))
				}
				return
			}
			wantStatus(t, w, 201)
			if len(s.seen) != 1 || s.seen[0].URL.Path != tt.path {
				t.Errorf("reads %v", s.seen)
			}
		})
	}
}

// A read that does not succeed is not the answer to the retry.
func TestReference_ReadsThatFail(t *testing.T) {
	for name, read := range map[string]func(http.ResponseWriter, *http.Request){
		"gone":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) },
		"forbidden": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not yours", http.StatusForbidden) },
		"redirect":  func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/orders/2", http.StatusFound) },
		"failing": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte("oops"))
		},
		"too large": func(w http.ResponseWriter, _ *http.Request) {
			for range 5 {
				_, _ = w.Write([]byte("0123456789"))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &referring{create: created("/orders/1"), read: read}
			h := s.serve(t, func(p *idem.Idempotency) { p.Replay.MaxResponse = 40 })
			wantStatus(t, do(h, post("k", `{}`)), 201)
			w := do(h, post("k", `{}`))
			wantProblem(t, w, 409, "response-unavailable")
			if w.Header().Get("Location") != "/orders/1" || w.Header().Get("Idempotent-Replayed") != "" {
				t.Errorf("header %v", w.Header())
			}
		})
	}
	s := &referring{create: created("/orders/1"), read: func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = w.Write([]byte(strings.Repeat("0123456789", 4)))
	}}
	h := s.serve(t, func(p *idem.Idempotency) { p.Replay.MaxResponse = 40 })
	wantStatus(t, do(h, post("k", `{}`)), 201)
	if w := do(h, post("k", `{}`)); w.Code != 201 || w.Body.Len() != 40 {
		t.Errorf("status %d and %d octets, want all that the policy allows", w.Code, w.Body.Len())
	}
}

// The read passes the middleware of its own operation: who may not read the
// resource any more does not get it.
func TestReference_PassesTheMiddleware(t *testing.T) {
	s := &referring{create: created("/orders/1"), read: current}
	revoked := false
	h := s.serve(t, nil, idem.WithMiddleware(func(op *idem.Operation, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if op.ID == "getOrder" && revoked {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			next.ServeHTTP(w, r)
		})
	}))
	wantStatus(t, do(h, post("k", `{}`)), 201)
	wantStatus(t, do(h, post("k", `{}`)), 201)
	revoked = true
	wantProblem(t, do(h, post("k", `{}`)), 409, "response-unavailable")
	if len(s.seen) != 1 {
		t.Errorf("%d reads, want the permitted one", len(s.seen))
	}
}

// Only a success with a body refers to something.
func TestReference_OtherAnswers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		create func(http.ResponseWriter, *http.Request)
		status int
		body   string
		reads  int
	}{
		{"declined", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/orders/1")
			w.WriteHeader(http.StatusPaymentRequired)
			_, _ = w.Write([]byte("declined"))
		}, 402, "declined", 0},
		{"see other", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/orders/1")
			w.WriteHeader(http.StatusSeeOther)
			_, _ = w.Write([]byte("over there"))
		}, 303, "over there", 0},
		{"no body", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/orders/1")
			w.WriteHeader(http.StatusCreated)
		}, 201, "", 0},
		{"content location", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Location", "/orders/2")
			_, _ = w.Write([]byte("old"))
		}, 200, `{"id":"2","state":"paid","tenant":"t1"}`, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &referring{create: tt.create, read: current}
			h := s.serve(t, nil)
			wantStatus(t, do(h, post("k", `{}`)), tt.status)
			w := do(h, post("k", `{}`))
			if w.Code != tt.status || w.Body.String() != tt.body || len(s.seen) != tt.reads || w.Header().Get("Idempotent-Replayed") != "true" {
				t.Errorf("status %d, body %q, header %v after %d reads", w.Code, w.Body, w.Header(), len(s.seen))
			}
		})
	}
	s := &referring{create: created(""), read: current} // a body, and nothing that leads to it
	h := s.serve(t, nil)
	wantStatus(t, do(h, post("k", `{}`)), 201)
	wantProblem(t, do(h, post("k", `{}`)), 409, "response-unavailable")
	if r := s.record(t, h); len(r.Response.Body) != 0 {
		t.Errorf("the body was recorded: %s", r.Response.Body)
	}
}

// A sealed reference is both, and replay.status applies to it.
func TestReference_SealedAndOK(t *testing.T) {
	s := &referring{create: created("/orders/1"), read: current}
	h := s.serve(t, func(p *idem.Idempotency) { p.Replay.Encrypt, p.Replay.OK = true, true }, idem.WithSealer(aesSealer(t, 1)))
	wantStatus(t, do(h, post("k", `{}`)), 201)
	w := do(h, post("k", `{}`))
	if w.Code != 200 || !strings.Contains(w.Body.String(), "paid") || w.Header().Get("Location") != "/orders/1" {
		t.Errorf("status %d, header %v, body %s", w.Code, w.Header(), w.Body)
	}
}
