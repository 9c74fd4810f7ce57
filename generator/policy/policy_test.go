package policy

import (
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/source"
)

// read loads api.yaml from memory and reads its policy. A document that does not
// load fails the test.
func read(t *testing.T, files map[string]string) (*Document, diag.List) {
	t.Helper()
	doc, list := source.Load("api.yaml", func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, fs.ErrNotExist
	})
	if list.Errors() > 0 {
		t.Fatalf("the test's own document does not load:\n%s", rendered(list))
	}
	return Read(doc)
}

// rendered is a list with its fixes, two lines a diagnostic.
func rendered(list diag.List) string {
	var b strings.Builder
	for _, d := range list {
		fmt.Fprintf(&b, "%s\n\tfix: %s\n", d.Error(), d.Fix)
	}
	return b.String()
}

// order is a document with one operation, POST /orders/{orderId}, and up to
// three annotations: at the root in line 2, at the path item in line 5, at the
// operation in line 7.
func order(root, item, operation string) string {
	line := func(indent, text string) string {
		if text == "" {
			text = "x-none: 0"
		}
		return indent + text + "\n"
	}
	return "openapi: 3.1.0\n" + line("", root) +
		"paths:\n  /orders/{orderId}:\n" + line("    ", item) +
		"    post:\n" + line("      ", operation) + `      operationId: pay
      security: [{apiKey: []}]
      parameters: [{name: orderId, in: path, required: true, schema: {type: string}}]
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}
      responses: {'200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}}
info: {title: T, version: '1'}
components:
  securitySchemes: {apiKey: {type: apiKey, in: header, name: X-Api-Key}}
  schemas:
    Order:
      type: object
      required: [id]
      properties:
        id: {type: string}
        amount: {type: integer}
        lines: {type: array, items: {type: object, properties: {price: {type: integer}}}}
`
}

// lookup finds the Value of a member by its name in the document.
func lookup(t *testing.T, policy any, name string) (value any, from Origin) {
	t.Helper()
	v := reflect.ValueOf(policy).Elem()
	for part := range strings.SplitSeq(name, ".") {
		v = v.FieldByNameFunc(func(field string) bool { return strings.EqualFold(field, part) })
		if !v.IsValid() {
			t.Fatalf("no field for member %s", name)
		}
	}
	return v.FieldByName("V").Interface(), v.FieldByName("From").Interface().(Origin)
}

// valueFields lists the Value fields of a policy struct by their path.
func valueFields(typ reflect.Type, prefix string) []string {
	var all []string
	for f := range typ.Fields() {
		switch {
		case f.Type.Kind() != reflect.Struct || f.Type == reflect.TypeFor[Origin]():
		case strings.HasPrefix(f.Type.Name(), "Value["):
			all = append(all, strings.ToLower(prefix+f.Name))
		case f.Anonymous:
			all = append(all, valueFields(f.Type, prefix)...)
		default:
			all = append(all, valueFields(f.Type, prefix+f.Name+".")...)
		}
	}
	return all
}

// Every member is a field, every field a member: nothing is decoded into
// nowhere, nothing is left without a default.
func TestMembers_Closed(t *testing.T) {
	for _, c := range []struct {
		members []Member
		typ     reflect.Type
		apart   string // read apart from the table
	}{
		{IdempotencyMembers(), reflect.TypeFor[Idempotency](), "apply"},
		{ETagMembers(), reflect.TypeFor[ETag](), "resources"},
	} {
		fields := map[string]bool{}
		for _, f := range valueFields(c.typ, "") {
			fields[f] = true
		}
		for _, m := range c.members {
			if m.Doc == "" || m.Type == "" {
				t.Errorf("%s.%s is not described", c.typ.Name(), m.Name)
			}
			if m.Name == c.apart {
				continue
			}
			if name := strings.ToLower(m.Name); !fields[name] {
				t.Errorf("%s has no field for %s", c.typ.Name(), m.Name)
			} else {
				delete(fields, name)
			}
		}
		for f := range fields {
			t.Errorf("%s.%s has no member", c.typ.Name(), f)
		}
	}
}

