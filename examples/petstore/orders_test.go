package main

import (
	"net/http"
	"strings"
	"sync"
	"testing"
)

func TestPlaceOrder_Retried(t *testing.T) { onEachStore(t, testPlaceOrderRetried) }

func testPlaceOrderRetried(t *testing.T, s *shop) {
	first := s.want(http.StatusCreated, order("k1", kibble))
	if first.replayed() || first.header.Get("Location") != "/store/orders/1" {
		t.Errorf("the first answer has the header %v", first.header)
	}
	for range 4 {
		again := s.want(http.StatusCreated, order("k1", kibble))
		if !again.replayed() || again.body != first.body || again.header.Get("Location") != "/store/orders/1" {
			t.Errorf("a retry is answered with %v %s, want a replay of %s", again.header, again.body, first.body)
		}
	}
	respelled := s.want(http.StatusCreated, order("k1", `{"quantity":2, "item":"kibble"}`))
	if !respelled.replayed() {
		t.Error("members in another order are taken for another request")
	}
	s.wantCount(1, "SELECT count(*) FROM orders")
	s.wantCount(98, "SELECT stock FROM inventory WHERE shop = 'whiskers' AND item = 'kibble'")
}

func TestPlaceOrder_Reused(t *testing.T) { onEachStore(t, testPlaceOrderReused) }

func testPlaceOrderReused(t *testing.T, s *shop) {
	s.want(http.StatusCreated, order("k1", kibble))
	a := s.want(http.StatusConflict, order("k1", `{"item":"kibble","quantity":3}`))
	if got := a.problem(t); got != "key-reused" {
		t.Errorf("the problem is %q, want key-reused", got)
	}
	s.wantCount(1, "SELECT count(*) FROM orders")
}

func TestPlaceOrder_Concurrent(t *testing.T) { onEachStore(t, testPlaceOrderConcurrent) }

func testPlaceOrderConcurrent(t *testing.T, s *shop) {
	const duplicates = 32
	var clients sync.WaitGroup
	var answers [duplicates]answer
	for i := range duplicates {
		clients.Go(func() { answers[i] = s.send(order("k1", kibble)) })
	}
	clients.Wait()
	executed := 0
	for _, a := range answers {
		switch {
		case a.status == http.StatusCreated && !a.replayed():
			executed++
		case a.status == http.StatusCreated:
		case a.status == http.StatusConflict && a.problem(t) == "in-flight":
			if a.header.Get("Retry-After") == "" {
				t.Error("in-flight without Retry-After")
			}
		default:
			t.Errorf("a duplicate is answered with %d %s", a.status, a.body)
		}
	}
	if executed != 1 {
		t.Errorf("%d were executed, want 1", executed)
	}
	s.wantCount(1, "SELECT count(*) FROM orders")
	if a := s.want(http.StatusCreated, order("k1", kibble)); !a.replayed() {
		t.Error("the retry after all was executed")
	}
}

func TestPlaceOrder_Tenants(t *testing.T) { onEachStore(t, testPlaceOrderTenants) }

func testPlaceOrderTenants(t *testing.T, s *shop) {
	ours := s.want(http.StatusCreated, order("k1", kibble))
	r := order("k1", kibble)
	r.header["X-Api-Key"] = "pawsome-key"
	theirs := s.want(http.StatusCreated, r)
	if theirs.replayed() || theirs.body == ours.body {
		t.Errorf("another tenant gets %s", theirs.body)
	}
	s.wantCount(1, "SELECT count(*) FROM orders WHERE shop = 'pawsome'")
	a := s.want(http.StatusNotFound, request{method: "GET", path: ours.header.Get("Location"), header: map[string]string{"X-Api-Key": "pawsome-key"}})
	if strings.Contains(a.body, "kibble") {
		t.Errorf("the order of another shop shows through: %s", a.body)
	}
}

// TestPlaceOrder_Declined: a refusal is an answer, and here its row stays.
func TestPlaceOrder_Declined(t *testing.T) { onEachStore(t, testPlaceOrderDeclined) }

func testPlaceOrderDeclined(t *testing.T, s *shop) {
	expensive := `{"item":"kibble","quantity":90}`
	first := s.want(http.StatusPaymentRequired, order("k1", expensive))
	again := s.want(http.StatusPaymentRequired, order("k1", expensive))
	if !again.replayed() || again.body != first.body {
		t.Errorf("the retry is answered with %s, want a replay of %s", again.body, first.body)
	}
	s.wantCount(1, "SELECT count(*) FROM orders WHERE status = 'declined'")
	s.wantCount(100, "SELECT stock FROM inventory WHERE shop = 'whiskers' AND item = 'kibble'")
}

