package etag

import (
	"net/http"
	"strings"
	"time"
)

// State is what a resource is now. The zero value is a resource that does not
// exist.
type State struct {
	Exists       bool
	HasTag       bool
	Tag          ETag
	LastModified time.Time // zero: none
}

// Evaluate decides on a request by the fields it sent, the resource's state and
// the operation's policy: [Stateless], then [Stateful].
func Evaluate(method string, c *Conditions, s *State, p *Policy) (d Decision) {
	m := methodOf(method)
	v := stateless(m, c, p)
	if v.kind == proceed {
		v = stateful(m, c, s, p)
	}
	if v.kind != proceed {
		d = v.decision(c)
	}
	return d
}

// Stateless makes the checks that need no look at the resource, so that every
// identical retry meets the same verdict.
func Stateless(method string, c *Conditions, p *Policy) (d Decision) {
	v := stateless(methodOf(method), c, p)
	if v.kind != proceed {
		d = v.decision(c)
	}
	return d
}

// Stateful evaluates the preconditions on the resource's state in the order of
// RFC 9110 §13.2.2; the first false one decides. [Stateless] must have let the
// request pass.
func Stateful(method string, c *Conditions, s *State, p *Policy) (d Decision) {
	v := stateful(methodOf(method), c, s, p)
	if v.kind != proceed {
		d = v.decision(c)
	}
	return d
}

// methodKind is what a method means for preconditions.
type methodKind uint8

const (
	writing       methodKind = iota // whatever is not known to be something else
	reading                         // GET, HEAD
	unconditional                   // no representation is selected: RFC 9110 §13.2.1
)

func methodOf(method string) methodKind {
	switch method {
	case http.MethodGet, http.MethodHead:
		return reading
	case http.MethodOptions, http.MethodTrace, http.MethodConnect:
		return unconditional
	}
	return writing
}

func stateless(m methodKind, c *Conditions, p *Policy) verdict {
	if m == unconditional {
		return verdict{}
	}
	if p.Role == RoleNone {
		return unchecked(m, c, p)
	}
	if p.OneTag || c.IfMatch.form == formMalformed || c.IfNoneMatch.form == formMalformed {
		if v := refused(m, c, p); v.kind != proceed {
			return v
		}
	}
	if m == reading || len(p.Require) == 0 {
		return verdict{}
	}
	for _, field := range p.Require {
		if c.usable(field, p) {
			return verdict{}
		}
	}
	return verdict{required, p.Require[0], holds} // RFC 6585 §3
}

// unchecked decides where nothing can check a precondition: it must not vanish.
// Dates are ignored, as for every resource without a modification date (RFC 9110
// §13.1.4), and what is ignored need not be well-formed.
func unchecked(m methodKind, c *Conditions, p *Policy) verdict {
	if m == reading || p.IgnoreUnsupported {
		return verdict{}
	}
	v := refused(m, c, p)
	switch {
	case v.kind != proceed:
	case c.IfMatch.Present():
		v = verdict{failed, IfMatch, unsupported}
	case c.IfNoneMatch.Present():
		v = verdict{failed, IfNoneMatch, unsupported}
	}
	return v
}

// refused finds a field that is malformed, or a list where the policy allows one
// tag. A malformed If-None-Match is not refused on a read: it matches nothing, so
// that a cache gets a full answer, and caches send lists.
func refused(m methodKind, c *Conditions, p *Policy) verdict {
	switch many := p.OneTag; {
	case c.IfMatch.Malformed() && !p.MalformedRFC, many && c.IfMatch.n > 1:
		return verdict{malformed, IfMatch, holds}
	case m == reading:
	case c.IfNoneMatch.Malformed(), many && c.IfNoneMatch.n > 1:
		return verdict{malformed, IfNoneMatch, holds}
	}
	return verdict{}
}

// usable reports whether the request carries a condition that satisfies the
// demand for a field.
func (c *Conditions) usable(field Field, p *Policy) bool {
	switch field {
	case IfMatch:
		return c.IfMatch.form == formList || c.IfMatch.form == formAny && !p.RejectWildcard
	case IfNoneMatch:
		return c.IfNoneMatch.form == formAny
	case IfUnmodifiedSince:
		// Beside If-Match the date is not evaluated (RFC 9110 §13.1.4), so it
		// must not stand in for an If-Match that does not count.
		return p.LastModified && c.IfMatch.form == formAbsent && !c.IfUnmodifiedSince.IsZero()
	}
	return false
}

