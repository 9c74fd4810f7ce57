package postgres_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"
)

// A failed insert ends PostgreSQL's transaction for everything but its end, so
// that nothing can be looked at any more. That the key is taken is known all the
// same: the answer is 412, nothing is recorded, and the connection is sound.
func TestServe_TakenKeyInAFailedTransaction(t *testing.T) {
	db, s := newPgx(t)
	mustExec(t, db, "CREATE TABLE labels (name text PRIMARY KEY, version int8 NOT NULL DEFAULT 1)")
	op := &idem.Operation{
		ID: "createLabel", Method: "PUT", Path: "/labels/{name}", Pattern: "PUT /labels/{name}",
		Idempotency: &idem.Idempotency{Scope: []string{"operation"}, TTL: time.Hour, Lease: time.Minute},
		Precondition: &idem.Precondition{Resource: "Label", ReadPath: "/labels/{name}", Policy: etag.Policy{
			Role: etag.RoleCreate, Require: []etag.Field{etag.IfNoneMatch}, NoPrecheck: true,
		}},
	}
	h, err := idem.NewHandler([]*idem.Operation{op}, idem.WithStore(s), idem.WithLogger(nil))
	must(t, err)
	codec := etag.Int64[number]()
	create := func(w http.ResponseWriter, r *http.Request) {
		expected := idem.ExpectAbsent(r.Context(), codec)
		tx, _ := idem.Tx[pgx.Tx](r.Context())
		_, err := tx.Exec(r.Context(), "INSERT INTO labels (name) VALUES ($1)", r.PathValue("name"))
		switch {
		case etag.IsDuplicate(err):
			h.ResponseError(w, r, expected.Exists())
		case err != nil:
			h.ResponseError(w, r, err)
		default:
			must(t, idem.Witnessed(expected.Applied(1)).Visit(w, func(w http.ResponseWriter) error {
				w.WriteHeader(http.StatusCreated)
				return nil
			}))
		}
	}
	h.Router().HandleFunc(op.Pattern, func(w http.ResponseWriter, r *http.Request) {
		current := idem.CurrentOf(codec, func(ctx context.Context) (etag.Current[number], error) {
			tx, _ := idem.Tx[pgx.Tx](ctx)
			var v number
			err := tx.QueryRow(ctx, "SELECT version FROM labels WHERE name = $1", r.PathValue("name")).Scan(&v)
			return etag.Found(v), err
		})
		h.Serve(w, r, op, current, create)
	})
	put := func(name, key string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/labels/"+name, nil)
		r.Header.Set("If-None-Match", "*")
		r.Header.Set("Idempotency-Key", key)
		w := httptest.NewRecorder()
		h.Router().ServeHTTP(w, r)
		return w
	}
	for range 3 { // more often than there are connections that could be lost
		if w := put("taken", "k1"); w.Code != http.StatusCreated {
			t.Fatalf("first: %d %s", w.Code, w.Body)
		}
		for _, key := range []string{"k2", "k2", "k3"} {
			if w := put("taken", key); w.Code != http.StatusPreconditionFailed || !strings.Contains(w.Body.String(), `"field":"If-None-Match","reason":"exists"`) {
				t.Errorf("taken: %d %s", w.Code, w.Body)
			}
		}
	}
	// The key that was refused is free.
	if w := put("free", "k2"); w.Code != http.StatusCreated || w.Header().Get("ETag") != `"1"` {
		t.Errorf("free: %d %v %s", w.Code, w.Header(), w.Body)
	}
}
