package publish_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/publish"
	"github.com/idemgen/idemgen/generator/source"
)

var update = flag.Bool("update", false, "write the golden files anew")

// files is a document by file name; the root is the first argument of its users.
type files map[string]string

func (f files) read(name string) ([]byte, error) {
	text, ok := f[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

// load reads and plans a document, which must have no error.
func load(t *testing.T, root string, f files) (*source.Document, *plan.API, diag.List) {
	t.Helper()
	doc, findings := source.Load(root, f.read)
	if findings.Errors() > 0 {
		t.Fatalf("%s: %v", root, findings)
	}
	policies, errs := policy.Read(doc)
	api, more := plan.Build(doc, policies, plan.Target{Package: "api", Source: root, Router: "std"})
	if errs = append(errs, more...); errs.Errors() > 0 {
		t.Fatalf("%s: %v", root, errs)
	}
	return doc, api, findings
}

// published returns the published document, which must keep the promises that
// hold for every document.
func published(t *testing.T, root string, f files) files {
	t.Helper()
	doc, api, before := load(t, root, f)
	list, errs := publish.Publish(doc, api)
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	out := files{}
	for _, file := range list {
		out[file.Name] = string(file.Content)
	}
	if len(out) != len(f) {
		t.Fatalf("%d files of %d", len(out), len(f))
	}
	for name := range f {
		keeps(t, name, f[name], out[name])
	}
	doc, api, after := load(t, root, out)
	if len(after) > len(before) {
		t.Errorf("the published document has findings that the source has not: %v", after)
	}
	again, errs := publish.Publish(doc, api)
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	for _, file := range again {
		if string(file.Content) != out[file.Name] {
			t.Errorf("%s: published twice it changes:\n%s", file.Name, diff(out[file.Name], string(file.Content)))
		}
	}
	return out
}

// keeps checks that everything of the source is in the published text, the
// targets of references apart.
func keeps(t *testing.T, name, before, after string) {
	t.Helper()
	decode, want := yaml.Unmarshal, "YAML"
	if strings.HasPrefix(strings.TrimLeft(before, "\ufeff \r\n"), "{") && json.Valid([]byte(before)) {
		decode, want = json.Unmarshal, "JSON"
	}
	var a, b any
	if err := decode([]byte(before), &a); err != nil {
		t.Fatal(err)
	}
	if err := decode([]byte(after), &b); err != nil {
		t.Fatalf("%s is not %s any more: %v\n%.2000s", name, want, err, after)
	}
	if at := lost(a, b); at != "" {
		t.Errorf("%s: lost or changed: %s", name, at)
	}
	if at := notInserted(before, after); at != "" {
		t.Errorf("%s: not only inserted: the published text has no place for %.200q", name, at)
	}
}

// targets matches what publishing may replace: the targets of references.
var targets = regexp.MustCompile(`(\$ref["']?: *)("[^"]*"|'[^']*'|[^\s,}]+)`)

// words parts a text so that no insertion falls within a part.
var words = regexp.MustCompile(`[\p{L}\p{N}_]+|\s+|.`)

// notInserted returns where a text cannot be had from another one by taking parts
// out, comments, quotes, blank lines and order included. The targets of references
// do not count.
func notInserted(before, after string) string {
	before, after = targets.ReplaceAllString(before, "$1"), targets.ReplaceAllString(after, "$1")
	rest := words.FindAllString(after, -1)
	var done int
	for _, word := range words.FindAllString(before, -1) {
		for len(rest) > 0 && rest[0] != word && !space(word, rest[0]) {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return before[done:]
		}
		rest = rest[1:]
		done += len(word)
	}
	return ""
}

// space reports whether white space of the source stands within that of the
// published text, where a line was put between.
func space(word, with string) bool {
	return strings.TrimSpace(word) == "" && strings.TrimSpace(with) == "" && strings.Contains(with, word)
}

// A comment that goes, a quote that changes and a line that moves are seen.
func TestNotInserted(t *testing.T) {
	const before = "a: 'x' # why\n\nb: [1,  2]\nc: {$ref: '#/d'}\n"
	for after, kept := range map[string]bool{
		before: true,
		"a: 'x' # why\n\nb: [1,  2, 3]\nnew: {}\nc: {$ref: '#/e', more: 1}\n": true,
		"a: 'x'\n\nb: [1,  2]\nc: {$ref: '#/d'}\n":                            false,
		"a: \"x\" # why\n\nb: [1,  2]\nc: {$ref: '#/d'}\n":                    false,
		"a: 'x' # why\nb: [1,  2]\nc: {$ref: '#/d'}\n":                        false,
		"a: 'x' # why\n\nb: [1, 2]\nc: {$ref: '#/d'}\n":                       false,
		"b: [1,  2]\na: 'x' # why\n\nc: {$ref: '#/d'}\n":                      false,
	} {
		if at := notInserted(before, after); (at == "") != kept {
			t.Errorf("%q: %q", after, at)
		}
	}
}

// lost returns the first place of a that is not in b.
func lost(a, b any) string {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok {
			return "an object"
		}
		for key, value := range a {
			if _, isRef := value.(string); key == "$ref" && isRef {
				continue
			}
			if at := lost(value, b[key]); at != "" {
				return key + "/" + at
			}
		}
	case []any:
		b, ok := b.([]any)
		if !ok || len(b) < len(a) {
			return "a list"
		}
		for i := range a {
			if at := lost(a[i], b[i]); at != "" {
				return at
			}
		}
	case map[any]any: // statuses without quotes
		b, ok := b.(map[any]any)
		if !ok {
			return "an object"
		}
		for key, value := range a {
			if at := lost(value, b[key]); at != "" {
				return at
			}
		}
	default:
		if x, y := dump(a), dump(b); x != y {
			return x + " became " + y
		}
	}
	return ""
}

func dump(v any) string {
	out, _ := yaml.Marshal(v)
	return string(out)
}

// onlyAdds checks that the source is what remains when lines are taken away.
func onlyAdds(t *testing.T, before, after string) {
	t.Helper()
	have := strings.SplitAfter(after, "\n")
	for line := range strings.Lines(before) {
		for len(have) > 0 && strings.TrimSuffix(have[0], "\n") != strings.TrimSuffix(line, "\n") {
			have = have[1:]
		}
		if len(have) == 0 {
			t.Fatalf("the line %q is gone or changed", line)
		}
		have = have[1:]
	}
}

// diff shows the lines that are new, for messages.
func diff(before, after string) string {
	var b strings.Builder
	have := strings.Split(before, "\n")
	for line := range strings.Lines(after) {
		line = strings.TrimSuffix(line, "\n")
		if len(have) > 0 && have[0] == line {
			have = have[1:]
			continue
		}
		b.WriteString("+" + line + "\n")
	}
	return b.String()
}

// Each golden case is source.yaml or source.json, and what it becomes.
func TestPublish_Golden(t *testing.T) {
	sources, err := filepath.Glob("testdata/*/openapi.*")
	if err != nil || len(sources) == 0 {
		t.Fatalf("%d cases, %v", len(sources), err)
	}
	for _, name := range sources {
		dir := filepath.Dir(name)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			f := files{}
			err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() && d.Name() == "want" {
					return filepath.SkipDir
				}
				if !d.IsDir() {
					text, err := os.ReadFile(file)
					rel, _ := filepath.Rel(dir, file)
					f[filepath.ToSlash(rel)] = string(text)
					return err
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			out := published(t, filepath.Base(name), f)
			for file, text := range out {
				golden := filepath.Join(dir, "want", filepath.FromSlash(file))
				if *update {
					if err := os.MkdirAll(filepath.Dir(golden), 0o777); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
						t.Fatal(err)
					}
					continue
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(want, []byte(text)) {
					t.Errorf("%s differs; new lines:\n%s", golden, diff(string(want), text))
				}
				if strings.HasPrefix(filepath.Base(dir), "block-") {
					onlyAdds(t, f[file], text)
				}
			}
		})
	}
}