func TestIdempotency_Defaults(t *testing.T) {
	doc, list := read(t, map[string]string{"api.yaml": order("", "", "x-idempotency: true")})
	if len(list) != 0 || doc.Operations[0].Idempotency == nil {
		t.Fatalf("%s", rendered(list))
	}
	p := doc.Operations[0].Idempotency
	want := map[string]string{
		"required": "true", "profile": "default", "public": "false",
		"key.header": "Idempotency-Key", "key.aliases": "[]", "key.source": "header", "key.syntax": "lax",
		"key.minLength": "1", "key.maxLength": "255", "key.pattern": "",
		"scope": "[tenant, operation]", "fingerprint.mode": "auto", "fingerprint.include": "[]", "fingerprint.exclude": "[]",
		"fingerprint.headers": "[]", "fingerprint.query": "true", "fingerprint.maxBody": "1MiB",
		"mismatchStatus": "409", "concurrency": "reject", "maxWait": "2s", "retryAfter": "1s", "ttl": "24h",
		"mode": "auto", "lease": "30s", "heartbeat": "true", "onCrash": "rerun", "onStoreError": "reject",
		"record.statuses": "[2XX, 3XX, 4XX]", "replay.status": "original", "replay.headers": "[]", "replay.marker": "Idempotent-Replayed",
		"replay.expiresHeader": "false", "replay.body": "store", "replay.maxResponse": "1MiB", "replay.encrypt": "false",
		"rollout": "enforce", "store": "default", "docs.url": "",
	}
	for _, m := range IdempotencyMembers()[1:] {
		v, from := lookup(t, p, m.Name)
		if written(v) != want[m.Name] || from != (Origin{}) {
			t.Errorf("%s is %q from %v, want %q by default", m.Name, written(v), from, want[m.Name])
		}
		if m.Default != want[m.Name] {
			t.Errorf("%s is documented as %q by default, want %q", m.Name, m.Default, want[m.Name])
		}
		delete(want, m.Name)
	}
	for name := range want {
		t.Errorf("%s is no member", name)
	}
}

