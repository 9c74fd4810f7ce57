package main

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"sync"
)

const (
	whiskers = "whiskers-key"
	pawsome  = "pawsome-key"
)

func order(apiKey, key, body string) request {
	return request{method: http.MethodPost, path: "/store/orders", apiKey: apiKey, key: key, body: body}
}

// oneOrder: retries of an order whose answers the client never saw.
func oneOrder(ctx context.Context, s *stage) error {
	s.t.scene("One order, sent five times",
		"The client never saw an answer, so it sends the same request again, and again.")
	s.first = order(whiskers, "monday-kibble", `{"item":"kibble","quantity":2}`)
	a, err := s.show(ctx, s.first)
	if err != nil {
		return err
	}
	s.got = a
	answers := []answer{a}
	for number := 2; number <= 5; number++ {
		a, err := s.client.send(ctx, s.first)
		if err != nil {
			return err
		}
		s.t.again(number, s.got, a)
		answers = append(answers, a)
	}
	now, err := s.rows(ctx, "whiskers")
	if err != nil {
		return err
	}
	s.t.claim(all(answers, func(a answer) bool { return a.status == http.StatusCreated }), "five times 201 Created")
	s.t.claim(same(answers), "one answer, byte for byte")
	s.t.claim(!answers[0].replayed() && all(answers[1:], answer.replayed), "the first was executed, the four others were replayed")
	s.t.claim(now == stand{orders: 1, kibble: 98}, "one row")
	return nil
}

// changedBody: the same key for something else.
func changedBody(ctx context.Context, s *stage) error {
	s.t.scene("The same key, another order",
		"A bug in the client: it sends a different order under a key that it has used.")
	a, err := s.show(ctx, order(s.first.apiKey, s.first.key, `{"item":"kibble","quantity":20}`))
	if err != nil {
		return err
	}
	now, err := s.rows(ctx, "whiskers")
	if err != nil {
		return err
	}
	s.t.claim(a.status == http.StatusConflict && a.is("key-reused"), "a changed body is 409, and the problem says why")
	s.t.claim(now == stand{orders: 1, kibble: 98}, "nothing was ordered")

	s.t.note("The same order with its members in another order, and white space, is the same order:")
	a, err = s.show(ctx, order(s.first.apiKey, s.first.key, `{ "quantity": 2, "item": "kibble" }`))
	if err != nil {
		return err
	}
	s.t.claim(a.replayed() && bytes.Equal(a.body, s.got.body), "the fingerprint is of the JSON, not of its spelling")
	return nil
}

// duplicates is how many clients push at once.
const duplicates = 32

// crowd: concurrent duplicates.
func crowd(ctx context.Context, s *stage) error {
	s.t.scene("32 duplicates at once",
		"Who comes while the first still runs is told so (409, Retry-After) and asks again.")
	r := order(whiskers, "tuesday-kibble", `{"item":"kibble","quantity":3,"note":"for the whole shelter"}`)
	s.t.request(r)
	var (
		clients  sync.WaitGroup
		gate     = make(chan struct{})
		answers  [duplicates]answer
		refusals [duplicates][]answer
		failures [duplicates]error
	)
	for i := range duplicates {
		clients.Go(func() {
			<-gate
			answers[i], refusals[i], failures[i] = s.client.sendPolitely(ctx, r)
		})
	}
	close(gate)
	clients.Wait()
	for _, err := range failures {
		if err != nil {
			return err // 31 more would say the same
		}
	}
	executed, replayed := 0, 0
	for _, a := range answers {
		switch {
		case a.replayed():
			replayed++
		case a.status == http.StatusCreated:
			executed++
			s.t.answer(a)
		}
	}
	if refused := slices.Concat(refusals[:]...); len(refused) > 0 {
		s.t.answer(refused[0])
		s.t.printf("     (%d of these in all, each followed by a retry)\n", len(refused))
	}
	s.t.printf("   %d executed, %d replayed\n", executed, replayed)
	now, err := s.rows(ctx, "whiskers")
	if err != nil {
		return err
	}
	s.t.claim(executed == 1 && replayed == duplicates-1, "one was executed, 31 got its answer")
	s.t.claim(same(answers[:]), "one answer, byte for byte")
	s.t.claim(now == stand{orders: 2, kibble: 95}, "one more row")
	return nil
}

// otherShop: keys belong to a tenant.
func otherShop(ctx context.Context, s *stage) error {
	s.t.scene("The same key in another shop",
		"Two shops chose the same key and even the same order. They do not know each other.")
	r := s.first
	r.apiKey = pawsome
	a, err := s.show(ctx, r)
	if err != nil {
		return err
	}
	theirs, err := s.rows(ctx, "pawsome")
	if err != nil {
		return err
	}
	s.t.claim(a.status == http.StatusCreated && !a.replayed() && !bytes.Equal(a.body, s.got.body), "another tenant's order is another order")
	s.t.claim(theirs == stand{orders: 1, kibble: 98}, "one row for the other shop")
	return nil
}

// rows counts what a shop has and shows it.
func (s *stage) rows(ctx context.Context, shop string) (stand, error) {
	now, err := s.db.shop(ctx, shop)
	if err == nil {
		s.t.rows("%s: %s", shop, now)
	}
	return now, err
}

func all(answers []answer, holds func(answer) bool) bool {
	for _, a := range answers {
		if !holds(a) {
			return false
		}
	}
	return true
}
