package generator

import (
	"strings"
	"testing"
)

const unsupported = `openapi: 3.0.3
info: {title: Parts, version: '1'}
paths:
  /fine:
    get: {operationId: fine, responses: {'204': {description: d}}}
  /names/{r}:
    parameters: [{name: r, in: path, required: true, schema: {type: string}}]
    get: {operationId: shadows, responses: {'204': {description: d}}}
  /merged:
    get: {operationId: merges, responses: {'200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Outer'}}}}}}
  /unplaced:
    post:
      operationId: unplaced
      requestBody:
        content:
          application/json:
            schema:
              allOf: [{type: string}, {type: object, properties: {a: {type: string}}}]
      responses: {'204': {description: d}}
  /fine/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get: {operationId: fineToo, responses: {'204': {description: d}}}
components:
  schemas:
    Outer: {type: object, properties: {inner: {$ref: '#/components/schemas/Merged'}}}
    Merged: {allOf: [{type: string}, {type: object, properties: {a: {type: string}}}]}
`

func generateUnsupported(skip bool) ([]File, string) {
	p, errs := Open(&Config{Version: 1, Packages: []Package{{
		Spec: "parts.yaml", Router: "std", Output: Output{Dir: "parts", Package: "parts"}, OapiCodegen: OapiCodegen{Skip: skip},
	}}}, func(string) ([]byte, error) { return []byte(unsupported), nil })
	if p == nil {
		return nil, errs[0].Error()
	}
	files, errs := Generate(p)
	var text []string
	for _, e := range errs {
		text = append(text, e.Error())
	}
	return files, strings.Join(text, "\n")
}

// What oapi-codegen cannot generate stops everything, unless it is asked for to
// be left out; the operations are those that reach the place of the error.
func TestOnUnsupported(t *testing.T) {
	if files, errs := generateUnsupported(false); len(files) > 0 || strings.Contains(errs, "left out") {
		t.Errorf("%d files, findings:\n%s", len(files), errs)
	}
	files, errs := generateUnsupported(true)
	if len(files) != 2 || !strings.Contains(string(files[1].Content), "Fine(ctx") || !strings.Contains(string(files[1].Content), "FineToo(ctx") {
		t.Fatalf("%d files, findings:\n%s", len(files), errs)
	}
	for _, name := range []string{"Shadows", "Merge", "Unplaced"} {
		for _, f := range files {
			if strings.Contains(string(f.Content), name) {
				t.Errorf("%s has %s", f.Name, name)
			}
		}
	}
	for _, want := range []string{
		"parts.yaml:8:5: warning: IDM042: shadows is left out: oapi-codegen cannot generate it: the path parameter r has the name",
		"parts.yaml:10:5: warning: IDM042: merges is left out: oapi-codegen cannot generate components/schemas/Merged (parts.yaml:26:5), which it uses: error converting Schema Merged",
		"parts.yaml:12:5: warning: IDM042: unplaced is left out: oapi-codegen cannot generate it: error generating body definitions",
	} {
		if !strings.Contains(errs, want) {
			t.Errorf("findings lack %q:\n%s", want, errs)
		}
	}
}
