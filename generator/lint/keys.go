package lint

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/source"
)

func undecidedRetry(s *subject) {
	if (s.Op.Method == "POST" || s.Op.Method == "PATCH") && s.undecided() && !s.told() {
		s.add(s.Op.Pos, "x-idempotency: required # or: exempt", "%s has neither x-idempotency nor x-etag: a retry may perform it twice", s.name)
	}
}

func undecidedOverwrite(s *subject) {
	if (s.Op.Method == "PUT" || s.Op.Method == "DELETE") && s.undecided() && !s.told() {
		fix := "x-idempotency: exempt # or: required"
		if tag := s.tagFix(); tag != "" {
			fix = tag + "; or x-idempotency: exempt"
		}
		s.add(s.Op.Pos, fix, "%s has neither x-etag nor x-idempotency: the last writer wins", s.name)
	}
}

func streamingUndecided(s *subject) {
	if s.unsafe() && s.undecided() && s.streams() {
		s.add(s.Op.Pos, "x-idempotency: exempt", "%s answers with a stream, which cannot be replayed, and is not exempt", s.name)
	}
}

// told reports whether a rule that knows more about an undecided operation says
// what to write: two findings with two fixes would leave the choice to luck.
func (s *subject) told() bool {
	return s.streams() || len(s.ignoredKeys()) > 0 || len(s.uncheckedPreconditions()) > 0 || s.ignoresTag()
}

// streams reports whether a response is sent piece by piece.
func (s *subject) streams() bool { return s.plan.Streaming }

func scopeWithoutTenant(s *subject) {
	p := s.Idempotency
	if p == nil || !s.secured() || slices.Contains(p.Scope.V, "tenant") {
		return
	}
	from, fix := p.Scope.From, "scope: [tenant, operation]"
	if !p.Scope.Set() {
		from, fix = p.Public.From, "public: false"
	}
	s.addFrom(from, fix, "x-idempotency%s: the scope %v has no tenant, and callers authenticate: equal keys of two tenants would meet",
		s.of(from), p.Scope.V)
}

const longestTTL = 72 * time.Hour

func longTTL(s *subject) {
	if p := s.Idempotency; p != nil && p.TTL.V > longestTTL {
		s.addFrom(p.TTL.From, "ttl: 24h", "x-idempotency.ttl%s: answers are kept for %s, longer than anybody retries", s.of(p.TTL.From), hours(p.TTL.V))
	}
}

func hours(d time.Duration) string {
	if d%time.Hour == 0 {
		return strconv.Itoa(int(d/time.Hour)) + "h"
	}
	return d.String()
}

func shortTTL(s *subject) {
	window, at, ok := s.retryWindow()
	if p := s.Idempotency; ok && p != nil && p.TTL.V < window.is {
		from := p.TTL.From
		if !from.Pos.IsValid() {
			from.Pos = at.KeyPos()
		}
		// Two values from further up are one finding, however many inherit them.
		name, of := s.name, " of "+s.name
		if p.TTL.From.Level != policy.LevelOperation && !window.own {
			name, of = "", ""
		}
		s.addFor(name, from.Pos, "ttl: "+hours(window.is), "x-idempotency.ttl%s: answers are forgotten after %s, and clients retry for %s (%s)",
			of, hours(p.TTL.V), hours(window.is), at.KeyPos())
	}
}

// retryWindow is how long clients retry.
type retryWindow struct {
	is  time.Duration
	own bool // the operation says so itself
}

// windowName is the extension that announces how long clients retry.
const windowName = "x-idemgen-retry-window"

