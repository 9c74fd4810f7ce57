package explain

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/source"
)

// head is the document that the cases add to; its last line is the eighth.
const head = `openapi: 3.1.0
info: {title: T, version: '1'}
security: [{key: []}]
components:
  securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}
  schemas:
    Pet: {type: object, required: [version], properties: {version: {type: integer, format: int64}}}
    New: {type: object, properties: {n: {type: integer}}}
`

// explained returns the explanation of the operation called id.
func explained(t *testing.T, document, id string) Operation {
	t.Helper()
	doc, errs := source.Load("api.yaml", func(string) ([]byte, error) { return []byte(head + document), nil })
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	policies, errs := policy.Read(doc)
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	api, errs := plan.Build(doc, policies, plan.Target{Package: "api", Source: "api.yaml", Router: "std"})
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	r := Build(api, policies, id)
	if len(r.Operations) != 1 {
		t.Fatalf("%d operations are called %q", len(r.Operations), id)
	}
	return r.Operations[0]
}

// post is a document with one POST and its annotation.
func post(annotation string) string {
	return "paths:\n  /pets:\n    post:\n      operationId: createPet\n      x-idempotency: " + annotation + "\n      responses: {'204': {description: Done}}\n"
}

// pet is a document with a versioned resource.
const pet = `x-etag: {unsupported: ignore}
paths:
  /pets/{id}:
    x-etag: true
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get:
      operationId: getPet
      responses: {'200': {description: It, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}
    put:
      operationId: putPet
      responses: {'200': {description: It, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}
  /jobs:
    post:
      operationId: addJob
      responses: {'204': {description: Done}}
`

func TestProblems_AsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/problems.md")
	if err != nil {
		t.Fatal(err)
	}
	// What no operation's policy answers: the router, or a scaffold.
	elsewhere := []string{"method-not-allowed", "not-implemented"}
	seen := 0
	section := regexp.MustCompile(`(?m)^## (\S+)\n([0-9]{3})[^,]*, ` + "`([a-z-]+)`")
	for _, m := range section.FindAllStringSubmatch(string(text), -1) {
		if slices.Contains(elsewhere, m[1]) {
			continue
		}
		seen++
		want := problems[m[1]]
		if status, _ := strconv.Atoi(m[2]); status != want.status || m[3] != want.retry {
			t.Errorf("%s is documented with %s %s, explained with %d %s", m[1], m[2], m[3], want.status, want.retry)
		}
	}
	if seen != len(problems) {
		t.Errorf("%d problem types are documented, %d explained", seen, len(problems))
	}
}

func TestBuild_Origins(t *testing.T) {
	doc := "x-idempotency: {lease: 10s}\n" + post("{profile: ietf, public: true}")
	o := explained(t, doc, "createPet")
	want := map[string]string{
		"lease": "10s api.yaml:9", "profile": "ietf api.yaml:14", "mismatchStatus": "422 profile at api.yaml:14",
		"scope": "[operation] derived", "ttl": "24h default",
	}
	for _, m := range o.Idempotency.Members {
		if w, ok := want[m.Name]; ok && m.Value+" "+m.From.String() != w {
			t.Errorf("%s: %s %s, want %s", m.Name, m.Value, m.From, w)
		}
	}
	if got := len(o.Idempotency.Members); got != len(policy.IdempotencyMembers())-1 { // apply is the root's
		t.Errorf("%d members", got)
	}
	if o.Pos != "api.yaml:12" || o.Idempotency.On.Pos != "api.yaml:14" || o.ETag != nil {
		t.Errorf("operation at %s, switched on at %s", o.Pos, o.Idempotency.On.Pos)
	}
	p := explained(t, pet, "putPet")
	for _, m := range p.ETag.Members {
		if m.Name == "type" && m.From != (Origin{"derived", "api.yaml:7"}) || m.Name == "require" && m.From.Level != "derived" {
			t.Errorf("%s is from %v", m.Name, m.From)
		}
	}
}

// A list whose items carry tags has no policy of its own, and says why.
func TestBuild_ListItems(t *testing.T) {
	o := explained(t, pet+`  /pets:
    get:
      operationId: listPets
      x-etag: {listItems: Pet}
      responses: {'200': {description: All, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}}}
`, "listPets")
	if o.ETag == nil || len(o.ETag.Members) != 1 || o.ETag.On.Pos != "api.yaml:27" {
		t.Fatalf("x-etag is %+v", o.ETag)
	}
	m := o.ETag.Members[0]
	if m.Name != "listItems" || m.Value != "Pet" || m.From != (Origin{"operation", "api.yaml:27"}) || m.About == "" {
		t.Errorf("member %+v", m)
	}
	if !slices.ContainsFunc(o.Notes, func(n string) bool { return strings.Contains(n, "resource Pet") }) {
		t.Errorf("notes %q", o.Notes)
	}
	for _, c := range o.Checks {
		if c.Step == stepPreconditions {
			t.Errorf("a list checks no precondition: %+v", c)
		}
	}
}

