package publish

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator/plan"
	idem "github.com/idemgen/idemgen/runtime"
)

func keyed(change func(*plan.Idempotency)) *plan.Idempotency {
	p := &plan.Idempotency{
		Required: true, Scope: []string{"operation"}, MismatchStatus: 409, OnStoreError: "reject", Rollout: "enforce",
		Key:    plan.Key{Header: "Idempotency-Key", MinLength: 1, MaxLength: 255},
		Replay: plan.Replay{Marker: "Idempotent-Replayed"},
	}
	if change != nil {
		change(p)
	}
	return p
}

// A contract is what the policy makes the runtime answer: no status too few,
// none too many.
func TestContractOf(t *testing.T) {
	update := &plan.Precondition{Role: "update", Require: []string{"ifMatch"}, Missing: "auto"}
	for _, tt := range []struct {
		name     string
		keyed    *plan.Idempotency
		tagged   *plan.Precondition
		body     bool
		params   string // required ones with !
		statuses string
		headers  string
	}{
		{"key", keyed(nil), nil, false, "Idempotency-Key!", "400 409 503", "Idempotent-Replayed"},
		{"with a body", keyed(nil), nil, true, "Idempotency-Key!", "400 409 413 503", "Idempotent-Replayed"},
		{"optional", keyed(func(p *plan.Idempotency) { p.Required = false }), nil, false, "Idempotency-Key", "400 409 503", "Idempotent-Replayed"},
		{"scope", keyed(func(p *plan.Idempotency) { p.Scope = []string{"tenant", "path"} }), nil, false, "Idempotency-Key!", "400 403 409 503", "Idempotent-Replayed"},
		{"public by path", keyed(func(p *plan.Idempotency) { p.Scope = []string{"operation", "path"} }), nil, false, "Idempotency-Key!", "400 409 503", "Idempotent-Replayed"},
		{"aliases: none alone is required", keyed(func(p *plan.Idempotency) { p.Key.Aliases = []string{"X-Key"} }), nil, false, "Idempotency-Key X-Key", "400 409 503", "Idempotent-Replayed"},
		{"key in the body", keyed(func(p *plan.Idempotency) { p.Key = plan.Key{Body: "/id"} }), nil, true, "", "400 409 413 503", "Idempotent-Replayed"},
		{"ietf", keyed(func(p *plan.Idempotency) { p.MismatchStatus = 422 }), nil, false, "Idempotency-Key!", "400 409 422 503", "Idempotent-Replayed"},
		{"stripe", keyed(func(p *plan.Idempotency) { p.MismatchStatus = 400 }), nil, false, "Idempotency-Key!", "400 409 503", "Idempotent-Replayed"},
		{"onStoreError: run", keyed(func(p *plan.Idempotency) { p.OnStoreError = "run" }), nil, false, "Idempotency-Key!", "400 409", "Idempotent-Replayed Idempotency-Status"},
		{"marker", keyed(func(p *plan.Idempotency) { p.Replay = plan.Replay{Marker: "X-Again", ExpiresHeader: true} }), nil, false, "Idempotency-Key!", "400 409 503", "X-Again Idempotency-Expires"},
		{"observed: nothing is refused", keyed(func(p *plan.Idempotency) { p.Rollout = "observe" }), nil, true, "Idempotency-Key", "", ""},
		{"off", keyed(func(p *plan.Idempotency) { p.Rollout = "off" }), nil, true, "", "", ""},
		{"read", nil, &plan.Precondition{Role: "read", NotModified: true}, false, "If-None-Match", "304", "ETag"},
		{"read that always answers", nil, &plan.Precondition{Role: "read"}, false, "", "", "ETag"},
		{"update", nil, update, true, "If-Match!", "400 404 412 428", "ETag Idempotency-Status"},
		{"update that can be done already", nil, &plan.Precondition{Role: "update", Require: []string{"ifMatch"}, Missing: "auto", AppliedMarker: true}, true, "If-Match!", "400 404 412 428", "ETag Idempotency-Status"},
		{"update with key", keyed(nil), update, true, "Idempotency-Key! If-Match!", "400 404 409 412 413 428 503", "Idempotent-Replayed ETag"},
		{"delete", nil, &plan.Precondition{Role: "delete", Require: []string{"ifMatch"}, Missing: "auto"}, false, "If-Match!", "400 404 412 428", "Idempotency-Status"},
		{"missing: 412", nil, &plan.Precondition{Role: "delete", Require: []string{"ifMatch"}, Missing: "preconditionFailed"}, false, "If-Match!", "400 412 428", "Idempotency-Status"},
		{"upsert", nil, &plan.Precondition{Role: "upsert", Require: []string{"ifMatch", "ifNoneMatch"}, Missing: "auto"}, false, "If-Match If-None-Match", "400 412 428", "ETag Idempotency-Status"},
		{"optional upsert", nil, &plan.Precondition{Role: "upsert", Missing: "auto", Expect: "maybeMatchOrAbsent"}, false, "If-Match If-None-Match", "400 412", "ETag Idempotency-Status"},
		{"optional update", nil, &plan.Precondition{Role: "update", Missing: "auto", Expect: "maybeMatch"}, false, "If-Match", "400 404 412", "ETag Idempotency-Status"},
		{"create", nil, &plan.Precondition{Role: "create", Require: []string{"ifNoneMatch"}, Missing: "auto", Expect: "absent"}, false, "If-None-Match!", "400 412 428", "ETag Idempotency-Status"},
		{"add to a collection", nil, &plan.Precondition{Role: "create", Missing: "auto", Collection: true}, false, "", "", "ETag Idempotency-Status"},
		{"dated read", nil, &plan.Precondition{Role: "read", NotModified: true, LastModified: true}, false, "If-None-Match", "304", "ETag Last-Modified"},
		{"no tag after PUT", nil, &plan.Precondition{Role: "update", Require: []string{"ifMatch"}, Missing: "auto", PutETag: "never"}, false, "If-Match!", "400 404 412 428", "Idempotency-Status"},
		{"applied already", keyed(nil), &plan.Precondition{Role: "update", Require: []string{"ifMatch"}, Missing: "auto", AppliedMarker: true}, false, "Idempotency-Key! If-Match!", "400 404 409 412 428 503", "Idempotent-Replayed ETag Idempotency-Status"},
		{"date", nil, &plan.Precondition{Role: "update", Require: []string{"ifUnmodifiedSince"}, Missing: "auto"}, false, "If-Unmodified-Since!", "400 404 412 428", "ETag Idempotency-Status"},
	} {
		c := contractOf(&plan.Operation{Idempotency: tt.keyed, Precondition: tt.tagged}, tt.body)
		var params, headers []string
		for _, p := range c.params {
			if p.required {
				p.name += "!"
			}
			params = append(params, p.name)
		}
		for _, h := range c.headers {
			headers = append(headers, h.name)
		}
		statuses := slices.Clone(c.statuses)
		if c.status304 {
			statuses = append(statuses, "304")
		}
		for i, got := range [][]string{params, statuses, headers} {
			if want := []string{tt.params, tt.statuses, tt.headers}[i]; strings.Join(got, " ") != want {
				t.Errorf("%s: %q, want %q", tt.name, got, want)
			}
		}
		for _, s := range c.statuses {
			if refusals[s].shared == "" {
				t.Errorf("%s: no response for %s", tt.name, s)
			}
		}
		if c.reused400 != (tt.name == "stripe") {
			t.Errorf("%s: reused400 %v", tt.name, c.reused400)
		}
	}
}