// retryWindow reads the nearest declaration and where it stands. One that cannot
// be read is a finding.
func (s *subject) retryWindow() (retryWindow, source.Node, bool) {
	for i, holder := range s.holders() {
		if n := holder.Get(windowName); n.Exists() {
			d, err := time.ParseDuration(n.Text())
			if err != nil || d <= 0 {
				s.addFor("", n.Pos(), windowName+": 24h", "%s must be a duration such as 24h", windowName)
				return retryWindow{}, n, false
			}
			return retryWindow{d, i == 0}, n, true
		}
		// Speakeasy's own extension; what it cannot mean is its own affair.
		n := holder.Get("x-speakeasy-retries")
		if most := n.Get("backoff").Get("maxElapsedTime"); most.Kind() == source.Int && n.Get("strategy").Text() == "backoff" {
			ms, err := strconv.Atoi(most.Text())
			return retryWindow{time.Duration(ms) * time.Millisecond, i == 0}, most, err == nil && ms > 0
		}
	}
	return retryWindow{}, source.Node{}, false
}

// holders are the objects that may carry an extension for the operation, the
// nearest first.
func (s *subject) holders() []source.Node {
	return []source.Node{s.Op.Node, s.Op.Place, s.Op.Item, s.doc.Node("")}
}

func noFingerprint(s *subject) {
	if p := s.Idempotency; p != nil && p.Fingerprint.Mode.V == policy.FingerprintNone {
		from := p.Fingerprint.Mode.From
		s.addFrom(from, "mode: auto", "x-idempotency.fingerprint.mode%s: with none a key that is used for another body replays the wrong answer", s.of(from))
	}
}

