package breaking

import (
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/source"
)

// head is seven lines.
const head = `openapi: 3.1.0
info: {title: T, version: '1'}
security: [{key: []}]
components:
  securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}
  schemas:
    Pet: {type: object, required: [version, rev], properties: {version: {type: integer}, rev: {type: integer}, n: {type: string}}}
`

func read(t *testing.T, name, text string) *policy.Document {
	t.Helper()
	doc, errs := source.Load(name, func(string) ([]byte, error) { return []byte(head + text), nil })
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	p, errs := policy.Read(doc)
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	return p
}

// changes compares two documents and returns a line per change.
func changes(t *testing.T, before, after string) []string {
	t.Helper()
	var lines []string
	for _, c := range Compare(read(t, "old.yaml", before), read(t, "new.yaml", after)) {
		lines = append(lines, c.Error())
	}
	return lines
}

// post is a document with one POST; the annotation is in line 12, column 22.
func post(annotation string) string {
	text := "paths:\n  /pets:\n    post:\n      operationId: addPet\n"
	if annotation != "" {
		text += "      x-idempotency: " + annotation + "\n"
	}
	return text + "      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}\n      responses: {'204': {description: Done}}\n"
}

// put is a document with a versioned resource; the annotation of the PUT is in
// line 15.
func put(annotation string) string {
	text := `paths:
  /pets/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get:
      operationId: getPet
      x-etag: true
      responses: {'200': {description: It, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}
    put:
`
	if annotation != "" {
		text += "      x-etag: " + annotation + "\n"
	}
	return text + "      operationId: putPet\n      responses: {'200': {description: It, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}\n"
}

// list is a document with a list of a versioned resource; its annotation is in
// line 21.
func list(annotation string) string {
	text := put("true") + "  /pets:\n"
	text += "    get:\n"
	if annotation != "" {
		text += "      x-etag: " + annotation + "\n"
	}
	return text + "      operationId: listPets\n      responses: {'200': {description: All, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}}}\n"
}

