package runtime

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/runtime/etag"
)

// hashAll works out both hashes of a request as a handler does, and says whether
// it had to.
func hashAll(t *testing.T, h *Handler, op *Operation, r *http.Request, s Scope, key, body string) *exchange {
	t.Helper()
	x := new(exchange)
	x.h, x.p, x.r, x.scope, x.key, x.hasKey = h, h.operations[op], r, s, key, true
	x.p.conditions(r, &x.conditions)
	x.useBody().WriteString(body)
	if err := x.hash(); err != nil {
		t.Fatal(err)
	}
	return x
}

// A request that differs in anything must not get the hashes of another one,
// and what is recalled must be what is worked out.
func TestRecent_OnlyEqualRequests(t *testing.T) {
	policy := func() *Idempotency {
		return &Idempotency{Scope: []string{"tenant", "principal", "operation", "path"}, TTL: 1, Lease: 1}
	}
	one := &Operation{ID: "one", Method: "POST", Path: "/a", Pattern: "POST /a", Idempotency: policy()}
	two := &Operation{ID: "two", Method: "PUT", Path: "/b", Pattern: "PUT /b", Idempotency: policy()}
	guarded := &Operation{
		ID: "guarded", Method: "PUT", Path: "/g", Pattern: "PUT /g", Idempotency: policy(),
		Precondition: &Precondition{Policy: etag.Policy{Role: etag.RoleUpdate, LastModified: true}},
	}
	h, err := NewHandler([]*Operation{one, two, guarded}, WithStore(struct{ Store }{}),
		WithScope(func(*http.Request) (Scope, error) { return Scope{}, nil }))
	if err != nil {
		t.Fatal(err)
	}
	type asked struct {
		op                          *Operation
		method, target, media, body string
		scope                       Scope
		key                         string
		header                      http.Header
	}
	base := asked{one, "POST", "/a/b?x=1", "application/json", `{"a":1}`, Scope{Tenant: "t", Principal: "p"}, "k", nil}
	others := map[string]func(*asked){
		"operation":  func(a *asked) { a.op = two },
		"method":     func(a *asked) { a.method = "PUT" },
		"path":       func(a *asked) { a.target = "/a/c?x=1" },
		"raw path":   func(a *asked) { a.target = "/a%2Fb?x=1" },
		"query":      func(a *asked) { a.target = "/a/b?x=2" },
		"media type": func(a *asked) { a.media = "text/plain" },
		"body":       func(a *asked) { a.body = `{"a":2}` },
		"tenant":     func(a *asked) { a.scope.Tenant = "u" },
		"principal":  func(a *asked) { a.scope.Principal = "q" },
		"swapped":    func(a *asked) { a.scope = Scope{Tenant: "p", Principal: "t"} },
		"key":        func(a *asked) { a.key = neighbour(t, &h.recent, a.key) },
		"coding":     func(a *asked) { a.header = http.Header{"Content-Encoding": {"gzip"}} },
		"If-Match":   func(a *asked) { a.op, a.header = guarded, http.Header{"If-Match": {`"1"`}} },
		"none":       func(a *asked) { a.op, a.header = guarded, http.Header{"If-None-Match": {`"1"`}} },
		"date": func(a *asked) {
			a.op, a.header = guarded, http.Header{"If-Unmodified-Since": {"Mon, 01 Jan 2024 00:00:00 GMT"}}
		},
	}
	hash := func(a asked) *exchange {
		r := httptest.NewRequest(a.method, a.target, nil)
		maps.Copy(r.Header, a.header)
		r.Header["Content-Type"] = []string{a.media}
		return hashAll(t, h, a.op, r, a.scope, a.key, a.body)
	}
	first := hash(base)
	first.remember()
	if hash(base).recalled {
		t.Error("a request that was repeated once is kept")
	}
	first.remember()
	again := hash(base)
	if !again.recalled || again.id != first.id || again.fingerprint != first.fingerprint {
		t.Errorf("the same request again: recalled %v, hashes equal %v, %v", again.recalled, again.id == first.id, again.fingerprint == first.fingerprint)
	}
	for name, change := range others {
		other := base
		change(&other)
		x := hash(other)
		if x.recalled {
			t.Errorf("%s: another request was recalled", name)
		}
		x.remember()
		x.remember()
		if y := hash(other); y.id != x.id || y.fingerprint != x.fingerprint {
			t.Errorf("%s: the hashes of the same request differ", name)
		}
		hash(base).remember()
		hash(base).remember() // takes the place
	}
}

// neighbour finds another key of the same place.
func neighbour(t *testing.T, rc *recent, key string) string {
	t.Helper()
	for i := range int64(10_000) {
		if other := itoa(i); rc.place(other) == rc.place(key) {
			return other
		}
	}
	t.Fatal("no other key has the place of " + key)
	return ""
}

// What is not remembered: what the input does not have, what is to be sealed,
// and what is large.
func TestRecent_NotRemembered(t *testing.T) {
	for name, change := range map[string]func(*Idempotency, *string){
		"headers":   func(p *Idempotency, _ *string) { p.Fingerprint.Headers = []string{"x-region"} },
		"own scope": func(p *Idempotency, _ *string) { p.Scope = append(p.Scope, "ctx:region") },
		"sealed":    func(p *Idempotency, _ *string) { p.Replay.Encrypt = true },
		"large":     func(_ *Idempotency, body *string) { *body = strings.Repeat("a", maxRecentBody+1) },
	} {
		body := "a"
		op := &Operation{ID: "op", Method: "POST", Path: "/a", Pattern: "POST /a", Idempotency: &Idempotency{Scope: []string{"tenant"}, TTL: 1, Lease: 1}}
		change(op.Idempotency, &body)
		sealer, err := NewAESSealer(bytes.Repeat([]byte{1}, 32))
		if err != nil {
			t.Fatal(err)
		}
		h, err := NewHandler([]*Operation{op}, WithStore(struct{ Store }{}), WithSealer(sealer),
			WithScope(func(*http.Request) (Scope, error) { return Scope{}, nil }))
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("POST", "/a", nil)
		scope := Scope{Tenant: "t", Values: map[string]string{"region": "eu"}}
		hashAll(t, h, op, r, scope, "k", body).remember()
		hashAll(t, h, op, r, scope, "k", body).remember()
		if hashAll(t, h, op, r, scope, "k", body).recalled {
			t.Errorf("%s: the request was remembered", name)
		}
	}
}
