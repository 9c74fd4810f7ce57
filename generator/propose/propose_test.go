package propose

import (
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/source"
)

// head has eleven lines.
const head = `openapi: 3.1.0
info: {title: "T # '1'", version: '1'}
components:
  securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}
  schemas:
    Pet: {type: object, required: [version], properties: {version: {type: integer}, n: {type: string}}}
    Loose: {type: object, properties: {version: {type: integer}}}
    Text: {type: object, required: [version], properties: {version: {type: string}}}
    Rev: {type: object, required: [lock-version], properties: {lock-version: {type: string, format: uuid}}}
    Pay: {type: object, required: [idempotency_key], properties: {idempotency_key: {type: string}}}
security: [{key: []}]
`

// proposed returns the annotations and reasons for a document, an operation a
// line.
func proposed(t *testing.T, paths string) (lines []string, overlay string) {
	t.Helper()
	doc, errs := source.Load("api.yaml", func(string) ([]byte, error) { return []byte(head + "paths:\n" + paths), nil })
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	policies, errs := policy.Read(doc)
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	p := Propose(doc, policies)
	for _, pr := range p.List {
		lines = append(lines, pr.Operation+" | "+strings.Join(pr.Annotations, "; ")+" | "+strings.Join(pr.Reason, " "))
	}
	return lines, string(p.Overlay())
}

// post is a POST with a member of its own.
func post(member string) string {
	text := "  /x:\n    post:\n"
	if member != "" {
		text += "      " + member + "\n"
	}
	return text + "      responses: {'204': {description: D}}\n"
}

// put is a path with a GET that shows a schema, and a PUT.
func put(schema, headers, write string) string {
	return "  /pets/{id}:\n    parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n" +
		"    get: {responses: {'200': {description: It" + headers + ", content: {application/json: {schema: {$ref: '#/components/schemas/" + schema + "'}}}}}}\n" +
		"    " + write + ": {responses: {'200': {description: It, content: {application/json: {schema: {$ref: '#/components/schemas/" + schema + "'}}}}}}\n"
}

const tagged = ", headers: {ETag: {schema: {type: string}}}"

