package source

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	library "github.com/speakeasy-api/openapi/overlay"
	"gopkg.in/yaml.v3"
)

// actions is an overlay with these actions.
func actions(text string) string {
	return "overlay: 1.1.0\ninfo: {title: O, version: '1'}\nactions:\n" + text
}

const pets = `openapi: 3.1.0
info: {title: Pets, version: '1'}
paths:
  /pets:
    parameters: [{name: page, in: query, schema: {type: integer}}]
    post:
      operationId: createPet
      tags: [a]
      x-idempotency: true
      responses: {default: {description: d}}
  /pets/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    put:
      operationId: putPet
      responses: {default: {description: d}}
`

// overlaid loads pets with overlays called o1.yaml, o2.yaml and so on.
func overlaid(t *testing.T, document string, overlays ...string) (*Document, string) {
	t.Helper()
	f, names := files{"api.yaml": document}, []string{}
	for i, text := range overlays {
		name := "o" + string(rune('1'+i)) + ".yaml"
		f[name] = text
		names = append(names, name)
	}
	d, list := Load("api.yaml", f.read, names...)
	return d, findings(list)
}

func mustOverlay(t *testing.T, document string, overlays ...string) *Document {
	t.Helper()
	d, list := overlaid(t, document, overlays...)
	if d == nil || list != "" {
		t.Fatalf("findings:\n%s", list)
	}
	return d
}

// What an author wrote remains readable: comments, blocks, quotes and order.
func TestOverlay_KeepsComments(t *testing.T) {
	const commented = `# The pets.
openapi: 3.1.0 # not 3.0
info:
  title: "Pets"
  version: '1'
  description: |
    Two lines,
      the second is indented.
paths:
  # Everything about all pets.
  /pets:
    post: # creates
      operationId: createPet
      # What comes back.
      responses:
        default:
          description: >-
            A folded
            line
        # The last one.
`
	d := mustOverlay(t, commented, actions("  # Because of the retries.\n  - target: $.paths['/pets'].post\n    update:\n      # Of the overlay.\n      x-idempotency: required # here\n"))
	text := string(d.Files[0].Bytes)
	for line := range strings.SplitSeq(commented, "\n") {
		if line = strings.TrimSpace(line); line != "A folded" && line != "line" && !strings.Contains(text, line) {
			t.Errorf("the document lost %q:\n%s", line, text)
		}
	}
	for _, foreign := range []string{"retries", "Of the overlay", "here"} {
		if strings.Contains(text, foreign) {
			t.Errorf("the document has %q, which is about the overlay:\n%s", foreign, text)
		}
	}
	post := "/paths/~1pets/post"
	if at := d.Files[0].Root.at(post + "/responses/default/description").Pos().String(); at != "api.yaml:17:24" {
		t.Errorf("the description is at %s", at)
	}
}

// What stands behind brackets stays above what they become.
func TestOverlay_CommentBehindBrackets(t *testing.T) {
	d := mustOverlay(t, "openapi: 3.1.0\ninfo: {title: P, version: '1'} # of info\ntags: [] # none yet\npaths:\n  /pets:\n    get:\n      tags: [a] # of tags\n      responses: {default: {description: d}}\n",
		actions("  - target: $.info\n    update: {x-overlaid: true}\n"))
	lines := strings.Split(string(d.Files[0].Bytes), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	text := strings.Join(lines, "\n")
	for _, want := range []string{"info:\n# of info\ntitle: P", "tags:\n# of tags\n- a", "tags: [] # none yet"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, d.Files[0].Bytes)
		}
	}
}

