package policy

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// zoo is a document with a resource Pet that several paths use. The annotations
// are the root's (line 2), those of /pets/{petId} (5), its PUT (7) and the POST
// of /pets/{petId}/feed (9).
func zoo(root, item, put, feed string) string {
	line := func(indent, text string) string {
		if text == "" {
			text = "x-none: 0"
		}
		return indent + text + "\n"
	}
	return "openapi: 3.1.0\n" + line("", root) + "paths:\n  /pets/{petId}:\n" + line("    ", item) +
		"    put:\n" + line("      ", put) + "      responses: {'200': {description: d}}\n" +
		`    parameters: [{name: petId, in: path, required: true, schema: {type: string}}]
    get: {responses: {'200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/pet-item'}}}}}}
    head: {responses: {'200': {description: d}}}
    patch: {responses: {'200': {description: d}}}
    delete: {responses: {'204': {description: d}}}
    options: {responses: {'204': {description: d}}}
  /pets/{petId}/feed:
    parameters: [{name: petId, in: path, required: true, schema: {type: string}}]
    post:
` + line("      ", feed) + `      responses: {'200': {description: d}}
info: {title: T, version: '1'}
components:
  schemas:
    pet-item:
      allOf:
        - {type: object, required: [version, rev], properties: {version: {type: integer}, rev: {type: string, format: uuid}}}
        - {type: object, properties: {name: {type: string}}}
`
}

