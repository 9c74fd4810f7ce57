package generator

import (
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/source"
)

const shop = `openapi: 3.0.3
info: {title: Shop, version: '1'}
paths:
  /orders:
    get: {operationId: listOrders, tags: [orders], responses: {'204': {description: d}}}
    post: {operationId: createOrder, tags: [orders], x-idempotency: {public: true}, responses: {'204': {description: d}}}
  /orders/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get:
      tags: [orders, reading]
      x-etag: Order
      responses: {'200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}}
  /orders/{id}.json:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get: {operationId: exportOrder, responses: {'200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Export'}}}}}}
  /users:
    get: {operationId: listUsers, tags: [users], responses: {'204': {description: d}}}
components:
  schemas:
    Order: {type: object, required: [version], properties: {version: {type: integer}}}
    Export: {type: object, properties: {a: {type: string}}}
`

func names(texts ...string) []Name {
	var all []Name
	for i, text := range texts {
		all = append(all, Name{text, diag.Pos{File: "idemgen.yaml", Line: 1, Col: i + 1}})
	}
	return all
}

// open opens the shop with a selection.
func openShop(o Operations) (*Project, diag.List) {
	return Open(&Config{Version: 1, Packages: []Package{{
		Spec: "shop.yaml", Router: "std", Operations: o, Output: Output{Dir: "shop", Package: "shop"},
	}}}, func(string) ([]byte, error) { return []byte(shop), nil })
}

func TestOperations_Select(t *testing.T) {
	// net/http cannot route the path of exportOrder, so that every selection
	// without it shows that routes are checked for what is generated only.
	for _, c := range []struct {
		name      string
		selection Operations
		want      string // operations
		left      string // reasons
	}{
		{"exclude", Operations{Exclude: names("exportOrder", "GET /orders/{id}")}, "GET /orders, POST /orders, GET /users", "excluded 2"},
		{"include", Operations{Include: names("createOrder", "GET /orders/{id}")}, "POST /orders, GET /orders/{id}", "not included 3"},
		{"tags", Operations{Tags: names("reading", "users")}, "GET /orders/{id}, GET /users", "not included 3"},
		{"paths", Operations{Paths: names("/orders", "/us*")}, "GET /orders, POST /orders, GET /users", "not included 2"},
		{"several add up", Operations{Include: names("listUsers"), Paths: names("/orders")}, "GET /orders, POST /orders, GET /users", "not included 2"},
		{"exclude is stronger", Operations{Tags: names("orders"), Exclude: names("listOrders")}, "POST /orders, GET /orders/{id}", "excluded 1, not included 2"},
		{"annotated", Operations{Annotated: true}, "POST /orders, GET /orders/{id}", "not annotated 3"},
		{"annotated of a tag", Operations{Tags: names("reading", "users"), Annotated: true}, "GET /orders/{id}", "not annotated 1, not included 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, errs := openShop(c.selection)
			if p == nil || len(errs) > 0 {
				t.Fatalf("findings: %v", errs)
			}
			var got []string
			for _, o := range p.Plans()[0].Operations {
				got = append(got, o.Method+" "+o.Path)
			}
			if list := strings.Join(got, ", "); list != c.want {
				t.Errorf("selected %s, want %s", list, c.want)
			}
			count := map[string]int{}
			for _, o := range p.Plans()[0].LeftOut {
				count[o.Reason]++
			}
			var left []string
			for _, reason := range []string{"excluded", "not annotated", "not included"} {
				if count[reason] > 0 {
					left = append(left, reason+" "+string(rune('0'+count[reason])))
				}
			}
			if list := strings.Join(left, ", "); list != c.left {
				t.Errorf("left out %s, want %s", list, c.left)
			}
		})
	}
}

// A list whose items carry tags is annotated, though no policy is in force there.
func TestOperations_AnnotatedList(t *testing.T) {
	for resource, want := range map[string]string{"Order": "", "": "not annotated"} {
		p := &policy.Operation{Lists: policy.Value[string]{V: resource}}
		if got := (Operations{Annotated: true}).reason(source.Op{}, p); got != want {
			t.Errorf("listItems %q: %q, want %q", resource, got, want)
		}
	}
}

// What is left out leaves nothing behind: no method, type, resource or policy.
func TestOperations_PruneTheRest(t *testing.T) {
	p, errs := openShop(Operations{Include: names("createOrder")})
	if p == nil {
		t.Fatal(errs)
	}
	files, errs := Generate(p)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, f := range files {
		for _, word := range []string{"Export", "OrderVersion", "ListUsers", "type Order "} {
			if strings.Contains(string(f.Content), word) {
				t.Errorf("%s has %s", f.Name, word)
			}
		}
		if !strings.Contains(string(f.Content), "CreateOrder(") {
			t.Errorf("%s lacks CreateOrder", f.Name)
		}
	}
}

func TestOperations_NamesOfNothing(t *testing.T) {
	for _, c := range []struct {
		selection Operations
		want, fix string
	}{
		{Operations{Include: names("listUsers", "createOrdr")}, "idemgen.yaml:1:2: IDM050: operations.include: the document has no operation createOrdr", "include: [createOrder]"},
		{Operations{Exclude: names("exportOrder", "get /users")}, "idemgen.yaml:1:2: IDM050: operations.exclude: the document has no operation get /users", "exclude: [GET /users]"},
		{Operations{Tags: names("order", "users")}, "idemgen.yaml:1:1: IDM050: operations.tags: the document has no tag order", "tags: [orders]"},
		{Operations{Paths: names("/user", "/nothing/at/all*")}, "idemgen.yaml:1:1: IDM050: operations.paths: the document has no path /user", "paths: [/users]"},
		{Operations{Annotated: true, Include: names("listUsers")}, "shop.yaml: IDM050: operations selects none of the 5 operations", "operations: {annotated: false}"},
	} {
		_, errs := openShop(c.selection)
		if errs.Errors() == 0 || errs[0].Error() != c.want || errs[0].Fix != c.fix {
			t.Errorf("got %+v\nwant %s", errs, c.want)
		}
	}
}
