package lint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/lint"
	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/source"
)

// head is what stands above paths in the examples; its lines are not counted.
const head = `openapi: 3.1.0
info: {title: T, version: '1'}
security: [{key: []}]
components:
  securitySchemes: {key: {type: http, scheme: bearer}}
  schemas:
    Pet: {type: object, required: [version], properties: {version: {type: integer, format: int64}}}
`

// wrap makes a document of an example. Paths are indented by two, and begin at
// line 1.
func wrap(paths string) string {
	return head + "paths:\n  " + strings.ReplaceAll(strings.TrimSuffix(paths, "\n"), "\n", "\n  ") + "\n"
}

// stages runs what comes before the rules.
func stages(name, text string, disabled ...diag.Rule) (lint.Input, diag.List) {
	doc, errs := source.Load(name, func(string) ([]byte, error) { return []byte(text), nil })
	if errs.Errors() > 0 {
		return lint.Input{}, errs
	}
	policies, errs := policy.Read(doc)
	api, _ := plan.Build(doc, policies, plan.Target{Package: "api", Source: name, Router: "std"})
	return lint.Input{Document: doc, Policies: policies, API: api, Disabled: disabled}, errs
}

// read is stages for a document that has no error.
func read(t *testing.T, name, text string, disabled ...diag.Rule) lint.Input {
	t.Helper()
	in, errs := stages(name, text, disabled...)
	if errs.Errors() > 0 {
		t.Fatalf("%v\n%s", errs, text)
	}
	return in
}

// findings are those of some rules, or all, with positions in the example.
func findings(in lint.Input, rules ...diag.Rule) []string {
	var all []string
	report := lint.Run(in)
	for _, f := range report.Findings {
		for _, rule := range rules {
			if f.Rule == rule {
				f.Pos.Line -= strings.Count(head, "\n") + 1
				f.Pos.Col -= 2
				f.Pos.File = ""
				all = append(all, strings.TrimPrefix(f.Error(), ":"))
			}
		}
	}
	return all
}

// An operation that the configuration leaves out is not judged, and neither are
// its suppressions.
func TestRun_LeftOut(t *testing.T) {
	paths := "/toys:\n  post: {responses: {default: {description: Error}}, x-idemgen-ignore: {IDM101: why, IDM111: why}}\n" +
		"  put: {responses: {'200': {description: Done}}, x-idempotency: {ttl: 100h}}\n" + post
	in := read(t, "api.yaml", wrap(paths))
	rules := []diag.Rule{lint.RuleUndecidedRetry, lint.RuleLongTTL, lint.RuleStatus, lint.RuleIdleIgnore}
	if all := findings(in, rules...); len(all) != 4 {
		t.Fatalf("with all operations: %q", all)
	}
	in.API, _ = plan.Build(in.Document, in.Policies, plan.Target{
		Package: "api", Source: "api.yaml", Router: "std", Select: func(op source.Op, _ *policy.Operation) string {
			if op.Path == "/toys" {
				return "excluded"
			}
			return ""
		},
	})
	all := findings(in, rules...)
	if len(all) != 1 || !strings.Contains(all[0], "POST /pets has neither") {
		t.Errorf("got %q", all)
	}
}