// described is what x-etag makes of each operation, one line each.
func described(doc *Document) string {
	var lines []string
	for _, o := range doc.Operations {
		line := o.Op.Method + " " + o.Op.Path + ":"
		if e := o.ETag; e != nil {
			line += fmt.Sprintf(" %s %s %v %s %s %s %s", e.Role.V, e.Resource.V, e.Require.V, e.Wildcard.V, e.Key.V, e.Field.V, e.Type.V)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestETag_Derived(t *testing.T) {
	doc, list := read(t, map[string]string{"api.yaml": zoo("", "x-etag: true", "", "x-etag: PetItem")})
	if len(list) > 0 {
		t.Fatal(rendered(list))
	}
	want := `PUT /pets/{petId}: update PetItem [ifMatch] reject [petId] /version int64
GET /pets/{petId}: read PetItem [] accept [petId] /version int64
HEAD /pets/{petId}: read PetItem [] accept [petId] /version int64
PATCH /pets/{petId}: update PetItem [ifMatch] reject [petId] /version int64
DELETE /pets/{petId}: delete PetItem [ifMatch] reject [petId] /version int64
OPTIONS /pets/{petId}:
POST /pets/{petId}/feed: action PetItem [ifMatch] reject [petId] /version int64`
	if got := described(doc); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if len(doc.Resources) != 1 {
		t.Fatalf("resources: %+v", doc.Resources)
	}
	if r := doc.Resources[0]; r.Name != "PetItem" || r.Home != "/pets/{petId}" || r.Type.V != TypeInt64 || r.Pos.String() != "api.yaml:5:13" {
		t.Errorf("resource %s, home %s, type %s, at %s", r.Name, r.Home, r.Type.V, r.Pos)
	}
	e := doc.Operations[0].ETag
	if e.Resource.Set() || e.On.Level != LevelPathItem || e.Type.From.Pos.Line != 25 || e.Type.Set() {
		t.Errorf("resource %+v, on %+v, type %+v", e.Resource, e.On, e.Type)
	}
	if e := doc.Operations[6].ETag; !e.Resource.Set() || e.Resource.From.Pos.Line != 18 {
		t.Errorf("the joining operation names its resource in %+v", e.Resource)
	}
}

// One row per member that is available: what is written is what is decoded.
func TestETag_Values(t *testing.T) {
	for _, c := range []struct{ annotation, member, want string }{
		{"Pet", "resource", "Pet"},
		{"{resource: Pet}", "resource", "Pet"},
		{"{key: [petId]}", "key", "[petId]"},
		{"{strategy: version}", "strategy", "version"},
		{"{field: /rev}", "field", "/rev"},
		{"{field: /rev}", "type", "uuid"},
		{"{field: /rev, type: string}", "type", "string"},
		{"{type: int64}", "type", "int64"},
		{"{strength: strong}", "strength", "strong"},
		{"{encoding: plain}", "encoding", "plain"},
		{"{role: update}", "role", "update"},
		{"{require: [ifMatch]}", "require", "[ifMatch]"},
		{"{wildcard: accept}", "wildcard", "accept"},
		{"{tags: one}", "tags", "one"},
		{"{weakIfMatch: accept}", "weakIfMatch", "accept"},
		{"{malformed: rfc}", "malformed", "rfc"},
		{"{missing: preconditionFailed}", "missing", "preconditionFailed"},
		{"{notModified: false}", "notModified", "false"},
		{"{precheck: false}", "precheck", "false"},
		{"{putEtag: always}", "putEtag", "always"},
		{"{alreadyApplied: off}", "alreadyApplied", "off"},
		{"{exposeCurrent: true}", "exposeCurrent", "true"},
		{"{driver: update}", "driver", "update"},
	} {
		doc, list := read(t, map[string]string{"api.yaml": zoo("", "x-etag: "+c.annotation, "", "")})
		if len(list) > 0 {
			t.Errorf("%s:\n%s", c.annotation, rendered(list))
			continue
		}
		v, from := lookup(t, doc.Operations[0].ETag, c.member)
		if got := written(v); got != c.want {
			t.Errorf("%s: %s is %s, want %s", c.annotation, c.member, got, c.want)
		}
		if derived := c.want == "uuid"; !derived && (from.Level != LevelPathItem || from.Pos.Line != 5) {
			t.Errorf("%s: %s comes from %v", c.annotation, c.member, from)
		}
	}
}

// Root defaults, the definition below resources, path item and operation, the
// nearest first; a shorthand keeps what is inherited.
func TestETag_Merge(t *testing.T) {
	doc, list := read(t, map[string]string{"api.yaml": zoo(
		"x-etag: {missing: notFound, tags: one, field: /name, resources: {Pet: {field: /rev}}}",
		"x-etag: {resource: Pet, missing: preconditionFailed, weakIfMatch: accept, require: [ifMatch]}",
		"x-etag: {weakIfMatch: reject, unsupported: ignore}",
		"x-etag: Pet")})
	if len(list) > 0 {
		t.Fatal(rendered(list))
	}
	put, get, feed := doc.Operations[0].ETag, doc.Operations[1].ETag, doc.Operations[6].ETag
	for _, c := range []struct {
		policy *ETag
		member string
		want   string
		level  Level
	}{
		{put, "missing", "preconditionFailed", LevelPathItem},
		{put, "tags", "one", LevelDocument},
		{put, "weakIfMatch", "reject", LevelOperation},
		{get, "weakIfMatch", "accept", LevelPathItem},
		{get, "require", "[]", LevelDefault},
		{put, "require", "[ifMatch]", LevelPathItem},
		{feed, "field", "/rev", LevelDocument},
		{feed, "missing", "notFound", LevelDocument},
		{feed, "weakIfMatch", "reject", LevelDefault},
		{feed, "type", "uuid", LevelDefault},
	} {
		v, from := lookup(t, c.policy, c.member)
		if written(v) != c.want || from.Level != c.level {
			t.Errorf("%s is %s from level %d, want %s from level %d", c.member, written(v), from.Level, c.want, c.level)
		}
	}
	if r := doc.Resources[0]; r.Pos.Line != 2 || r.Home != "/pets/{petId}" {
		t.Errorf("Pet is defined at %s, home %s", r.Pos, r.Home)
	}
}

func TestETag_Off(t *testing.T) {
	doc, list := read(t, map[string]string{"api.yaml": zoo("x-etag: {tags: one}", "x-etag: true", "x-etag: false", "")})
	if len(list) > 0 {
		t.Fatal(rendered(list))
	}
	if doc.Operations[0].ETag != nil || doc.Operations[6].ETag != nil || doc.Operations[1].ETag == nil {
		t.Errorf("got\n%s", described(doc))
	}
}

// unsupported says what happens without x-etag, and so does not switch it on.
func TestETag_Unsupported(t *testing.T) {
	for _, c := range []struct {
		root, feed string
		want       Unsupported
		level      Level
	}{
		{"", "", UnsupportedReject, LevelDefault},
		{"x-etag: {unsupported: ignore}", "", UnsupportedIgnore, LevelDocument},
		{"x-etag: {unsupported: ignore}", "x-etag: {unsupported: reject}", UnsupportedReject, LevelOperation},
		{"", "x-etag: {unsupported: ignore}", UnsupportedIgnore, LevelOperation},
	} {
		doc, list := read(t, map[string]string{"api.yaml": zoo(c.root, "", "", c.feed)})
		if len(list) > 0 {
			t.Errorf("%+v: %s", c, rendered(list))
			continue
		}
		o := doc.Operations[6]
		if o.ETag != nil || o.Unsupported.V != c.want || o.Unsupported.From.Level != c.level {
			t.Errorf("%q %q: %+v, x-etag %v", c.root, c.feed, o.Unsupported, o.ETag != nil)
		}
	}
}

// A definition may be repeated with the same value, never with another one.
func TestETag_RepeatedDefinition(t *testing.T) {
	_, list := read(t, map[string]string{"api.yaml": zoo("", "x-etag: {field: /rev}", "", "x-etag: {resource: PetItem, field: /rev}")})
	if len(list) > 0 {
		t.Error(rendered(list))
	}
	_, list = read(t, map[string]string{"api.yaml": zoo("", "x-etag: {field: /rev}", "", "x-etag: {resource: PetItem, field: /version}")})
	want := "api.yaml:18:42: IDM030: x-etag.field of resource PetItem is /version here and /rev at api.yaml:5:21\n\tfix: field: /rev\n"
	if got := rendered(list); got != want {
		t.Errorf("got %s want %s", got, want)
	}
}

// The version is found through $ref, allOf and into other files, and its place
// is the one in that file; so are the places of annotations.
func TestRead_SeveralFiles(t *testing.T) {
	files := map[string]string{
		"api.yaml": "openapi: 3.1.0\ninfo: {title: T, version: '1'}\nsecurity: [{apiKey: []}]\npaths:\n  /a/{id}: {$ref: 'paths/a.yaml#/item'}\n" +
			"components: {securitySchemes: {apiKey: {type: apiKey, in: header, name: X-Api-Key}}}\n",
		"paths/a.yaml": "item:\n  x-etag: true\n  parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n" +
			"  get: {responses: {'200': {description: d, content: {application/json: {schema: {$ref: '../schemas.yaml#/Thing'}}}}}}\n" +
			"  put:\n    x-idempotency: {ttl: 2s}\n    responses: {'200': {description: d}}\n",
		"schemas.yaml": "Thing:\n  allOf:\n    - $ref: 'base.json'\n    - {type: object, required: [name], properties: {name: {type: string}}}\n",
		"base.json":    "{\"type\": \"object\",\n \"properties\": {\"version\": {\"type\": \"integer\", \"description\": \"\\ud83d\\ude00\"}}}",
	}
	doc, list := read(t, files)
	want := "base.json:2:17: IDM031: /version holds the version of resource Thing and must be required\n\tfix: required: [version]\n" +
		"paths/a.yaml:6:26: IDM012: x-idempotency.ttl: 2s is out of range: 1m to 720h\n\tfix: ttl: 1m\n"
	if got := rendered(list); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := doc.Operations[0].ETag; got == nil || got.On.Pos.String() != "paths/a.yaml:2:11" {
		t.Errorf("x-etag of GET: %+v", got)
	}
}

// The order of resources does not depend on that of the document.
func TestRead_ResourcesByName(t *testing.T) {
	path := func(name string) string {
		return "  /" + strings.ToLower(name) + "/{id}:\n    x-etag: " + name + "\n    parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n" +
			"    get: {responses: {'200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/V'}}}}}}\n"
	}
	text := "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths:\n" + path("Zebra") + path("Ant") + path("Mole") +
		"components: {schemas: {V: {type: object, required: [version], properties: {version: {type: string}}}}}\n"
	doc, list := read(t, map[string]string{"api.yaml": text})
	if len(list) > 0 {
		t.Fatal(rendered(list))
	}
	var names []string
	for _, r := range doc.Resources {
		names = append(names, r.Name+" "+r.Home+" "+string(r.Type.V))
	}
	if want := []string{"Ant /ant/{id} string", "Mole /mole/{id} string", "Zebra /zebra/{id} string"}; !reflect.DeepEqual(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

// shelf is a document with a resource Book: its item, annotated on line 4, with
// GET, PUT (line 6) and POST, and its collection with GET and POST.
func shelf(item, put, post, list, add string) string {
	line := func(indent, text string) string {
		if text == "" {
			text = "x-none: 0"
		}
		return indent + text + "\n"
	}
	const book = "{description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Book'}}}}"
	return "openapi: 3.1.0\npaths:\n  /books/{id}:\n" + line("    ", item) +
		"    put:\n" + line("      ", put) +
		"    post:\n" + line("      ", post) +
		"      responses: {'200': {description: d}}\n" +
		"    parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n" +
		"    get: {responses: {'200': " + book + "}}\n" +
		"  /books:\n    get:\n" + line("      ", list) + "    post:\n" + line("      ", add) + "      responses: {'201': " + book + "}\n" +
		"info: {title: T, version: '1'}\ncomponents: {schemas: {Book: {type: object, required: [version, at], properties: {version: {type: integer}, " +
		"at: {type: string, format: date-time}, opt: {type: string, format: date-time}}}}}\n"
}

// shelved completes the list's GET, whose items are Books.
func shelved(text, item string) string {
	text = strings.Replace(text, "  /books:\n    get:\n", "  /books:\n    get:\n      responses: {'200': {description: d, content: {application/json: {schema: {type: array, items: "+item+"}}}}}\n", 1)
	return text
}

func TestETag_Roles(t *testing.T) {
	const book = "{$ref: '#/components/schemas/Book'}"
	with := func(annotation, statuses string) string {
		return annotation + "\n      responses: {" + statuses + "}"
	}
	const ok, made = "'200': {description: d}", "'201': {description: d}"
	for _, c := range []struct{ put, post, add, want string }{
		{with("x-none: 0", ok), "", "x-etag: Book", "update [ifMatch], action [ifMatch], create []"},
		{with("x-none: 0", ok+", "+made), "", "x-etag: Book", "upsert [ifMatch, ifNoneMatch], action [ifMatch], create []"},
		{with("x-etag: {role: create}", made), "x-etag: {role: delete}", "x-etag: Book", "create [ifNoneMatch], delete [ifMatch], create []"},
		{with("x-etag: {role: update}", made), "x-etag: {role: create}", "x-etag: Book", "update [ifMatch], create [], create []"},
		{with("x-etag: {require: []}", made), "x-etag: {require: []}", "x-etag: {resource: Book, require: []}", "upsert [], action [], create []"},
		{with("x-etag: {require: [ifNoneMatch]}", made), "x-etag: {require: [ifUnmodifiedSince]}", "", "upsert [ifNoneMatch], action [ifUnmodifiedSince]"},
	} {
		text := shelved(shelf("x-etag: {resource: Book, lastModified: /at}", c.put, c.post, "", c.add), book)
		doc, list := read(t, map[string]string{"api.yaml": text})
		if len(list) > 0 {
			t.Errorf("%q %q %q:\n%s", c.put, c.post, c.add, rendered(list))
			continue
		}
		var got []string
		for _, o := range doc.Operations {
			if e := o.ETag; e != nil && e.Role.V != RoleRead {
				got = append(got, string(e.Role.V)+" "+written(e.Require.V))
			}
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%q %q %q: %v, want %s", c.put, c.post, c.add, got, c.want)
		}
	}
}

// What a path item demands and an operation cannot use becomes the operation's
// own default: nothing is unguarded by inheritance.
func TestETag_InheritedRequire(t *testing.T) {
	const responses = "\n      responses: {'201': {description: d}}"
	for _, c := range []struct{ require, role, want string }{
		{"[ifMatch]", "create", "[ifNoneMatch]"},
		{"[ifNoneMatch]", "update", "[ifMatch]"},
		{"[ifMatch, ifNoneMatch]", "update", "[ifMatch, ifNoneMatch]"},
		{"[]", "update", "[]"},
	} {
		text := shelf("x-etag: {resource: Book, require: "+c.require+"}", "x-etag: {role: "+c.role+"}"+responses, "", "responses: {'200': {description: d}}", "")
		doc, list := read(t, map[string]string{"api.yaml": text})
		if len(list) > 0 {
			t.Errorf("%+v:\n%s", c, rendered(list))
			continue
		}
		if got := written(doc.Operations[0].ETag.Require.V); got != c.want {
			t.Errorf("%s inherited by %s: %s, want %s", c.require, c.role, got, c.want)
		}
	}
}

// Each row is one contradiction, and everything that is said about it.
func TestETag_Contradictions(t *testing.T) {
	const book, plain = "{$ref: '#/components/schemas/Book'}", "{type: object, properties: {version: {type: integer}}}"
	const made, done = "\n      responses: {'201': {description: d}}", "\n      responses: {'200': {description: d}}"
	for _, c := range []struct{ item, put, post, list, add, items, want string }{
		{"Book", "{role: upsert}" + done, "", "", "", book, "6:22: IDM032: x-etag.role of PUT /books/{id}: an upsert answers 201 when it has created, and declares none | role: update"},
		{"Book", "{role: create, require: [ifMatch]}" + made, "", "", "", book, "6:39: IDM033: x-etag.require of PUT /books/{id}: a create can only demand ifNoneMatch, because nothing may exist yet | require: [ifNoneMatch]"},
		{"Book", "{require: [ifNoneMatch]}" + done, "", "", "", book, "6:25: IDM033: x-etag.require of PUT /books/{id}: If-None-Match: * holds only where nothing exists, and update needs something | require: [ifMatch]"},
		{"Book", "{require: [ifUnmodifiedSince]}" + done, "", "", "", book, "6:25: IDM033: x-etag.require: ifUnmodifiedSince needs a date, and x-etag of resource Book has no lastModified | require: [ifMatch]"},
		{"Book", "true" + done, "", "", "{resource: Book, require: [ifNoneMatch]}", book, "18:41: IDM033: x-etag.require of POST /books: its path does not name the resource, so nothing can be compared | require: []"},
		{"{resource: Book, lastModified: /at}", "true" + done, "", "", "", book, ""},
		{"{resource: Book, lastModified: /opt}", "true" + done, "", "", "", book, "21:148: IDM031: /opt holds the date of resource Book and must be required | required: [opt]"},
		{"{resource: Book, lastModified: /version}", "true" + done, "", "", "", book, "21:83: IDM031: /version holds the date of resource Book and must be a string (date-time), not integer | version: {type: string, format: date-time}"},
		{"{resource: Book, lastModified: /of}", "true" + done, "", "", "", book, "4:44: IDM031: x-etag.lastModified: the 2xx body of GET /books/{id} has no member /of | of: {type: string, format: date-time} # in properties, and in required"},
		{"{resource: Book, strength: weak}", "true" + done, "", "", "", book, "4:40: IDM033: x-etag.strength: weak of resource Book: If-Match compares strongly, so what demands it could never be written | weakIfMatch: accept"},
		{"{resource: Book, strength: weak, weakIfMatch: accept}", "true" + done, "", "", "", book, ""},
		{"Book", "true" + done, "{alreadyApplied: equalRepresentation}", "", "", book, "9:32: IDM013: x-etag.alreadyApplied on POST /books/{id}: only the body of a PUT is the representation that it leads to (RFC 9110 §13.1.1) | alreadyApplied: off"},
		{"{resource: Book, alreadyApplied: equalRepresentation, appliedMarker: true}", "true" + done, "", "", "", book, ""},
		{"Book", "true" + done, "", "{listItems: Book}", "", book, ""},
		{"Book", "true" + done, "", "{listItems: Book}", "", plain, "16:27: IDM031: x-etag.listItems: the items of GET /books have no required member /version, which makes the tag of resource Book | version: {type: integer, format: int64} # in the item, and in required"},
		{"Book", "true" + done, "", "{listItems: Boak}", "", book, "16:27: IDM030: x-etag.listItems of GET /books: no operation has x-etag of a resource Boak | listItems: Book"},
		{"{resource: Book, strategy: handler, field: /version}", "true" + done, "", "", "", book, "4:56: IDM031: x-etag.field of resource Book: with strategy handler the handler says the version, no member does | remove field"},
		{"{resource: Book, strategy: handler, type: timestamp}", "true" + done, "", "", "", book, ""},
		{"{resource: Book, strategy: contentHash}", "true" + done, "false", "", "", book, "6:15: IDM033: PUT /books/{id} writes resource Book, whose tags are hashes of what is read: nothing can compare them in the write; give it a stored hash with field | x-etag: false"},
		{"{resource: Book, strategy: contentHash, appliedMarker: true}", "false" + done, "false", "", "", book, "4:68: IDM033: x-etag.appliedMarker of resource Book: its tags are hashes of what is read, and no row has them | appliedMarker: false"},
		{"{resource: Book, strategy: updatedAt, field: /at}", "true" + done, "", "", "", book, ""},
		{"{resource: Book, strategy: updatedAt}", "true" + done, "", "", "", book, "4:13: IDM031: x-etag.field: the 2xx body of GET /books/{id} has no member /updatedAt | updatedAt: {type: string, format: date-time} # in properties, and in required"},
		{"{resource: Book, strategy: updatedAt, field: /version}", "true" + done, "", "", "", book, "21:83: IDM031: /version holds the version of resource Book with strategy updatedAt and must be a string (date-time), not integer | version: {type: string, format: date-time}"},
		{"{resource: Book, strategy: version, field: /at}", "true" + done, "", "", "", book, "21:109: IDM031: /at holds the version of resource Book as a date-time, which is the strategy updatedAt | strategy: updatedAt # in x-etag of resource Book"},
		{"{resource: Book, strategy: version, field: /at, type: string}", "true" + done, "", "", "", book, ""},
		{"{resource: Book, type: timestamp}", "true" + done, "", "", "", book, "4:36: IDM031: x-etag.type of resource Book: timestamp and strategy version contradict each other | remove type" + "\n" +
			"4:36: IDM031: x-etag.type: timestamp does not fit /version of GET /books/{id}, which is integer | remove type"},
		{"{resource: Book, strategy: updatedAt, field: /at, variants: [Accept]}", "true" + done, "", "", "", book, "4:73: IDM031: x-etag.variants of resource Book: a plain timestamp has a dot, which parts version and variant | encoding: opaque"},
		{"{resource: Book, strategy: updatedAt, field: /at, variants: [Accept], encoding: opaque}", "true" + done, "", "", "", book, ""},
		{"{resource: Book, encoding: opaque}", "true" + done, "", "{listItems: Book}", "", book, "16:27: IDM031: x-etag.listItems of GET /books: the tag of resource Book is not what a member of the item shows | remove listItems"},
		{"{resource: Book, driver: cas}", "true" + made, "", "", "", book, ""},
		{"Book", "{driver: cas}" + made, "", "", "", book, "6:24: IDM032: x-etag.driver of PUT /books/{id}: cas changes what is there, and the role is upsert | driver: update"},
		{"Book", "true" + done, "{putEtag: never}", "", "", book, "9:25: IDM013: x-etag.putEtag on POST /books/{id} is about PUT | putEtag: always"},
		{"Book", "true" + done, "{listItems: Book}", "", "", book, "9:27: IDM013: x-etag.listItems on POST /books/{id}: only a GET lists items | remove listItems"},
	} {
		annotation := func(s string) string {
			if s == "" {
				return ""
			}
			return "x-etag: " + s
		}
		text := shelved(shelf(annotation(c.item), annotation(c.put), annotation(c.post), annotation(c.list), annotation(c.add)), c.items)
		_, list := read(t, map[string]string{"api.yaml": text})
		var all []string
		for _, d := range list {
			all = append(all, strings.TrimPrefix(d.Error(), "api.yaml:")+" | "+d.Fix)
		}
		if got := strings.Join(all, "\n"); got != c.want {
			t.Errorf("%+v\n got %s\nwant %s", c, got, c.want)
		}
	}
}
