package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idemgen/idemgen/generator/plan"
)

// Check is one step of a request. What comes earlier answers first.
type Check struct {
	Step    int      `json:"step"` // of the table "A request" in ARCHITECTURE.md
	What    string   `json:"what"`
	Answers []Answer `json:"answers,omitempty"` // when it fails, or ends the request
}

// Steps of a request.
const (
	stepMiddleware = 1 + iota
	stepRouting
	stepStateless
	stepFingerprint
	stepClaim
	stepPreconditions
	stepHandler
	stepRecord
)

// checks are the steps of a request to one operation, in order.
func checks(o *plan.Operation, e *Operation) []Check {
	all := []Check{
		{stepMiddleware, "net/http middleware around the handler, then routing, then idem.WithMiddleware, the first one outermost: authentication and rate limits belong here", nil},
		{stepRouting, "parameters of path, query and header", []Answer{refusal("malformed-request", "a parameter does not decode")}},
	}
	var key *plan.Idempotency
	if e.keyed {
		key = o.Idempotency
	}
	// In observe mode the layer counts what it would have refused.
	judged := func(c Check) Check {
		if e.observed {
			c.What, c.Answers = c.What+" (counted, not refused)", nil
		}
		return c
	}
	all = append(all, stateless(o, key, judged)...)
	if key != nil {
		all = append(all, judged(fingerprint(key)), judged(claim(key)))
	}
	read := o.Precondition != nil && o.Precondition.Role == "read"
	if o.Precondition != nil && !read && !o.Precondition.Collection {
		all = append(all, Check{stepPreconditions, preconditionText(o.Precondition), stateful(o.Precondition)})
	}
	honoured := key
	if e.observed {
		honoured = nil
	}
	all = append(all, handler(o, honoured))
	if read {
		all = append(all, Check{stepPreconditions, "preconditions against the version that the answer carries", stateful(o.Precondition)})
	}
	if key != nil {
		all = append(all, Check{stepRecord, "record " + strings.Join(key.Record, ", ") + " for " + short(key.TTL) + ", then send", nil})
	}
	return all
}

// stateless are the checks of step 3, in their order.
func stateless(o *plan.Operation, key *plan.Idempotency, judged func(Check) Check) []Check {
	var all []Check
	add := func(what string, a Answer) { all = append(all, Check{stepStateless, what, []Answer{a}}) }
	pre := o.Precondition
	switch {
	case pre != nil:
		fields := "If-Match"
		if !safe(o.Method) {
			fields = "If-Match, If-None-Match"
		}
		when := fields + " malformed"
		if pre.Malformed == "rfc" {
			when = "If-None-Match malformed"
		}
		if pre.Tags == "one" {
			when += ", or more than one tag"
		}
		if pre.Malformed != "rfc" || pre.Tags == "one" || !safe(o.Method) {
			add("well-formed preconditions", refusal("malformed-precondition", when))
		}
	case !safe(o.Method) && !o.IgnorePreconditions && len(o.OwnPreconditions) < 2:
		add("well-formed preconditions", refusal("malformed-precondition", "If-Match or If-None-Match malformed"))
	}
	if key != nil && key.Key.Body == "" {
		all = append(all, judged(keyCheck(key)))
	}
	switch {
	case pre != nil && len(pre.Require) > 0:
		fields := map[string]string{"ifMatch": "If-Match", "ifNoneMatch": "If-None-Match: *", "ifUnmodifiedSince": "If-Unmodified-Since"}
		var names []string
		for _, r := range pre.Require {
			names = append(names, fields[r])
		}
		when := "none of " + strings.Join(names, ", ")
		if len(names) == 1 {
			when = "no " + names[0]
		}
		if pre.Wildcard == "reject" && slices.Contains(pre.Require, "ifMatch") {
			when += "; If-Match: * does not count"
		}
		add("a precondition is required", refusal("precondition-required", when))
	case pre == nil && !safe(o.Method) && !o.IgnorePreconditions && len(o.OwnPreconditions) < 2:
		a := refusal("precondition-failed", "If-Match or If-None-Match sent; the operation cannot check it")
		if len(o.OwnPreconditions) == 1 {
			a.When = "a precondition other than " + o.OwnPreconditions[0] + ", which the handler checks"
		}
		a.Retry = "none"
		add("no precondition that nobody checks", a)
	}
	if key != nil && resolves(key.Scope) {
		unresolved := refusal("scope-unresolved", "idem.WithScope tells no "+strings.Join(resolved(key.Scope), " or no "))
		all = append(all, judged(Check{stepStateless, "scope " + strings.Join(key.Scope, ", "), []Answer{unresolved}}))
	}
	return all
}

