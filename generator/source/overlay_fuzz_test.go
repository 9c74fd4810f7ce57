package source

import (
	"strings"
	"testing"
)

const fuzzed = `openapi: 3.1.0
info: {title: T, version: '1'} # a title
paths:
  /a/{id}: &a
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get: {operationId: a, tags: [x, y], responses: {'200': {description: D}}}
    post: {operationId: b, responses: {'200': {description: D}}}
  /b: {post: {operationId: c, responses: {'200': {$ref: '#/components/responses/R'}}}}
components: {responses: {R: {description: ä}}}
`

// FuzzOverlay applies any text as an overlay. What it makes of the document loads,
// or each fault has its place in one of the two.
func FuzzOverlay(f *testing.F) {
	for _, actions := range []string{
		"[{target: $.info, update: {title: U}}]", "[{target: '$.paths[*].*', remove: true}]", "[{target: $.paths, update: {/c: {get: {responses: {}}}}}]",
		"[{target: \"$..[?@.operationId=='a']\", update: {x-idempotency: true}}]", "[]", "null", "[{}]", "[{target: '$', update: null}]",
		"[{target: $.components, remove: true}, {target: $.components, update: {schemas: {}}}]", "[{target: $.paths['/a/{id}'], copy: $.paths['/b']}]",
		"[{target: '$.paths[\"/b\"]', update: &u {post: {tags: [z]}}}, {target: $.info, update: *u}]", "[{target: $.info.title, update: {a: 1}}]",
	} {
		f.Add("overlay: 1.1.0\ninfo: {title: O, version: '1'}\nactions: " + actions + "\n")
	}
	f.Fuzz(func(t *testing.T, overlay string) {
		all := files{"api.yaml": fuzzed, "overlay.yaml": overlay}
		doc, list := Load("api.yaml", all.read, "overlay.yaml")
		placed(t, all, list)
		if doc == nil && list.Errors() == 0 {
			t.Error("neither a document nor an error")
		}
	})
}

// FuzzOverlay_Target searches a document for any expression.
func FuzzOverlay_Target(f *testing.F) {
	for _, target := range []string{
		"$", "$.info.title", "$.paths[*]", "$..get", "$.paths['/a/{id}'].get.tags[-1:]", "$.paths[?@.post]", "$..[?@.operationId == 'a' && !@.x]",
		"$..[?match(@.operationId, '[a-c]')]", "$..[?length(@.tags) > 1]", "$.paths['/a/{id}']['get','post']", "$..*", "$[?$.info.title == @.title]",
	} {
		f.Add(target)
	}
	f.Fuzz(func(t *testing.T, target string) {
		written := strings.ReplaceAll(target, "'", "''")
		all := files{"api.yaml": fuzzed, "overlay.yaml": "overlay: 1.0.0\ninfo: {title: O, version: '1'}\nactions:\n  - target: '" + written + "'\n    update: {x-a: b}\n"}
		doc, list := Load("api.yaml", all.read, "overlay.yaml")
		placed(t, all, list)
		if doc == nil && list.Errors() == 0 {
			t.Error("neither a document nor an error")
		}
	})
}
