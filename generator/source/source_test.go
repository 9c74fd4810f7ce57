package source

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/idemgen/idemgen/generator/diag"
)

// files reads from memory.
type files map[string]string

func (f files) read(name string) ([]byte, error) {
	if text, ok := f[name]; ok {
		return []byte(text), nil
	}
	return nil, fmt.Errorf("open %s: %w", name, fs.ErrNotExist)
}

// load loads api.yaml and demands that nothing is wrong with it.
func load(t *testing.T, f files) *Document {
	t.Helper()
	d, list := Load("api.yaml", f.read)
	for _, finding := range list {
		t.Errorf("%v", finding)
	}
	if d == nil {
		t.Fatal("no document")
	}
	return d
}

// spec is a document with these paths and components, both below two spaces.
func spec(paths, components string) string {
	return "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths:\n" + paths + "components:\n" + components
}

// findings renders a list, one diagnostic a line.
func findings(list diag.List) string {
	var b strings.Builder
	for _, d := range list {
		b.WriteString(d.Error() + "\n")
	}
	return b.String()
}

func TestLoad_Errors(t *testing.T) {
	const head = "openapi: 3.0.3\ninfo: {title: T, version: '1'}\n"
	for _, c := range []struct {
		name  string
		files files
		want  string
	}{
		{"missing file", files{}, "api.yaml: IDM001: cannot read api.yaml: the file does not exist\n"},
		{"empty", files{"api.yaml": ""}, "api.yaml:1:1: IDM002: the file is empty\n"},
		{"comment only", files{"api.yaml": "# nothing\n"}, "api.yaml:1:1: IDM002: the file is empty\n"},
		{"not YAML", files{"api.yaml": "a: b\nc: [d\n"}, "api.yaml:2:1: IDM002: not valid YAML: did not find expected ',' or ']'\n"},
		{"wrong indentation", files{"api.yaml": "a: b\nc: d\n e: f\n"}, "api.yaml:3:1: IDM002: not valid YAML: mapping values are not allowed in this context\n"},
		{"unknown anchor", files{"api.yaml": "a: b\nc: *d\n"}, "api.yaml:2:4: IDM002: not valid YAML: unknown anchor 'd' referenced\n"},
		{"not JSON", files{"api.yaml": "{\"openapi\": \"3.0.0\",\n \"info\": }x"}, "api.yaml:2:10: IDM002: not valid JSON: invalid character '}' looking for beginning of value\n"},
		{
			"YAML in a JSON file",
			files{"api.yaml": head + "paths: {/a: {$ref: a.json}}\n", "a.json": "{\"get\": {},\n}"},
			"a.json:2:1: IDM002: not valid JSON: invalid character '}' looking for beginning of object key string\n",
		},
		{"two documents", files{"api.yaml": head + "paths: {}\n---\na: b\n"}, "api.yaml:4:1: IDM002: the file holds more than one YAML document\n"},
		{"no mapping", files{"api.yaml": "- a\n"}, "api.yaml:1:1: IDM003: not an OpenAPI document: the root is a list, not an object\n"},
		{"other YAML", files{"api.yaml": "kind: Service\n"}, "api.yaml:1:1: IDM003: not an OpenAPI document: the root has no member openapi\n"},
		{"Swagger", files{"api.yaml": "info: {}\nswagger: '2.0'\n"}, "api.yaml:2:1: IDM003: OpenAPI 2.0 (Swagger) is not supported\n"},
		{"future version", files{"api.yaml": "openapi: 4.0.0\n"}, "api.yaml:1:10: IDM003: OpenAPI 4.0.0 is not supported; 3.0, 3.1 and 3.2 are\n"},
		{"version is no text", files{"api.yaml": "openapi: [3]\n"}, "api.yaml:1:10: IDM003: openapi must be a version such as 3.1.0, not a list\n"},
		{
			"duplicate key",
			files{"api.yaml": head + "paths:\n  /a: {}\n  /b: {}\n  /a: {}\n"},
			"api.yaml:6:3: IDM004: duplicate key \"/a\"; the first is at api.yaml:4:3\n",
		},
		{
			"duplicate key in JSON",
			files{"api.yaml": "{\"openapi\": \"3.0.0\",\n \"info\": {\"title\": \"T\", \"version\": \"1\"},\n \"paths\": {}, \"paths\": {}}"},
			"api.yaml:3:15: IDM004: duplicate key \"paths\"; the first is at api.yaml:3:2\n",
		},
		{
			"recursive anchor",
			files{"api.yaml": head + "paths: {}\nx-a: &a\n  b: *a\n"},
			"api.yaml:5:6: IDM002: the anchor \"a\" contains itself\n",
		},
		{"key is a list", files{"api.yaml": head + "paths: {}\nx-a: {[b]: c}\n"}, "api.yaml:4:7: IDM002: a key must be a string\n"},
		{
			"remote reference",
			files{"api.yaml": head + "paths:\n  /a: {$ref: 'https://example.com/a.yaml'}\n  /b: {$ref: '//example.com/a.yaml'}\n"},
			"api.yaml:4:14: IDM005: $ref \"https://example.com/a.yaml\" leaves the local files\n" +
				"api.yaml:5:14: IDM005: $ref \"//example.com/a.yaml\" leaves the local files\n",
		},
		{
			"file URL",
			files{"api.yaml": head + "paths:\n  /a: {$ref: 'file:///etc/passwd'}\n"},
			"api.yaml:4:14: IDM005: $ref \"file:///etc/passwd\" leaves the local files\n",
		},
		{
			"missing referenced files",
			files{"api.yaml": head + "paths:\n  /a: {$ref: a.yaml}\n  /b: {$ref: 'sub/b.yaml#/x'}\n"},
			"api.yaml:4:14: IDM001: cannot read a.yaml: the file does not exist\n" +
				"api.yaml:5:14: IDM001: cannot read sub/b.yaml: the file does not exist\n",
		},
		{
			"references to nothing",
			files{"api.yaml": head + "paths: {}\ncomponents:\n  schemas:\n    Pet: {type: object}\n    A: {$ref: '#/components/schemas/Pat'}\n    B: {$ref: '#/components/nothing/At/all'}\n    C: {$ref: '#Pet'}\n    D: {$ref: 'a b%zz'}\n"},
			"api.yaml:7:15: IDM006: $ref \"#/components/schemas/Pat\" points at nothing: no \"Pat\" in #/components/schemas\n" +
				"api.yaml:8:15: IDM006: $ref \"#/components/nothing/At/all\" points at nothing: no \"nothing\" in #/components\n" +
				"api.yaml:9:15: IDM006: $ref \"#Pet\" is not a file with a JSON pointer\n" +
				"api.yaml:10:15: IDM006: $ref \"a b%zz\" is not a URI reference\n",
		},
		{
			"reference to nothing in another file",
			files{"api.yaml": head + "paths: {}\ncomponents:\n  schemas:\n    A: {$ref: 's.yaml#/Pet'}\n", "s.yaml": "Pat: {type: object}\n"},
			"api.yaml:6:15: IDM006: $ref \"s.yaml#/Pet\" points at nothing: no \"Pet\" in s.yaml#\n",
		},
		{
			"cycles",
			files{"api.yaml": head + "paths: {}\ncomponents:\n  schemas:\n    A: {$ref: '#/components/schemas/B'}\n    B: {$ref: '#/components/schemas/A'}\n    C: {allOf: [{$ref: '#/components/schemas/C'}]}\n"},
			"api.yaml:7:15: IDM007: $ref \"#/components/schemas/A\" leads back to itself\n" +
				"api.yaml:8:24: IDM007: $ref \"#/components/schemas/C\" leads back to itself\n",
		},
		{
			"operationId twice",
			files{"api.yaml": head + "paths:\n  /a:\n    get: {operationId: x, responses: {default: {description: d}}}\n  /b:\n    put: {operationId: x, responses: {default: {description: d}}}\n"},
			"api.yaml:7:24: IDM015: operationId \"x\" is already that of GET /a at api.yaml:5:24\n",
		},
		{
			"wrong shapes",
			files{"api.yaml": head + "paths:\n  /a:\n    get:\n      tags: x\n      parameters: {a: b}\n      responses: {default: {description: [d]}}\n"},
			"api.yaml:6:13: IDM008: tags must be a list, not a string\n" +
				"api.yaml:7:19: IDM008: parameters must be a list, not an object\n" +
				"api.yaml:8:42: IDM008: description must be a string, not a list\n",
		},
		{
			"strict findings are warnings",
			files{"api.yaml": "openapi: 3.0.3\ninfo: {title: T}\npaths:\n  /a/{id}:\n    get: {responses: {default: {description: d}}}\n"},
			"api.yaml:2:1: warning: IDM009: invalid info: value of version must be a non-empty string\n" +
				"api.yaml:4:3: warning: IDM009: invalid paths: operation GET /a/{id} must define exactly all path parameters (missing: [id])\n",
		},
		{
			"extensions with a capital",
			files{"api.yaml": head + "paths:\n  /a:\n    X-A: 1\n    get: {X-B: 1, security: [{X-C: []}], responses: {default: {description: d, headers: {X-B: {schema: {}}}}}}\n" +
				"components:\n  securitySchemes: {X-C: {type: apiKey, in: header, name: X-C}}\n"},
			"api.yaml:5:5: warning: IDM009: X-A is no extension: their names begin with a small x\n" +
				"api.yaml:6:11: warning: IDM009: X-B is no extension: their names begin with a small x\n",
		},
		{
			"everything in one run",
			files{"api.yaml": head + "paths:\n  /a: {$ref: gone.yaml}\n  /b: {$ref: 'http://x/y'}\n  /c: {$ref: '#/nowhere'}\n  /d: {$ref: '#/shadowed'}\n  /d: {}\n"},
			"api.yaml:4:14: IDM001: cannot read gone.yaml: the file does not exist\n" +
				"api.yaml:5:14: IDM005: $ref \"http://x/y\" leaves the local files\n" +
				"api.yaml:6:14: IDM006: $ref \"#/nowhere\" points at nothing: no \"nowhere\" in #\n" +
				"api.yaml:8:3: IDM004: duplicate key \"/d\"; the first is at api.yaml:7:3\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, list := Load("api.yaml", c.files.read)
			if got := findings(list); got != c.want {
				t.Errorf("got:\n%swant:\n%s", got, c.want)
			}
		})
	}
}