// The examples of each rule are its first tests.
func TestRules_Examples(t *testing.T) {
	want := map[diag.Rule]string{
		lint.RuleUndecidedRetry:     "2:3: warning: IDM101: POST /pets has neither x-idempotency nor x-etag: a retry may perform it twice",
		lint.RuleUndecidedOverwrite: "3:3: info: IDM102: DELETE /flags/{name} has neither x-etag nor x-idempotency: the last writer wins",
		lint.RuleStreaming:          "2:3: warning: IDM103: POST /chats answers with a stream, which cannot be replayed, and is not exempt",
		lint.RuleTenant:             "3:28: warning: IDM110: x-idempotency of POST /pets: the scope [principal operation] has no tenant, and callers authenticate: equal keys of two tenants would meet",
		lint.RuleLongTTL:            "3:26: warning: IDM111: x-idempotency.ttl of POST /pets: answers are kept for 168h, longer than anybody retries",
		lint.RuleShortTTL:           "3:26: warning: IDM112: x-idempotency.ttl of POST /pets: answers are forgotten after 1h, and clients retry for 6h (api.yaml:12:7)",
		lint.RuleFingerprint:        "3:41: warning: IDM113: x-idempotency.fingerprint.mode of POST /pets: with none a key that is used for another body replays the wrong answer",
		lint.RuleKeyHeader:          "3:18: warning: IDM114: PUT /pets declares the header Idempotency-Key, and nothing honours it",
		lint.RuleSecret:             "5:7: warning: IDM115: the 201 of POST /api-keys is recorded and contains /apiKey in plain text",
		lint.RulePrecondition:       "7:18: warning: IDM120: PUT /pets/{id} declares If-Match without x-etag: only the handler can check it",
		lint.RuleGuardWithoutTag:    "5:3: warning: IDM121: PUT /pets/{id} takes If-Match, and no GET of /pets/{id} or above answers with an ETag",
		lint.RuleTagWithoutGuard:    "5:3: warning: IDM122: PUT /pets/{id} ignores the ETag that GET /pets/{id} answers with: the last writer wins",
		lint.RuleStatus:             "4:5: info: IDM130: POST /pets may be answered with 409, which its responses do not declare",
		lint.RuleBadIgnore:          "4:24: warning: IDM190: x-idemgen-ignore: IDM101 has no reason",
		lint.RuleIdleIgnore:         "4:24: warning: IDM191: x-idemgen-ignore: IDM101 suppresses nothing",
	}
	for _, rule := range lint.Rules() {
		bad := findings(read(t, "api.yaml", wrap(rule.Bad)), rule.ID)
		if len(bad) != 1 || bad[0] != want[rule.ID] {
			t.Errorf("%s, bad example:\ngot  %q\nwant %q", rule.ID, bad, want[rule.ID])
		}
		if good := findings(read(t, "api.yaml", wrap(rule.Good)), rule.ID); len(good) > 0 {
			t.Errorf("%s, good example: %q", rule.ID, good)
		}
	}
}

func TestRules_Described(t *testing.T) {
	last := diag.Rule("")
	for _, r := range lint.Rules() {
		if r.ID.About() != "" {
			t.Errorf("%s is a rule of the stages already: %s", r.ID, r.ID.About())
		}
		if r.ID <= last {
			t.Errorf("%s stands after %s", r.ID, last)
		}
		last = r.ID
		if r.Title == "" || r.Why == "" || r.Fix == "" || strings.HasSuffix(r.Title, ".") {
			t.Errorf("%s is not described: %+v", r.ID, r)
		}
	}
}

const post = "/pets:\n  post:\n    responses: {'201': {description: Created}, default: {description: Error}}\n"

// operation adds lines to a POST.
func operation(lines ...string) string {
	return post + "    " + strings.Join(lines, "\n    ") + "\n"
}

