package publish

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/idemgen/idemgen/generator/plan"
)

// contract is what a client of one operation may send and has to expect because
// of its policies.
type contract struct {
	params    []param
	statuses  []string // ascending; each has a row in refusals
	headers   []header // of successful answers
	status304 bool
	reused400 bool // mismatchStatus is 400
}

// param is a request header.
type param struct {
	name     string
	required bool
	shared   string // name among the components
	value    object
}

// header is a response header.
type header struct {
	name   string
	shared string
	value  object
}

// contractOf reads a contract off the plan of an operation; hasBody says that
// it declares a request body.
func contractOf(o *plan.Operation, hasBody bool) contract {
	var c contract
	if p := o.Idempotency; p != nil && p.Rollout != "off" {
		c.keyed(p, hasBody)
	}
	if p := o.Precondition; p != nil {
		c.versioned(p)
		if i := o.Idempotency; (i == nil || i.Rollout == "off") && p.Role != "read" {
			c.answer(statusHeader) // a key that was sent all the same
		}
	}
	slices.Sort(c.statuses)
	c.statuses = slices.Compact(c.statuses)
	return c
}

// answer adds a field of successful answers, once.
func (c *contract) answer(h header) {
	if !slices.ContainsFunc(c.headers, func(have header) bool { return same(have.name, h.name) }) {
		c.headers = append(c.headers, h)
	}
}

// keyed adds what x-idempotency means. While a policy is only observed, it
// changes no answer.
func (c *contract) keyed(p *plan.Idempotency, hasBody bool) {
	enforced := p.Rollout != "observe"
	if p.Key.Header != "" {
		alone := len(p.Key.Aliases) == 0
		c.params = append(c.params, keyParam(p, p.Key.Header, p.Required && enforced && alone))
		for _, alias := range p.Key.Aliases {
			c.params = append(c.params, keyParam(p, alias, false))
		}
	}
	if !enforced {
		return
	}
	c.statuses = append(c.statuses, "400", "409", fmt.Sprint(p.MismatchStatus))
	c.reused400 = p.MismatchStatus == http.StatusBadRequest
	if slices.ContainsFunc(p.Scope, func(part string) bool { return part != "operation" && part != "path" }) {
		c.statuses = append(c.statuses, "403")
	}
	if hasBody {
		c.statuses = append(c.statuses, "413")
	}
	c.answer(header{p.Replay.Marker, "IdemgenReplayed", object{
		{"description", "true when this is the answer to an earlier request with the same key, sent again."},
		{"schema", object{{"type", "string"}, {"enum", list{"true"}}}},
	}})
	if p.Replay.ExpiresHeader {
		c.answer(header{"Idempotency-Expires", "IdemgenExpires", object{
			{"description", "On an answer that is sent again: until when the key is remembered (RFC 9110, HTTP-date)."},
			{"schema", object{{"type", "string"}}},
		}})
	}
	if p.OnStoreError == "run" {
		c.answer(statusHeader)
	} else {
		c.statuses = append(c.statuses, "503")
	}
}

var statusHeader = header{"Idempotency-Status", "IdemgenStatus", object{
	{"description", "What became of a request that may be a repetition. ignored: this operation keeps no idempotency keys. unprotected: the request ran without protection against repetition. already-applied: an earlier request has led to this state already. Absent otherwise."},
	{"schema", object{{"type", "string"}}},
}}

// keyParam describes the header of the key. Bounds of the key count its octets;
// in the field it may stand in quotes.
func keyParam(p *plan.Idempotency, name string, required bool) param {
	quotes := 0
	if p.Key.Strict {
		quotes = 2
	}
	var text strings.Builder
	switch {
	case !strings.EqualFold(name, p.Key.Header):
		fmt.Fprintf(&text, "Another name of %s.", p.Key.Header)
	case len(p.Key.Aliases) > 0 && p.Required:
		fmt.Fprintf(&text, "Identifies the request: retries with the same key have one effect and get one answer. It or %s is required.", strings.Join(p.Key.Aliases, " or "))
	default:
		text.WriteString("Identifies the request: retries with the same key have one effect and get one answer. A different request needs a fresh key, such as a random UUID.")
	}
	if p.Key.Strict {
		text.WriteString(" A string in double quotes (RFC 9651).")
	}
	if p.Key.Pattern != "" {
		fmt.Fprintf(&text, " The key matches %s (RE2) from beginning to end.", p.Key.Pattern)
	}
	value := object{{"name", name}, {"in", "header"}, {"description", text.String()}}
	shared := "IdemgenKeyOptional"
	if required {
		value, shared = append(value, member{"required", true}), "IdemgenKey"
	}
	return param{name, required, shared, append(value, member{"schema", object{
		{"type", "string"}, {"minLength", p.Key.MinLength + quotes}, {"maxLength", p.Key.MaxLength + 2},
	}})}
}

// versioned adds what x-etag means.
func (c *contract) versioned(p *plan.Precondition) {
	read := p.Role == "read"
	if p.Role != "delete" && p.PutETag != "never" {
		c.answer(etagHeader)
	}
	if read && p.LastModified {
		c.answer(header{"Last-Modified", "IdemgenLastModified", object{
			{"description", "When the resource was last modified, as HTTP-date."},
			{"schema", object{{"type", "string"}}},
		}})
	}
	if p.AppliedMarker || p.EqualStored {
		c.answer(statusHeader)
	}
	if read {
		if p.NotModified {
			c.status304 = true
			c.condition("If-None-Match", false, "Answer 304 without content if the resource still has one of these tags, or if it exists and this is *.")
		}
		return
	}
	fields := conditions(p)
	for _, field := range fields {
		c.condition(field, len(p.Require) > 0 && len(fields) == 1, conditionTexts[field])
	}
	if len(fields) == 0 {
		return // adds to a collection
	}
	c.statuses = append(c.statuses, "400", "412")
	if len(p.Require) > 0 {
		c.statuses = append(c.statuses, "428")
	}
	if creates := p.Role == "create" || p.Role == "upsert"; p.Missing == "notFound" || p.Missing == "auto" && !creates {
		c.statuses = append(c.statuses, "404")
	}
}

