package policy

import (
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/source"
)

// checkIdempotency applies the rules that need several members or the operation.
func (r *reader) checkIdempotency(s subject, p *Idempotency) {
	r.checkSecurity(s, p)
	r.checkKey(s, p)
	r.checkFingerprint(s, p)
	r.checkTimes(p)
	r.checkReplay(s, p)
	if !slices.Contains(p.Record.Statuses.V, "2XX") {
		r.list.Add(p.Record.Statuses.From.Pos, diag.RuleRecord, "statuses: ["+strings.Join(append([]string{"2XX"}, p.Record.Statuses.V...), ", ")+"]",
			"x-idempotency.record.statuses: 2XX must be recorded, or a retry repeats what succeeded")
	}
	for _, response := range r.doc.Responses(s.op) {
		for _, m := range response.Content {
			if streaming(m.Type) {
				r.list.Add(m.Pos, diag.RuleStreaming, "x-idempotency: exempt", "%s has x-idempotency and answers with %s: a stream cannot be recorded", s.name(), m.Type)
			}
		}
	}
}

func (r *reader) checkSecurity(s subject, p *Idempotency) {
	alternatives, _ := r.doc.Security(s.op)
	secured := slices.ContainsFunc(alternatives, func(a source.Requirement) bool { return len(a) > 0 })
	if !secured && !p.Public.V {
		if r.idempotent.meant("public") || s.place.idempotency.meant("public") || s.idempotency.meant("public") {
			return
		}
		r.list.Add(s.op.Pos, diag.RuleSecurity, "x-idempotency: {public: true} # or: security: [{apiKey: []}]",
			"%s has x-idempotency, no security and no public: true: equal keys of two callers would meet", s.name())
		return
	}
	r.checkSchemes(s)
	caller := slices.Contains(p.Scope.V, "tenant") || slices.Contains(p.Scope.V, "principal")
	switch {
	case p.Public.V && caller:
		r.list.Add(p.Scope.From.Pos, diag.RuleScope, "scope: [operation]", "x-idempotency.scope%s names a caller, and public: true says that there is none", s.of(p.Scope.From))
	case !p.Public.V && !caller:
		r.list.Add(p.Scope.From.Pos, diag.RuleScope, "scope: [tenant, operation]", "x-idempotency.scope%s names neither tenant nor principal: equal keys of two callers would meet", s.of(p.Scope.From))
	}
}

// checkSchemes reports requirements that name no scheme: nobody would know the
// caller whose keys they are to part.
func (r *reader) checkSchemes(s subject) {
	security := s.op.Node.Get("security")
	if !security.Exists() {
		security = r.doc.Node("/security")
	}
	defined := r.doc.Node("/components/securitySchemes")
	for _, alternative := range security.Items() {
		for _, scheme := range alternative.Entries() {
			name := scheme.Key()
			if defined.Get(name).Exists() {
				continue
			}
			fix, have := "components: {securitySchemes: {"+name+": {type: apiKey, in: header, name: X-API-Key}}}", []string{}
			for _, d := range defined.Entries() {
				have = append(have, d.Key())
			}
			if near, ok := diag.Nearest(name, have); ok {
				fix = near + ":"
			}
			r.list.Add(scheme.KeyPos(), diag.RuleSecurity, fix, "security names the scheme %q, which components.securitySchemes does not define", name)
		}
	}
}

func (r *reader) checkKey(s subject, p *Idempotency) {
	k := &p.Key
	for i, alias := range k.Aliases.V {
		if alias == k.Header.V || slices.Contains(k.Aliases.V[:i], alias) {
			r.list.Add(k.Aliases.From.Pos, diag.RuleKey, "aliases: "+without(k.Aliases.V, k.Header.V), "x-idempotency.key.aliases: %s is named twice", alias)
		}
	}
	if k.MinLength.V > k.MaxLength.V {
		r.list.Add(nearer(k.MinLength.From, k.MaxLength.From).Pos, diag.RuleKey, "minLength: "+strconv.Itoa(k.MaxLength.V),
			"x-idempotency.key: minLength %d is greater than maxLength %d", k.MinLength.V, k.MaxLength.V)
	}
	at, ok := strings.CutPrefix(k.Source.V, "body:")
	if !ok {
		return
	}
	schemas := r.jsonBodies(s.op)
	if len(schemas) == 0 {
		r.list.Add(k.Source.From.Pos, diag.RuleKey, "source: header", "x-idempotency.key.source: %s has no JSON request body", s.name())
	}
	for _, schema := range schemas {
		m, found := r.doc.Member(schema, at)
		switch {
		case !found:
			fix := "source: header"
			if near, ok := diag.Nearest(at, pointers(r.doc.Members(schema))); ok {
				fix = "source: body:" + near
			}
			r.list.Add(k.Source.From.Pos, diag.RuleKey, fix, "x-idempotency.key.source: the request body of %s has no member %s", s.name(), at)
		case m.Array:
			r.list.Add(k.Source.From.Pos, diag.RuleKey, "source: header", "x-idempotency.key.source: %s passes through an array", at)
		case m.Type != "string" && m.Type != "":
			r.list.Add(k.Source.From.Pos, diag.RuleKey, "type: string", "x-idempotency.key.source: %s must be a string, and is %s in the request body of %s", at, m.Type, s.name())
		}
	}
}