// answer adds lines to a keyed POST whose 201 has a schema.
func answer(schema string, lines ...string) string {
	return "/pets:\n  post:\n    responses: {default: {description: Error}, '201': {description: Created, content: {application/json: {schema: " + schema + "}}}}\n    " +
		strings.Join(lines, "\n    ") + "\n"
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		name  string
		rule  diag.Rule
		paths string
		want  []string // of the rule: position and a part of the message
	}{
		{"x-idempotency: false is no decision", lint.RuleUndecidedRetry, operation("x-idempotency: false"), []string{"2:3 POST /pets has neither"}},
		{"a path item decides", lint.RuleUndecidedRetry, "/pets:\n  x-idempotency: optional\n  patch: {responses: {default: {description: Error}}}\n", nil},
		{"PUT is not repeated but overwritten", lint.RuleUndecidedRetry, "/pets:\n  put: {responses: {default: {description: Error}}}\n", nil},
		{"a declared key is told once", lint.RuleUndecidedRetry, operation("parameters: [{name: Idempotency-Key, in: header, schema: {type: string}}]"), nil},
		{"a declared precondition is told once", lint.RuleUndecidedOverwrite, "/pets:\n  delete:\n    parameters: [{name: If-Match, in: header, schema: {type: string}}]\n    responses: {default: {description: Error}}\n", nil},
		{"an ignored tag is told once", lint.RuleUndecidedOverwrite, "/pets:\n  get:\n    responses: {'200': {description: Pets, headers: {ETag: {schema: {type: string}}}}}\n  delete:\n    responses: {default: {description: Error}}\n", nil},
		{"a correlation id decides nothing", lint.RuleUndecidedRetry, operation("parameters: [{name: X-Request-Id, in: header, schema: {type: string}}]"), []string{"2:3 POST /pets has neither"}},
		{"a stream is told once", lint.RuleUndecidedRetry, "/chats:\n  post: {responses: {'200': {description: Words, content: {text/event-stream: {}}}}}\n", nil},
		{"a read may stream", lint.RuleStreaming, "/chats:\n  get: {responses: {'200': {description: Words, content: {text/event-stream: {}}}}}\n", nil},
		{"reads need no policy", lint.RuleUndecidedOverwrite, "/pets:\n  get: {responses: {default: {description: Error}}}\n", nil},

		{"public, and yet secured", lint.RuleTenant, operation("x-idempotency: {public: true}"), []string{"4:29 the scope [operation] has no tenant"}},
		{"public and open", lint.RuleTenant, operation("security: []", "x-idempotency: {public: true}"), nil},
		{
			"one scope of a path item, told once", lint.RuleTenant,
			"/pets:\n  x-idempotency: {scope: [principal, operation]}\n  post: {responses: {default: {description: Error}}}\n  patch: {responses: {default: {description: Error}}}\n",
			[]string{"2:26 x-idempotency: the scope"},
		},

		{"72h is not too long", lint.RuleLongTTL, operation("x-idempotency: {ttl: 72h}"), nil},
		{"72h and a minute is", lint.RuleLongTTL, operation("x-idempotency: {ttl: 72h1m}"), []string{"4:26 kept for 72h1m0s"}},
		{"the default is shorter than the window", lint.RuleShortTTL, operation("x-idempotency: required", "x-idemgen-retry-window: 48h"), []string{"5:5 forgotten after 24h, and clients retry for 48h"}},
		{"Speakeasy's retries", lint.RuleShortTTL, operation("x-idempotency: {ttl: 30m}", "x-speakeasy-retries: {strategy: backoff, backoff: {maxElapsedTime: 3600000}}"), []string{"4:26 clients retry for 1h"}},
		{"no retries", lint.RuleShortTTL, operation("x-idempotency: {ttl: 30m}", "x-speakeasy-retries: {strategy: none}"), nil},
		{
			"one window of a path item, told once", lint.RuleShortTTL,
			"/pets:\n  x-idemgen-retry-window: 48h\n  x-idempotency: required\n  post: {responses: {default: {description: Error}}}\n  patch: {responses: {default: {description: Error}}}\n",
			[]string{"2:3 x-idempotency.ttl: answers are forgotten after 24h"},
		},
		{"a window without a unit", lint.RuleShortTTL, operation("x-idempotency: required", "x-idemgen-retry-window: 48"), []string{"5:29 must be a duration"}},
		{"a window without keys", lint.RuleShortTTL, operation("x-idempotency: exempt", "x-idemgen-retry-window: 48h"), nil},

		{"any letter case", lint.RuleKeyHeader, operation("parameters: [{name: idempotency-KEY, in: header, schema: {type: string}}]"), []string{"4:18 declares the header idempotency-KEY"}},
		{"the handler's own", lint.RuleKeyHeader, operation("x-idempotency: exempt", "parameters: [{name: Idempotency-Key, in: header, schema: {type: string}}]"), nil},
		{"an alias", lint.RuleKeyHeader, operation("x-idempotency: {key: {aliases: [X-Idempotency-Key]}}", "parameters: [{name: X-Idempotency-Key, in: header, schema: {type: string}}]"), nil},
		{
			"the key is in the body", lint.RuleKeyHeader, operation(
				"requestBody: {content: {application/json: {schema: {type: object, properties: {id: {type: string}}}}}}",
				"x-idempotency: {key: {source: 'body:/id'}}", "parameters: [{name: Idempotency-Key, in: header, schema: {type: string}}]"),
			[]string{"6:18 declares the header"},
		},
		{"a read", lint.RuleKeyHeader, "/pets:\n  get:\n    parameters: [{name: Idempotency-Key, in: header, schema: {type: string}}]\n    responses: {default: {description: Error}}\n", []string{"3:18 GET /pets declares"}},
		{"a query is no header", lint.RuleKeyHeader, operation("parameters: [{name: Idempotency-Key, in: query, schema: {type: string}}]"), nil},
		{"the document's own name", lint.RuleKeyHeader, operation("x-idempotency: {key: {header: Request-Token}}") + "/toys:\n  post:\n    parameters: [{name: Request-Token, in: header, schema: {type: string}}]\n    responses: {default: {description: Error}}\n", []string{"7:18 POST /toys declares the header Request-Token"}},

		{"nested, in a list", lint.RuleSecret, answer("{type: array, items: {type: object, properties: {auth: {type: object, properties: {access_token: {type: string}}}}}}", "x-idempotency: required"), []string{"3:48 contains /-/auth/access_token"}},
		{"one of several", lint.RuleSecret, answer("{oneOf: [{type: object, properties: {id: {type: string}}}, {type: object, properties: {clientSecret: {type: string}}}]}", "x-idempotency: required"), []string{"3:48 contains /clientSecret"}},
		{"many", lint.RuleSecret, answer("{type: object, properties: {e_token: {}, a_token: {}, b_token: {}, d_token: {}, c_token: {}}}", "x-idempotency: required"), []string{"3:48 contains /a_token, /b_token, /c_token and 2 more in plain text"}},
		{"format: password", lint.RuleSecret, answer("{type: object, properties: {word: {type: string, format: password}}}", "x-idempotency: required"), []string{"3:48 contains /word"}},
		{"pages, kinds and counts", lint.RuleSecret, answer("{type: object, properties: {nextPageToken: {type: string}, tokenType: {type: string}, secret: {type: boolean}, tokens: {type: integer}}}", "x-idempotency: required"), nil},
		{"secrets that are not there", lint.RuleSecret, answer("{type: object, properties: {hashed_token: {type: string}, encryptedPassword: {type: string}, redacted_client_secret: {type: string}}}", "x-idempotency: required"), nil},
		{"written only", lint.RuleSecret, answer("{type: object, properties: {password: {type: string, writeOnly: true}}}", "x-idempotency: required"), nil},
		{"no body", lint.RuleSecret, answer("{type: object, properties: {password: {type: string}}}", "x-idempotency: {replay: {body: none}}"), nil},
		{"a schema that contains itself", lint.RuleSecret, strings.ReplaceAll(answer("{type: object, properties: {pet: {$ref: '#/paths/~1pets/post/responses/201/content/application~1json/schema'}}}", "x-idempotency: required"), "\\", ""), nil},

		{"If-None-Match on a read", lint.RulePrecondition, "/pets:\n  get:\n    parameters: [{name: if-none-match, in: header, schema: {type: string}}]\n    responses: {default: {description: Error}}\n", []string{"3:18 GET /pets declares if-none-match"}},
		{"OPTIONS has no preconditions", lint.RulePrecondition, "/pets:\n  parameters: [{name: If-Match, in: header, schema: {type: string}}]\n  options: {responses: {default: {description: Error}}}\n", nil},
		{"a tag of what contains it", lint.RuleGuardWithoutTag, "/pets:\n  get:\n    responses: {'200': {description: Pets, headers: {ETag: {schema: {type: string}}}}}\n/pets/first:\n  put:\n    parameters: [{name: If-Match, in: header, schema: {type: string}}]\n    responses: {default: {description: Error}}\n", nil},
		{"a neighbour's tag", lint.RuleGuardWithoutTag, "/pet:\n  get:\n    responses: {'200': {description: Pets, headers: {ETag: {schema: {type: string}}}}}\n/pets:\n  put:\n    parameters: [{name: If-Match, in: header, schema: {type: string}}]\n    responses: {default: {description: Error}}\n", []string{"5:3 PUT /pets takes If-Match"}},
		{"a tag in the body", lint.RuleGuardWithoutTag, "/pets:\n  get:\n    responses: {'200': {description: Pets, content: {application/json: {schema: {type: object, properties: {eTag: {type: string}}}}}}}\n  put:\n    parameters: [{name: If-Match, in: header, schema: {type: string}}]\n    responses: {default: {description: Error}}\n", nil},
		{"If-Match is optional", lint.RuleTagWithoutGuard, strings.Replace(guardedPet(), "  put:\n", "  put:\n    x-etag: {require: []}\n", 1), []string{"7:23 x-etag.require of PUT /pets/{id}: a write without If-Match"}},
		{"switched off", lint.RuleTagWithoutGuard, strings.Replace(guardedPet(), "  put:\n", "  put:\n    x-etag: false\n", 1), []string{"6:3 PUT /pets/{id} ignores the ETag"}},
		{"a creation demands another condition", lint.RuleTagWithoutGuard, strings.Replace(guardedPet(), "  put:\n", "  put:\n    x-etag: {role: create}\n", 1), nil},
		{"a list has no tag of its own", lint.RuleTagWithoutGuard, "/pets:\n  get:\n    x-etag: {listItems: Pet}\n    responses: {'200': {description: Pets, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}}}\n  delete: {responses: {default: {description: Error}}}\n" + guardedPet(), nil},
		{"a read alone may have a tag", lint.RuleTagWithoutGuard, "/pets:\n  get:\n    responses: {'200': {description: Pets, headers: {ETag: {schema: {type: string}}}}}\n", nil},

		{"a guarded write", lint.RuleStatus, strings.Replace(guardedPet(), ", default: {description: Error}", "", 1), []string{"7:5 answered with 412, 428,"}},
		{"a class declares its statuses", lint.RuleStatus, "/pets:\n  post:\n    x-idempotency: required\n    responses: {'201': {description: Created}, 4XX: {description: Error}}\n", nil},
		{"mismatchStatus", lint.RuleStatus, "/pets:\n  post:\n    x-idempotency: {profile: ietf}\n    responses: {'201': {description: Created}, '409': {description: In flight}}\n", []string{"4:5 answered with 400, 422,"}},
		{"nothing is enforced", lint.RuleStatus, "/pets:\n  post:\n    x-idempotency: {rollout: observe}\n    responses: {'201': {description: Created}}\n", nil},

		{"no such rule", lint.RuleBadIgnore, operation("x-idemgen-ignore: {IDM010X: why}"), []string{`4:24 there is no rule "IDM010X"`}},
		{"a word", lint.RuleBadIgnore, operation("x-idemgen-ignore: IDM101"), []string{"4:23 must be an object of rules and reasons or a list, not a string"}},
		{"a list of words", lint.RuleBadIgnore, operation("x-idemgen-ignore: [IDM101]"), []string{"4:24 an item is an object with rule and reason"}},
		{"itself", lint.RuleBadIgnore, operation("x-idemgen-ignore: {IDM191: why}"), []string{"4:24 cannot be suppressed by one"}},
		{"where nothing reads it", lint.RuleBadIgnore, "/pets:\n  post:\n    x-idempotency: required\n    responses:\n      default: {description: Error, x-idemgen-ignore: {IDM101: why}}\n", []string{"5:37 has no meaning here"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := findings(read(t, "api.yaml", wrap(c.paths)), c.rule)
			if len(got) != len(c.want) {
				t.Fatalf("got %q, want %q", got, c.want)
			}
			for i, want := range c.want {
				pos, part, _ := strings.Cut(want, " ")
				if !strings.HasPrefix(got[i], pos+": ") || !strings.Contains(got[i], part) {
					t.Errorf("got %q, want %q", got[i], want)
				}
			}
		})
	}
}

