package etag

import (
	"net/http"
	"time"
)

// Conditions are the preconditions of one request (RFC 9110 §13.1). The zero
// value has none.
type Conditions struct {
	IfMatch, IfNoneMatch Condition

	// Dates that are absent, invalid, a list or on several lines are the zero
	// time: the field is ignored, as it is beside If-Match and If-None-Match
	// respectively, malformed ones too (§13.1.3, §13.1.4). If-Modified-Since is
	// for GET and HEAD only.
	IfUnmodifiedSince, IfModifiedSince time.Time
}

// ParseConditions reads the precondition fields of a request with this method and
// header, whose keys must be canonical, and overwrites what into held. It never
// fails: a malformed list is remembered as such. A field that cannot count is not
// looked for. The clock is read for a two-digit year only (RFC 9110 §5.6.7).
func ParseConditions(method string, h http.Header, into *Conditions) {
	into.IfUnmodifiedSince, into.IfModifiedSince = time.Time{}, time.Time{}
	if lines := h["If-Match"]; len(lines) > 0 {
		into.IfMatch.parse(lines)
	} else {
		into.IfMatch.clear()
		into.IfUnmodifiedSince = dateOf(h["If-Unmodified-Since"], time.Now)
	}
	if lines := h["If-None-Match"]; len(lines) > 0 {
		into.IfNoneMatch.parse(lines)
	} else {
		into.IfNoneMatch.clear()
		if methodOf(method) == reading {
			into.IfModifiedSince = dateOf(h["If-Modified-Since"], time.Now)
		}
	}
}

// dateOf reads a field that has exactly one line and that an HTTP date; now is
// asked only for a two-digit year.
func dateOf(lines []string, now func() time.Time) time.Time {
	if len(lines) != 1 {
		return time.Time{}
	}
	t, ok := parseDate(lines[0], now)
	if ok && t.IsZero() {
		t = t.Add(1) // the first second of year 1 was sent; the zero time says that nothing was
	}
	return t
}
