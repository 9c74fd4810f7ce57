package goapi

import (
	"slices"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/source"
)

// A component that gets another name is shown where it was written, also when it came
// from another file, was a part of something else, or was renamed before.
func TestGenerate_PlacesOfRenamed(t *testing.T) {
	files := map[string]string{
		"openapi.yaml": `openapi: 3.0.3
info: {title: T, version: 1.0.0}
paths:
  /a:
    get:
      operationId: a
      parameters: [{name: q, in: query, schema: {type: string}}]
      responses:
        '200': {description: D, content: {application/json: {schema: {$ref: 'other.yaml#/AParams'}}}}
        '400': {$ref: '#/components/responses/BadJSON'}
        '409': {description: D, content: {application/json: {schema: {$ref: '#/components/schemas/1-params'}}}}
  /n1:
    get:
      operationId: n1
      parameters: [{name: q, in: query, schema: {type: string}}]
      responses: {'204': {description: D}}
  /bad:
    post:
      operationId: bad
      requestBody: {content: {application/json: {schema: {type: object, properties: {x: {type: string}}}}}}
      responses: {'204': {description: D}}
components:
  schemas:
    1-params: {type: object, properties: {x: {type: string}}}
  responses:
    BadJSON:
      description: D
      content:
        application/json:
          schema: {oneOf: [{type: string}, {type: integer}]}
`,
		"other.yaml": "\nAParams: {type: object, properties: {x: {type: string}}}\n",
	}
	doc, errs := source.Load("openapi.yaml", func(name string) ([]byte, error) { return []byte(files[name]), nil })
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	policies, errs := policy.Read(doc)
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	api, errs := plan.Build(doc, policies, plan.Target{Package: "api", Source: "openapi.yaml"})
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	_, errs = Generate(doc, api, Options{}, "1.2.3")
	var got []string
	for _, e := range errs {
		if e.Severity == diag.Warning {
			got = append(got, e.Pos.String()+" "+strings.TrimPrefix(e.Fix, "x-go-name: "))
		}
	}
	want := []string{"openapi.yaml:24:5 N1ParamsSchema", "openapi.yaml:29:9 BadJSONBodySchema", "other.yaml:2:1 AParamsSchema"}
	if !slices.Equal(got, want) {
		t.Errorf("warnings at %q, want %q (%v)", got, want, errs)
	}
}
