package policy

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/source"
)

var update = flag.Bool("update", false, "write the golden files")

// Each row is one annotation of an operation and everything that is said about
// it: column, rule, message, fix. Its line is 7.
func TestIdempotency_Errors(t *testing.T) {
	for _, c := range []struct{ annotation, want string }{
		{"{required: yes}", "33: IDM011: x-idempotency.required: must be true or false, not a string (yes) | required: true"},
		{"{required: ~}", "33: IDM011: x-idempotency.required: null is not a value; write one or remove the member | required: true"},
		{"{requird: true}", `23: IDM010: x-idempotency has no member "requird"; did you mean required? | required: true`},
		{"{header: X-Key}", `23: IDM010: x-idempotency has no member "header"; did you mean key.header? | key: {header: X-Key}`},
		{"{kee: {header: X-Key}}", `23: IDM010: x-idempotency has no member "kee"; did you mean key? | key: {header: Idempotency-Key}`},
		{"{key: {heeder: X-Key}}", `29: IDM010: x-idempotency.key has no member "heeder"; did you mean header? | header: X-Key`},
		{"{key: {ttl: 1h}}", `29: IDM010: x-idempotency.key has no member "ttl"; did you mean ttl? | ttl: 1h # directly below x-idempotency`},
		{"{docs: {colour: red}}", `30: IDM010: x-idempotency.docs has no member "colour" | remove it; there are url`},
		{"{key: X-Key}", "28: IDM011: x-idempotency.key: must be an object, not a string (X-Key) | key: {header: Idempotency-Key}"},
		{"", "7: IDM011: x-idempotency: null is not a value; write one or remove the annotation | x-idempotency: true"},
		{"3", "22: IDM011: x-idempotency must be one of true, false, required, optional, exempt or an object, not \"3\" | x-idempotency: true"},
		{"[]", "22: IDM011: x-idempotency must be one of true, false, required, optional, exempt or an object, not a list | x-idempotency: true"},
		{"Required", "22: IDM011: x-idempotency must be one of true, false, required, optional, exempt or an object, not \"Required\" | x-idempotency: required"},
		{"{apply: [post]}", "23: IDM013: x-idempotency.apply belongs to the root of the document | x-idempotency: true"},
		{"{profile: strip}", `32: IDM012: x-idempotency.profile: "strip" is not one of default, ietf, stripe | profile: stripe`},
		{"{key: {header: 'X Key'}}", `37: IDM012: x-idempotency.key.header: "X Key" is not a field name | header: Idempotency-Key`},
		{"{key: {header: authorization}}", "37: IDM020: x-idempotency.key.header: Authorization cannot carry the key: the field has a meaning of its own | header: Idempotency-Key"},
		{"{key: {aliases: [X-Key, If-None-Match]}}", "46: IDM020: x-idempotency.key.aliases: If-None-Match cannot carry the key: the field has a meaning of its own | aliases: [X-Key]"},
		{"{key: {aliases: X-Key}}", "38: IDM011: x-idempotency.key.aliases: must be a list, not a string (X-Key) | aliases: [X-Idempotency-Key]"},
		{"{key: {aliases: [idempotency-key]}}", "38: IDM020: x-idempotency.key.aliases: Idempotency-Key is named twice | aliases: []"},
		{"{key: {source: query}}", `37: IDM012: x-idempotency.key.source: "query" is neither header nor body:<pointer> | source: body:/requestId`},
		{"{key: {source: 'body:'}}", `37: IDM012: x-idempotency.key.source: "" is the whole body; name a member | source: body:/requestId`},
		{"{key: {source: 'body:/idd'}}", "37: IDM020: x-idempotency.key.source: the request body of POST /orders/{orderId} has no member /idd | source: body:/id"},
		{"{key: {source: 'body:/amount'}}", "37: IDM020: x-idempotency.key.source: /amount must be a string, and is integer in the request body of POST /orders/{orderId} | type: string"},
		{"{key: {source: 'body:/lines/0/price'}}", "37: IDM020: x-idempotency.key.source: /lines/0/price passes through an array | source: header"},
		{"{key: {minLength: 0}}", "40: IDM012: x-idempotency.key.minLength: 0 is out of range: 1 to 255 | minLength: 1"},
		{"{key: {maxLength: 256}}", "40: IDM012: x-idempotency.key.maxLength: 256 is out of range: 1 to 255 | maxLength: 255"},
		{"{key: {maxLength: 9.5}}", "40: IDM011: x-idempotency.key.maxLength: must be an integer, not a number (9.5) | maxLength: 1"},
		{"{key: {minLength: 9, maxLength: 8}}", "40: IDM020: x-idempotency.key: minLength 9 is greater than maxLength 8 | minLength: 8"},
		{"{key: {pattern: '('}}", "38: IDM020: x-idempotency.key.pattern: the pattern does not compile: missing closing ): `^(?:()$` | pattern: '[0-9a-f-]{36}'"},
		{"{scope: [operation]}", "30: IDM021: x-idempotency.scope of POST /orders/{orderId} names neither tenant nor principal: equal keys of two callers would meet | scope: [tenant, operation]"},
		{"{scope: [tenant, user]}", `39: IDM021: x-idempotency.scope: "user" is not one of tenant, principal, operation, path, ctx:<name> | scope: [tenant]`},
		{"{scope: [tenant, 'ctx:']}", `39: IDM021: x-idempotency.scope: "ctx:" is not one of tenant, principal, operation, path, ctx:<name> | scope: [tenant]`},
		{"{public: true, scope: [principal]}", "44: IDM021: x-idempotency.scope of POST /orders/{orderId} names a caller, and public: true says that there is none | scope: [operation]"},
		{"{fingerprint: {mode: yaml}}", `43: IDM012: x-idempotency.fingerprint.mode: "yaml" is not one of auto, json, raw, multipart, form, none | mode: auto`},
		{"{fingerprint: {include: [amount]}}", `47: IDM012: x-idempotency.fingerprint.include: "amount" is not a JSON pointer: it must start with a slash | include: [/amount]`},
		{"{fingerprint: {exclude: ['/a~2', '']}}", `47: IDM012: x-idempotency.fingerprint.exclude: "/a~2" is not a JSON pointer: write ~0 for ~ and ~1 for / | exclude: [/sentAt]` + "\n" +
			`55: IDM012: x-idempotency.fingerprint.exclude: "" is the whole body; name a member | exclude: [/a~2]`},
		{"{fingerprint: {include: [/id], exclude: [/amount]}}", "46: IDM023: x-idempotency.fingerprint: include and exclude exclude each other; keep one | exclude: [/amount]"},
		{"{fingerprint: {include: [/lines/0/price]}}", "46: IDM023: x-idempotency.fingerprint.include: /lines/0/price passes through an array; name the whole array | include: [/lines]"},
		{"{fingerprint: {mode: raw, exclude: [/id]}}", "57: IDM023: x-idempotency.fingerprint.exclude: pointers apply to JSON, and mode is raw | mode: json"},
		{"{fingerprint: {headers: [cookie, X-A]}}", "47: IDM023: x-idempotency.fingerprint.headers: Cookie differs between honest retries and must not enter the fingerprint | headers: [X-A]"},
		{"{fingerprint: {headers: [idempotency-key, X-A]}}", "46: IDM023: x-idempotency.fingerprint.headers: Idempotency-Key is the key itself | headers: [X-A]"},
		{"{fingerprint: {maxBody: 0}}", "46: IDM012: x-idempotency.fingerprint.maxBody: 0 is out of range: 1B to 64MiB | maxBody: 1B"},
		{"{fingerprint: {maxBody: 65MiB}}", "46: IDM012: x-idempotency.fingerprint.maxBody: 65MiB is out of range: 1B to 64MiB | maxBody: 64MiB"},
		{"{fingerprint: {maxBody: 1MB}}", `46: IDM011: x-idempotency.fingerprint.maxBody: "1MB" is not a size such as 4096, 64KiB or 1MiB | maxBody: 1MiB`},
		{"{fingerprint: {maxBody: true}}", `46: IDM011: x-idempotency.fingerprint.maxBody: must be a size such as 64KiB or 1MiB, not a boolean (true) | maxBody: 1MiB`},
		{"{mismatchStatus: 418}", "39: IDM012: x-idempotency.mismatchStatus: 418 is not one of 409, 422, 400 | mismatchStatus: 409"},
		{"{mismatchStatus: conflict}", "39: IDM011: x-idempotency.mismatchStatus: must be one of 409, 422, 400, not a string (conflict) | mismatchStatus: 409"},
		{"{maxWait: 31s}", "32: IDM012: x-idempotency.maxWait: 31s is out of range: 0s to 30s | maxWait: 30s"},
		{"{retryAfter: 500ms}", "35: IDM012: x-idempotency.retryAfter: 500ms is out of range: 1s to 1m | retryAfter: 1s"},
		{"{ttl: 30d}", `28: IDM011: x-idempotency.ttl: "30d" is not a duration such as 30s, 15m or 24h | ttl: 720h`},
		{"{ttl: 3600}", "28: IDM011: x-idempotency.ttl: a duration needs a unit, such as 3600s or 3600m | ttl: 3600s"},
		{"{ttl: [1h]}", "28: IDM011: x-idempotency.ttl: must be a duration such as 30s or 24h, not a list | ttl: 1m"},
		{"{ttl: 721h}", "28: IDM012: x-idempotency.ttl: 721h is out of range: 1m to 720h | ttl: 720h"},
		{"{ttl: -1h}", "28: IDM012: x-idempotency.ttl: -1h is out of range: 1m to 720h | ttl: 1m"},
		{"{ttl: 1m, lease: 1m}", "39: IDM026: x-idempotency: the lease (1m) must be shorter than the ttl (1m) | lease: 30s"},
		{"{lease: 25h, ttl: 720h}", "30: IDM012: x-idempotency.lease: 25h is out of range: 1s to 1h | lease: 1h"},
		{"{mode: tx, onStoreError: run}", "47: IDM026: x-idempotency: onStoreError: run cannot work with mode: tx, which has no transaction without its store | onStoreError: reject"},
		{"{record: {statuses: [4XX]}}", "42: IDM024: x-idempotency.record.statuses: 2XX must be recorded, or a retry repeats what succeeded | statuses: [2XX, 4XX]"},
		{"{record: {statuses: [2XX, 412]}}", "48: IDM024: x-idempotency.record.statuses: 412 is never recorded: a retry under the same key must be judged anew | statuses: [2XX]"},
		{"{record: {statuses: [2XX, 1XX]}}", `48: IDM012: x-idempotency.record.statuses: "1XX" is not a status such as 2XX or 409 | statuses: [2XX]`},
		{"{replay: {headers: [X-A, proxy-foo]}}", "47: IDM025: x-idempotency.replay.headers: Proxy-Foo belongs to one exchange and is never replayed | headers: [X-A]"},
		{"{replay: {headers: [ratelimit-limit]}}", "42: IDM025: x-idempotency.replay.headers: Ratelimit-Limit belongs to one exchange and is never replayed | headers: []"},
		{"{replay: {body: reference}}", "38: IDM025: x-idempotency.replay.body of POST /orders/{orderId}: reference without a read operation: the document has no GET that could answer what Location names | body: store"},
		{"{replay: {body: link}}", `38: IDM012: x-idempotency.replay.body: "link" is not one of store, none, reference | body: store`},
		{"{replay: {encrypt: aes}}", "41: IDM011: x-idempotency.replay.encrypt: must be true or false, not a string (aes) | encrypt: true"},
		{"{replay: {status: 201}}", "40: IDM011: x-idempotency.replay.status: must be one of original, 200, not an integer (201) | status: original"},
		{"{rollout: false}", "32: IDM011: x-idempotency.rollout: must be one of enforce, observe, off, not a boolean (false) | rollout: enforce"},
		{"{store: ''}", "30: IDM012: x-idempotency.store: the name is empty | store: default"},
		{"{docs: {url: /keys}}", `35: IDM012: x-idempotency.docs.url: "/keys" is not an absolute http or https URL | url: https://api.example/docs/keys`},
	} {
		_, list := read(t, map[string]string{"api.yaml": order("", "", "x-idempotency: "+c.annotation)})
		if got := columns(list, 7); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.annotation, got, c.want)
		}
	}
}