// guardedPet is a path whose write is guarded: the good example of a rule.
func guardedPet() string {
	for _, r := range lint.Rules() {
		if r.ID == lint.RuleTagWithoutGuard {
			return r.Good
		}
	}
	return ""
}

// A correlation id is new in every attempt: whoever takes it for a key has none.
func TestRun_CorrelationIDs(t *testing.T) {
	for _, name := range []string{"X-Request-ID", "X-Correlation-ID", "Request-Id", "X-Amzn-Trace-Id", "traceparent", "x-ms-client-request-id", "X-Transaction-Id"} {
		paths := "/pets:\n  get:\n    parameters: [PARAM]\n    responses: {default: {description: Error}}\n  post:\n    parameters: [PARAM]\n    x-idempotency: exempt\n    responses: {default: {description: Error}}\n"
		paths = strings.ReplaceAll(paths, "PARAM", "{name: "+name+", in: header, required: true, schema: {type: string, format: uuid}}")
		report := lint.Run(read(t, "api.yaml", wrap(paths)))
		for _, f := range report.Findings {
			t.Errorf("%s: %s", name, f.Error())
		}
	}
}

func TestRun_Suppression(t *testing.T) {
	const two = "/pets:\n  post: {OP responses: {default: {description: Error}}}\n  patch: {responses: {default: {description: Error}}}\n  ITEM\n"
	for _, c := range []struct {
		name, root, item, op string
		disabled             []diag.Rule
		findings, suppressed int
	}{
		{name: "nothing", findings: 2},
		{name: "operation", op: "x-idemgen-ignore: {IDM101: why},", findings: 1, suppressed: 1},
		{name: "list", op: "x-idemgen-ignore: [{rule: IDM101, reason: why}],", findings: 1, suppressed: 1},
		{name: "path item", item: "x-idemgen-ignore: {IDM101: why}", suppressed: 2},
		{name: "root", root: "x-idemgen-ignore: {IDM101: why}", suppressed: 2},
		{name: "configuration", disabled: []diag.Rule{"IDM101"}, suppressed: 2},
		{name: "configuration and operation", op: "x-idemgen-ignore: {IDM101: why},", disabled: []diag.Rule{"IDM101"}, suppressed: 2},
		{name: "two levels", root: "x-idemgen-ignore: {IDM101: why}", op: "x-idemgen-ignore: {IDM101: why},", suppressed: 2},
		{name: "another rule", root: "x-idemgen-ignore: {IDM111: why}", findings: 3},
		{name: "no reason", root: "x-idemgen-ignore: {IDM101: }", findings: 3},
		{name: "idle, and that is disabled", root: "x-idemgen-ignore: {IDM111: why}", disabled: []diag.Rule{lint.RuleIdleIgnore}, findings: 2, suppressed: 1},
	} {
		text := wrap(strings.NewReplacer("OP", c.op, "ITEM", c.item).Replace(two)) + c.root + "\n"
		report := lint.Run(read(t, "api.yaml", text, c.disabled...))
		if len(report.Findings) != c.findings || report.Suppressed != c.suppressed {
			t.Errorf("%s: %d findings, %d suppressed; want %d, %d: %v", c.name, len(report.Findings), report.Suppressed, c.findings, c.suppressed, report.List())
		}
	}
}