// What the policy can answer depends on it, member by member.
func TestBuild_Answers(t *testing.T) {
	for _, c := range []struct {
		name, document, id string
		has, lacks         []string
	}{
		{
			"required", post("true"), "createPet",
			[]string{"400 key-missing new-key", "409 key-reused new-key", "409 outcome-unknown none", "403 scope-unresolved none", "412 precondition-failed none", "500 internal-error same-key", "503 store-unavailable same-key"},
			[]string{"428", "304"},
		},
		{"optional", post("optional"), "createPet", []string{"500 internal-error none", "400 key-invalid new-key"}, []string{"key-missing"}},
		{"stripe", post("{profile: stripe}"), "createPet", []string{"400 key-reused new-key"}, []string{"409 key-reused"}},
		{"tx", post("{mode: tx}"), "createPet", nil, []string{"outcome-unknown"}},
		{"hold", post("{onCrash: hold, mode: lease}"), "createPet", []string{"409 outcome-unknown none"}, nil},
		{"public", post("{public: true}"), "createPet", nil, []string{"scope-unresolved"}},
		{"no body kept", post("{replay: {body: none, status: 200}}"), "createPet", []string{"200"}, []string{"response-unavailable"}},
		{"run on store error", post("{onStoreError: run, mode: lease}"), "createPet", nil, []string{"store-unavailable"}},
		{"observe", post("{rollout: observe}"), "createPet", []string{"500 internal-error none"}, []string{"key-missing", "key-reused", "in-flight", "scope", "body-too-large", "store"}},
		{"off", post("{rollout: 'off'}"), "createPet", nil, []string{"key-", "in-flight"}},
		{"exempt", post("exempt"), "createPet", []string{"412 precondition-failed none"}, []string{"key-"}},
		{"read", pet, "getPet", []string{"304", "412 precondition-failed same-key", "400 malformed-precondition"}, []string{"428", "404", "key-"}},
		{"guarded", pet, "putPet", []string{"428 precondition-required", "404 not-found", "412 precondition-failed same-key"}, []string{"304"}},
		{"guarded patch", strings.Replace(pet, "    put:", "    patch:", 1), "putPet", []string{"500 internal-error same-key"}, nil},
		{"free patch", strings.Replace(pet, "    put:", "    patch:\n      x-etag: {require: []}", 1), "putPet", []string{"500 internal-error none"}, nil},
		{"upsert", strings.Replace(pet, "operationId: putPet\n      responses: {", "operationId: putPet\n      responses: {'201': {description: New}, ", 1), "putPet", []string{"428 precondition-required", "412 precondition-failed same-key"}, []string{"404"}},
		{"ignores preconditions", pet, "addJob", nil, []string{"412", "precondition"}},
	} {
		o := explained(t, c.document, c.id)
		var all []string
		for _, a := range o.Answers {
			all = append(all, strings.TrimSpace(a.status()+" "+a.Problem+" "+a.Retry))
		}
		text := strings.Join(all, "\n")
		for _, w := range c.has {
			if !strings.Contains("\n"+text, "\n"+w) {
				t.Errorf("%s: no %q in\n%s", c.name, w, text)
			}
		}
		for _, w := range c.lacks {
			if strings.Contains(text, w) {
				t.Errorf("%s: %q in\n%s", c.name, w, text)
			}
		}
	}
}

// A read decides after its handler, a write before.
func TestBuild_Order(t *testing.T) {
	steps := func(id string) string {
		var b strings.Builder
		for _, c := range explained(t, pet, id).Checks {
			b.WriteString(strconv.Itoa(c.Step))
		}
		return b.String()
	}
	if r, w := steps("getPet"), steps("putPet"); r != "12376" || w != "123367" {
		t.Errorf("read %s, write %s", r, w)
	}
}

func TestMermaid_Labels(t *testing.T) {
	if got := label("a \"b\" <c>"); got != `"a #quot;b#quot; #lt;c#gt;"` {
		t.Error(got)
	}
	var b strings.Builder
	r := Report{Operations: []Operation{explained(t, post("{onCrash: hold, mode: lease, ttl: 2h}"), "createPet")}}
	if err := r.Mermaid(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"flowchart TD\n", `"answer recorded, kept for 2h"`, `"an operator: free"`, `<br/>409 key-reused (new-key): the key belongs to another request<br/>`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "rolled back") {
		t.Error("lease mode has no transaction")
	}
}