// Any GET may be what Location names; an inherited reference to nothing is
// reported once.
func TestIdempotency_Reference(t *testing.T) {
	const get = "get: {operationId: read, parameters: [{name: orderId, in: path, required: true, schema: {type: string}}], responses: {'200': {description: d}}}"
	doc, list := read(t, map[string]string{"api.yaml": order("", get, "x-idempotency: {replay: {body: reference}}")})
	if len(list) != 0 {
		t.Errorf("with a read operation: %v", list)
	}
	for _, op := range doc.Operations {
		if p := op.Idempotency; p != nil && p.Replay.Body.V != ReplayReference {
			t.Errorf("replay.body is %s", p.Replay.Body.V)
		}
	}
	_, list = read(t, map[string]string{"api.yaml": order("x-idempotency: {replay: {body: reference}, apply: [post]}", "", "")})
	if len(list) != 1 || list[0].Rule != diag.RuleReplay || list[0].Pos.Line != 2 || strings.Contains(list[0].Message, " of POST") {
		t.Errorf("inherited, without a read operation: %v", list)
	}
}

// columns renders the diagnostics of one line: column: rule: message | fix.
func columns(list diag.List, line int) string {
	var all []string
	for _, d := range list {
		head := "api.yaml:" + string(rune('0'+line)) + ":"
		all = append(all, strings.TrimPrefix(d.Error(), head)+" | "+d.Fix)
	}
	return strings.Join(all, "\n")
}

