package postgres_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/postgres"
)

// shop serves one keyed operation, which inserts one row.
type shop struct {
	http.Handler
	runs atomic.Int64
}

func newShop(t *testing.T, s *postgres.Store) *shop {
	t.Helper()
	op := &idem.Operation{
		ID: "placeOrder", Method: "POST", Path: "/orders", Pattern: "POST /orders",
		Idempotency: &idem.Idempotency{Required: true, Scope: []string{"operation"}, TTL: time.Hour, Lease: time.Minute},
	}
	h, err := idem.NewHandler([]*idem.Operation{op}, idem.WithStore(s), idem.WithLogger(nil))
	must(t, err)
	o := &shop{Handler: h.Router()}
	insert := func(w http.ResponseWriter, r *http.Request) {
		run := o.runs.Add(1)
		tx, ok := idem.Tx[pgx.Tx](r.Context())
		if !ok {
			t.Error("no transaction")
			return
		}
		if _, err := tx.Exec(r.Context(), insert, "an order"); err != nil {
			h.ResponseError(w, r, err)
			return
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"run":%d}`, run)
	}
	h.Router().HandleFunc(op.Pattern, func(w http.ResponseWriter, r *http.Request) { h.Serve(w, r, op, nil, insert) })
	return o
}

func (o *shop) post(ctx context.Context, key string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/orders", strings.NewReader(`{}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	w := httptest.NewRecorder()
	o.ServeHTTP(w, r)
	return w
}

func (o *shop) mustAnswer(t *testing.T, key string, status int, body string) {
	t.Helper()
	if w := o.post(t.Context(), key); w.Code != status || !strings.Contains(w.Body.String(), body) {
		t.Errorf("got %d %s, want %d with %s", w.Code, w.Body, status, body)
	}
}

// failing makes the first two inserts fail as a serialization failure does: at
// once, or at the commit.
func failing(t *testing.T, db *pgxpool.Pool, when string) {
	t.Helper()
	mustExec(t, db, "CREATE SEQUENCE inserts")
	mustExec(t, db, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN
			IF nextval('inserts') <= 2 THEN RAISE EXCEPTION 'concurrent update' USING ERRCODE = 'serialization_failure'; END IF;
			RETURN NULL;
		END $$`)
	mustExec(t, db, "CREATE CONSTRAINT TRIGGER refusing AFTER INSERT ON probe "+when+" FOR EACH ROW EXECUTE FUNCTION refuse()")
}

func TestServe_SerializationFailureIsRetried(t *testing.T) {
	for name, when := range map[string]string{"statement": "", "commit": "DEFERRABLE INITIALLY DEFERRED"} {
		t.Run(name, func(t *testing.T) {
			db, s := newPgx(t)
			failing(t, db, when)
			o := newShop(t, s)
			for range 2 {
				o.mustAnswer(t, "k", http.StatusCreated, `"run":3`)
			}
			if n, runs := rows(t, db), o.runs.Load(); n != 1 || runs != 3 {
				t.Errorf("%d rows after %d runs, want 1 after 3", n, runs)
			}
		})
	}
}

func TestServe_CommitLost(t *testing.T) {
	for name, test := range map[string]struct {
		fault  fault
		status int
		body   string
		runs   int64
	}{
		"answer":  {mute, http.StatusCreated, `"run":2`, 2},
		"request": {cut, http.StatusServiceUnavailable, "store-unavailable", 3},
	} {
		t.Run(name, func(t *testing.T) {
			w := &wire{}
			db := newSchema(t)
			o := newShop(t, forms["pgx"].open(t, wired(t, db, w)))
			o.mustAnswer(t, "warm", http.StatusCreated, `"run":1`)
			w.plan(pass, pass, test.fault) // BEGIN and the handler's insert pass
			o.mustAnswer(t, "k", test.status, test.body)
			w.plan()
			o.mustAnswer(t, "k", http.StatusCreated, fmt.Sprintf(`"run":%d`, test.runs))
			if n, runs := rows(t, db), o.runs.Load(); n != 2 || runs != test.runs {
				t.Errorf("%d rows after %d runs, want 2 after %d", n, runs, test.runs)
			}
		})
	}
}

// The client goes away while its request runs, which ends it as if it had
// stayed.
func TestServe_ClientGone(t *testing.T) {
	db, s := newPgx(t)
	o := newShop(t, s)
	blocker, err := db.Begin(t.Context())
	must(t, err)
	_, err = blocker.Exec(t.Context(), "LOCK TABLE probe IN EXCLUSIVE MODE")
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan *httptest.ResponseRecorder)
	go func() { done <- o.post(ctx, "k") }()
	for o.runs.Load() == 0 {
		time.Sleep(time.Millisecond) // the handler waits for the lock
	}
	cancel()
	must(t, blocker.Rollback(t.Context()))
	if w := <-done; w.Code != http.StatusCreated {
		t.Errorf("got %d %s, want 201", w.Code, w.Body)
	}
	o.mustAnswer(t, "k", http.StatusCreated, `"run":1`)
	nothingHeld(t, db)
	if n := rows(t, db); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}
