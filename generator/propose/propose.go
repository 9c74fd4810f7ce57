// Package propose reads a document that knows nothing of idemgen and proposes an
// annotation for each of its unsafe operations, with the reason.
package propose

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/source"
)

// Proposal is what to write at one operation.
type Proposal struct {
	Operation   string   // "POST /pets", and the operationId
	Reason      []string // why; a line each
	Pointer     string   // of the operation; empty when an overlay cannot reach it
	Annotations []string // lines of YAML: "x-idempotency: required"
}

// Proposals are for a document.
type Proposals struct {
	Title string // of the API
	List  []Proposal
}

// Propose goes through the operations that change something and say nothing of
// retries, not even that they are off, in document order. Nothing is guessed from names
// that could mean something else: a key is one only where the document calls it so.
func Propose(doc *source.Document, policies *policy.Document) Proposals {
	p := newProposer(doc, policies)
	for i := range policies.Operations {
		o := &policies.Operations[i]
		if unsafe(o.Op.Method) && o.Idempotency == nil && !o.Exempt && o.ETag == nil && !said(o.Op) {
			p.operation(o.Op)
		}
	}
	return Proposals{doc.Node("/info/title").Text(), p.list}
}

// said reports whether the author wrote an annotation at the operation, if only to
// switch it off. An overlay could not replace it by an object either.
func said(op source.Op) bool {
	return op.Node.Get("x-idempotency").Exists() || op.Node.Get("x-etag").Exists()
}

func unsafe(method string) bool {
	return slices.Contains([]string{"POST", "PUT", "PATCH", "DELETE"}, method)
}

type proposer struct {
	doc      *source.Document
	list     []Proposal
	home     map[string]string   // resource -> path
	versions map[string]*version // path -> what its GET shows; nil: nothing
	done     map[string]bool     // pointers
}

func newProposer(doc *source.Document, policies *policy.Document) *proposer {
	p := &proposer{doc: doc, home: map[string]string{}, versions: map[string]*version{}, done: map[string]bool{}}
	for _, o := range policies.Operations {
		if o.ETag != nil && o.ETag.Resource.V != "" {
			p.home[o.ETag.Resource.V] = o.Op.Path
		}
	}
	return p
}

// Tag returns what to write as x-etag at a path item so that the path is read and
// written by the version that its GET shows, or that the handler says; empty when the
// path is no resource.
func Tag(doc *source.Document, policies *policy.Document, path string) string {
	p := newProposer(doc, policies)
	get := slices.IndexFunc(doc.Ops, func(o source.Op) bool { return o.Path == path && o.Method == "GET" })
	if get < 0 || p.unfit(doc.Ops[get]) != "" {
		return ""
	}
	v, _ := p.shown(path)
	resource := policy.ResourceOf(doc, path)
	for _, name := range []string{resource, named(path)} {
		if v == nil && p.free(name, path) {
			v = &version{resource: name} // which the handler says
		}
	}
	switch {
	case v == nil:
		return ""
	case v.resource != resource:
		return v.definition()
	case v.field == "":
		return "{strategy: handler}"
	case v.field != "/version":
		return "{field: " + quoted(v.field) + "}"
	}
	return "true"
}

// add adds a proposal. A path item that several paths use is annotated once.
func (p *proposer) add(op source.Op, pr Proposal) {
	if p.done[op.Pointer] {
		return
	}
	p.done[op.Pointer] = true
	pr.Operation, pr.Pointer = op.Method+" "+op.Path, op.Pointer
	if op.ID != "" {
		pr.Operation += " " + op.ID
	}
	if !strings.HasPrefix(op.Pointer, "/") {
		pr.Pointer = ""
		pr.because("It is written in another file, where an overlay of this one does not reach: write it there.")
	}
	p.list = append(p.list, pr)
}

func (pr *Proposal) because(reason ...string) { pr.Reason = append(pr.Reason, reason...) }

func (p *proposer) operation(op source.Op) {
	var pr Proposal
	if media := p.stream(op); media != "" {
		pr.because("It answers with " + media + ": a stream cannot be recorded.")
		pr.Annotations = []string{"x-idempotency: exempt"}
		p.add(op, pr)
		return
	}
	key, declared := p.declaredKey(op)
	switch status := p.creates(op); {
	case declared:
		pr.because(key.reason)
	case op.Method == "POST" && status != "":
		pr.because("It creates (" + status + "): a request that is sent again would create once more.")
	case op.Method == "POST":
		pr.because("POST is not idempotent (RFC 9110 §9.2.2): a request that is sent again has its effect again.")
	}
	var v *version
	why := ""
	if op.Method != "POST" || p.conditional(op) {
		v, why = p.version(op)
	}
	switch {
	case declared || op.Method == "POST":
		pr.Annotations = append(pr.Annotations, p.keyed(op, key.members...))
		pr.because(p.public(op)...)
	case v != nil:
	case op.Method == "PATCH":
		pr.Annotations = append(pr.Annotations, p.keyed(op, "required: false"))
		pr.because("PATCH is not idempotent (RFC 9110 §9.2.2); "+why+".", "Clients that send a key are protected, others see no difference.")
		pr.because(p.public(op)...)
	default:
		pr.Annotations = append(pr.Annotations, "x-idempotency: exempt")
		pr.because(op.Method + " may be repeated (RFC 9110 §9.2.2); " + why + ", so the last writer wins.")
	}
	if v != nil {
		p.read(v)
		pr.Annotations = append(pr.Annotations, "x-etag: "+v.resource)
		pr.because(v.reason())
	}
	p.add(op, pr)
}