// The schema has the members of the runtime's problems, and those that are
// always there are required.
func TestProblemSchema(t *testing.T) {
	want := map[string]bool{}
	var required []any
	for field := range reflect.TypeFor[idem.Problem]().Fields() {
		name, omit, _ := strings.Cut(field.Tag.Get("json"), ",")
		want[name] = true
		if omit == "" {
			required = append(required, name)
		}
	}
	got := map[string]bool{}
	for _, m := range problemSchema {
		switch m.key {
		case "properties":
			for _, p := range m.value.(object) {
				got[p.key] = true
			}
		case "required":
			if !reflect.DeepEqual(m.value, list(required)) {
				t.Errorf("required %v, want %v", m.value, required)
			}
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("members %v, want %v", got, want)
	}
}

// Each status that the problem page gives to a policy has a response.
func TestRefusals_CoverTheProblemPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/problems.md")
	if err != nil {
		t.Fatal(err)
	}
	notOfAPolicy := []string{"method-not-allowed", "not-implemented", "internal-error"}
	for _, part := range strings.Split(string(page), "\n## ")[1:] {
		name, text, _ := strings.Cut(part, "\n")
		status := strings.TrimSpace(text)[:3]
		if _, ok := refusals[status]; !ok && !slices.Contains(notOfAPolicy, name) {
			t.Errorf("%s is answered with %s, which no response describes", name, status)
		}
	}
}