// Every place of a document with overlays is where somebody wrote it.
func TestOverlay_Provenance(t *testing.T) {
	d := mustOverlay(t, pets,
		actions("  - target: $.paths.*[?@.operationId == 'putPet']\n    update:\n      x-idempotency:\n        ttl: 2h\n        key: {header: My-Key}\n      summary: S\n"),
		actions("  - target: $.paths['/pets/{id}'].put['x-idempotency']\n    update: {ttl: 3h}\n  - target: $.paths['/pets'].post['x-idempotency']\n    update: required\n  - target: $.paths['/pets'].post.tags\n    update: b\n"))
	const put, post = "/paths/~1pets~1{id}/put", "/paths/~1pets/post"
	for pointer, want := range map[string][2]string{ // key, value
		"/info/title":                       {"api.yaml:2:8", "api.yaml:2:15"},
		post:                                {"api.yaml:6:5", "api.yaml:7:7"},
		"/paths/~1pets/parameters/0":        {"api.yaml:5:18", "api.yaml:5:18"},
		"/paths/~1pets/parameters/0/schema": {"api.yaml:5:42", "api.yaml:5:50"},
		post + "/operationId":               {"api.yaml:7:7", "api.yaml:7:20"},
		post + "/x-idempotency":             {"api.yaml:9:7", "o2.yaml:7:13"}, // the key is the author's
		post + "/tags/0":                    {"api.yaml:8:14", "api.yaml:8:14"},
		post + "/tags/1":                    {"o2.yaml:9:13", "o2.yaml:9:13"},
		put + "/operationId":                {"api.yaml:14:7", "api.yaml:14:20"},
		put + "/x-idempotency":              {"o1.yaml:6:7", "o1.yaml:7:9"},
		put + "/x-idempotency/ttl":          {"o1.yaml:7:9", "o2.yaml:5:19"},
		put + "/x-idempotency/key":          {"o1.yaml:8:9", "o1.yaml:8:14"},
		put + "/x-idempotency/key/header":   {"o1.yaml:8:15", "o1.yaml:8:23"},
		put + "/summary":                    {"o1.yaml:9:7", "o1.yaml:9:16"},
	} {
		n := d.Node(pointer)
		if key, value := n.KeyPos().String(), n.Pos().String(); key != want[0] || value != want[1] {
			t.Errorf("%s: key at %s, value at %s, want %s and %s", pointer, key, value, want[0], want[1])
		}
		if got := d.Overlaid(n.Pos()); got != strings.HasPrefix(want[1], "o") {
			t.Errorf("%s: Overlaid is %v", pointer, got)
		}
	}
	if n := d.Node(put + "/x-idempotency/ttl"); n.Text() != "3h" {
		t.Errorf("ttl is %s: the later overlay has the last word", n.Text())
	}
	if n := d.Node(post + "/x-idempotency"); n.Kind() != String || n.Text() != "required" {
		t.Errorf("the boolean became %s %q", n.Kind(), n.Text())
	}
	v, err := d.View()
	if err != nil || v.Paths.Value("/pets/{id}").Put.Summary != "S" || len(v.Paths.Value("/pets").Post.Tags) != 2 {
		t.Errorf("the library does not see the overlays: %v", err)
	}
}

// What the library finds is reported where it was written, too.
func TestOverlay_PlacesOfValidation(t *testing.T) {
	_, list := overlaid(t, pets, actions("  - target: $.paths['/pets'].post\n    update:\n      description: [d]\n"))
	if want := "o1.yaml:6:20: IDM008: description must be a string, not a list\n"; list != want {
		t.Errorf("got  %swant %s", list, want)
	}
	_, list = overlaid(t, pets, actions("  - target: $.paths\n    update:\n      /b/{id}:\n        get: {responses: {default: {description: d}}}\n"))
	if !strings.HasPrefix(list, "o1.yaml:6:7: warning: IDM009: ") {
		t.Errorf("got %s", list)
	}
	_, list = overlaid(t, pets, actions("  - target: $.paths['/pets']\n    update: {get: {$ref: '#/gone'}}\n"))
	if !strings.HasPrefix(list, "o1.yaml:5:26: IDM006: ") {
		t.Errorf("got %s", list)
	}
	_, list = overlaid(t, strings.Replace(pets, "tags: [a]", "tags: a", 1), actions("  - target: $.info\n    update: {summary: s}\n"))
	if want := "api.yaml:8:13: IDM008: tags must be a list, not a string\n"; list != want {
		t.Errorf("got  %swant %s", list, want)
	}
}

