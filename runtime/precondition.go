package runtime

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/idemgen/idemgen/runtime/etag"
)

// precheck evaluates the preconditions on the current state before the body is
// decoded (RFC 9110 §13.2.2). It saves work and proves nothing: the write
// itself is guarded by its expectation. It reports whether the handler may run.
func (n *run) precheck(r *http.Request) bool {
	x, policy := n.x, &n.x.p.policy
	if x.p.argument == argNone || x.current == nil || policy.NoPrecheck && n.carries() {
		return true
	}
	now, err := n.look()
	if err != nil {
		n.rec.err = err
		return false
	}
	n.seen = &now
	state := n.state(now)
	verdict := etag.Stateful(r.Method, &x.conditions, &state, policy)
	if verdict.Status == 0 {
		x.h.precondition(n, x.p, PreconditionPassed, verdict)
		return true
	}
	if !n.alreadyApplied(r, now, verdict) {
		n.rec.refused = true
		x.h.refuseCondition(n.rec, r, x.p, verdict, x.exposed(now))
	}
	return false
}

// look reads what the resource is now.
func (n *run) look() (present, error) {
	now, err := n.x.current(n)
	if err != nil || !now.exists {
		return now, err
	}
	p := n.x.p.Precondition
	switch {
	case p.LastModified && now.Modified.IsZero():
		err = noDate(p.Resource)
	case p.AppliedMarker && !now.Marked:
		err = fmt.Errorf("idem: Current%s says nothing of the last write, and resource %s has appliedMarker: return etag.Found(version).LastWrite(column)", p.Resource, p.Resource)
	case p.EqualRepresentation && now.Stored == nil:
		err = fmt.Errorf("idem: Current%s does not say what is stored, and operation %s has alreadyApplied: equalRepresentation: return etag.Found(version).Stored(body)", p.Resource, n.x.p.ID)
	}
	return now, err
}

func noDate(resource string) error {
	return fmt.Errorf("idem: Current%s says no date, and resource %s has lastModified: return etag.Found(version).ModifiedAt(date)", resource, resource)
}

// answerNoMatch answers for a write that met no row of the expected version, or
// for a creation that met something: one place tells absent from stale and from
// existing, on the state as it is now.
func (n *run) answerNoMatch(r *http.Request, created bool) {
	x := n.x
	var now present
	if x.current != nil {
		var err error
		now, err = n.look()
		// After a failed insert PostgreSQL answers nothing until the transaction
		// has ended; that something exists is known all the same.
		if err != nil && (!created || x.p.tx != nil && x.retryable(err)) {
			n.rec.err = err // the database may have asked for another run
			x.h.fault(n, x.p.Operation, x.keyID(), "the current version could not be read", err)
			x.h.refuse(n.rec, r, x.p.Operation, internalError, "")
			return
		}
	}
	state := n.state(now)
	verdict := etag.Stateful(r.Method, &x.conditions, &state, &x.p.policy)
	if created && (verdict.Status == 0 || !now.known) {
		verdict = failed(etag.IfNoneMatch, "exists")
	}
	if verdict.Status == 0 {
		verdict = n.raced()
	}
	if !n.alreadyApplied(r, now, verdict) {
		n.rec.refused = true
		x.h.refuseCondition(n.rec, r, x.p, verdict, x.exposed(now))
	}
}

// raced decides where the version matches again: its writer raced this one and
// was undone. Never a silent retry.
func (n *run) raced() etag.Decision {
	switch c := &n.x.conditions; {
	case c.IfMatch.Present():
		return failed(etag.IfMatch, "stale")
	case n.dated():
		return failed(etag.IfUnmodifiedSince, "stale")
	case c.IfNoneMatch.Present():
		return failed(etag.IfNoneMatch, "exists")
	}
	return etag.Decision{Status: http.StatusNotFound, Problem: notFound.suffix} // it asked for nothing, and there was nothing
}

// failed is the decision that a precondition was false.
func failed(field etag.Field, reason string) etag.Decision {
	return etag.Decision{Status: http.StatusPreconditionFailed, Field: field.String(), Reason: reason, Problem: preconditionFailed.suffix}
}

func (n *run) state(now present) etag.State {
	s := etag.State{Exists: now.exists, HasTag: now.exists, Tag: n.x.p.tag(n.x.r, now.opaque)}
	if n.x.p.policy.LastModified {
		s.LastModified = now.Modified
	}
	return s
}