// One row per member: what is written is what is decoded, with its place.
func TestIdempotency_Values(t *testing.T) {
	for _, c := range []struct{ annotation, member, want string }{
		{"required", "required", "true"},
		{"optional", "required", "false"},
		{"{required: false}", "required", "false"},
		{"{public: true}", "public", "true"},
		{"{public: true}", "scope", "[operation]"},
		{"{public: true, scope: [path, operation]}", "scope", "[operation, path]"},
		{"{key: {header: x-request-key}}", "key.header", "X-Request-Key"},
		{"{key: {aliases: [x-idempotency-key]}}", "key.aliases", "[X-Idempotency-Key]"},
		{"{key: {source: 'body:/id'}}", "key.source", "body:/id"},
		{"{key: {syntax: strict}}", "key.syntax", "strict"},
		{"{key: {minLength: 16}}", "key.minLength", "16"},
		{"{key: {maxLength: 64}}", "key.maxLength", "64"},
		{"{key: {pattern: '[a-z]+|x'}}", "key.pattern", "[a-z]+|x"},
		{"{scope: ['ctx:b', operation, principal, 'ctx:a', tenant, tenant]}", "scope", "[tenant, principal, operation, ctx:a, ctx:b]"},
		{"{fingerprint: {mode: raw}}", "fingerprint.mode", "raw"},
		{"{fingerprint: {include: [/amount, /a~1b~0]}}", "fingerprint.include", "[/amount, /a~1b~0]"},
		{"{fingerprint: {exclude: [/lines]}}", "fingerprint.exclude", "[/lines]"},
		{"{fingerprint: {headers: [x-api-version]}}", "fingerprint.headers", "[X-Api-Version]"},
		{"{fingerprint: {query: false}}", "fingerprint.query", "false"},
		{"{fingerprint: {maxBody: 16}}", "fingerprint.maxBody", "16B"},
		{"{fingerprint: {maxBody: 64KiB}}", "fingerprint.maxBody", "64KiB"},
		{"{fingerprint: {maxBody: 64MiB}}", "fingerprint.maxBody", "64MiB"},
		{"{mismatchStatus: 422}", "mismatchStatus", "422"},
		{"{concurrency: wait}", "concurrency", "wait"},
		{"{maxWait: 0s}", "maxWait", "0s"},
		{"{maxWait: 0}", "maxWait", "0s"},
		{"{retryAfter: 1m}", "retryAfter", "1m"},
		{"{ttl: 720h}", "ttl", "720h"},
		{"{ttl: 1h30m}", "ttl", "1h30m"},
		{"{mode: tx}", "mode", "tx"},
		{"{lease: 1500ms}", "lease", "1.5s"},
		{"{heartbeat: false}", "heartbeat", "false"},
		{"{onCrash: hold}", "onCrash", "hold"},
		{"{onStoreError: run}", "onStoreError", "run"},
		{"{record: {statuses: [2xx, 409, '503']}}", "record.statuses", "[2XX, 409, 503]"},
		{"{replay: {status: 200}}", "replay.status", "200"},
		{"{replay: {status: '200'}}", "replay.status", "200"},
		{"{replay: {headers: [x-total]}}", "replay.headers", "[X-Total]"},
		{"{replay: {marker: x-replay}}", "replay.marker", "X-Replay"},
		{"{replay: {expiresHeader: true}}", "replay.expiresHeader", "true"},
		{"{replay: {body: none}}", "replay.body", "none"},
		{"{replay: {maxResponse: 8}}", "replay.maxResponse", "8B"},
		{"{replay: {encrypt: false}}", "replay.encrypt", "false"},
		{"{replay: {encrypt: true}}", "replay.encrypt", "true"},
		{"{rollout: off}", "rollout", "off"},
		{"{rollout: observe}", "rollout", "observe"},
		{"{store: orders}", "store", "orders"},
		{"{docs: {url: 'https://api.example/keys'}}", "docs.url", "https://api.example/keys"},
		{"{profile: ietf}", "mismatchStatus", "422"},
		{"{profile: ietf}", "key.syntax", "strict"},
		{"{profile: ietf}", "replay.marker", "Idempotency-Replayed"},
		{"{profile: stripe}", "mismatchStatus", "400"},
		{"{profile: stripe}", "record.statuses", "[2XX, 3XX, 4XX, 5XX]"},
		{"{profile: ietf, mismatchStatus: 400}", "mismatchStatus", "400"},
		{"{mismatchStatus: 400, profile: ietf}", "mismatchStatus", "400"},
	} {
		doc, list := read(t, map[string]string{"api.yaml": order("", "", "x-idempotency: "+c.annotation)})
		if len(list) > 0 {
			t.Errorf("%s:\n%s", c.annotation, rendered(list))
			continue
		}
		v, from := lookup(t, doc.Operations[0].Idempotency, c.member)
		if got := written(v); got != c.want {
			t.Errorf("%s: %s is %s, want %s", c.annotation, c.member, got, c.want)
		}
		if v, derived := from.Pos.Line, c.member == "scope" && c.want == "[operation]"; !derived && (v != 7 || from.Level == LevelDefault) {
			t.Errorf("%s: %s comes from %v", c.annotation, c.member, from)
		}
	}
}