func TestOverlay_JSON(t *testing.T) {
	document := `{"openapi": "3.0.3", "info": {"title": "\ud83d\ude00 \/ ü", "version": "1"},
 "paths": {"\/a": {"post": {"operationId": "\u00e9a", "summary": "l1\nl2 \u2028\u0085", "responses": {"default": {"description": "d"}}}}}}`
	f := files{
		"api.json": document,
		"o.json":   `{"overlay": "1.0.0", "info": {"title": "\ud83d\ude00", "version": "1"}, "actions": [{"target": "$.paths['/a'].post", "update": {"description": "\ud83d\ude00", "x-b": {"c": 1}}}]}`,
	}
	d, list := Load("api.json", f.read, "o.json")
	if len(list) > 0 {
		t.Fatal(findings(list))
	}
	if title := d.Node("/info/title").Text(); title != "\U0001f600 / ü" {
		t.Errorf("title %q", title)
	}
	if text := d.Files[0].Bytes; !json.Valid(text) || !bytes.Contains(text, []byte("\n  \"info\": {\n")) {
		t.Errorf("JSON became %s", text)
	}
	op := d.Ops[0]
	if op.ID != "éa" || op.Summary != "l1\nl2 \u2028\u0085" || op.Description != "\U0001f600" {
		t.Errorf("got %q %q %q", op.ID, op.Summary, op.Description)
	}
	// In bytes: the escapes before it count as they are written.
	line := strings.Split(document, "\n")[1]
	if got, want := op.Node.Get("summary").KeyPos().Col, strings.Index(line, `"summary"`)+1; got != want {
		t.Errorf("column %d, want %d", got, want)
	}
	if got, want := op.Node.Get("x-b").Get("c").KeyPos(), strings.Index(f["o.json"], `"c": 1`)+1; got.File != "o.json" || got.Col != want {
		t.Errorf("place %v, want column %d", got, want)
	}
}

func TestOverlay_Anchors(t *testing.T) {
	document := "openapi: 3.1.0\ninfo: {title: T, version: '1'}\nx-d: &d {description: d}\npaths:\n" +
		"  /a: {get: &op {responses: {default: *d}}}\n  /b: {get: *op}\n  /c: {get: {<<: *op, summary: c}}\n"
	d := mustOverlay(t, document, actions("  - target: $.paths['/a'].get.responses.default\n    update: {description: x}\n  - target: $.paths['/c'].get.responses\n    update: {'200': &r {description: y}, '201': *r}\n"))
	for pointer, want := range map[string]string{
		"/paths/~1a/get/responses/default/description": "x",
		"/paths/~1b/get/responses/default/description": "d",
		"/paths/~1c/get/responses/default/description": "d",
		"/paths/~1c/get/responses/201/description":     "y",
	} {
		if got := d.Node(pointer).Text(); got != want {
			t.Errorf("%s is %q, want %q", pointer, got, want)
		}
	}
	if p := d.Pos("/paths/~1b/get/responses/default/description"); p.String() != "api.yaml:3:10" {
		t.Errorf("the value behind an alias is at %v", p)
	}
}

func TestOverlay_RemoveAndCopy(t *testing.T) {
	d := mustOverlay(t, pets,
		actions("  - target: $.paths['/pets'].post.tags[0]\n    remove: true\n  - target: $.paths.*.parameters\n    remove: true\n  - target: $.paths['/pets/{id}']\n    remove: true\n"+
			"  - target: $.paths['/pets']\n    update: {put: {}}\n  - target: $.paths['/pets'].put\n    copy: $.paths['/pets'].post\n  - target: $.paths['/pets'].put.operationId\n    update: other\n"))
	if len(d.Ops) != 2 || d.Ops[1].ID != "other" || d.Ops[0].ID != "createPet" || len(d.Ops[0].Tags) != 0 {
		t.Errorf("operations %+v", d.Ops)
	}
	if at := d.Ops[1].Node.Get("x-idempotency").KeyPos().String(); at != "api.yaml:9:7" {
		t.Errorf("the copy is at %s", at)
	}
}

