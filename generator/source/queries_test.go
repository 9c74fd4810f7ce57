package source

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

const shop = `openapi: 3.1.0
info: {title: Shop, version: '1'}
security: [{apiKey: []}]
paths:
  /pets/{petId}:
    parameters:
      - {name: petId, in: path, required: true, schema: {$ref: '#/components/schemas/Id'}}
      - {name: view, in: query, schema: {type: string}}
    put:
      operationId: replacePet
      summary: Replace a pet
      description: All of it.
      tags: [pets, writes]
      deprecated: true
      security: [{oauth: [write, read]}, {}]
      parameters:
        - $ref: '#/components/parameters/View'
      requestBody: {$ref: '#/components/requestBodies/Pet'}
      responses:
        '200':
          description: Replaced.
          headers: {X-Rate: {schema: {type: integer}}, ETag: {schema: {type: string}}}
          content:
            application/json: {schema: {$ref: '#/components/schemas/Pet'}}
            text/plain: {}
        default: {$ref: '#/components/responses/Problem'}
    get: {responses: {2XX: {description: One.}}}
  /health:
    get: {security: [], responses: {'204': {description: Well.}}}
  /moved: {$ref: '#/paths/~1health'}
  /away: {$ref: 'parts/items.yaml#/away'}
webhooks:
  sold:
    post: {operationId: sold, responses: {'204': {description: Noted.}}}
components:
  securitySchemes:
    apiKey: {type: apiKey, in: header, name: X-Api-Key}
    oauth: {type: oauth2, flows: {clientCredentials: {tokenUrl: 'https://a.example', scopes: {write: w, read: r}}}}
  parameters:
    View: {name: view, in: query, required: true, deprecated: true, schema: {type: [integer, 'null'], format: int32}}
  requestBodies:
    Pet:
      required: true
      content:
        application/json: {schema: {allOf: [{$ref: '#/components/schemas/Pet'}]}}
        multipart/form-data: {schema: {type: object}}
  responses:
    Problem: {description: Wrong., content: {application/problem+json: {schema: {type: object}}}}
  schemas:
    Id: {type: string, format: uuid}
    Pet:
      allOf:
        - $ref: '#/components/schemas/Versioned'
        - type: object
          required: [name]
          properties:
            name: {type: string}
            owner: {oneOf: [{$ref: '#/components/schemas/Owner'}, {type: 'null'}]}
            tags: {type: array, items: {type: object, required: [text], properties: {text: {type: string}}}}
            a/b: {type: boolean}
    Versioned:
      type: object
      required: [version]
      properties:
        version: {type: integer, format: int64}
        revision: {$ref: 'parts/items.yaml#/Revision'}
    Owner: {type: object, required: [name], properties: {name: {type: [string, 'null']}}}
`

const parts = `away:
  x-etag: true
  get:
    operationId: getAway
    responses: {'200': {description: One., content: {application/json: {schema: {$ref: '#/Revision'}}}}}
Revision:
  type: string
  nullable: true
`

func shopDocument(t *testing.T) *Document {
	return load(t, files{"api.yaml": shop, "parts/items.yaml": parts})
}