func keyCheck(key *plan.Idempotency) Check {
	where := "key in " + key.Key.Header
	if len(key.Key.Aliases) > 0 {
		where += " or " + strings.Join(key.Key.Aliases, ", ")
	}
	step := stepStateless
	if key.Key.Body != "" {
		where, step = "key in the body at "+key.Key.Body, stepFingerprint
	}
	form := "quoted or bare"
	if key.Key.Strict {
		form = "quoted"
	}
	if key.Key.Body != "" {
		form = "a string"
	}
	where += fmt.Sprintf(", %s, %d to %d octets", form, key.Key.MinLength, key.Key.MaxLength)
	if key.Key.Pattern != "" {
		where += ", like " + key.Key.Pattern
	}
	c := Check{step, where, []Answer{refusal("key-invalid", "the key is malformed, or sent twice and different")}}
	if key.Required {
		c.Answers = append(c.Answers, refusal("key-missing", "no key"))
	}
	return c
}

// resolved are the parts of a scope that idem.WithScope tells.
func resolved(scope []string) []string {
	var parts []string
	for _, part := range scope {
		if part != "operation" && part != "path" {
			parts = append(parts, part)
		}
	}
	return parts
}

func resolves(scope []string) bool { return len(resolved(scope)) > 0 }

func fingerprint(key *plan.Idempotency) Check {
	c := Check{Step: stepFingerprint, What: "body up to " + octets(key.Fingerprint.MaxBody) + ", fingerprint of method, path"}
	f := key.Fingerprint
	if f.Query {
		c.What += ", query"
	}
	if len(f.Headers) > 0 {
		c.What += ", " + strings.Join(f.Headers, ", ")
	}
	switch {
	case f.Mode == "none":
	case len(f.Include) > 0:
		c.What += ", the members " + strings.Join(f.Include, ", ")
	case len(f.Exclude) > 0:
		c.What += ", the body (" + f.Mode + ") without " + strings.Join(f.Exclude, ", ")
	default:
		c.What += ", body (" + f.Mode + ")"
	}
	c.Answers = []Answer{
		refusal("body-too-large", "a body above "+octets(f.MaxBody)),
		refusal("malformed-body", "the body breaks off or has no canonical form"),
		refusal("malformed-request", "an escape in path or query does not decode"),
	}
	if key.Key.Body != "" {
		k := keyCheck(key)
		c.What += "; " + k.What
		c.Answers = append(c.Answers, k.Answers...)
	}
	return c
}

func claim(key *plan.Idempotency) Check {
	replay := Answer{When: "the same request was answered within " + short(key.TTL) + ": its answer again, with " + key.Replay.Marker}
	if key.Replay.Status == "200" {
		replay.Status = 200
	}
	reused := refusal("key-reused", "the key belongs to another request")
	reused.Status = key.MismatchStatus
	running := refusal("in-flight", "the first request still runs; Retry-After up to "+short(key.RetryAfter))
	if key.Concurrency == "wait" {
		running.When = "the first request still runs after " + short(key.MaxWait) + "; Retry-After up to " + short(key.RetryAfter)
	}
	c := Check{stepClaim, "claim of the key", []Answer{replay, reused, running}}
	switch {
	case key.OnCrash == "hold":
		c.Answers = append(c.Answers, refusal("outcome-unknown", "an earlier attempt ended without an outcome, and an operator decides"))
	case key.Mode != "tx":
		c.Answers = append(c.Answers, refusal("outcome-unknown", "in lease mode, this attempt lost its claim and nothing is recorded"))
	}
	c.Answers = append(c.Answers, unavailable(key)...)
	if key.OnStoreError == "reject" {
		c.Answers = append(c.Answers, refusal("store-unavailable", "the store does not answer; with Retry-After"))
	}
	return c
}

