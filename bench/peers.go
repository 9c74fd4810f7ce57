package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/idempotency"
	"github.com/valyala/fasthttp"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/memory"
)

// answer is what every handler says, at once.
var answer = []byte(request)

// uuid is a key of 36 octets, which is what fiber demands.
func uuid(n int) string { return "8e03978e-40d5-43e8-bc93-" + strconv.Itoa(100_000_000_000+n) }

// fiberServer is fiber's middleware with the lock and the storage that it has by
// default. Its handler is called as a server would call it, with a request that
// has been parsed and a body that is in memory.
func fiberServer() *server {
	serve := func(middleware ...any) func(string, string) int {
		app := fiber.New()
		for _, m := range middleware {
			app.Use(m)
		}
		app.Post("/orders", func(c fiber.Ctx) error {
			c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
			return c.Status(fiber.StatusCreated).Send(answer)
		})
		handler := app.Handler()
		ctx := new(fasthttp.RequestCtx)
		ctx.Request.Header.SetMethod(fiber.MethodPost)
		ctx.Request.SetRequestURI("/orders")
		ctx.Request.Header.SetContentType(fiber.MIMEApplicationJSON)
		return func(key, body string) int {
			ctx.Request.Header.Set("X-Idempotency-Key", key)
			ctx.Request.SetBodyString(body)
			ctx.Response.Reset()
			handler(ctx)
			if len(ctx.Response.Body()) != len(answer) {
				log.Fatalf("fiber answered %d with %q", ctx.Response.StatusCode(), ctx.Response.Body())
			}
			return ctx.Response.StatusCode()
		}
	}
	return &server{name: "fiber v3 idempotency", body: "no", bare: serve(), ask: serve(idempotency.New())}
}

// sink is a ResponseWriter that counts.
type sink struct {
	header       http.Header
	status, size int
}

func (s *sink) Header() http.Header    { return s.header }
func (s *sink) WriteHeader(status int) { s.status = status }
func (s *sink) Write(b []byte) (int, error) {
	s.size += len(b)
	return len(b), nil
}

// idemServer is an operation registered as generated code registers it, with the
// store in memory. Its handler is called as net/http would call it.
func idemServer() *server {
	op := &idem.Operation{
		ID: "placeOrder", Method: "POST", Path: "/orders", Pattern: "POST /orders",
		Idempotency: &idem.Idempotency{Required: true, Scope: []string{"tenant", "operation"}, TTL: 30 * time.Minute, Lease: 30 * time.Second},
	}
	h, err := idem.NewHandler([]*idem.Operation{op}, idem.WithStore(memory.New(memory.WithMaxBytes(4<<30))), idem.WithLogger(nil),
		idem.WithScope(func(*http.Request) (idem.Scope, error) { return idem.Scope{Tenant: "t1"}, nil }))
	if err != nil {
		log.Fatal(err)
	}
	next := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(answer) // the sink does not fail
	}
	h.Router().HandleFunc(op.Pattern, func(w http.ResponseWriter, r *http.Request) { h.Serve(w, r, op, nil, next) })
	bare := http.NewServeMux()
	bare.HandleFunc(op.Pattern, next)
	return &server{name: "idemgen", body: "yes", bare: asker(bare), ask: asker(h.Router())}
}

// asker sends requests to a handler of net/http.
func asker(handler http.Handler) func(string, string) int {
	reader := strings.NewReader(request) // of an empty one NewRequest would make no body
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "/orders", reader)
	if err != nil {
		log.Fatal(fmt.Errorf("the request: %w", err))
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", "")
	w := &sink{header: http.Header{}}
	return func(key, body string) int {
		r.Header["Idempotency-Key"][0] = key
		reader.Reset(body)
		r.ContentLength = int64(len(body))
		clear(w.header)
		w.size = 0
		handler.ServeHTTP(w, r)
		if w.size == 0 {
			log.Fatalf("idemgen answered %d with nothing", w.status)
		}
		return w.status
	}
}