// Warnings of the stages belong to no operation: the root takes them back.
func TestRun_SuppressesWarnings(t *testing.T) {
	for place, want := range map[string]int{"root": 0, "operation": 2} {
		text := wrap(operation("x-idempotency: required"))
		if place == "root" {
			text += "x-idemgen-ignore: {IDM009: a tool of ours needs it}\n"
		} else {
			text = wrap(operation("x-idempotency: required", "x-idemgen-ignore: {IDM009: a tool of ours needs it}"))
		}
		in := read(t, "api.yaml", text)
		in.Warnings.Warn(diag.Pos{File: "api.yaml", Line: 2, Col: 1}, diag.RuleValidation, "", "not strictly valid")
		if report := lint.Run(in); len(report.Findings) != want {
			t.Errorf("%s: %v", place, report.List())
		}
	}
}

// corpus is a directory of published documents.
func corpus() (string, bool) {
	dir := os.Getenv("IDEMGEN_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "specs")
	}
	_, err := os.Stat(dir)
	return dir, err == nil
}

// Documents of others without annotations: nothing that is not called an
// idempotency key is taken for one, every declared one is seen, and a second run
// says the same.
func TestRun_Corpus(t *testing.T) {
	dir, ok := corpus()
	if !ok {
		t.Skip("set IDEMGEN_CORPUS to a directory of OpenAPI documents to lint them")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	// References to a parameter Idempotency-Key; the others have correlation ids.
	keys := map[string]int{"azure-apim-apis.json": 0, "azure-privatedns.json": 0, "conjur.json": 0, "spotify.yml": 0, "adyen-checkout.json": 22}
	named := regexp.MustCompile(`(?i) declares the header (x-)?idempotency-key, and nothing honours it$`)
	const most = 1 << 20 // the larger ones take long and have nothing new
	documents := 0
	for _, e := range entries {
		name := e.Name()
		if info, err := e.Info(); err != nil || info.Size() > most || !slices.Contains([]string{".json", ".yaml", ".yml"}, filepath.Ext(name)) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		in, errs := stages(name, string(text))
		if errs.Errors() > 0 {
			continue
		}
		documents++
		report := lint.Run(in)
		got := 0
		for _, f := range report.Findings {
			if f.Rule != lint.RuleKeyHeader {
				continue
			}
			got++
			if !named.MatchString(f.Message) {
				t.Errorf("%s: taken for a key: %s", name, f.Error())
			}
		}
		want, known := keys[name]
		if known && got != want {
			t.Errorf("%s: %d findings of a key, want %d", name, got, want)
		}
		if known && fmt.Sprint(report) != fmt.Sprint(lint.Run(read(t, name, string(text)))) {
			t.Errorf("%s: a second run differs", name)
		}
	}
	t.Logf("%d documents", documents)
	if documents == 0 {
		t.Skip("there is no document in " + dir)
	}
}