// The documents of the examples stay valid OpenAPI, examples and all.
func TestPublish_Examples(t *testing.T) {
	for _, name := range []string{"petstore", "profiles"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "examples", name, "openapi.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		out := published(t, "openapi.yaml", files{"openapi.yaml": string(text)})["openapi.yaml"]
		if err := strict(text); err != nil {
			t.Fatal(err)
		}
		if err := strict([]byte(out)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, want := range []string{"IdemgenKey", "IdemgenIfMatch", "IdemgenPreconditionRequired", "IdemgenReplayed"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %s", name, want)
			}
		}
	}
}

// Documents that other systems wrote keep their line breaks and byte order mark.
func TestPublish_LineBreaks(t *testing.T) {
	text, err := os.ReadFile("testdata/block-keyed/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	plain := published(t, "a.yaml", files{"a.yaml": string(text)})["a.yaml"]
	crlf := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
	if got := published(t, "a.yaml", files{"a.yaml": crlf(string(text))})["a.yaml"]; got != crlf(plain) {
		t.Errorf("with CRLF:\n%s", diff(crlf(plain), got))
	}
	if got := published(t, "a.yaml", files{"a.yaml": "\ufeff" + string(text)})["a.yaml"]; got != "\ufeff"+plain {
		t.Errorf("with a byte order mark:\n%s", diff(plain, got))
	}
}

// Without annotations there is nothing to publish.
func TestPublish_Plain(t *testing.T) {
	const text = "openapi: 3.1.0\ninfo: {title: T, version: 1.0.0}\npaths:\n  /a: {post: {operationId: a, responses: {'200': {description: Done}}}}\n"
	if got := published(t, "a.yaml", files{"a.yaml": text})["a.yaml"]; got != text {
		t.Error(got)
	}
}

// Two paths that share an item get its additions once.
func TestPublish_SharedPathItem(t *testing.T) {
	const text = `openapi: 3.1.0
info: {title: T, version: 1.0.0}
paths:
  /a: {$ref: 'item.yaml'}
  /b: {$ref: 'item.yaml'}
`
	const done = `{"description":"Done"}`
	const item = "post:\n  x-idempotency: {public: true}\n  responses:\n    '200':\n      $ref: 'done.json'\n    '201': {$ref: empty.json}\n"
	out := published(t, "a.yaml", files{"a.yaml": text, "item.yaml": item, "done.json": done, "empty.json": "{}\n"})
	if got := strings.Count(out["item.yaml"], "IdemgenKey"); got != 1 {
		t.Errorf("%d keys:\n%s", got, out["item.yaml"])
	}
	const ref = `{"$ref":"a.yaml#/components/headers/IdemgenReplayed"}`
	if want := `{"description":"Done","headers":{"Idempotent-Replayed":` + ref + `}}`; out["done.json"] != want {
		t.Error(out["done.json"])
	}
	if !strings.HasPrefix(out["empty.json"], "{\n  \"headers\": {\n    \"Idempotent-Replayed\"") {
		t.Error(out["empty.json"])
	}
}

// What an operation without policies refers to stays as it is, also when it
// stands in one that has some.
func TestPublish_LeavesOthersAlone(t *testing.T) {
	const text = `{"openapi": "3.1.0", "info": {"title": "T", "version": "1.0.0"}, "paths": {
  "/a": {"post": {"operationId": "a", "x-idempotency": {"public": true}, "parameters": [
    {"name": "idempotency-key", "in": "header", "schema": {"type": "string"}}
  ], "responses": {"204": {"description": "Done"}}}},
  "/b": {"post": {"operationId": "b", "parameters": [{"$ref": "#/paths/~1a/post/parameters/0"}], "responses": {
    "200": {"description": "Done"}
  }}}
}}
`
	out := published(t, "a.json", files{"a.json": text})["a.json"]
	if strings.Contains(out, `"required": true`) {
		t.Error(out)
	}
}

// A response that stands in another operation is copied to where it is used.
func TestPublish_CopiesInPlace(t *testing.T) {
	const text = `{"openapi": "3.1.0", "info": {"title": "T", "version": "1.0.0"}, "paths": {
  "/a": {"post": {"operationId": "a", "x-idempotency": {"public": true}, "responses": {
    "200": {"$ref": "#/paths/~1b/post/responses/200"}
  }}},
  "/b": {"post": {"operationId": "b", "responses": {
    "200": {"description": "Done"}
  }}}
}}
`
	doc, api, _ := load(t, "a.json", files{"a.json": text})
	list, errs := publish.Publish(doc, api)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	out := string(list[0].Content)
	const want = `"200": {"description": "Done", "headers": {"Idempotent-Replayed": {"$ref": "#/components/headers/IdemgenReplayed"}}},`
	if !strings.Contains(out, want) || !strings.Contains(out, `    "200": {"description": "Done"}`+"\n") {
		t.Error(out)
	}
	if again := published(t, "a.json", files{"a.json": out})["a.json"]; again != out {
		t.Error(again)
	}
}

// Where a response cannot be copied, the author hears what to do.
func TestPublish_CannotCopy(t *testing.T) {
	const text = `openapi: 3.1.0
info: {title: T, version: 1.0.0}
paths:
  /a:
    post:
      operationId: a
      x-idempotency: {public: true}
      responses:
        '200': {$ref: '#/paths/~1b/post/responses/200'}
  /b:
    post:
      operationId: b
      responses:
        '200':
          description: Done
  /c:
    post:
      operationId: c
      responses:
        '200': {$ref: '#/paths/~1b/post/responses/200'}
`
	doc, api, _ := load(t, "a.yaml", files{"a.yaml": text})
	list, errs := publish.Publish(doc, api)
	if len(errs) != 1 || errs[0].Rule != diag.RulePublish || errs[0].Pos.String() != "a.yaml:9:9" || list != nil ||
		!strings.Contains(errs[0].Fix, "components/responses") {
		t.Errorf("%v, %d files", errs, len(list))
	}
}