// unavailable is the answer of a replay whose body cannot be shown.
func unavailable(key *plan.Idempotency) []Answer {
	switch {
	case key.Replay.Body == "reference":
		return []Answer{refusal("response-unavailable", "what the recorded Location names cannot be read now")}
	case key.Replay.Body == "none":
		return nil
	}
	return []Answer{refusal("response-unavailable", "the answer was larger than "+octets(key.Replay.MaxResponse))}
}

func preconditionText(pre *plan.Precondition) string {
	if !pre.Precheck {
		return "preconditions in the write itself; precheck is off"
	}
	return "preconditions against the present version, before decoding, and again in the write itself"
}

// stateful are the answers that depend on the state of the resource.
func stateful(pre *plan.Precondition) []Answer {
	if pre.Role == "read" {
		all := []Answer{refusal("precondition-failed", "If-Match names another version")}
		if pre.NotModified {
			all = append(all, Answer{Status: 304, When: "If-None-Match names the present version"})
		}
		return all
	}
	failed := refusal("precondition-failed", "the version is another one")
	if pre.WeakIfMatch == "reject" {
		failed.When += ", or the tag is weak"
	}
	missing := refusal("not-found", "the resource does not exist")
	switch creates := pre.Role == "upsert" || pre.Role == "create"; {
	case pre.Role == "create":
		failed.When = "the resource exists"
		return []Answer{failed}
	case creates && pre.Missing == "notFound":
		failed.When += ", or it exists and If-None-Match: * was sent"
		missing.When += " and If-Match was sent"
	case creates:
		failed.When += ", does not exist and If-Match was sent, or exists and If-None-Match: * was sent"
		return append(applied(pre), failed)
	case pre.Missing == "preconditionFailed":
		failed.When += ", or does not exist and If-Match was sent"
		if slices.Equal(pre.Require, []string{"ifMatch"}) {
			return append(applied(pre), failed)
		}
		missing.When += " and no If-Match was sent"
	}
	return append(applied(pre), failed, missing)
}

// applied is the answer of a write that has succeeded already, where the
// resource remembers it.
func applied(pre *plan.Precondition) []Answer {
	switch {
	case pre.AppliedMarker:
		return []Answer{{Status: 200, When: "the last write was this very request: what is stored, with Idempotency-Status: already-applied"}}
	case pre.EqualStored:
		return []Answer{{Status: 200, When: "what is stored equals the body: with Idempotency-Status: already-applied"}}
	}
	return nil
}

// handler is the step whose failure is an internal error. It may be repeated
// where the method allows it, or where something finds or undoes the effect.
func handler(o *plan.Operation, key *plan.Idempotency) Check {
	failed := refusal("internal-error", "the handler failed")
	pre := o.Precondition
	writes := pre != nil && pre.Role != "read" && !pre.Collection
	tagged := writes && slices.ContainsFunc(pre.Require, func(f string) bool { return f != "ifUnmodifiedSince" })
	switch {
	case key != nil && key.Required, tagged, o.Method != "POST" && o.Method != "PATCH":
	case writes && key != nil:
		failed.Retry, failed.When = "none", "the handler failed, without a key, a tag or a transaction; with one of them same-key"
	case writes:
		failed.Retry, failed.When = "none", "the handler failed, without a tag or a transaction; with one of them same-key"
	case key != nil:
		failed.Retry, failed.When = "none", "the handler failed, without a key; with one same-key"
	default:
		failed.Retry = "none"
	}
	c := Check{stepHandler, "decoding, then the handler", []Answer{failed}}
	if !safe(o.Method) {
		c.Answers = append(c.Answers, refusal("malformed-body", "the body does not decode"))
	}
	return c
}

// short prints a duration without zero parts: 24h, 1m30s.
func short(d plan.Duration) string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// octets prints a number of bytes in the largest unit that divides it.
func octets(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}
