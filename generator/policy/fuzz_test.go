package policy

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/idemgen/idemgen/generator/source"
)

// FuzzRead puts any text where annotations stand. Whatever it says, there is an
// answer, each finding stands in the document, and two readings agree.
func FuzzRead(f *testing.F) {
	for _, annotation := range []string{
		"true", "false", "required", "exempt", "null", "", "12", "[]", "Pet", "{ttl: 1h}", "{key: {source: 'body:/id', pattern: '('}}",
		"{scope: [tenant, 'ctx:a'], fingerprint: {include: [/a/b], maxBody: 1MiB}}", "{resources: {Pet: {field: /version}}}",
		"{role: update, require: [If-Match], field: /lines/0/price}", "{<<: {ttl: 2h}, lease: 1h}", "{record: {statuses: [2XX, 429]}}",
		"{replay: {headers: [X-A, set-cookie], marker: 'a b'}}", "{docs: {url: 'http://[::1'}}", "&a {key: *b}", "{apply: [post, get]}", "{lastModified: /id, listItems: Order}",
	} {
		f.Add(annotation, annotation)
	}
	archives, err := filepath.Glob(filepath.Join("..", "testdata", "bad", "*.txtar"))
	if err != nil || len(archives) == 0 {
		f.Fatalf("no bad documents: %v", err)
	}
	for _, archive := range archives {
		a, err := txtar.ParseFile(archive)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range a.Files {
			for line := range strings.SplitSeq(string(file.Data), "\n") {
				if _, value, found := strings.Cut(line, "x-idempotency: "); found {
					f.Add(value, "true")
				}
				if _, value, found := strings.Cut(line, "x-etag: "); found {
					f.Add("true", value)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, idempotency, etag string) {
		text := annotated(idempotency, etag)
		doc, list := source.Load("api.yaml", func(name string) ([]byte, error) {
			if name != "api.yaml" {
				return nil, fs.ErrNotExist
			}
			return []byte(text), nil
		})
		if doc == nil {
			if list.Errors() == 0 {
				t.Fatal("neither a document nor an error")
			}
			return
		}
		policies, found := Read(doc)
		if policies == nil || len(policies.Operations) != len(doc.Ops) && found.Errors() == 0 {
			t.Fatalf("%d operations and no error", len(doc.Ops))
		}
		lines := strings.Split(text, "\n")
		for _, d := range found {
			if p := d.Pos; p.File != "api.yaml" || p.Line < 1 || p.Line > len(lines) || p.Col < 1 || p.Col > len(lines[p.Line-1])+1 {
				t.Errorf("the place is not in the document: %v", d)
			}
			if d.Message == "" || strings.Contains(d.Message, "\n") || d.Rule.About() == "" {
				t.Errorf("not a finding: %v", d)
			}
		}
		if _, again := Read(doc); !slices.Equal(found, again) {
			t.Errorf("two readings differ:\n%v\n%v", found, again)
		}
	})
}

// annotated is a document with two texts as annotations at every place that has
// them: the operations that read and write a resource, their path item, the root.
func annotated(idempotency, etag string) string {
	return strings.NewReplacer("IDEMPOTENCY", idempotency, "ETAG", etag).Replace(`openapi: 3.1.0
info: {title: T, version: '1'}
security: [{key: []}]
paths:
  /orders/{id}:
    x-etag: ETAG
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get:
      operationId: getOrder
      responses: {'200': {description: D, content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}}
    post:
      operationId: editOrder
      x-idempotency: IDEMPOTENCY
      x-etag: ETAG
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}
      responses: {'200': {description: D, content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}}
    delete:
      x-idempotency: IDEMPOTENCY
      responses: {'204': {description: D}}
components:
  securitySchemes: {key: {type: apiKey, in: header, name: K}}
  schemas:
    Order: {type: object, required: [version], properties: {id: {type: string}, version: {type: integer}, lines: {type: array, items: {type: object}}}}
x-idempotency: IDEMPOTENCY
x-etag: ETAG
`)
}