// TestPlaceOrder_OutOfStock: a refusal is an answer, and the row that was
// written before it is undone.
func TestPlaceOrder_OutOfStock(t *testing.T) { onEachStore(t, testPlaceOrderOutOfStock) }

func testPlaceOrderOutOfStock(t *testing.T, s *shop) {
	posts := `{"item":"scratching post","quantity":6}`
	s.want(http.StatusConflict, order("k1", posts))
	s.wantCount(0, "SELECT count(*) FROM orders")
	if a := s.want(http.StatusConflict, order("k1", posts)); !a.replayed() {
		t.Error("the refusal is not replayed")
	}
}

func TestGetOrder(t *testing.T) { onEachStore(t, testGetOrder) }

func testGetOrder(t *testing.T, s *shop) {
	placed := s.want(http.StatusCreated, order("k1", `{"item":"kibble","quantity":1,"note":"ring twice"}`))
	read := s.want(http.StatusOK, request{method: "GET", path: placed.header.Get("Location")})
	if read.body != placed.body {
		t.Errorf("GET shows %s, want %s", read.body, placed.body)
	}
}

func TestCancelOrder(t *testing.T) { onEachStore(t, testCancelOrder) }

func testCancelOrder(t *testing.T, s *shop) {
	s.want(http.StatusCreated, order("k1", kibble))
	cancel := func(path, key string) request {
		return request{method: "POST", path: path + "/cancel", header: map[string]string{"Idempotency-Key": key}}
	}
	s.want(http.StatusOK, cancel("/store/orders/1", "k2"))
	if a := s.want(http.StatusOK, cancel("/store/orders/1", "k2")); !a.replayed() {
		t.Error("the retry was executed")
	}
	s.want(http.StatusConflict, cancel("/store/orders/1", "k3"))
	s.want(http.StatusNotFound, cancel("/store/orders/7", "k4"))
	a := s.want(http.StatusOK, request{method: "GET", path: "/store/inventory"})
	if a.body != `{"kibble":100,"scratching post":5}`+"\n" {
		t.Errorf("the inventory is %s", a.body)
	}
}

// TestQuoteOrder: an exempt operation says that it does not honour the key.
func TestQuoteOrder(t *testing.T) { onEachStore(t, testQuoteOrder) }

func testQuoteOrder(t *testing.T, s *shop) {
	r := order("k1", kibble)
	r.path = "/store/quotes"
	a := s.want(http.StatusOK, r)
	if a.body != `{"item":"kibble","quantity":2,"total":2500}`+"\n" || a.header.Get("Idempotency-Status") != "ignored" {
		t.Errorf("the quote is %v %s", a.header, a.body)
	}
	s.wantCount(0, "SELECT count(*) FROM idem_keys")
	r.body = `{"item":"caviar","quantity":1}`
	s.want(http.StatusUnprocessableEntity, r)
}

// TestSubscribe: anybody may call, without a tenant, and still only once.
func TestSubscribe(t *testing.T) { onEachStore(t, testSubscribe) }

func testSubscribe(t *testing.T, s *shop) {
	r := request{
		method: "POST", path: "/newsletter/subscriptions", body: `{"email":"ada@example.com"}`,
		header: map[string]string{"X-Api-Key": "", "Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"},
	}
	first := s.want(http.StatusCreated, r)
	if again := s.want(http.StatusCreated, r); !again.replayed() || again.body != first.body {
		t.Errorf("the retry is answered with %s, want a replay of %s", again.body, first.body)
	}
	s.wantCount(1, "SELECT count(*) FROM mails")

	r.header["Idempotency-Key"] = "guessable"
	if got := s.want(http.StatusBadRequest, r).problem(t); got != "key-invalid" {
		t.Errorf("a short key is %q, want key-invalid", got)
	}
	r.header["Idempotency-Key"], r.body = "0a1e7b3c-40d5-43dd-bc93-6894a57f9324", `{"email":"nobody"}`
	s.want(http.StatusUnprocessableEntity, r)
	s.wantCount(1, "SELECT count(*) FROM mails")
}