func TestLoad_FixNamesNearest(t *testing.T) {
	_, list := Load("api.yaml", files{"api.yaml": spec("  {}\n", "  schemas:\n    Pet: {type: object}\n    A: {$ref: '#/components/schemas/Pat'}\n")}.read)
	if len(list) != 1 || list[0].Fix != `$ref: "#/components/schemas/Pet"` {
		t.Errorf("got %+v", list)
	}
}

// A $ref that is the author's data or a property's name refers to nothing.
func TestLoad_RequiredTwice(t *testing.T) {
	f := files{"api.yaml": spec("  /a: {get: {responses: {default: {description: d}}}}\n", "  schemas:\n    A: {type: object, required: [a, b, a]}\n")}
	_, list := Load("api.yaml", f.read)
	if len(list) != 1 || list[0].Fix != `remove one of the two "a" from required` || list[0].Pos.Line != 7 {
		t.Errorf("%+v", list)
	}
}

func TestLoad_RefThatIsNone(t *testing.T) {
	load(t, files{"api.yaml": spec("  /a:\n    get:\n      responses:\n        default:\n          description: d\n          content:\n"+
		"            application/json:\n              example: {$ref: '#/nothing'}\n              schema: {$ref: '#/components/schemas/A'}\n",
		"  schemas:\n    A:\n      type: object\n      x-note: {$ref: gone.yaml}\n      default: {$ref: '#/gone'}\n      properties:\n        $ref: {type: string}\n        default: {$ref: '#/components/schemas/B'}\n    B: {type: string}\n")})
}

