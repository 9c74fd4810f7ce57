package runtime_test

import (
	"slices"
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"
	"github.com/idemgen/idemgen/runtime/store/memory"
)

func TestHandler_CORS(t *testing.T) {
	keyed := func(id string, change func(*idem.Idempotency)) *idem.Operation {
		policy := &idem.Idempotency{Scope: []string{"operation"}, TTL: time.Hour, Lease: time.Second}
		change(policy)
		return &idem.Operation{ID: id, Method: "POST", Path: "/" + id, Pattern: "POST /" + id, Idempotency: policy}
	}
	operations := []*idem.Operation{
		{ID: "ping", Method: "GET", Path: "/ping", Pattern: "GET /ping"},
		keyed("plain", func(*idem.Idempotency) {}),
		keyed("body", func(p *idem.Idempotency) { p.Key.Body = "/id" }),
		keyed("own", func(p *idem.Idempotency) {
			p.Key.Header, p.Key.Aliases = "x-request-key", []string{"Idempotency-Key"}
			p.Replay.Marker, p.Replay.ExpiresHeader, p.Concurrency = "x-replay", true, idem.ConcurrencyWait
		}),
		{ID: "get", Method: "GET", Path: "/pet", Pattern: "GET /pet", Precondition: &idem.Precondition{Policy: etag.Policy{Role: etag.RoleRead, LastModified: true}}},
	}
	h, err := idem.NewHandler(operations, idem.WithStore(memory.New()))
	if err != nil {
		t.Fatal(err)
	}
	exposed := []string{
		"Content-Location", "Etag", "Idempotency-Expires", "Idempotency-Status", "Idempotent-Replayed", "Link", "Location", "Retry-After", "X-Replay",
	}
	if got := h.ExposedHeaders(); !slices.Equal(got, exposed) {
		t.Errorf("exposed %v, want %v", got, exposed)
	}
	allowed := []string{"Idempotency-Key", "If-Match", "If-Modified-Since", "If-None-Match", "If-Unmodified-Since", "Prefer", "X-Request-Key"}
	if got := h.AllowedHeaders(); !slices.Equal(got, allowed) {
		t.Errorf("allowed %v, want %v", got, allowed)
	}
	if h, err = idem.NewHandler(operations[:1]); err != nil {
		t.Fatal(err)
	}
	if got := h.AllowedHeaders(); len(got) != 0 {
		t.Errorf("an API without either allows %v", got)
	}
}