// keyHeaders lists the fields that carry keys by name or by the document's own
// policies. Nothing else is ever taken for a key.
func keyHeaders(policies *policy.Document) []string {
	names := []string{"Idempotency-Key", "X-Idempotency-Key"}
	for _, o := range policies.Operations {
		if o.Idempotency != nil {
			names = append(names, honoured(o.Idempotency)...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// honoured lists the fields that a policy reads the key from.
func honoured(p *policy.Idempotency) []string {
	if p == nil || p.Key.Source.V != "header" {
		return nil
	}
	return append([]string{p.Key.Header.V}, p.Key.Aliases.V...)
}

// ignoredKeys are the parameters that promise a key which nothing honours.
func (s *subject) ignoredKeys() []source.Parameter {
	if s.Exempt {
		return nil
	}
	return slices.DeleteFunc(s.doc.Parameters(s.Op), func(p source.Parameter) bool {
		name := http.CanonicalHeaderKey(p.Name)
		return p.In != "header" || !slices.Contains(s.keys, name) || slices.Contains(honoured(s.Idempotency), name)
	})
}

func keyHeaderIgnored(s *subject) {
	for _, p := range s.ignoredKeys() {
		fix := "x-idempotency: optional"
		switch {
		case !s.unsafe():
			fix = "remove the parameter: a read may be repeated anyway"
		case s.Idempotency != nil:
			fix = "x-idempotency: {key: {header: " + p.Name + "}}"
		case p.Required:
			fix = "x-idempotency: required"
		}
		s.add(p.Use, fix, "%s declares the header %s, and nothing honours it", s.name, p.Name)
	}
}

// secretNames are the endings of names of members that hold a secret, in lower
// case without separators; harmless are endings that only look like one, and
// veiled says before a name that the secret itself is not there.
var (
	secretNames = []string{"password", "passwd", "passphrase", "secret", "token", "apikey", "privatekey", "secretkey", "secretaccesskey"}
	harmless    = []string{
		"pagetoken", "nexttoken", "previoustoken", "prevtoken", "continuationtoken", "synctoken", "deltatoken", "cursortoken",
		"resumetoken", "csrftoken", "maxtoken",
	}
	veiled = []string{"encrypted", "hashed", "masked", "obfuscated", "redacted"}
)

func secretName(name string) bool {
	plain := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' {
			return -1
		}
		return r
	}, strings.ToLower(name))
	ends := func(with string) bool { return strings.HasSuffix(plain, with) }
	begins := func(with string) bool { return strings.HasPrefix(plain, with) }
	return slices.ContainsFunc(secretNames, ends) && !slices.ContainsFunc(harmless, ends) && !slices.ContainsFunc(veiled, begins)
}

func secretRecorded(s *subject) {
	p := s.Idempotency
	if p == nil || p.Replay.Body.V != policy.ReplayStore || p.Replay.Encrypt.V {
		return
	}
	for _, r := range s.doc.Responses(s.Op) {
		if !r.Success() || !recorded(p.Record.Statuses.V, r.Status) {
			continue
		}
		var found []string
		for _, m := range r.Content {
			if m.Schema != "" {
				w := secretFinder{doc: s.doc, seen: map[string]bool{}}
				w.walk(m.Schema, "", 0)
				found = append(found, w.found...)
			}
		}
		slices.Sort(found)
		if found = slices.Compact(found); len(found) > 0 {
			s.add(r.Pos, "x-idempotency: {replay: {encrypt: true}}", "the %s of %s is recorded and contains %s in plain text", r.Status, s.name, few(found))
		}
	}
}

// few lists the first of many.
func few(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + " and " + strconv.Itoa(len(names)-most) + " more"
}

func recorded(statuses []string, status string) bool {
	return slices.Contains(statuses, status[:1]+"XX") || slices.Contains(statuses, strings.ToUpper(status))
}

// secretFinder walks a response schema. Schemas may contain themselves, so no
// place is visited twice and nothing deeper than a person would nest.
type secretFinder struct {
	doc   *source.Document
	seen  map[string]bool
	found []string // pointers
}

const deepest = 6

func (w *secretFinder) walk(schema, at string, depth int) {
	if w.seen[schema] || depth > deepest {
		return
	}
	w.seen[schema] = true
	if item, ok := w.doc.Member(schema, "/-"); ok && item.Array {
		w.walk(item.Schema, at+"/-", depth+1)
	}
	for _, alternative := range w.doc.Alternatives(schema) {
		w.walk(alternative, at, depth+1)
	}
	for _, name := range w.doc.Members(schema) {
		token := "/" + source.EscapeToken(name)
		m, ok := w.doc.Member(schema, token)
		if !ok || w.doc.Node(m.Schema).Get("writeOnly").True() {
			continue
		}
		text := m.Type == "" || m.Type == "string"
		if text && (secretName(name) || m.Format == "password") && len(w.doc.Members(m.Schema)) == 0 {
			w.found = append(w.found, at+token)
			continue
		}
		w.walk(m.Schema, at+token, depth+1)
	}
}

func undeclaredStatus(s *subject) {
	var want []string
	if p := s.Idempotency; p != nil && p.Rollout.V == policy.RolloutEnforce {
		if p.Required.V {
			want = append(want, "400")
		}
		want = append(want, "409", strconv.Itoa(p.MismatchStatus.V))
	}
	if p := s.ETag; p != nil && s.unsafe() {
		want = append(want, "412")
		if len(p.Require.V) > 0 {
			want = append(want, "428")
		}
	}
	slices.Sort(want)
	want = slices.DeleteFunc(slices.Compact(want), s.declares)
	if len(want) == 0 {
		return
	}
	at := s.Op.Pos
	if n := s.Op.Node.Get("responses"); n.Exists() {
		at = n.KeyPos()
	}
	var fix []string
	for _, status := range want {
		fix = append(fix, "'"+status+"': {description: "+statusTexts[status]+"}")
	}
	s.add(at, strings.Join(fix, "\n"), "%s may be answered with %s, which its responses do not declare", s.name, strings.Join(want, ", "))
}

var statusTexts = map[string]string{
	"400": "The idempotency key is missing or malformed",
	"409": "A request with this key is in flight or the key belongs to another request",
	"412": "The resource is not in the expected state",
	"422": "The key belongs to another request",
	"428": "The precondition is missing",
}

// declares reports whether the responses have a status, its class or default.
func (s *subject) declares(status string) bool {
	return slices.ContainsFunc(s.plan.Responses, func(r plan.Response) bool {
		return r.Status == status || r.Status == "default" || strings.EqualFold(r.Status, status[:1]+"XX")
	})
}