// A document ends, also when there is a file for every name.
func TestLoad_FilesWithoutEnd(t *testing.T) {
	reads := 0
	endless := func(name string) ([]byte, error) {
		if reads++; reads > maxFiles {
			return nil, fs.ErrNotExist
		}
		text := fmt.Sprintf("{$ref: %d.yaml}", reads)
		if name == "api.yaml" {
			text = spec("  /a: "+text+"\n  /b: {$ref: b.yaml}\n", "")
		}
		return []byte(text), nil
	}
	_, list := Load("api.yaml", endless)
	if got := findings(list); reads != maxFiles || len(list) != 1 || !strings.Contains(got, fmt.Sprintf("%d.yaml:1:8: IDM008", maxFiles-3)) ||
		!strings.Contains(got, "one more file than the 10000 that") {
		t.Errorf("%d files read: %s", reads, got)
	}
}

func TestLoad_RecursiveSchema(t *testing.T) {
	d := load(t, files{"api.yaml": spec("  {}\n", "  schemas:\n    Tree:\n      type: object\n      properties:\n        children: {type: array, items: {$ref: '#/components/schemas/Tree'}}\n        parent: {$ref: '#/components/schemas/Tree'}\n")})
	if m, ok := d.Member("/components/schemas/Tree", "/parent/parent/children"); !ok || m.Type != "array" {
		t.Errorf("Member = %+v, %v", m, ok)
	}
}