func TestOverlay_Errors(t *testing.T) {
	post := "  - target: $.paths['/pets'].post\n    update: "
	for _, c := range []struct{ name, overlay, want string }{
		{"no file", "", "o1.yaml:1:1: IDM002: the file is empty\n"},
		{"no overlay", "openapi: 3.1.0\n", "o1.yaml:1:1: IDM016: an overlay has no member \"openapi\"; it has overlay, info, extends, actions\n"},
		{"version", "overlay: 2.0.0\nactions: []\n", "o1.yaml:1:10: IDM016: not an overlay of version 1.0.0 or 1.1.0\n"},
		{"no actions", "overlay: 1.0.0\n", "o1.yaml:1:1: IDM016: an overlay needs actions, a list with at least one action\n"},
		{"duplicate key", actions(post + "{summary: a, summary: b}\n"), "o1.yaml:5:26: IDM004: duplicate key \"summary\"; the first is at o1.yaml:5:14\n"},
		{"misspelt member", actions("  - target: $.info\n    updates: {title: a}\n"), "o1.yaml:5:5: IDM016: an action has no member \"updates\"; it has target, description, update, remove, copy\n"},
		{"no target", actions("  - update: {a: b}\n"), "o1.yaml:4:5: IDM016: an action lacks its target\n"},
		{"nothing to do", actions("  - target: $.info\n    remove: false\n"), "o1.yaml:4:5: IDM016: an action must have exactly one of update, remove: true and copy\n"},
		{"both", actions("  - target: $.info\n    remove: true\n    update: {a: b}\n"), "o1.yaml:4:5: IDM016: an action must have exactly one of update, remove: true and copy\n"},
		{"matches nothing", actions(strings.ReplaceAll(post, "/pets", "/pet") + "{summary: a}\n"), "o1.yaml:4:13: IDM016: the target matches nothing in api.yaml\n"},
		{
			"every action that matches nothing", actions("  - target: $.a\n    remove: true\n  - target: $.b\n    remove: true\n"),
			"o1.yaml:4:13: IDM016: the target matches nothing in api.yaml\no1.yaml:6:13: IDM016: the target matches nothing in api.yaml\n",
		},
		{"copy of nothing", actions("  - target: $.info\n    copy: $.gone\n"), "o1.yaml:5:11: IDM016: copy must select one value, and selects 0\n"},
		{"the document", actions("  - target: $\n    remove: true\n"), "o1.yaml:4:13: IDM016: the whole document cannot be removed\n"},
		{"object for a scalar", actions(post + "{x-idempotency: {ttl: 2h}}\n"), "o1.yaml:5:29: IDM016: the update is an object, and what it would replace is a boolean (api.yaml:9:22)\n"},
		{"scalar for a list", actions(post + "{tags: b}\n"), "o1.yaml:5:20: IDM016: the update is a string, and what it would replace is a list (api.yaml:8:13)\n"},
		{"scalar for an object", actions("  - target: $.info\n    update: a\n"), "o1.yaml:5:13: IDM016: the update is a string, and what it would replace is an object (api.yaml:2:7)\n"},
		{
			"targets of two kinds", actions("  - target: $.paths['/pets'].*\n    update: {x-a: b}\n"),
			"o1.yaml:4:13: IDM016: the target matches values of different kinds, such as a list (api.yaml:5:17) and an object (api.yaml:7:7)\n",
		},
		{"item that is there", actions(post + "{tags: [b, a]}\n"), "o1.yaml:5:20: IDM016: the list has an item that the update adds already (api.yaml:8:14)\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, list := overlaid(t, pets, c.overlay)
			if list != c.want || d != nil {
				t.Errorf("got:\n%swant:\n%s", list, c.want)
			}
		})
	}
	_, list := overlaid(t, pets, actions("  - target: $.paths[\n    remove: true\n"))
	if !strings.HasPrefix(list, "o1.yaml:4:13: IDM016: target is not a JSONPath of RFC 9535: ") {
		t.Errorf("got %s", list)
	}
	if _, missing := Load("api.yaml", files{"api.yaml": pets}.read, "gone.yaml"); findings(missing) != "gone.yaml: IDM001: cannot read gone.yaml: the file does not exist\n" {
		t.Errorf("got %s", findings(missing))
	}
}

