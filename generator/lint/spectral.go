package lint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
)

// spectral is a rule for Spectral, in core functions only: what it looks at, and
// the JSON Schema that this has to match.
type spectral struct {
	given  []string
	schema string // JSON
}

// anyOf is a schema that is reported once, at what does not match: the double
// negation hides how each alternative failed.
func anyOf(alternatives ...string) string {
	return `{"not": {"not": {"anyOf": [` + strings.Join(alternatives, ", ") + `]}}}`
}

func not(schema string) string { return `{"not": ` + schema + `}` }

// written is a schema of objects that switch an annotation on or exempt
// themselves.
func written(annotation string) string {
	return `{"required": ["` + annotation + `"], "properties": {"` + annotation + `": {"not": {"const": false}}}}`
}

// Spectral cannot merge annotations, so its rules are for documents that write
// them at the operation, the path item, or with apply at the root.
const streams = `{"required": ["responses"], "properties": {"responses": {"not": {"additionalProperties": {"properties": {"content": {
	"propertyNames": {"not": {"pattern": "^(text/event-stream|application/jsonl|application/x-ndjson)"}}
}}}}}}}`

// withoutPolicy selects the operations of some methods whose path item and root
// leave the decision to them.
func withoutPolicy(methods ...string) []string {
	var tests []string
	for _, m := range methods {
		tests = append(tests, "@property === '"+m+"'")
	}
	return []string{
		"$.paths[?(!@['x-idempotency'] && !@['x-etag'])][?((" + strings.Join(tests, " || ") +
			") && !(@root['x-idempotency'] && @root['x-idempotency'].apply && @root['x-idempotency'].apply.includes(@property)))]",
	}
}

// undecided leaves to the other rules what they know more about. That the path
// is read with an ETag (IDM122) cannot be seen from an operation.
func undecided(methods ...string) *spectral {
	return &spectral{withoutPolicy(methods...), anyOf(written("x-idempotency"), written("x-etag"), streams,
		headerParameter(keyName), headerParameter(preconditionName))}
}

// JSON Schema has no case-insensitive patterns.
const (
	keyName          = "([Xx]-)?[Ii][Dd][Ee][Mm][Pp][Oo][Tt][Ee][Nn][Cc][Yy]-[Kk][Ee][Yy]"
	preconditionName = "[Ii][Ff]-(([Nn][Oo][Nn][Ee]-)?[Mm][Aa][Tt][Cc][Hh]|[Uu][Nn][Mm][Oo][Dd][Ii][Ff][Ii][Ee][Dd]-[Ss][Ii][Nn][Cc][Ee])"
)

var unsafeMethods = []string{"post", "patch", "put", "delete"}

// annotations selects a part of every x-idempotency.
func annotations(part string) []string {
	return []string{"$['x-idempotency']" + part, "$.paths[*]['x-idempotency']" + part, "$.paths[*][*]['x-idempotency']" + part}
}

var (
	spectralStreaming = &spectral{withoutPolicy(unsafeMethods...), anyOf(written("x-idempotency"), written("x-etag"), not(streams))}

	spectralTenant = &spectral{annotations(""), `{"if": {"type": "object", "required": ["scope"], "not": {"required": ["public"]}},
		"then": {"properties": {"scope": {"contains": {"const": "tenant"}}}}}`}

	spectralTTL = &spectral{annotations(".ttl"), `{"not": {"pattern": "^(72h.*[1-9].*|7[3-9]h.*|[89][0-9]h.*|[1-9][0-9]{2,}h.*)$"}}`}

	spectralFingerprint = &spectral{annotations(".fingerprint.mode"), `{"not": {"const": "none"}}`}

	spectralKeyHeader = &spectral{
		append(withoutPolicy(unsafeMethods...), "$.paths[*].get", "$.paths[*].head"),
		anyOf(written("x-idempotency"), not(headerParameter(keyName))),
	}

	spectralPrecondition = &spectral{
		[]string{"$.paths[?(!@['x-etag'])][?(@property.match(/^(get|head|post|put|patch|delete)$/))]"},
		anyOf(written("x-etag"), not(headerParameter(preconditionName))),
	}

	spectralStatus = &spectral{
		[]string{"$.paths[*][?(@ && @['x-idempotency'] && @['x-idempotency'] !== 'exempt' && @.responses)].responses"},
		anyOf(`{"required": ["409"]}`, `{"required": ["4XX"]}`, `{"required": ["4xx"]}`, `{"required": ["default"]}`),
	}
)

// headerParameter is a schema of operations that declare a header.
func headerParameter(name string) string {
	return `{"required": ["parameters"], "properties": {"parameters": {"contains": {
		"required": ["in", "name"], "properties": {"in": {"const": "header"}, "name": {"pattern": "^` + name + `$"}}
	}}}}`
}

// Spectral writes the ruleset for Spectral: the rules that its core functions
// can express. A rule that needs merged annotations sees less there.
func Spectral() []byte {
	var b strings.Builder
	b.WriteString(`# Generated from the rules of idemgen lint; do not edit. Core functions only.
#
# Spectral sees annotations where they are written, not merged: idemgen lint knows
# more, and takes findings back where x-idemgen-ignore gives a reason.
rules:
`)
	words := map[diag.Severity]string{diag.Error: "error", diag.Warning: "warn", diag.Info: "info"}
	for _, r := range table {
		if r.spectral == nil {
			continue
		}
		fmt.Fprintf(&b, "  %s:\n    description: %s\n    documentationUrl: %s\n    message: %s\n    severity: %s\n    given:\n",
			r.ID, quoted(r.Title), quoted(Page(r.ID)), quoted(r.Title), words[r.Severity])
		for _, given := range r.spectral.given {
			fmt.Fprintf(&b, "      - %s\n", quoted(given))
		}
		fmt.Fprintf(&b, "    then:\n      function: schema\n      functionOptions:\n        schema: %s\n", compact(r.spectral.schema))
	}
	return []byte(b.String())
}

// quoted writes a double-quoted scalar, which JSON strings are.
func quoted(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string always encodes
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// compact writes JSON, which YAML takes as it is, on one line.
func compact(text string) string {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		panic("the table has a schema that is not JSON: " + err.Error()) // every test run sees it
	}
	return b.String()
}
