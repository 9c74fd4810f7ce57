package goapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/idemgen/idemgen/generator/plan"
)

// documents are the golden cases that are one file and good, and one with every
// kind of component and with cycles.
func documents(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob("../testdata/cases/*/openapi.yaml")
	if err != nil || len(names) == 0 {
		t.Fatal(err, names)
	}
	texts := map[string]string{"every kind": everyKind, "pets": pets}
	for _, name := range names {
		switch base := filepath.Base(filepath.Dir(name)); {
		case strings.HasPrefix(base, "bad-"), base == "imports", base == "multifile", base == "overlay": // not of one file
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	return texts
}

// routerOf is the router that has the paths of a document.
func routerOf(name string) string {
	if filepath.Base(filepath.Dir(name)) == "routers" {
		return "chi"
	}
	return "std"
}

const everyKind = `
openapi: 3.0.3
info: {title: Kinds, version: 1.0.0}
paths:
  /a/{id}:
    parameters: [{$ref: '#/components/parameters/Id'}]
    post:
      requestBody: {$ref: '#/components/requestBodies/Tree'}
      responses: {'200': {$ref: '#/components/responses/Tree'}}
      callbacks: {told: {$ref: '#/components/callbacks/Told'}}
    get:
      responses:
        '200': {description: A, content: {application/json: {schema: {oneOf: [{$ref: '#/components/schemas/A'}, {$ref: '#/components/schemas/B'}], discriminator: {propertyName: kind, mapping: {a: '#/components/schemas/A', b: '#/components/schemas/B', c: '#/components/schemas/Mapped'}}}}}}
components:
  parameters: {Id: {name: id, in: path, required: true, schema: {$ref: '#/components/schemas/Id'}}}
  headers: {Size: {schema: {$ref: '#/components/schemas/Size'}}, Unused: {schema: {type: string}}}
  requestBodies: {Tree: {content: {application/json: {schema: {$ref: '#/components/schemas/Tree'}}}}}
  responses: {Tree: {description: A tree, headers: {Size: {$ref: '#/components/headers/Size'}}, content: {application/json: {schema: {$ref: '#/components/schemas/Tree'}}}}}
  callbacks:
    Told: {'{$request.body#/url}': {post: {requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}, responses: {'204': {description: Done}}}}}
  schemas:
    Id: {type: string}
    Size: {type: integer}
    Note: {type: object, additionalProperties: {$ref: '#/components/schemas/Line'}}
    Line: {type: string}
    Tree: {type: object, properties: {children: {type: array, items: {$ref: '#/components/schemas/Tree'}}, leaf: {allOf: [{$ref: '#/components/schemas/Leaf'}, {type: object, properties: {x: {type: string}}}]}}}
    Leaf: {type: object, properties: {y: {type: string}}}
    A: {type: object, required: [kind], properties: {kind: {type: string}}}
    B: {type: object, required: [kind], properties: {kind: {type: string}}}
    Mapped: {type: object, properties: {only: {$ref: '#/components/schemas/Below'}}}
    Below: {type: string}
`

// Whatever generating does to a copy, the original stays as it was read, and the
// code is the one of the original.
func TestClone_IsIndependent(t *testing.T) {
	for name, text := range documents(t) {
		doc, api := loadFor(t, text, routerOf(name))
		trial := NewTrial(doc, Options{}, "1.2.3")
		code := func(d *openapi3.T) string {
			prepare(d, api)
			cure(d, nil)
			code, err := generate(d, trial.configuration(d, api))
			return fmt.Sprint(code, err)
		}
		original, errs := trial.fresh(api)
		if errs.Errors() > 0 {
			t.Fatal(errs)
		}
		before := marshal(t, original)
		got := code(clone(original))
		if after := marshal(t, original); after != before {
			t.Errorf("%s: generating from a copy changed the original from\n%s\nto\n%s", name, before, after)
		}
		if want := code(original); got != want {
			t.Errorf("%s: a copy generates differently", name)
		}
	}
}

func marshal(t *testing.T, d *openapi3.T) string {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A part with all operations has the components that oapi-codegen keeps.
func TestPart_KeepsWhatIsUsed(t *testing.T) {
	for name, text := range documents(t) {
		doc, api := loadFor(t, text, routerOf(name))
		if len(doc.Webhooks) > 0 {
			continue // nothing is pruned then
		}
		trial := NewTrial(doc, Options{}, "")
		pruned, errs := trial.fresh(api)
		if errs.Errors() > 0 {
			t.Fatal(errs)
		}
		less := part(pruned, api, false)
		_, _ = generate(pruned, trial.configuration(pruned, api)) // prunes first, whatever comes then
		got, want := slices.Sorted(maps.Keys(ofComponents(less.Components))), slices.Sorted(maps.Keys(ofComponents(pruned.Components)))
		if !slices.Equal(got, want) {
			t.Errorf("%s: kept %q, oapi-codegen %q", name, got, want)
		}
	}
}

// Components that use nothing but each other go with the operations that used them.
func TestPart_DropsCycles(t *testing.T) {
	doc, api := load(t, everyKind)
	whole, errs := NewTrial(doc, Options{}, "").fresh(api)
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	reads := api.Only(func(o *plan.Operation) bool { return o.Method == "GET" })
	less := part(whole, reads, false)
	if got, want := slices.Sorted(maps.Keys(less.Components.Schemas)), []string{"A", "B", "Id"}; !slices.Equal(got, want) {
		t.Errorf("kept the schemas %q, want %q", got, want)
	}
	if item := less.Paths.Value("/a/{id}"); item.Post != nil || item.Get == nil {
		t.Errorf("kept the operations %v", item.Operations())
	}
	// What nothing uses is wanted with skip-prune, but not what an unsupported
	// operation used.
	less = part(whole, reads, true)
	if got, want := slices.Sorted(maps.Keys(less.Components.Schemas)), []string{"A", "B", "Below", "Id", "Mapped"}; !slices.Equal(got, want) {
		t.Errorf("kept the schemas %q, want %q", got, want)
	}
}