func TestOverlay_TargetOfNothingGetsNearestName(t *testing.T) {
	for target, want := range map[string]string{
		`$.paths['/pet'].post`:                             `target: $.paths['/pets'].post`,
		`$.paths.*[?@.operationId == "putPets"]`:           `target: $.paths.*[?@.operationId == "putPet"]`,
		`$.paths['/pets'].get`:                             `correct the target, or remove the action`,
		`$.paths.*[?@.operationId=='putPet' && @.nothing]`: `correct the target, or remove the action`,
	} {
		f := files{"api.yaml": pets, "o.yaml": actions("  - target: " + quote(strings.ReplaceAll(target, `"`, `\"`)) + "\n    remove: true\n")}
		if _, list := Load("api.yaml", f.read, "o.yaml"); len(list) != 1 || list[0].Fix != want {
			t.Errorf("%s: got %+v, want %s", target, list, want)
		}
	}
}

// One overlay applied twice would give every parameter twice.
func TestOverlay_Twice(t *testing.T) {
	o := actions("  - target: $.paths['/pets'].post\n    update: {parameters: [{name: q, in: query, schema: {type: string}}]}\n")
	if d := mustOverlay(t, pets, o); len(d.Parameters(d.Ops[0])) != 2 {
		t.Errorf("parameters %+v", d.Parameters(d.Ops[0]))
	}
	if _, list := overlaid(t, pets, o, o); !strings.HasPrefix(list, "o2.yaml:5:26: IDM016: the list has an item that the update adds already (o1.yaml:5:27)") {
		t.Errorf("got %s", list)
	}
}

func TestOverlay_VersionsAndDialects(t *testing.T) {
	filter := "  - target: $.paths.*[?(@.operationId=='putPet')]\n    update: {summary: S}\n"
	old := strings.Replace(actions(filter), "1.1.0", "1.0.0", 1)
	d, list := overlaid(t, pets, old)
	if d == nil || d.Ops[1].Summary != "S" || !strings.HasPrefix(list, "o1.yaml:4:13: warning: IDM016: ") {
		t.Errorf("1.0.0: %s", list)
	}
	for _, text := range []string{actions(filter), "x-speakeasy-jsonpath: rfc9535\n" + old} {
		if d := mustOverlay(t, pets, text); d.Ops[1].Summary != "S" {
			t.Error("the filter found nothing")
		}
	}
	if _, list := overlaid(t, pets, "x-speakeasy-jsonpath: legacy\n"+actions(filter)); !strings.HasPrefix(list, "o1.yaml:1:1: warning: IDM016: ") {
		t.Errorf("legacy: %s", list)
	}
	// In 1.0.0 as in 1.1.0 a list takes an entry.
	if d := mustOverlay(t, pets, strings.Replace(actions("  - target: $.paths['/pets'].post.tags\n    update: b\n"), "1.1.0", "1.0.0", 1)); strings.Join(d.Ops[0].Tags, " ") != "a b" {
		t.Errorf("tags %v", d.Ops[0].Tags)
	}
}

