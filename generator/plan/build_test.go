package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/source"
)

// build plans the document orders.
func build(t *testing.T) *API {
	t.Helper()
	doc, errs := source.Load("openapi.yaml", func(string) ([]byte, error) { return []byte(orders), nil })
	if errs.Errors() > 0 {
		t.Fatal(errs[0])
	}
	policies, errs := policy.Read(doc)
	if errs.Errors() > 0 {
		t.Fatal(errs[0])
	}
	api, errs := Build(doc, policies, Target{Package: "api", Source: "openapi.yaml", Router: "std"})
	if errs.Errors() > 0 {
		t.Fatal(errs[0])
	}
	return api
}

const orders = `
openapi: 3.1.0
info: {title: Orders, version: 1.0.0}
security: [{oauth: [orders]}]
paths:
  /z:
    post:
      operationId: keyed
      x-idempotency:
        ttl: 90m
        fingerprint: {headers: [X-B, x-a]}
        replay: {headers: [X-Zone]}
      responses:
        '201':
          description: Done
          headers:
            x-cost: {schema: {type: string}}
            Location: {schema: {type: string}}
            Set-Cookie: {schema: {type: string}}
            RateLimit-Limit: {schema: {type: string}}
            X-Request-ID: {schema: {type: string}}
        default:
          description: Not done
          headers: {X-Zone: {schema: {type: string}}}
    get:
      operationId: streams
      security: []
      responses:
        '200': {description: Events, content: {text/event-stream; charset=utf-8: {schema: {type: string}}}}
  /a:
    put:
      operationId: own
      parameters:
        - {name: IF-MATCH, in: header, schema: {type: string}}
        - {name: If-None-Match, in: query, schema: {type: string}}
      responses: {'204': {description: Done}}
components:
  securitySchemes: {oauth: {type: http, scheme: bearer}}
`

func TestBuild_SortsByPathAndMethod(t *testing.T) {
	var got []string
	for _, o := range build(t).Operations {
		got = append(got, o.ID)
	}
	if want := []string{"own", "streams", "keyed"}; !slices.Equal(got, want) {
		t.Errorf("operations %v, want %v", got, want)
	}
}

func TestBuild_Operation(t *testing.T) {
	api := build(t)
	own, streams, keyed := api.Operations[0], api.Operations[1], api.Operations[2]
	if want := []string{"If-Match"}; !slices.Equal(own.OwnPreconditions, want) {
		t.Errorf("own preconditions %v, want %v", own.OwnPreconditions, want)
	}
	if !streams.Streaming || !streams.Public || len(streams.Security) != 0 {
		t.Errorf("streams: %+v", streams)
	}
	if keyed.Public || len(keyed.Security) != 1 || !slices.Equal(keyed.Security[0]["oauth"], []string{"orders"}) {
		t.Errorf("security %v", keyed.Security)
	}
	p := keyed.Idempotency
	if p == nil || !p.Required || time.Duration(p.TTL) != 90*time.Minute || p.Key.Header != "Idempotency-Key" {
		t.Fatalf("policy %+v", p)
	}
	if want := []string{"x-a", "x-b"}; !slices.Equal(p.Fingerprint.Headers, want) {
		t.Errorf("fingerprint headers %v, want %v", p.Fingerprint.Headers, want)
	}
	// What the runtime always replays is left out, and what it never replays.
	if want := []string{"X-Cost", "X-Zone"}; !slices.Equal(p.Replay.Headers, want) {
		t.Errorf("replayed headers %v, want %v", p.Replay.Headers, want)
	}
}

func TestJSON_IsEqualForEqualPlans(t *testing.T) {
	first, err := build(t).JSON()
	if err != nil {
		t.Fatal(err)
	}
	second, err := build(t).JSON()
	if err != nil {
		t.Fatal(err)
	}
	if string(first) != string(second) {
		t.Error("two plans of one document differ")
	}
	for _, part := range []string{`"ttl": "1h30m0s"`, `"pos": "openapi.yaml:7:5"`, `"operationId"`} {
		if want := part != `"operationId"`; strings.Contains(string(first), part) != want {
			t.Errorf("contains %s: %v, want %v", part, !want, want)
		}
	}
}

func TestCheckDeclared(t *testing.T) {
	at := diag.Pos{File: "a.yaml", Line: 3}
	schema := diag.Pos{File: "a.yaml", Line: 9}
	errs := CheckDeclared([]Identifier{
		{Name: "Service", Of: "the generated wiring"},
		{Name: "Order", Of: "operation a", Pos: at, Fix: "rename it"},
		{Name: "Order", Of: "operation b", Pos: at, Fix: "rename it"},
		{Name: "Free", Of: "operation b", Pos: at},
	}, []string{"Other", "Service"}, func(string) diag.Pos { return schema })
	if len(errs) != 2 || errs[0].Pos != at || errs[1].Pos != schema {
		t.Fatalf("got %v", errs)
	}
	if want := "operation b and operation a both get the Go name Order"; errs[0].Message != want {
		t.Errorf("message %q, want %q", errs[0].Message, want)
	}
}
