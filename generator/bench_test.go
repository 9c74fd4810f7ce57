package generator_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator"
)

// BenchmarkGenerate measures all stages on a document of the petstore's size
// and on one with 300 operations.
func BenchmarkGenerate(b *testing.B) {
	guarded, err := os.ReadFile(filepath.Join(casesDir, "guarded", "openapi.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		text []byte
	}{{"5 operations", guarded}, {"12 operations", synthesize(3)}, {"300 operations", synthesize(75)}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(c.text)))
			for b.Loop() {
				if files := generateText(b, c.text); len(files) != 2 {
					b.Fatalf("%d files", len(files))
				}
			}
		})
	}
}

// generateText generates from a document that is one file.
func generateText(t testing.TB, text []byte) []generator.File {
	t.Helper()
	project, errs := generator.Open(config("api"), func(string) ([]byte, error) { return text, nil })
	if errs.Errors() > 0 {
		t.Fatal(errs[0])
	}
	files, errs := generator.Generate(project)
	if errs.Errors() > 0 {
		t.Fatal(errs[0])
	}
	return files
}

// synthesize returns a document with a number of resources, each with four
// operations: one with a key, two with a precondition, one with both.
func synthesize(resources int) []byte {
	var paths, schemas strings.Builder
	for i := range resources {
		name := fmt.Sprintf("Thing%d", i)
		fmt.Fprintf(&paths, `
  /things%[1]d:
    post:
      operationId: create%[2]s
      summary: Create a thing of the kind %[1]d
      x-idempotency: {required: true, fingerprint: {exclude: [/sentAt]}}
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/%[2]s'}}}
      responses:
        '201':
          description: Created
          headers: {Location: {schema: {type: string}}}
          content: {application/json: {schema: {$ref: '#/components/schemas/%[2]s'}}}
        default: {$ref: '#/components/responses/Problem'}
  /things%[1]d/{id}:
    x-etag: true
    parameters: [{name: id, in: path, required: true, schema: {type: string, format: uuid}}]
    get:
      operationId: get%[2]s
      parameters: [{name: expand, in: query, schema: {type: array, items: {type: string}}}]
      responses:
        '200':
          description: The thing
          content: {application/json: {schema: {$ref: '#/components/schemas/%[2]s'}}}
        '404': {$ref: '#/components/responses/Problem'}
    put:
      operationId: replace%[2]s
      x-idempotency: optional
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/%[2]s'}}}
      responses:
        '200':
          description: The thing
          content: {application/json: {schema: {$ref: '#/components/schemas/%[2]s'}}}
        '404': {$ref: '#/components/responses/Problem'}
    delete:
      operationId: delete%[2]s
      responses:
        '204': {description: Deleted}
        '404': {$ref: '#/components/responses/Problem'}`, i, name)
		fmt.Fprintf(&schemas, `
    %s:
      type: object
      required: [id, version]
      properties:
        id: {type: string, format: uuid}
        version: {type: integer, format: int64}
        name: {type: string, maxLength: 100}
        labels: {type: object, additionalProperties: {type: string}}
        parts: {type: array, items: {type: object, properties: {weight: {type: number}, unit: {type: string, enum: [g, kg]}}}}`, name)
	}
	return fmt.Appendf(nil, `openapi: 3.1.0
info: {title: Many, version: 1.0.0}
security: [{key: []}]
paths:%s
components:
  securitySchemes: {key: {type: apiKey, in: header, name: X-API-Key}}
  responses:
    Problem:
      description: A problem
      content: {application/problem+json: {schema: {type: object, properties: {title: {type: string}}}}}
  schemas:%s
`, paths.String(), schemas.String())
}
