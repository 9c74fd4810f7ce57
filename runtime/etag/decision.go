package etag

import "net/http"

// Decision is the result of an evaluation. The zero value means: perform.
type Decision struct {
	Status  int    // 0, 304, 400, 404, 412 or 428
	Field   string // the field that decided; empty on 404
	Reason  string // of a 412: stale, weak-tag, absent, exists, matched, unsupported
	Problem string // suffix of the problem type; empty on 304
	Offset  int    // of a 400: where the value goes wrong, as [Condition.Offset]
}

// verdict is a Decision that has not been put into words. It fits into
// registers, where a Decision on every path would cost more than the evaluation.
type verdict struct {
	kind   kind
	field  Field
	reason reason
}

type kind uint8

const (
	proceed kind = iota
	notModified
	malformed
	notFound
	failed
	required
)

type reason uint8

const (
	holds       reason = iota
	stale              // no listed tag is current, or the date is older
	weakTag            // the opaque part is current, but one of the tags is weak
	absent             // If-Match where nothing exists
	exists             // If-None-Match: * where something exists
	matched            // If-None-Match lists the current tag
	unsupported        // the operation cannot check preconditions
)

func (r reason) String() string {
	return [...]string{"", "stale", "weak-tag", "absent", "exists", "matched", "unsupported"}[r]
}

func (v verdict) decision(c *Conditions) Decision {
	d := Decision{Field: v.field.String(), Reason: v.reason.String()}
	switch v.kind {
	case notModified:
		d.Status = http.StatusNotModified
	case malformed:
		d.Status, d.Problem, d.Offset = http.StatusBadRequest, "malformed-precondition", c.IfMatch.Offset()
		if v.field == IfNoneMatch {
			d.Offset = c.IfNoneMatch.Offset()
		}
	case notFound:
		d.Status, d.Problem = http.StatusNotFound, "not-found"
	case failed:
		d.Status, d.Problem = http.StatusPreconditionFailed, "precondition-failed"
	case required:
		d.Status, d.Problem = http.StatusPreconditionRequired, "precondition-required"
	}
	return d
}