// The nearest level wins, member by member; lists replace; a profile is weaker
// than any explicit member.
func TestIdempotency_Merge(t *testing.T) {
	text := order("x-idempotency: {ttl: 1h, mismatchStatus: 422, profile: stripe, key: {maxLength: 40, minLength: 4}, replay: {headers: [X-A]}}",
		"x-idempotency: {lease: 20s, key: {minLength: 8}}",
		"x-idempotency: {profile: ietf, replay: {headers: [X-B]}, key: {aliases: [X-Key]}}")
	doc, list := read(t, map[string]string{"api.yaml": text})
	if len(list) > 0 {
		t.Fatal(rendered(list))
	}
	p := doc.Operations[0].Idempotency
	for _, c := range []struct {
		member, want string
		level        Level
		line         int
	}{
		{"ttl", "1h", LevelDocument, 2},
		{"mismatchStatus", "422", LevelDocument, 2},
		{"profile", "ietf", LevelOperation, 7},
		{"key.syntax", "strict", LevelPreset, 7},
		{"record.statuses", "[2XX, 3XX, 4XX]", LevelDefault, 0},
		{"key.maxLength", "40", LevelDocument, 2},
		{"key.minLength", "8", LevelPathItem, 5},
		{"key.aliases", "[X-Key]", LevelOperation, 7},
		{"lease", "20s", LevelPathItem, 5},
		{"replay.headers", "[X-B]", LevelOperation, 7},
		{"replay.marker", "Idempotency-Replayed", LevelPreset, 7},
	} {
		v, from := lookup(t, p, c.member)
		if written(v) != c.want || from.Level != c.level || from.Pos.Line != c.line {
			t.Errorf("%s is %s from level %d, line %d; want %s from level %d, line %d", c.member, written(v), from.Level, from.Pos.Line, c.want, c.level, c.line)
		}
	}
}

func TestIdempotency_On(t *testing.T) {
	for _, c := range []struct {
		root, item, operation string
		on, exempt            bool
		level                 Level
	}{
		{"", "", "", false, false, LevelDefault},
		{"x-idempotency: {ttl: 1h}", "", "x-idempotency: false", false, false, LevelDefault},
		{"x-idempotency: {apply: [put]}", "", "", false, false, LevelDefault},
		{"x-idempotency: {apply: [post]}", "", "", true, false, LevelDocument},
		{"x-idempotency: {apply: [post]}", "x-idempotency: false", "", false, false, LevelDefault},
		{"x-idempotency: {apply: [post]}", "", "x-idempotency: exempt", false, true, LevelDefault},
		{"", "x-idempotency: true", "", true, false, LevelPathItem},
		{"", "x-idempotency: {ttl: 1h}", "", true, false, LevelPathItem},
		{"", "x-idempotency: exempt", "", false, true, LevelDefault},
		{"", "x-idempotency: exempt", "x-idempotency: {}", true, false, LevelOperation},
		{"", "x-idempotency: true", "x-idempotency: false", false, false, LevelDefault},
		{"", "x-idempotency: false", "x-idempotency: optional", true, false, LevelOperation},
	} {
		doc, list := read(t, map[string]string{"api.yaml": order(c.root, c.item, c.operation)})
		if len(list) > 0 {
			t.Errorf("%+v: %s", c, rendered(list))
			continue
		}
		o := doc.Operations[0]
		if (o.Idempotency != nil) != c.on || o.Exempt != c.exempt || c.on && o.Idempotency.On.Level != c.level {
			t.Errorf("%q %q %q: %+v, exempt %v", c.root, c.item, c.operation, o.Idempotency, o.Exempt)
		}
	}
}

// A shorthand keeps what is inherited.
func TestIdempotency_ShorthandKeepsInherited(t *testing.T) {
	doc, list := read(t, map[string]string{"api.yaml": order("", "x-idempotency: {ttl: 2h, required: true}", "x-idempotency: optional")})
	if len(list) > 0 {
		t.Fatal(rendered(list))
	}
	p := doc.Operations[0].Idempotency
	if p.Required.V || p.Required.From.Level != LevelOperation || written(p.TTL.V) != "2h" {
		t.Errorf("required %+v, ttl %+v", p.Required, p.TTL)
	}
}

// Two documents never share what a caller could change.
func TestRead_OwnLists(t *testing.T) {
	text := map[string]string{"api.yaml": order("", "", "x-idempotency: true")}
	first, _ := read(t, text)
	first.Operations[0].Idempotency.Scope.V[0] = "changed"
	first.Operations[0].Idempotency.Record.Statuses.V[0] = "changed"
	second, _ := read(t, text)
	p := second.Operations[0].Idempotency
	if p.Scope.V[0] != "tenant" || p.Record.Statuses.V[0] != "2XX" {
		t.Errorf("scope %v, statuses %v", p.Scope.V, p.Record.Statuses.V)
	}
}