// conditions returns the fields that a write takes: those that it demands one
// of, else those that its handler can use.
func conditions(p *plan.Precondition) []string {
	var fields []string
	for _, field := range p.Require {
		fields = append(fields, map[string]string{
			"ifMatch": "If-Match", "ifNoneMatch": "If-None-Match", "ifUnmodifiedSince": "If-Unmodified-Since",
		}[field])
	}
	if len(fields) == 0 {
		switch p.Expect {
		case plan.ExpectMaybeMatch:
			fields = []string{"If-Match"}
		case plan.ExpectMaybeMatchOrAbsent:
			fields = []string{"If-Match", "If-None-Match"}
		}
	}
	return fields
}

var conditionTexts = map[string]string{
	"If-Match":            "Perform the request only if the resource still has one of these tags.",
	"If-None-Match":       "With *: perform the request only if the resource does not exist.",
	"If-Unmodified-Since": "Perform the request only if the resource has not changed since this HTTP-date.",
}

var etagHeader = header{"ETag", "IdemgenETag", object{
	{"description", "The version of the resource (RFC 9110 8.8.3), to be sent back in If-Match or If-None-Match."},
	{"schema", object{{"type", "string"}}},
}}

func (c *contract) condition(field string, required bool, text string) {
	value := object{{"name", field}, {"in", "header"}, {"description", text}}
	shared := "Idemgen" + strings.ReplaceAll(field, "-", "") + "Optional"
	if required {
		value, shared = append(value, member{"required", true}), strings.TrimSuffix(shared, "Optional")
	}
	c.params = append(c.params, param{field, required, shared, append(value, member{"schema", object{{"type", "string"}}})})
}

// same reports whether two header names are one.
func same(a, b string) bool { return http.CanonicalHeaderKey(a) == http.CanonicalHeaderKey(b) }

// refusal is a row of the table from status to the response that describes it.
type refusal struct{ shared, text string }

var refusals = map[string]refusal{
	"400":        {"IdemgenBadRequest", "The idempotency key or a precondition is missing or malformed, or the request cannot be read. The problem type says which."},
	"400 reused": {"IdemgenBadRequestKeyReused", "The idempotency key or a precondition is missing or malformed, the key was used for a different request, or the request cannot be read. The problem type says which."},
	"403":        {"IdemgenForbidden", "It could not be determined whose request this is."},
	"404":        {"IdemgenNotFound", "The resource does not exist."},
	"409":        {"IdemgenConflict", "The idempotency key was used before: for a different request, for one that still runs, or for one whose outcome cannot be shown. The problem type says which, and retry what to do."},
	"412":        {"IdemgenPreconditionFailed", "The resource is not in the state that the request expects. Fetch it again, reapply the change, and retry with the new tag."},
	"413":        {"IdemgenContentTooLarge", "The body is larger than this operation accepts."},
	"422":        {"IdemgenKeyReused", "The idempotency key was used for a different request. A different request needs a fresh key."},
	"428":        {"IdemgenPreconditionRequired", "The request must say which version of the resource it expects."},
	"503":        {"IdemgenStoreUnavailable", "The store of the idempotency keys did not answer. Send the same request with the same key again later."},
}

// problemSchema describes the body of a refusal, as the runtime writes it.
var problemSchema = object{
	{"description", "Why a request was refused (RFC 9457)."},
	{"type", "object"},
	{"required", list{"type", "title", "status"}},
	{"properties", object{
		{"type", object{{"type", "string"}, {"format", "uri-reference"}, {"description", "The kind of problem; it leads to its documentation."}}},
		{"title", object{{"type", "string"}, {"description", "The kind of problem in words."}}},
		{"status", object{{"type", "integer"}, {"minimum", 400}, {"maximum", 599}, {"description", "The HTTP status."}}},
		{"detail", object{{"type", "string"}, {"description", "What is wrong with this request."}}},
		{"instance", object{{"type", "string"}, {"description", "The id of the request."}}},
		{"operation", object{{"type", "string"}, {"description", "The operation that refused."}}},
		{"retry", object{{"type", "string"}, {"enum", list{"same-key", "new-key", "none"}}, {"description", "What a client may do. same-key: send the request again under the same key. new-key: a further attempt needs a fresh key. none: do not repeat it automatically."}}},
		{"retryAfterMs", object{{"type", "integer"}, {"minimum", 0}, {"description", "How long to wait before the same request is sent again, in milliseconds."}}},
		{"field", object{{"type", "string"}, {"description", "The precondition field that is wrong."}}},
		{"offset", object{{"type", "integer"}, {"minimum", 0}, {"description", "Where in the field the fault is, in octets."}}},
		{"reason", object{{"type", "string"}, {"description", "Why the precondition failed, such as stale or weak-tag."}}},
		{"acceptedFields", object{{"type", "array"}, {"items", object{{"type", "string"}}}, {"description", "The precondition fields of which the operation demands one."}}},
		{"example", object{{"type", "string"}, {"description", "A header line that would be accepted."}}},
		{"currentEtag", object{{"type", "string"}, {"description", "The present tag, where the API shows it."}}},
	}},
}

var retryAfter = header{"Retry-After", "IdemgenRetryAfter", object{
	{"description", "Seconds to wait before the same request is sent again. Absent where waiting does not help."},
	{"schema", object{{"type", "integer"}, {"minimum", 1}}},
}}