// The one action wrote two annotations: one means something, the other is astray.
func TestOverlay_MarksPartPlaces(t *testing.T) {
	d := mustOverlay(t, pets, actions("  - target: $.paths[*][?@.operationId]\n    update: {x-note: true}\n"))
	a, b := d.Ops[0].Node.Get("x-note"), d.Ops[1].Node.Get("x-note")
	if a.KeyPos() != b.KeyPos() || a.Mark() == b.Mark() {
		t.Errorf("places %v and %v, marks %v and %v", a.KeyPos(), b.KeyPos(), a.Mark(), b.Mark())
	}
}

// Where the common implementation is right, this one agrees with it.
func TestOverlay_AgreesWithLibrary(t *testing.T) {
	for _, text := range []string{
		actions("  - target: $.paths.*[?@.operationId]\n    update: {x-a: {b: [1, 2]}, responses: {'200': {description: d}}}\n"),
		actions("  - target: $.paths.*.parameters\n    update: {name: q, in: query, schema: {type: string}}\n"),
		actions("  - target: $..description\n    update: other\n  - target: $.info\n    update: {x-b: {c: {d: e}}}\n  - target: $.info['x-b'].c\n    update: {d: f, g: h}\n"),
		actions("  - target: $.paths['/pets']\n    remove: true\n  - target: $.paths.*.parameters[?@.name=='id'].schema\n    update: {format: uuid}\n"),
		actions("  - target: $.paths.*\n    update: {get: {responses: {default: {description: g}}}}\n  - target: $.paths.*.get\n    copy: $.info\n"),
	} {
		d, list := overlaid(t, pets, text)
		if strings.Contains(list, "IDM016") || d == nil {
			t.Errorf("%s\n%s", text, list)
			continue
		}
		o, err := library.ParseReader(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		var want yaml.Node
		if err := yaml.Unmarshal([]byte(pets), &want); err != nil {
			t.Fatal(err)
		}
		if _, err := o.ApplyToStrict(&want); err != nil {
			t.Fatal(err)
		}
		if !equal(d.Files[0].Root.n, want.Content[0]) {
			var a, b bytes.Buffer
			if err := yaml.NewEncoder(&a).Encode(d.Files[0].Root.n); err != nil {
				t.Fatal(err)
			}
			if err := yaml.NewEncoder(&b).Encode(&want); err != nil {
				t.Fatal(err)
			}
			t.Errorf("%s\ngot\n%s\nwant\n%s", text, &a, &b)
		}
	}
}

// Real documents survive: with an overlay that changes one word, every other
// place stays where it was.
func TestOverlay_KeepsPlacesOfRealDocuments(t *testing.T) {
	dir := os.Getenv("IDEMGEN_CORPUS")
	if dir == "" {
		t.Skip("set IDEMGEN_CORPUS to a directory of OpenAPI documents")
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.[jy]*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(content) > 3<<20 {
			continue
		}
		f := files{name: string(content), "o.yaml": actions("  - target: $.info\n    update: {x-overlaid: true}\n")}
		plain, _ := Load(name, f.read)
		d, list := Load(name, f.read, "o.yaml")
		if plain == nil || d == nil {
			t.Errorf("%s: %s", name, findings(list))
			continue
		}
		wrong := 0
		var walk func(a, b Node)
		walk = func(a, b Node) {
			if a.Key() != "x-overlaid" && (a.Pos() != b.Pos() || a.KeyPos() != b.KeyPos() || a.Text() != b.Text() || a.Kind() != b.Kind()) {
				if wrong++; wrong < 4 {
					t.Errorf("%s%s: at %v and %v (%v), %q and %q", name, a.Pointer(), a.KeyPos(), b.KeyPos(), b.Pos(), a.Text(), b.Text())
				}
			}
			for _, e := range a.Entries() {
				walk(e, b.Get(e.Key()))
			}
			items := b.Items()
			for i, e := range a.Items() {
				walk(e, items[i])
			}
		}
		walk(plain.Node(""), d.Node(""))
	}
}