func TestCompare(t *testing.T) {
	for _, c := range []struct{ name, before, after, want string }{
		{"equal", post("{ttl: 2h}"), post("{ttl: 120m}"), ""},
		{"profile spelled out", post("{profile: ietf}"), post("{mismatchStatus: 422, key: {syntax: strict}, replay: {marker: Idempotency-Replayed}}"), ""},

		{"on, required", post(""), post("true"), "new.yaml:12:22: breaking: addPet: x-idempotency required is new: requests without a key"},
		{"on, optional", post(""), post("optional"), "new.yaml:12:22: note: addPet: x-idempotency optional is new"},
		{"off", post("true"), post("exempt"), "old.yaml:12:22: breaking: addPet: x-idempotency on is gone: the key is ignored"},
		{"observed before", post("{rollout: observe}"), post("true"), "old.yaml:12:32: breaking: addPet: x-idempotency.rollout observe -> enforce"},
		{"observed after", post("true"), post("{rollout: observe}"), "new.yaml:12:32: breaking: addPet: x-idempotency.rollout enforce -> observe"},
		{"observed both", post("{rollout: observe, ttl: 2h}"), post("{rollout: observe, ttl: 1h}"), ""},
		{"required", post("optional"), post("required"), "new.yaml:12:22: breaking: addPet: x-idempotency.required false -> true"},
		{"optional", post("required"), post("optional"), "new.yaml:12:22: note: addPet: x-idempotency.required true -> false"},
		{"header", post("true"), post("{key: {header: X-Key-Id}}"), "new.yaml:12:37: breaking: addPet: x-idempotency.key.header Idempotency-Key -> X-Key-Id: they are answered with 400 key-missing; keep"},
		{"header, alias kept", post("true"), post("{key: {header: X-Key-Id, aliases: [Idempotency-Key]}}"), "note: addPet: x-idempotency.key.header"},
		{"alias gone", post("{required: false, key: {aliases: [X-Old]}}"), post("{required: false}"), "old.yaml:12:55: breaking: addPet: x-idempotency.key.aliases [X-Old] -> []: a key in X-Old is not seen: they are ignored"},
		{"source", post("true"), post("{key: {source: 'body:/n'}}"), "breaking: addPet: x-idempotency.key.source header -> body:/n"},
		{"strict", post("true"), post("{key: {syntax: strict}}"), "breaking: addPet: x-idempotency.key.syntax lax -> strict"},
		{"lax", post("{key: {syntax: strict}}"), post("true"), "old.yaml:12:37: note: addPet: x-idempotency.key.syntax strict -> lax"},
		{"longer keys", post("{key: {minLength: 3}}"), post("{key: {minLength: 9}}"), "breaking: addPet: x-idempotency.key.minLength 3 -> 9: shorter keys are answered"},
		{"shorter keys", post("{key: {minLength: 9}}"), post("{key: {minLength: 3}}"), "note: addPet: x-idempotency.key.minLength"},
		{"max length", post("true"), post("{key: {maxLength: 36}}"), "breaking: addPet: x-idempotency.key.maxLength 255 -> 36"},
		{"pattern", post("true"), post("{key: {pattern: '[a-z]+'}}"), "breaking: addPet: x-idempotency.key.pattern none -> [a-z]+"},
		{"pattern gone", post("{key: {pattern: '[a-z]+'}}"), post("true"), "note: addPet: x-idempotency.key.pattern"},
		{"ttl shorter", post("true"), post("{ttl: 1h}"), "new.yaml:12:28: breaking: addPet: x-idempotency.ttl 24h -> 1h: a retry that comes later"},
		{"ttl longer", post("{ttl: 1h}"), post("true"), "old.yaml:12:28: note: addPet: x-idempotency.ttl 1h -> 24h"},
		{"mismatch", post("true"), post("{mismatchStatus: 422}"), "breaking: addPet: x-idempotency.mismatchStatus 409 -> 422"},
		{"profile", post("true"), post("{profile: stripe}"), "new.yaml:12:32: breaking: addPet: x-idempotency.mismatchStatus 409 -> 400"},
		{"scope", post("true"), post("{scope: [principal, operation]}"), "breaking: addPet: x-idempotency.scope [tenant, operation] -> [principal, operation]"},
		{"public", post("true"), post("{public: true}"), "new.yaml:12:31: breaking: addPet: x-idempotency.scope [tenant, operation] -> [operation]"},
		{"renamed", post("true"), strings.Replace(post("true"), "addPet", "createPet", 1), "new.yaml:11:20: breaking: createPet: operationId addPet -> createPet: it is part of the stored key"},
		{"renamed without keys", post(""), strings.Replace(post(""), "addPet", "createPet", 1), ""},
		{"renamed outside the scope", post("{scope: [tenant, path]}"), strings.Replace(post("{scope: [tenant, path]}"), "addPet", "createPet", 1), ""},
		{"fingerprint", post("true"), post("{fingerprint: {exclude: [/n]}}"), "risky: addPet: x-idempotency.fingerprint.exclude [] -> [/n]: honest retries"},
		{"body", post("true"), post("{fingerprint: {maxBody: 1KiB}}"), "breaking: addPet: x-idempotency.fingerprint.maxBody 1MiB -> 1KiB"},
		{"replay body", post("true"), post("{replay: {body: none}}"), "breaking: addPet: x-idempotency.replay.body store -> none"},
		{"path parameter", strings.ReplaceAll(put(""), "id", "petId"), put(""), ""},
		{"other route", post("true"), strings.Replace(post("{ttl: 1h}"), "/pets:", "/animals:", 1), ""},

		{"etag on", put(""), put("true"), "new.yaml:16:15: breaking: putPet: x-etag Pet is new: requests without a precondition"},
		{"etag off", put("true"), put(""), "old.yaml:16:15: breaking: putPet: x-etag Pet is gone: If-Match is answered with 412"},
		{"etag off, ignored", put("true"), "x-etag: {unsupported: ignore}\n" + put(""), "breaking: putPet: x-etag Pet is gone: If-Match is ignored: updates are lost"},
		{"unsupported", "x-etag: {unsupported: ignore}\n" + post(""), post(""), "old.yaml:8:23: breaking: addPet: x-etag.unsupported ignore -> reject"},
		{"wildcard", put("{wildcard: accept}"), put("true"), "breaking: putPet: x-etag.wildcard accept -> reject"},
		{"weak", put("{weakIfMatch: accept}"), put("true"), "breaking: putPet: x-etag.weakIfMatch accept -> reject"},
		{"missing", put("true"), put("{missing: preconditionFailed}"), "breaking: putPet: x-etag.missing auto -> preconditionFailed"},
		{"emptied", put("true"), put("{require: []}"), "new.yaml:16:25: risky: putPet: x-etag.require [ifMatch] -> []"},
		{"demanded", put("{require: []}"), put("true"), "old.yaml:16:25: breaking: putPet: x-etag.require [] -> [ifMatch]"},
		{"no tag of a PUT", put("true"), put("{putEtag: never}"), "risky: putPet: x-etag.putEtag always -> never"},
		{"a list with tags", list(""), list("{listItems: Pet}"), "new.yaml:21:27: note: listPets: x-etag.listItems none -> Pet: the items of a list carry tags"},
		{"a list without", list("{listItems: Pet}"), list(""), "old.yaml:21:27: risky: listPets: x-etag.listItems Pet -> none: the items of a list carry no tags"},
		{"one tag", put("true"), put("{tags: one}"), "breaking: putPet: x-etag.tags many -> one"},
	} {
		got := changes(t, c.before, c.after)
		switch {
		case c.want == "" && len(got) > 0:
			t.Errorf("%s: %q, want nothing", c.name, got)
		case c.want != "" && (len(got) == 0 || !strings.Contains(got[0], c.want)):
			t.Errorf("%s: %q, want first %q", c.name, got, c.want)
		case c.want != "" && !strings.Contains(c.want, "profile") && c.name != "profile" && len(got) > 2:
			t.Errorf("%s: %q: one change has become many", c.name, got)
		}
	}
}