// JSON pointers of ~ and / and of percent-encoded fragments reach their target.
func TestLoad_EscapedReferences(t *testing.T) {
	d := load(t, files{"api.yaml": spec("  /a/{id}:\n    parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n    get:\n      responses:\n        '200': {description: d, content: {application/json: {schema: {type: string, format: uuid}}}}\n",
		"  schemas:\n    A:\n      $ref: '#/paths/~1a~1%7Bid%7D/get/responses/200/content/application~1json/schema'\n")})
	if m, ok := d.Member("/components/schemas/A", ""); !ok || m.Format != "uuid" {
		t.Errorf("Member = %+v, %v", m, ok)
	}
}

func TestView_Fresh(t *testing.T) {
	d := load(t, files{"api.yaml": spec("  /a: {$ref: 'a.yaml#/item'}\n", "  {}\n"), "a.yaml": "item:\n  get: {responses: {default: {description: d}}}\n"})
	for range 3 {
		v, err := d.View()
		if err != nil {
			t.Fatal(err)
		}
		if v.Info.Title != "T" || v.Paths.Value("/a").Get == nil {
			t.Fatalf("a view shows the changes of an earlier one: %q", v.Info.Title)
		}
		v.Info.Title = "changed"
		v.Paths.Value("/a").Get = nil
	}
}

// placed checks that every finding stands in one of the files.
func placed(t *testing.T, all files, list diag.List) {
	t.Helper()
	for _, finding := range list {
		p := finding.Pos
		lines := strings.Split(all[p.File], "\n")
		if p.Line < 1 || p.Line > len(lines) || p.Col < 1 || p.Col > len(lines[p.Line-1])+1 {
			t.Errorf("the place is not in the input: %v", finding)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"", "openapi: 3.1.0", spec("  /a: {get: {responses: {default: {description: d}}}}\n", "  schemas: {A: {$ref: '#/components/schemas/A'}}\n"),
		`{"openapi":"3.0.0","info":{"title":"\ud83d\ude00","version":"1"},"paths":{"/a":{"$ref":"#/paths/~1b"},"/b":{}}}`,
		"openapi: 3.1.0\npaths: &p\n  /a: *p\n  <<: *p\n", "openapi: 3.1.0\npaths:\n  /a: {get: {parameters: [*x, &x {}]}}\n",
		"\ufeffopenapi: 3.1.0\ninfo: {title: ä, version: 1}\npaths: {}\n", "{\"a\":\"\\ud83d\",\"\u2028\":1}",
		"openapi: 3.2.0\npaths: {/a: {$ref: api.yaml}}\nwebhooks: {w: {post: {}}}\n",
	} {
		f.Add(seed)
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
			f.Add(string(file.Data))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		all := files{"api.yaml": text}
		d, list := Load("api.yaml", all.read)
		placed(t, all, list)
		if d == nil {
			if list.Errors() == 0 {
				t.Error("no document and no error")
			}
			return
		}
		for _, op := range d.Ops {
			d.Parameters(op)
			d.Body(op)
			for _, r := range d.Responses(op) {
				for _, m := range r.Content {
					d.Member(m.Schema, "/a/b")
					d.Members(m.Schema)
				}
			}
			if d.Pos(op.Pointer) != op.Pos {
				t.Errorf("Pos(%q) = %v, want %v", op.Pointer, d.Pos(op.Pointer), op.Pos)
			}
		}
		d.Extensions("x-idempotency", func(n Node) { n.KeyPos() })
	})
}

// What the library says about a component without a place has the component's.
func TestLoad_ComponentName(t *testing.T) {
	_, list := Load("api.yaml", files{"api.yaml": "openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths: {}\ncomponents:\n  schemas:\n    Größe: {type: string}\n"}.read)
	if len(list) != 1 || list[0].Pos != (diag.Pos{File: "api.yaml", Line: 6, Col: 5}) {
		t.Errorf("%v", list)
	}
}
