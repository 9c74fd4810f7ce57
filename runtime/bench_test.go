package runtime_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/idemgen/idemgen/examples/petstore/api"
	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/memory"
)

// answer is what both shops say at once, so that what is measured is what
// surrounds it.
func answer(req api.PlaceOrderRequestObject) (api.PlaceOrderResponseObject, error) {
	return api.PlaceOrder201JSONResponse{
		Body: api.Order{Id: 7, Item: req.Body.Item, Quantity: req.Body.Quantity, PlacedAt: placed, Status: "placed"},
	}, nil
}

var placed = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

type shop struct{ api.Service }

func (shop) PlaceOrder(_ context.Context, req api.PlaceOrderRequestObject) (api.PlaceOrderResponseObject, error) {
	return answer(req)
}

// plainShop is the same handler as oapi-codegen serves it.
type plainShop struct{ api.StrictServerInterface }

func (plainShop) PlaceOrder(_ context.Context, req api.PlaceOrderRequestObject) (api.PlaceOrderResponseObject, error) {
	return answer(req)
}

// sink is a ResponseWriter that costs nothing.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }
func (s *sink) WriteHeader(status int)      { s.status = status }

// client sends one prepared request again and again.
type client struct {
	handler http.Handler
	request *http.Request
	body    *strings.Reader
	text    string
	sink    sink
}

func newClient(tb testing.TB, handler http.Handler, text string) *client {
	tb.Helper()
	body := strings.NewReader(text)
	r, err := http.NewRequest("POST", "/store/orders", body)
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", "0")
	return &client{handler: handler, request: r, body: body, text: text, sink: sink{header: http.Header{}}}
}

// send sends the request under a key.
func (c *client) send(tb testing.TB, key string, want int) {
	c.request.Header["Idempotency-Key"][0] = key
	c.body.Reset(c.text)
	c.request.ContentLength = int64(len(c.text))
	clear(c.sink.header)
	c.handler.ServeHTTP(&c.sink, c.request)
	if c.sink.status != want {
		tb.Errorf("status %d, want %d", c.sink.status, want)
	}
}

// keys are made before, so that making them is not measured.
var keys = func() (k [turn]string) {
	for i := range k {
		k[i] = "8e03978e-40d5-43e8-bc93-" + strconv.Itoa(689457000000+i)
	}
	return k
}()

// order is a body of 256 octets.
var order = `{"item":"kibble","note":"` + strings.Repeat("n", 256-len(`{"item":"kibble","note":"","quantity":2}`)) + `","quantity":2}`

// plainServer is the pet store as oapi-codegen serves it.
func plainServer() http.Handler { return api.Handler(api.NewStrictHandler(plainShop{}, nil)) }

func keyedServer(tb testing.TB) http.Handler {
	tb.Helper()
	h, err := api.NewHandler(shop{}, idem.WithStore(memory.New()), idem.WithLogger(nil),
		idem.WithScope(func(*http.Request) (idem.Scope, error) { return idem.Scope{Tenant: "t1"}, nil }))
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

// canned is an answer of 256 octets that costs its handler nothing.
func canned(w http.ResponseWriter, _ *http.Request) {
	w.Header()["Content-Type"] = cannedType
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(cannedBody)
}

var cannedType, cannedBody = []string{"application/json"}, []byte(order)

// withKeys is a handler behind the runtime, without a router.
func withKeys(tb testing.TB, next http.HandlerFunc) http.Handler {
	tb.Helper()
	op := placeOrder()
	h, err := idem.NewHandler([]*idem.Operation{op}, idem.WithStore(memory.New()), idem.WithLogger(nil),
		idem.WithScope(func(*http.Request) (idem.Scope, error) { return idem.Scope{Tenant: "t1"}, nil }))
	if err != nil {
		tb.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.Serve(w, r, op, nil, next) })
}

// firsts is a way in which every request is the first of its key.
func firsts(b *testing.B, name string, handler func() http.Handler) way {
	b.Helper()
	return way{name, func() func(int) {
		c := newClient(b, handler(), order)
		return func(i int) { c.send(b, keys[i], 201) }
	}}
}

// BenchmarkFirst measures what a first request costs above its handler, as a
// multiple of what the floor costs above it.
func BenchmarkFirst(b *testing.B) {
	b.Run("canned", func(b *testing.B) {
		ns := nanoseconds(b,
			firsts(b, "bare", func() http.Handler { return http.HandlerFunc(canned) }),
			firsts(b, "floor", func() http.Handler { return newFloor(http.HandlerFunc(canned)) }),
			firsts(b, "idem", func() http.Handler { return withKeys(b, canned) }),
		)
		b.ReportMetric(ratio(above(ns[2], ns[0]), above(ns[1], ns[0])), "own/floor")
	})
	// The handler of the pet store decodes, computes and encodes, and there is a
	// router before it: as oapi-codegen serves it, and as this module does.
	b.Run("generated", func(b *testing.B) {
		ns := nanoseconds(b,
			firsts(b, "bare", plainServer),
			firsts(b, "floor", func() http.Handler { return newFloor(plainServer()) }),
			firsts(b, "idem", func() http.Handler { return keyedServer(b) }),
		)
		b.ReportMetric(ratio(above(ns[2], ns[0]), above(ns[1], ns[0])), "own/floor")
		b.ReportMetric(ratio(ns[1], ns[0]), "floor/bare")
		b.ReportMetric(ratio(ns[2], ns[0]), "idem/bare")
	})
}