func TestRequire(t *testing.T) {
	demand := func(fields ...policy.Field) *policy.ETag {
		return &policy.ETag{Require: policy.Value[[]policy.Field]{V: fields}}
	}
	for _, c := range []struct {
		then, now *policy.ETag
		want      Severity
	}{
		{demand(), demand(policy.IfMatch), Breaking},
		{demand(policy.IfMatch), demand(), Risky},
		{demand(policy.IfMatch), demand(policy.IfMatch, policy.IfNoneMatch), Note},
		{demand(policy.IfMatch, policy.IfNoneMatch), demand(policy.IfMatch), Breaking},
	} {
		if got := tagRules["require"](c.then, c.now); got.severity != c.want {
			t.Errorf("%v -> %v is %v, want %s", c.then.Require.V, c.now.Require.V, got, c.want)
		}
	}
}

// A value that several operations inherit changes once.
func TestCompare_Inherited(t *testing.T) {
	text := "paths:\n  /a:\n    post: {operationId: a, responses: {'204': {description: D}}}\n    put: {operationId: b, responses: {'204': {description: D}}}\n"
	got := changes(t, "x-idempotency: {apply: [post, put]}\n"+text, "x-idempotency: {apply: [post, put], ttl: 1h}\n"+text)
	if len(got) != 1 || !strings.HasPrefix(got[0], "new.yaml:8:42: breaking: a and 1 more: x-idempotency.ttl 24h -> 1h") {
		t.Errorf("%q", got)
	}
}

// The worst come first.
func TestCompare_Order(t *testing.T) {
	got := changes(t, post("true"), post("{retryAfter: 2s, fingerprint: {query: false}, ttl: 1h}"))
	want := []string{"breaking", "risky", "note"}
	if len(got) != len(want) {
		t.Fatalf("%q", got)
	}
	for i, w := range want {
		if !strings.Contains(got[i], ": "+w+": ") {
			t.Errorf("%d: %q is not %s", i, got[i], w)
		}
	}
}

// A member without an opinion about its change would be a change that nobody is
// told about.
func TestRules_Complete(t *testing.T) {
	for _, m := range policy.IdempotencyMembers() {
		if _, ok := keyRules[m.Name]; !ok && m.Name != "apply" {
			t.Errorf("x-idempotency.%s has no rule", m.Name)
		}
	}
	for _, m := range policy.ETagMembers() {
		if _, ok := tagRules[m.Name]; !ok && m.Name != "resources" {
			t.Errorf("x-etag.%s has no rule", m.Name)
		}
	}
}