// A value that is wrong for many operations is reported once.
func TestIdempotency_InheritedErrorOnce(t *testing.T) {
	text := order("x-idempotency: {apply: [post, put], scope: [path], lease: 1h, ttl: 1h}", "", "") // and two operations
	text = strings.Replace(text, "    post:", "    put: {security: [{apiKey: []}], parameters: [{name: orderId, in: path, required: true, schema: {type: string}}], responses: {default: {description: d}}}\n    post:", 1)
	_, list := read(t, map[string]string{"api.yaml": text})
	want := "44: IDM021: x-idempotency.scope names neither tenant nor principal: equal keys of two callers would meet | scope: [tenant, operation]\n" +
		"59: IDM026: x-idempotency: the lease (1h) must be shorter than the ttl (1h) | lease: 30m"
	if got := columns(list, 2); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The whole document is judged in one run: testdata/wrong.txt holds all that is
// wrong with testdata/wrong.yaml, as it is printed.
func TestRead_EverythingWrong(t *testing.T) {
	for _, name := range []string{"wrong", "etag"} {
		content := func(file string) []byte {
			b, err := os.ReadFile(filepath.Join("testdata", file))
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		doc, list := source.Load(name+".yaml", func(file string) ([]byte, error) { return content(file), nil })
		_, more := Read(doc)
		list = append(list, more...)
		list.Sort()
		var got bytes.Buffer
		if err := diag.Print(&got, list, content); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name+".txt")
		if *update {
			if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want := content(name + ".txt"); !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s differs; run go test -update ./generator/policy and read the difference:\n%s", golden, got.String())
		}
		for _, d := range list {
			if d.Fix == "" && d.Severity == diag.Error {
				t.Errorf("no fix: %v", d)
			}
		}
	}
}