func TestPropose(t *testing.T) {
	for _, c := range []struct{ name, paths, want string }{
		{"post", post(""), "POST /x | x-idempotency: required | POST is not idempotent (RFC 9110 §9.2.2)"},
		{"switched off", post("x-idempotency: false"), ""},
		{"creates", strings.Replace(post(""), "204", "201", 1), "x-idempotency: required | It creates (201)"},
		{"public", post("security: []"), "x-idempotency: {public: true} | POST is not idempotent (RFC 9110 §9.2.2): a request that is sent again has its effect again. It has no security"},
		{"stream", strings.Replace(post(""), "{description: D}", "{description: D, content: {text/event-stream: {}}}", 1), "x-idempotency: exempt | It answers with text/event-stream"},

		{"key, optional", post("parameters: [{name: idempotency-key, in: header, schema: {type: string}}]"), "x-idempotency: optional | It declares the header idempotency-key (api.yaml:15), which is honoured."},
		{"key, required", post("parameters: [{name: Idempotency-Key, in: header, required: true, schema: {type: string}}]"), "x-idempotency: required | It declares the header"},
		{"key, other field", post("parameters: [{name: X-Idempotency-Key, in: header, required: true, schema: {type: string}}]"), "x-idempotency: {key: {header: X-Idempotency-Key}} |"},
		{"key, in the body", post("requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Pay'}}}}"), "x-idempotency: {key: {source: 'body:/idempotency_key'}} | Its body carries a key, idempotency_key (api.yaml:10)"},
		{"key, in an optional body", post("requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Pay'}}}}"), "x-idempotency: {required: false, key:"},
		// A request id is not a key, and neither is a key that only one of two bodies has.
		{"request id", post("parameters: [{name: X-Request-ID, in: header, required: true, schema: {type: string}}]"), "x-idempotency: required | POST is not"},
		{"query", post("parameters: [{name: Idempotency-Key, in: query, schema: {type: string}}]"), "x-idempotency: required | POST is not"},
		{"two bodies", post("requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Pay'}}, text/plain: {schema: {type: string}}}}"), "x-idempotency: required | POST is not"},

		{"version", put("Pet", "", "put"), "GET /pets/{id} | x-etag: {resource: Pet} | It shows the version of Pet at /version (api.yaml:6), which becomes an ETag.\nPUT /pets/{id} | x-etag: Pet |"},
		{"version, other name", put("Rev", "", "patch"), "GET /pets/{id} | x-etag: {resource: Rev, field: /lock-version} |"},
		{"version, delete", put("Pet", "", "delete"), "\nDELETE /pets/{id} | x-etag: Pet |"},
		{"version, optional", put("Loose", "", "put"), "PUT /pets/{id} | x-idempotency: exempt | PUT may be repeated (RFC 9110 §9.2.2); its GET shows no version to compare, so the last writer wins."},
		{"version, text", put("Text", "", "put"), "PUT /pets/{id} | x-idempotency: exempt |"},
		{"version, text beside an ETag", put("Text", tagged, "put"), "GET /pets/{id} | x-etag: {resource: Text} |"},
		{"ETag alone", put("Pay", tagged, "put"), "GET /pets/{id} | x-etag: {resource: Pay, strategy: handler} | It declares an ETag"},
		{"patch without a version", put("Pay", "", "patch"), "PATCH /pets/{id} | x-idempotency: optional | PATCH is not idempotent"},
		{"key and version", strings.Replace(put("Pet", "", "put"), "    put: {", "    put: {parameters: [{name: Idempotency-Key, in: header, schema: {type: string}}], ", 1), "PUT /pets/{id} | x-idempotency: optional; x-etag: Pet | It declares the header"},
		{"post", put("Pet", "", "post"), "POST /pets/{id} | x-idempotency: required | POST is not"},
		{"conditional post", strings.Replace(put("Pet", "", "post"), "    post: {", "    post: {parameters: [{name: If-Match, in: header, schema: {type: string}}], ", 1), "POST /pets/{id} | x-idempotency: required; x-etag: Pet | POST is not"},
		{
			"If-Match alone", strings.Replace(put("Loose", "", "put"), "    put: {", "    put: {parameters: [{name: if-match, in: header, schema: {type: string}}], ", 1),
			"GET /pets/{id} | x-etag: {resource: Loose, strategy: handler} | Writes of the path declare If-Match, and it shows no version to make an ETag of, so the handler says it.\nPUT /pets/{id} | x-etag: Loose | If-Match is declared",
		},
		{"no GET", "  /x:\n    delete: {responses: {'204': {description: D}}}\n", "DELETE /x | x-idempotency: exempt | DELETE may be repeated (RFC 9110 §9.2.2); the path has no GET that shows a version"},
		{"name taken", put("Pet", "", "put") + strings.Replace(put("Pet", "", "put"), "/pets/", "/old/", 1), "\nPUT /old/{id} | x-idempotency: exempt | PUT may be repeated (RFC 9110 §9.2.2); its resource would be called Pet, which is taken"},

		{"decided", post("x-idempotency: required"), ""},
		{"decided, exempt", post("x-idempotency: exempt"), ""},
		{"safe", "  /x:\n    get: {responses: {'204': {description: D}}}\n", ""},
	} {
		lines, _ := proposed(t, c.paths)
		got := strings.Join(lines, "\n")
		if !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

func TestOverlay(t *testing.T) {
	_, got := proposed(t, strings.Replace(post(""), "/x:", `"/it's/a b: #":`, 1))
	want := `overlay: 1.1.0
info:
  title: "Retry safety of T # '1'"
  version: 1.0.0
actions:
  # POST /it's/a b: #
  # POST is not idempotent (RFC 9110 §9.2.2): a request that is sent again has its effect again.
  - target: '$.paths[''/it\''s/a b: #''].post'
    update:
      x-idempotency: required
`
	if !strings.HasSuffix(got, want) {
		t.Errorf("got\n%s\nwant at the end\n%s", got, want)
	}
	root, errs := source.ParseYAML("overlay.yaml", []byte(got))
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	if target := root.Get("actions").Items()[0].Get("target").Text(); target != `$.paths['/it\'s/a b: #'].post` {
		t.Errorf("target %s", target)
	}
	if _, nothing := proposed(t, post("x-idempotency: exempt")); nothing != "" {
		t.Errorf("an overlay without actions:\n%s", nothing)
	}
}

// A path item that several paths use is annotated once, and one in another file
// is named without a target.
func TestOverlay_Shared(t *testing.T) {
	files := map[string]string{
		"api.yaml":   head + "paths:\n  /a: {$ref: '#/components/pathItems/Thing'}\n  /b: {$ref: '#/components/pathItems/Thing'}\n  /c: {$ref: 'other.yaml#/Thing'}\n",
		"other.yaml": "Thing:\n  post:\n    operationId: other\n    responses: {'204': {description: D}}\n",
	}
	files["api.yaml"] = strings.Replace(files["api.yaml"], "components:\n", "components:\n  pathItems: {Thing: {post: {responses: {'204': {description: D}}}}}\n", 1)
	doc, errs := source.Load("api.yaml", func(name string) ([]byte, error) { return []byte(files[name]), nil })
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	policies, errs := policy.Read(doc)
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	got := string(Propose(doc, policies).Overlay())
	if strings.Count(got, "target:") != 1 || !strings.Contains(got, "  - target: $.components.pathItems.Thing.post\n") {
		t.Errorf("targets of\n%s", got)
	}
	if !strings.Contains(got, "  # POST /c other\n") || !strings.Contains(got, "  # x-idempotency: required\n") {
		t.Errorf("no word about /c in\n%s", got)
	}
}
