package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/idemgen/idemgen/runtime/store/sqlite"
)

// TestRefusals: every bad request is answered with a problem, is not recorded,
// and leaves its key usable.
func TestRefusals(t *testing.T) {
	keyed := func(r request, name, value string) request { r.header[name] = value; return r }
	tests := []struct {
		name    string
		request request
		status  int
		problem string
	}{
		{"no key", order("", kibble), http.StatusBadRequest, "key-missing"},
		{"malformed key", order(`"k1`, kibble), http.StatusBadRequest, "key-invalid"},
		{"long key", order(strings.Repeat("k", 256), kibble), http.StatusBadRequest, "key-invalid"},
		{"two keys", request{method: "POST", path: "/store/orders", lines: map[string][]string{"Idempotency-Key": {"k1", "k1"}}, body: kibble}, http.StatusBadRequest, "key-invalid"},
		{"empty key", request{method: "POST", path: "/store/orders", lines: map[string][]string{"Idempotency-Key": {""}}, body: kibble}, http.StatusBadRequest, "key-invalid"},
		{"oversized body", order("k1", `{"item":"kibble","quantity":2,"note":"`+strings.Repeat("x", 16<<10)+`"}`), http.StatusRequestEntityTooLarge, "body-too-large"},
		{"malformed JSON", order("k1", `{"item":"kibble",`), http.StatusBadRequest, "malformed-body"},
		{"two values", order("k1", kibble+kibble), http.StatusBadRequest, "malformed-body"},
		{"duplicate member", order("k1", `{"item":"kibble","quantity":2,"quantity":3}`), http.StatusBadRequest, "malformed-body"},
		{"wrong type", order("k1", `{"item":"kibble","quantity":"two"}`), http.StatusBadRequest, "malformed-body"},
		{"no body", order("k1", ""), http.StatusBadRequest, "malformed-body"},
		{"unknown tenant", keyed(order("k1", kibble), "X-Api-Key", "trial-key"), http.StatusForbidden, "scope-unresolved"},
		{"unknown API key", keyed(order("k1", kibble), "X-Api-Key", "nobody"), http.StatusUnauthorized, ""},
		{"no API key", keyed(order("k1", kibble), "X-Api-Key", ""), http.StatusUnauthorized, ""},
		{"precondition on an order", keyed(order("k1", kibble), "If-Match", `"1"`), http.StatusPreconditionFailed, "precondition-failed"},
		{"path parameter", request{method: "GET", path: "/pets/tom"}, http.StatusBadRequest, "malformed-request"},
		{"query parameter", request{method: "GET", path: "/pets?limit=many"}, http.StatusBadRequest, "malformed-request"},
		{"unknown path", request{method: "GET", path: "/dragons"}, http.StatusNotFound, "not-found"},
		{"unknown method", request{method: "PUT", path: "/store/orders", body: kibble}, http.StatusMethodNotAllowed, "method-not-allowed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			onEachStore(t, func(t *testing.T, s *shop) {
				a := s.want(test.status, test.request)
				if got := a.problem(t); got != test.problem {
					t.Errorf("the problem is %q, want %q: %s", got, test.problem, a.body)
				}
				if strings.Contains(a.body, "k1") {
					t.Errorf("the answer repeats the key: %s", a.body)
				}
				s.wantCount(0, "SELECT count(*) FROM idem_keys WHERE state = 2")
				s.wantCount(0, "SELECT count(*) FROM orders")
				if good := s.want(http.StatusCreated, order("k1", kibble)); good.replayed() {
					t.Error("the bad request used the key up")
				}
			})
		})
	}
}

// TestOrder_Senseless: what decodes and makes no sense is the handler's own
// answer, and a retry gets the same.
func TestOrder_Senseless(t *testing.T) { onEachStore(t, testOrderSenseless) }

func testOrderSenseless(t *testing.T, s *shop) {
	for key, body := range map[string]string{
		"k1": `{"item":"kibble","quantity":0}`,
		"k2": `{"item":"kibble","quantity":9223372036854775807}`,
		"k3": `{"item":"caviar","quantity":1}`,
		"k4": `null`,
	} {
		s.want(http.StatusUnprocessableEntity, order(key, body))
		if a := s.want(http.StatusUnprocessableEntity, order(key, body)); !a.replayed() {
			t.Errorf("%s: the retry was executed", body)
		}
	}
	s.want(http.StatusUnprocessableEntity, request{
		method: "POST", path: "/pets", header: map[string]string{"Idempotency-Key": "k5"}, body: `{"name":" ","kind":"cat"}`,
	})
}

func TestMethodNotAllowed_Allow(t *testing.T) { onEachStore(t, testMethodNotAllowedAllow) }

func testMethodNotAllowedAllow(t *testing.T, s *shop) {
	a := s.want(http.StatusMethodNotAllowed, request{method: "POST", path: "/pets/1"})
	if got := a.header.Get("Allow"); got != "DELETE, GET, HEAD, PATCH, PUT" {
		t.Errorf("Allow is %q", got)
	}
}

// TestStoreBusy: while somebody else holds the file, orders are refused and
// reads go on; afterwards the key is as good as new.
func TestStoreBusy(t *testing.T) {
	db, err := openSQLite(t.Context(), stores["sqlite"](t), sqlite.WithBusyTimeout(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	s := openShop(t, db)
	tx, err := db.store.(*sqlite.Store).DB().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	a := s.want(http.StatusServiceUnavailable, order("k1", kibble))
	if got := a.problem(t); got != "store-unavailable" || a.header.Get("Retry-After") == "" {
		t.Errorf("the answer is %v %s", a.header, a.body)
	}
	s.want(http.StatusOK, request{method: "GET", path: "/store/inventory"})
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if a := s.want(http.StatusCreated, order("k1", kibble)); a.replayed() {
		t.Error("the refused order was recorded")
	}
}