func TestOps_DocumentOrder(t *testing.T) {
	d := shopDocument(t)
	var got []string
	for _, op := range append(d.Ops, d.Webhooks...) {
		got = append(got, fmt.Sprintf("%s %s %s %q %v", op.Pos, op.Method, op.Path, op.ID, op.Public))
	}
	want := []string{
		`api.yaml:9:5 PUT /pets/{petId} "replacePet" true`,
		`api.yaml:27:5 GET /pets/{petId} "" false`,
		`api.yaml:29:5 GET /health "" true`,
		`parts/items.yaml:3:3 GET /away "getAway" false`,
		`api.yaml:34:5 POST sold "sold" false`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	op := d.Ops[0]
	if op.Summary != "Replace a pet" || op.Description != "All of it." || !op.Deprecated || !reflect.DeepEqual(op.Tags, []string{"pets", "writes"}) {
		t.Errorf("texts: %q %q %v %v", op.Summary, op.Description, op.Deprecated, op.Tags)
	}
	if away := d.Ops[3]; away.Pointer != "parts/items.yaml#/away/get" || away.Place.Pos().String() != "api.yaml:31:10" ||
		away.Item.Get("x-etag").Pos().String() != "parts/items.yaml:2:11" {
		t.Errorf("away: %s, declared at %s, annotated at %s", away.Pointer, away.Place.Pos(), away.Item.Get("x-etag").Pos())
	}
}

func TestSecurity(t *testing.T) {
	d := shopDocument(t)
	for i, want := range []struct {
		all []Requirement
		pos string
	}{
		{[]Requirement{{"oauth": {"write", "read"}}, {}}, "api.yaml:15:7"},
		{[]Requirement{{"apiKey": nil}}, "api.yaml:3:1"},
		{nil, "api.yaml:29:11"},
	} {
		all, pos := d.Security(d.Ops[i])
		if !reflect.DeepEqual(all, want.all) || pos.String() != want.pos {
			t.Errorf("operation %d: %v at %s, want %v at %s", i, all, pos, want.all, want.pos)
		}
	}
}

func TestParameters_OperationOverridesPathItem(t *testing.T) {
	d := shopDocument(t)
	var got []string
	for _, p := range d.Parameters(d.Ops[0]) {
		got = append(got, fmt.Sprintf("%s %s %v %v %s/%s %s %s", p.In, p.Name, p.Required, p.Deprecated, p.Type, p.Format, p.Schema, p.Pos))
	}
	want := []string{
		"path petId true false string/uuid /paths/~1pets~1{petId}/parameters/0/schema api.yaml:7:9",
		"query view true true integer/int32 /components/parameters/View/schema api.yaml:40:11",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBody_Responses(t *testing.T) {
	d := shopDocument(t)
	body, ok := d.Body(d.Ops[0])
	if !ok || !body.Required || len(body.Content) != 2 || body.Content[0].Type != "application/json" || body.Content[0].Name != "Pet" ||
		body.Content[1].Type != "multipart/form-data" || body.Content[1].Name != "" || body.Pos.String() != "api.yaml:42:5" {
		t.Errorf("Body = %+v, %v", body, ok)
	}
	if body, ok := d.Body(d.Ops[1]); ok {
		t.Errorf("Body of an operation without one = %+v", body)
	}
	responses := d.Responses(d.Ops[0])
	if len(responses) != 2 {
		t.Fatalf("Responses = %+v", responses)
	}
	if r := responses[0]; r.Status != "200" || !r.Success() || r.Description != "Replaced." || !reflect.DeepEqual(r.Headers, []string{"X-Rate", "ETag"}) ||
		len(r.Content) != 2 || r.Content[0].Name != "Pet" || r.Content[1].Schema != "" || r.Pos.String() != "api.yaml:20:9" {
		t.Errorf("200: %+v", r)
	}
	if r := responses[1]; r.Status != "default" || r.Success() || len(r.Content) != 1 || r.Content[0].Type != "application/problem+json" || r.Pos.String() != "api.yaml:26:9" {
		t.Errorf("default: %+v", r)
	}
	if r := d.Responses(d.Ops[1])[0]; r.Status != "2XX" || !r.Success() {
		t.Errorf("2XX: %+v", r)
	}
	if m := d.Responses(d.Ops[3])[0].Content[0]; m.Name != "Revision" || !strings.HasPrefix(m.Schema, "parts/items.yaml#/away/") {
		t.Errorf("media of another file: %+v", m)
	}
}

func TestMember(t *testing.T) {
	d := shopDocument(t)
	for pointer, want := range map[string]Member{
		"/version":     {Type: "integer", Format: "int64", Required: true},
		"/name":        {Type: "string", Required: true},
		"/owner":       {Type: "object", Nullable: true},
		"/owner/name":  {Type: "string", Nullable: true},
		"/tags":        {Type: "array"},
		"/tags/text":   {Type: "string", Array: true},
		"/tags/0":      {Type: "object", Array: true},
		"/tags/-/text": {Type: "string", Array: true},
		"/a~1b":        {Type: "boolean"},
		"/revision":    {Type: "string", Nullable: true},
	} {
		got, ok := d.Member("/components/schemas/Pet", pointer)
		got.Pos, got.Schema = want.Pos, want.Schema
		if !ok || got != want {
			t.Errorf("%s: %+v, %v; want %+v", pointer, got, ok, want)
		}
	}
	for _, pointer := range []string{"/nothing", "/name/first", "/owner/nothing", "/tags/nothing"} {
		if m, ok := d.Member("/components/schemas/Pet", pointer); ok {
			t.Errorf("%s: %+v", pointer, m)
		}
	}
	if m, _ := d.Member("/components/schemas/Pet", "/version"); m.Pos.String() != "api.yaml:65:9" {
		t.Errorf("version stands at %s", m.Pos)
	}
	if got, want := d.Members("/components/schemas/Pet"), []string{"version", "revision", "name", "owner", "tags", "a/b"}; !reflect.DeepEqual(got, want) {
		t.Errorf("Members = %v, want %v", got, want)
	}
}

func TestExtensions_NotInData(t *testing.T) {
	d := load(t, files{"api.yaml": spec("  /a:\n    x-etag: false\n    get:\n      x-note: {x-etag: 1}\n      responses:\n        default: {description: d, content: {application/json: {example: {x-etag: 2}, schema: {$ref: 'b.yaml#/B'}}}}\n",
		"  schemas:\n    x-etag: {type: string}\n  responses:\n    x-named: {description: d, x-etag: 5}\n"), "b.yaml": "B:\n  x-etag: 3\n  enum: [{x-etag: 4}]\n  properties: {x-etag: {type: string}}\n"})
	var got []string
	d.Extensions("x-etag", func(n Node) { got = append(got, n.KeyPos().String()) })
	if want := []string{"api.yaml:5:5", "api.yaml:14:31", "b.yaml:2:3"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestPos_Bytes(t *testing.T) {
	const head = `{"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "x-smile": "`
	for _, text := range []string{
		`plain`,
		`\ud83d\ude00`,          // rewritten: one character of the text, twelve bytes of the input
		`\ud83d`,                // a lone half
		`\\ud83d\\ude00`,        // an escaped backslash: no escape at all
		"ä€😀",                   // one column each for the parser
		"\u2028 and \u0085 too", // line breaks for YAML only
		`\u00e4\/\"`,
	} {
		input := head + text + `", "paths": {}, "x-mark": 1}`
		d := load(t, files{"api.yaml": input})
		if got, want := d.Pos("/x-mark").Col, strings.Index(input, `"x-mark"`)+1; got != want {
			t.Errorf("%q: x-mark stands in column %d, want %d", text, got, want)
		}
		if line := d.Pos("/x-mark").Line; line != 1 {
			t.Errorf("%q: x-mark stands in line %d", text, line)
		}
		if at := d.Node("/x-smile"); text == `\ud83d\ude00` && at.Text() != "😀" || text == `\\ud83d\\ude00` && at.Text() != `\ud83d\ude00` {
			t.Errorf("%q was read as %q", text, at.Text())
		}
	}
	d := load(t, files{"api.yaml": "\ufeff# ä\nopenapi: 3.1.0\ninfo: {title: Grüße, version: '1'}\npaths: {}\n"})
	if got := d.Pos("/info/version").String(); got != "api.yaml:3:24" {
		t.Errorf("version stands at %s", got)
	}
}

func TestNode_MergeKeys(t *testing.T) {
	d := load(t, files{"api.yaml": "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {}\nx-base: &base {a: 1, b: 2}\nx-all: {<<: *base, b: 3, c: null}\nx-alias: *base\n"})
	n := d.Node("/x-all")
	if n.Get("a").Text() != "1" || n.Get("b").Text() != "3" || n.Get("c").Kind() != Null || n.Get("d").Kind() != Absent {
		t.Errorf("a %q b %q c %v d %v", n.Get("a").Text(), n.Get("b").Text(), n.Get("c").Kind(), n.Get("d").Kind())
	}
	var keys []string
	for _, e := range n.Entries() {
		keys = append(keys, e.Key())
	}
	if !reflect.DeepEqual(keys, []string{"b", "c", "a"}) {
		t.Errorf("Entries = %v", keys)
	}
	if a := d.Node("/x-alias/b"); a.Text() != "2" || a.Pos().String() != "api.yaml:4:25" {
		t.Errorf("alias: %q at %s", a.Text(), a.Pos())
	}
}