func stateful(m methodKind, c *Conditions, s *State, p *Policy) verdict {
	if m == unconditional || p.Role == RoleNone {
		return verdict{}
	}
	read := m == reading
	if !s.Exists {
		if v := missing(c, p); v.kind != proceed {
			return v
		}
	}
	if c.IfMatch.Present() {
		if why := c.IfMatch.mismatch(s, p); why != holds {
			return verdict{failed, IfMatch, why}
		}
	} else if !c.IfUnmodifiedSince.IsZero() && s.modifiedAfter(c.IfUnmodifiedSince) {
		return verdict{failed, IfUnmodifiedSince, stale}
	}
	switch {
	case c.IfNoneMatch.Present():
		why := c.IfNoneMatch.match(s, p, read)
		switch {
		case why == holds, read && p.NoNotModified:
		case read:
			return verdict{notModified, IfNoneMatch, holds}
		default:
			return verdict{failed, IfNoneMatch, why}
		}
	case read && !p.NoNotModified && !c.IfModifiedSince.IsZero() && s.dated() && !s.modifiedAfter(c.IfModifiedSince):
		return verdict{notModified, ifModifiedSince, holds}
	}
	return verdict{}
}

// dated reports whether the resource has a modification date.
func (s *State) dated() bool { return !s.LastModified.IsZero() }

// modifiedAfter compares whole seconds, which is what Last-Modified showed.
func (s *State) modifiedAfter(t time.Time) bool {
	return s.dated() && s.LastModified.Unix() > t.Unix()
}

// missing decides where nothing exists: preconditions are ignored when the
// unconditional answer would be no success either (RFC 9110 §13.2.1), so the
// answer is 404 unless the operation can create.
func missing(c *Conditions, p *Policy) verdict {
	sent := c.IfMatch.Present()
	switch {
	case sent && (p.Missing == MissingPreconditionFailed || p.Missing == MissingAuto && p.canCreate()):
		return verdict{failed, IfMatch, absent}
	case sent || !p.canCreate():
		return verdict{kind: notFound}
	}
	return verdict{}
}

// mismatch evaluates If-Match on a resource that exists (RFC 9110 §13.1.1) and
// returns why it is false.
func (c *Condition) mismatch(s *State, p *Policy) reason {
	if c.Any() {
		return holds
	}
	if !s.HasTag {
		return stale
	}
	why := stale
	for i := range c.n {
		opaque := c.opaque(i)
		if !equal(opaque, s.Tag.Opaque) && !(p.Variants && version(opaque) == version(s.Tag.Opaque)) {
			continue
		}
		if p.AcceptWeak || !c.isWeak(i) && !s.Tag.Weak {
			return holds
		}
		why = weakTag
	}
	return why
}

// version cuts the variant behind the last dot.
func version(opaque string) string {
	if i := strings.LastIndexByte(opaque, '.'); i >= 0 {
		return opaque[:i]
	}
	return opaque
}

// match evaluates If-None-Match (RFC 9110 §13.1.2) and returns why it is false.
func (c *Condition) match(s *State, p *Policy, read bool) reason {
	if !s.Exists {
		return holds
	}
	if c.Any() {
		return exists
	}
	if !s.HasTag {
		return holds
	}
	for i := range c.n {
		opaque := c.opaque(i)
		if equal(opaque, s.Tag.Opaque) || read && suffixed(opaque, s.Tag.Opaque, p.StripSuffixes) {
			return matched
		}
	}
	return holds
}

// suffixed reports whether opaque is current with one of the suffixes that
// compressing servers append inside the quotes. Each is tried: "-gzip" also ends
// what ends in "--gzip".
func suffixed(opaque, current string, suffixes []string) bool {
	for _, suffix := range suffixes {
		if bare, ok := strings.CutSuffix(opaque, suffix); ok && bare == current {
			return true
		}
	}
	return false
}