// BenchmarkDuplicate measures requests whose key has a record, as multiples of
// what the floor takes for them. They are repeated until they are known, but for
// the second request of a key, each of which is hashed.
func BenchmarkDuplicate(b *testing.B) {
	other := strings.Replace(order, "kibble", "litter", 1)
	floor := busy(b, func(next http.HandlerFunc) http.Handler { return newFloor(next) })
	keyed := busy(b, func(next http.HandlerFunc) http.Handler { return withKeys(b, next) })
	same := func(name string, handler http.Handler, text, key string, want int) way {
		return way{name, func() func(int) {
			c := newClient(b, handler, text)
			return func(int) { c.send(b, key, want) }
		}}
	}
	second := func(name string, handler func() http.Handler) way {
		return way{name, func() func(int) {
			c := newClient(b, handler(), order)
			for _, key := range keys {
				c.send(b, key, 201)
			}
			return func(i int) { c.send(b, keys[i], 201) }
		}}
	}
	ns := nanoseconds(b,
		same("floor-replay", floor, order, answeredKey, 201),
		same("replay", keyed, order, answeredKey, 201),
		second("floor-second", func() http.Handler { return newFloor(http.HandlerFunc(canned)) }),
		second("second", func() http.Handler { return withKeys(b, canned) }),
		same("floor-reused", floor, other, answeredKey, 409),
		same("reused", keyed, other, answeredKey, 409),
		same("floor-inflight", floor, order, runningKey, 409),
		same("inflight", keyed, order, runningKey, 409),
	)
	for i, name := range []string{"replay", "second", "reused", "inflight"} {
		b.ReportMetric(ratio(ns[2*i+1], ns[2*i]), name+"/floor")
	}
}

const answeredKey, runningKey = "answered", "running"

// busy is a server with an answer under one key and a request that runs, until
// the benchmark ends, under another.
func busy(b *testing.B, around func(http.HandlerFunc) http.Handler) http.Handler {
	b.Helper()
	started, end := make(chan struct{}), make(chan struct{})
	h := around(func(w http.ResponseWriter, r *http.Request) {
		if r.Header["Idempotency-Key"][0] == runningKey {
			close(started)
			<-end
		}
		canned(w, r)
	})
	var wait sync.WaitGroup
	wait.Go(func() { newClient(b, h, order).send(b, runningKey, 201) })
	b.Cleanup(func() { close(end); wait.Wait() })
	<-started
	newClient(b, h, order).send(b, answeredKey, 201)
	return h
}

// BenchmarkHotKey measures how replays of one key scale from one processor to
// two. The floor's map has a lock.
func BenchmarkHotKey(b *testing.B) {
	for name, h := range map[string]http.Handler{"floor": newFloor(http.HandlerFunc(canned)), "idem": withKeys(b, canned)} {
		b.Run(name, func(b *testing.B) {
			newClient(b, h, order).send(b, answeredKey, 201)
			b.ReportMetric(scaling(b, 2, func() func() {
				c := newClient(b, h, order)
				return func() { c.send(b, answeredKey, 201) }
			}), "two/one")
		})
	}
}

// routed is the pet store without anything behind its routes.
type routed struct{ api.ServerInterface }

func (routed) PlaceOrder(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }

// What the layer may allocate is a promise; time is measured by the benchmarks.
func TestHandler_Allocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	allocs := func(handler http.Handler, text string, want int, fresh bool) float64 {
		newClient(t, handler, order).send(t, answeredKey, 201)
		c := newClient(t, handler, text)
		c.send(t, answeredKey, want)
		c.send(t, answeredKey, want)
		i := 0
		return testing.AllocsPerRun(1000, func() {
			key := answeredKey
			if fresh {
				key = keys[i]
				i++
			}
			c.send(t, key, want)
		})
	}
	other := strings.Replace(order, "kibble", "litter", 1)
	answered := withKeys(t, canned)
	for _, key := range keys {
		newClient(t, answered, order).send(t, key, 201)
	}
	keyed := keyedServer(t)
	routing := allocs(api.Handler(routed{}), order, 201, false)
	for _, tt := range []struct {
		name      string
		got, most float64
	}{
		{"a first request, above its handler", allocs(withKeys(t, canned), order, 201, true), 6},
		{"a first request, above what oapi-codegen serves", allocs(keyed, order, 201, true) - allocs(plainServer(), order, 201, true), 7},
		{"a replay", allocs(withKeys(t, canned), order, 201, false), 1},
		{"a single retry", allocs(answered, order, 201, true), 1},
		{"a replay, above routing", allocs(keyed, order, 201, false) - routing, 2}, // one is the decorator's method value
		{"a reused key", allocs(withKeys(t, canned), other, 409, false), 0},
	} {
		t.Logf("%s: %v allocations", tt.name, tt.got)
		if tt.got > tt.most {
			t.Errorf("%s costs %v allocations, want %v at most", tt.name, tt.got, tt.most)
		}
	}
}