// exposed is the current tag, where the policy shows it to whoever failed.
func (x *exchange) exposed(now present) string {
	if !x.p.policy.ExposeCurrent || !now.exists {
		return ""
	}
	return x.p.tag(x.r, now.opaque).String()
}

// setVersion puts the tag of a successful write on its answer. A 202 has none:
// the version is not known yet. One of a PUT tells clients that what they sent is
// what is stored, octet for octet (RFC 9110 §9.3.4), which few APIs mean.
func (n *run) setVersion() {
	rec, p := n.rec, n.x.p
	if !rec.version.ok || rec.status < 200 || rec.status > 299 || rec.status == http.StatusAccepted {
		return
	}
	switch put := p.Precondition.PutETag; {
	case put == PutETagNever, put == PutETagVerbatim && !rec.version.verbatim:
		return
	}
	rec.header["Etag"] = []string{p.tag(n.x.r, rec.version.opaque).String()}
}

// refuseCondition answers for a precondition that is malformed, missing,
// unsupported or false.
func (h *Handler) refuseCondition(w http.ResponseWriter, r *http.Request, p *prepared, d etag.Decision, current string) {
	k := conditionKind(d.Problem)
	problem := h.problem(r, p.Operation, k, "")
	problem.Field, problem.Reason, problem.CurrentETag = d.Field, d.Reason, current
	switch k.status {
	case http.StatusBadRequest:
		problem.Offset = &d.Offset
		problem.Detail = "The value of " + d.Field + " is neither * nor a list of quoted entity tags."
	case http.StatusPreconditionRequired:
		for _, field := range p.policy.Require {
			problem.AcceptedFields = append(problem.AcceptedFields, field.String())
		}
		problem.Example = exampleOf(p.policy.Require)
	case http.StatusPreconditionFailed:
		if d.Reason == "exists" {
			problem.Detail = "The resource exists already, and the request asks for one that does not. Fetch it, and decide with its tag."
		}
		if d.Reason == "weak-tag" {
			problem.Detail = "If-Match compares strongly, and the tag sent is weak. A compressing proxy between server and client weakens tags: exempt this API from compression, or fetch the tag without it."
		}
		if d.Reason == "unsupported" {
			problem.Detail = "This operation cannot check preconditions. Send the request without " + d.Field + "."
			problem.Retry = retryNone
		} else if link := p.readLink(r, h.baseURL); link != "" {
			w.Header().Add("Link", "<"+link+`>; rel="self"`)
		}
	}
	h.precondition(r.Context(), p, outcomeOf(k.status, d.Reason), d)
	h.writeProblem(w, r, &problem)
}

// exampleOf shows the first field that satisfies an operation.
func exampleOf(require []etag.Field) string {
	if len(require) > 0 {
		switch require[0] {
		case etag.IfNoneMatch:
			return "If-None-Match: *"
		case etag.IfUnmodifiedSince:
			return "If-Unmodified-Since: …the Last-Modified of the last read…"
		}
	}
	return `If-Match: "…the ETag of the last read…"`
}

func conditionKind(suffix string) kind {
	for _, k := range []kind{malformedCondition, preconditionFailed, preconditionMissing, notFound} {
		if k.suffix == suffix {
			return k
		}
	}
	return internalError
}

// readLink is where the resource can be fetched again: this request's own path
// where the read operation shares its template, else the read operation's with
// this request's parameters. Empty: it has others.
func (p *prepared) readLink(r *http.Request, baseURL string) string {
	if p.Precondition == nil {
		return ""
	}
	link := r.URL.EscapedPath()
	if template := p.Precondition.ReadPath; template != p.Path {
		link = baseURL + template
		for _, m := range templateParameter.FindAllStringSubmatch(template, -1) {
			value := cmp.Or(r.PathValue(m[1]), r.PathValue(wildcard(m[1])))
			if value == "" {
				return ""
			}
			link = strings.ReplaceAll(link, m[0], url.PathEscape(value))
		}
	}
	return strings.NewReplacer("<", "%3C", ">", "%3E").Replace(link)
}

var templateParameter = regexp.MustCompile(`\{([^{}]*)\}`)

// wildcard is the name that a parameter has in a pattern of net/http, where names
// are Go identifiers. Other routers take it as it is.
func wildcard(name string) string {
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsLetter(r) && (i == 0 || !unicode.IsNumber(r)) {
			runes[i] = '_'
		}
	}
	return string(runes)
}