// jsonBodies lists the schemas of an operation's JSON request bodies.
func (r *reader) jsonBodies(op source.Op) []string {
	var all []string
	body, _ := r.doc.Body(op)
	for _, m := range body.Content {
		if jsonType(m.Type) && m.Schema != "" {
			all = append(all, m.Schema)
		}
	}
	return all
}

func (r *reader) checkFingerprint(s subject, p *Idempotency) {
	f := &p.Fingerprint
	if len(f.Include.V) > 0 && len(f.Exclude.V) > 0 {
		r.list.Add(nearer(f.Include.From, f.Exclude.From).Pos, diag.RuleFingerprint, "exclude: ["+strings.Join(f.Exclude.V, ", ")+"]",
			"x-idempotency.fingerprint: include and exclude exclude each other; keep one")
	}
	for name, pointers := range map[string]Value[[]string]{"include": f.Include, "exclude": f.Exclude} {
		if len(pointers.V) > 0 && f.Mode.V != FingerprintAuto && f.Mode.V != FingerprintJSON {
			r.list.Add(pointers.From.Pos, diag.RuleFingerprint, "mode: json", "x-idempotency.fingerprint.%s: pointers apply to JSON, and mode is %s", name, f.Mode.V)
		}
		for _, at := range pointers.V {
			for _, schema := range r.jsonBodies(s.op) {
				if m, found := r.doc.Member(schema, at); found && m.Array {
					r.list.Add(pointers.From.Pos, diag.RuleFingerprint, name+": ["+r.array(schema, at)+"]",
						"x-idempotency.fingerprint.%s: %s passes through an array; name the whole array", name, at)
				}
			}
		}
	}
	for _, h := range f.Headers.V {
		if h == p.Key.Header.V || slices.Contains(p.Key.Aliases.V, h) {
			r.list.Add(f.Headers.From.Pos, diag.RuleFingerprint, "headers: "+without(f.Headers.V, append([]string{p.Key.Header.V}, p.Key.Aliases.V...)...), "x-idempotency.fingerprint.headers: %s is the key itself", h)
		}
	}
}

// array is the part of a pointer that ends at the first array.
func (r *reader) array(schema, at string) string {
	whole := ""
	for _, token := range source.Tokens(at) {
		next := whole + "/" + source.EscapeToken(token)
		if m, ok := r.doc.Member(schema, next); ok && m.Array {
			break
		}
		whole = next
	}
	return whole
}

func (r *reader) checkTimes(p *Idempotency) {
	if p.Lease.V >= p.TTL.V {
		r.list.Add(nearer(p.Lease.From, p.TTL.From).Pos, diag.RuleLease, "lease: "+short(p.TTL.V/2),
			"x-idempotency: the lease (%s) must be shorter than the ttl (%s)", short(p.Lease.V), short(p.TTL.V))
	}
	if p.OnStoreError.V == OnStoreErrorRun && p.Mode.V == ModeTx {
		r.list.Add(nearer(p.OnStoreError.From, p.Mode.From).Pos, diag.RuleLease, "onStoreError: reject",
			"x-idempotency: onStoreError: run cannot work with mode: tx, which has no transaction without its store")
	}
}

// checkReplay reports a reference to nothing. Which operation reads what
// Location names is known only when it is recorded; without any GET there is
// none.
func (r *reader) checkReplay(s subject, p *Idempotency) {
	reads := slices.ContainsFunc(r.doc.Ops, func(op source.Op) bool { return op.Method == http.MethodGet })
	if p.Replay.Body.V == ReplayReference && !reads {
		r.list.Add(p.Replay.Body.From.Pos, diag.RuleReplay, "body: store",
			"x-idempotency.replay.body%s: reference without a read operation: the document has no GET that could answer what Location names", s.of(p.Replay.Body.From))
	}
}

// without writes a list without some of its items and without repetition.
func without(all []string, unwanted ...string) string {
	var kept []string
	for _, s := range all {
		if !slices.Contains(unwanted, s) && !slices.Contains(kept, s) {
			kept = append(kept, s)
		}
	}
	return written(kept)
}

// nearer returns the origin with the greater level.
func nearer(a, b Origin) Origin {
	if b.Level > a.Level {
		return b
	}
	return a
}

func pointers(members []string) []string {
	all := make([]string, len(members))
	for i, m := range members {
		all[i] = "/" + source.EscapeToken(m)
	}
	return all
}

// jsonType reports whether a media type is JSON or a +json type.
func jsonType(media string) bool {
	t := baseType(media)
	return t == "application/json" || strings.HasSuffix(t, "+json")
}

// streaming reports whether a media type is an endless sequence.
func streaming(media string) bool {
	switch baseType(media) {
	case "text/event-stream", "application/jsonl", "application/x-ndjson", "application/ndjson",
		"application/x-jsonlines", "application/json-seq", "multipart/x-mixed-replace":
		return true
	}
	return false
}

func baseType(media string) string {
	if t, _, err := mime.ParseMediaType(media); err == nil {
		return t
	}
	t, _, _ := strings.Cut(media, ";")
	return strings.ToLower(strings.TrimSpace(t))
}