// conditional reports whether an operation declares If-Match, so that a POST is
// known to change what its path names.
func (p *proposer) conditional(op source.Op) bool {
	return slices.ContainsFunc(p.doc.Parameters(op), func(param source.Parameter) bool {
		return param.In == "header" && strings.EqualFold(param.Name, "If-Match")
	})
}

// keyed writes x-idempotency with members, in its shortest form.
func (p *proposer) keyed(op source.Op, members ...string) string {
	if len(p.public(op)) > 0 {
		members = append([]string{"public: true"}, members...)
	}
	switch {
	case len(members) == 0:
		return "x-idempotency: required"
	case len(members) == 1 && members[0] == "required: false":
		return "x-idempotency: optional"
	}
	return "x-idempotency: {" + strings.Join(members, ", ") + "}"
}

// public says why a key has no caller, if it has none.
func (p *proposer) public(op source.Op) []string {
	alternatives, _ := p.doc.Security(op)
	if slices.ContainsFunc(alternatives, func(r source.Requirement) bool { return len(r) > 0 }) {
		return nil
	}
	return []string{"It has no security, so there is no caller whose key it would be: public."}
}

// stream is the media type of an answer that is sent piece by piece.
func (p *proposer) stream(op source.Op) string {
	for _, r := range p.doc.Responses(op) {
		for _, m := range r.Content {
			t, _, _ := strings.Cut(strings.ToLower(m.Type), ";")
			if slices.Contains([]string{"text/event-stream", "application/x-ndjson", "application/jsonl"}, strings.TrimSpace(t)) {
				return m.Type
			}
		}
	}
	return ""
}

// creates is the status that says so.
func (p *proposer) creates(op source.Op) string {
	for _, r := range p.doc.Responses(op) {
		if r.Status == "201" {
			return "201"
		}
	}
	return ""
}

// declaredKey is a key that the document itself calls one.
type declaredKey struct {
	members []string
	reason  string
}

// keyFields are the names of a key in a header; nothing else is one, least of
// all a request id.
var keyFields = []string{"idempotency-key", "x-idempotency-key"}

func (p *proposer) declaredKey(op source.Op) (declaredKey, bool) {
	for _, param := range p.doc.Parameters(op) {
		name := strings.ToLower(param.Name)
		if param.In != "header" || !slices.Contains(keyFields, name) {
			continue
		}
		k := declaredKey{reason: fmt.Sprintf("It declares the header %s (%s), which is honoured.", param.Name, line(param.Pos))}
		if !param.Required {
			k.members = append(k.members, "required: false")
		}
		if name != keyFields[0] {
			k.members = append(k.members, "key: {header: "+param.Name+"}")
		}
		return k, true
	}
	return p.keyInBody(op)
}

// keyInBody finds a member idempotency_key, in any spelling, of all JSON bodies.
func (p *proposer) keyInBody(op source.Op) (declaredKey, bool) {
	body, _ := p.doc.Body(op)
	name, at, required := "", diag.Pos{}, body.Required
	for _, m := range body.Content {
		found := ""
		for _, member := range p.doc.Members(m.Schema) {
			if plain(member) != "idempotencykey" {
				continue
			}
			if s, ok := p.doc.Member(m.Schema, "/"+source.EscapeToken(member)); ok && s.Type == "string" && jsonType(m.Type) {
				found, at, required = member, s.Pos, required && s.Required
			}
		}
		if found == "" || name != "" && name != found {
			return declaredKey{}, false
		}
		name = found
	}
	if name == "" {
		return declaredKey{}, false
	}
	k := declaredKey{reason: fmt.Sprintf("Its body carries a key, %s (%s), which is honoured.", name, line(at))}
	if !required {
		k.members = append(k.members, "required: false")
	}
	k.members = append(k.members, "key: {source: "+quoted("body:/"+source.EscapeToken(name))+"}")
	return k, true
}

// plain is a name without case and separators.
func plain(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "").Replace(name))
}

func jsonType(media string) bool {
	t, _, _ := strings.Cut(strings.ToLower(media), ";")
	t = strings.TrimSpace(t)
	return t == "application/json" || strings.HasSuffix(t, "+json")
}

// line is a position without its directory, which an overlay does not depend on,
// and without its column.
func line(p diag.Pos) string {
	p.File, p.Col = p.File[strings.LastIndexByte(p.File, '/')+1:], 0
	return p.String()
}

var bare = regexp.MustCompile(`^[A-Za-z0-9/][A-Za-z0-9/._-]*$`)

// quoted writes a string into a flow of YAML.
func quoted(s string) string {
	if bare.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// read proposes, once, the x-etag of the read that shows a version.
func (p *proposer) read(v *version) {
	if v.proposed {
		return
	}
	v.proposed = true
	var pr Proposal
	switch {
	case v.field == "" && v.tagged:
		pr.because("It declares an ETag and shows no version to make it of, so the handler says it.")
	case v.field == "":
		pr.because("Writes of the path declare If-Match, and it shows no version to make an ETag of, so the handler says it.")
	default:
		pr.because(fmt.Sprintf("It shows the version of %s at %s (%s), which becomes an ETag.", v.resource, v.field, line(v.pos)))
	}
	pr.Annotations = []string{"x-etag: " + v.definition()}
	p.add(v.get, pr)
}
