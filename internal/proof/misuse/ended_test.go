package misuse

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/idemgen/idemgen/internal/proof/stores"
	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/storetest"
)

// serve is a server of one keyed operation, and what it logs.
func serve(t *testing.T, store idem.Store, handle http.HandlerFunc) (server http.Handler, log *bytes.Buffer) {
	t.Helper()
	log = new(bytes.Buffer)
	op := &idem.Operation{
		ID: "placeOrder", Method: "POST", Path: "/orders", Pattern: "POST /orders",
		Idempotency: &idem.Idempotency{Required: true, Scope: []string{"operation"}, TTL: time.Hour, Lease: time.Minute, Mode: idem.ModeTx},
	}
	h, err := idem.NewHandler([]*idem.Operation{op}, idem.WithStore(store),
		idem.WithLogger(slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelError}))))
	if err != nil {
		t.Fatal(err)
	}
	h.Router().HandleFunc(op.Pattern, func(w http.ResponseWriter, r *http.Request) { h.Serve(w, r, op, nil, handle) })
	return h.Router(), log
}

func post(server http.Handler, key string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/orders", strings.NewReader("{}"))
	r.Header.Set("Idempotency-Key", key)
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	return w
}

// end ends the transaction in the handler's place.
func end(ctx context.Context, commit bool) error {
	if tx, ok := idem.Tx[*sql.Tx](ctx); ok {
		if commit {
			return tx.Commit()
		}
		return tx.Rollback()
	}
	tx, ok := idem.Tx[pgx.Tx](ctx)
	switch {
	case !ok:
		return errors.New("no transaction that this test knows")
	case commit:
		return tx.Commit(ctx)
	}
	return tx.Rollback(ctx)
}

// transaction is what the handler finds.
func transaction(ctx context.Context) any {
	if tx, ok := idem.Tx[*sql.Tx](ctx); ok {
		return tx
	}
	tx, _ := idem.Tx[pgx.Tx](ctx)
	return tx
}

// withTx opens every store that has transactions.
func withTx(t *testing.T, test func(*testing.T, storetest.Harness)) {
	for _, b := range stores.All() {
		t.Run(b.Name, func(t *testing.T) {
			h := b.Open(t)
			if _, ok := h.Store.(idem.TxStore); !ok {
				t.Skip("the store has no transactions")
			}
			test(t, h)
		})
	}
}

// A handler that commits or rolls back what the runtime owns has made its answer
// worthless: nothing is recorded, and a retry would meet no trace of it.
func TestEnded(t *testing.T) {
	withTx(t, func(t *testing.T, h storetest.Harness) {
		for name, commit := range map[string]bool{"commit": true, "rollback": false} {
			t.Run(name, func(t *testing.T) {
				sound := false
				server, log := serve(t, h.Store, func(w http.ResponseWriter, r *http.Request) {
					if err := h.Write(transaction(r.Context()), name); err != nil {
						t.Error(err)
					}
					if !sound {
						if err := end(r.Context(), commit); err != nil {
							t.Logf("the driver: %v", err)
						}
					}
					w.WriteHeader(http.StatusCreated)
				})
				w := post(server, name)
				if w.Code != http.StatusInternalServerError || w.Header().Get("Content-Type") != "application/problem+json" {
					t.Errorf("status %d, %s", w.Code, w.Body)
				}
				var line struct {
					Operation, Error string
					KeyHash          string `json:"key_hash"`
				}
				first, _, _ := strings.Cut(log.String(), "\n")
				if err := json.Unmarshal([]byte(first), &line); err != nil || line.Operation != "placeOrder" || line.KeyHash == "" ||
					!strings.Contains(line.Error, idem.ErrTxEnded.Error()) {
					t.Errorf("log %q, %v: want a line that names operation, key and %q", log, err, idem.ErrTxEnded)
				}
				log.Reset()
				sound = true
				before, err := h.Count(name)
				if err != nil {
					t.Fatal(err)
				}
				for want := range 2 { // performed, then replayed
					w = post(server, name)
					if replayed := w.Header().Get("Idempotent-Replayed") == "true"; w.Code != http.StatusCreated || replayed != (want == 1) {
						t.Errorf("a sound handler's answer, time %d: status %d, replayed %t, %s", want, w.Code, replayed, w.Body)
					}
				}
				if after, err := h.Count(name); err != nil || after != before+1 || log.Len() != 0 {
					t.Errorf("a sound handler's effects: %d, %v, log %q", after-before, err, log)
				}
			})
		}
	})
}
