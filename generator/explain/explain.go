// Package explain says what holds for an operation and why: every effective
// value of its annotations with the line that set it, the order of checks, and
// the answers that the policy can give.
package explain

import (
	"net/http"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/policy"
)

// Format is the version of the JSON form of a Report. It rises when a member
// changes its meaning or goes away.
const Format = 1

// Report explains operations.
type Report struct {
	Format     int         `json:"format"`
	Operations []Operation `json:"operations"` // by path, then method
}

// Operation explains one operation.
type Operation struct {
	ID          string      `json:"id"` // operationId, else "METHOD /template"
	Method      string      `json:"method"`
	Path        string      `json:"path"`
	Pos         string      `json:"pos"` // file:line
	Idempotency *Annotation `json:"idempotency,omitempty"`
	ETag        *Annotation `json:"etag,omitempty"`
	Notes       []string    `json:"notes,omitempty"` // why an annotation is not in force
	Checks      []Check     `json:"checks"`          // in order
	Answers     []Answer    `json:"answers"`         // by status, of all checks

	keyed, observed bool // the policy is in force; it refuses nothing
	hold, mayTx     bool
	ttl, lease      string
}

// Annotation is an annotation that is switched on.
type Annotation struct {
	On      Origin   `json:"on"` // what switched it on
	Members []Member `json:"members"`
}

// Member is an effective value with its witness.
type Member struct {
	Name  string `json:"name"` // with its parents: "key.header"
	Value string `json:"value"`
	From  Origin `json:"from"`
	About string `json:"about"`
}

// Origin is where something was set.
type Origin struct {
	// Level is default (built in), derived (follows from the rest of the
	// document), profile, document, pathItem or operation.
	Level string `json:"level"`
	Pos   string `json:"pos,omitempty"` // file:line; of the profile at level profile
}

// String returns what a reader needs to find the place: "default", "derived",
// the line, or the profile and its line.
func (o Origin) String() string {
	switch {
	case o.Level == "derived" && o.Pos != "":
		return "derived from " + o.Pos
	case o.Level == "profile":
		return "profile at " + o.Pos
	case o.Pos != "":
		return o.Pos
	}
	return o.Level
}

// Build explains the operations of a plan whose policies are those of the same
// document. With an id, only the operation of that operationId, or of that
// "METHOD /template".
func Build(api *plan.API, policies *policy.Document, id string) *Report {
	byPos := map[diag.Pos]*policy.Operation{}
	for i := range policies.Operations {
		byPos[policies.Operations[i].Op.Pos] = &policies.Operations[i]
	}
	r := &Report{Format: Format, Operations: []Operation{}}
	for i := range api.Operations {
		o := &api.Operations[i]
		if id != "" && id != o.ID && id != o.Method+" "+o.Path {
			continue
		}
		if p := byPos[o.Pos.Pos]; p != nil {
			r.Operations = append(r.Operations, operation(o, p))
		}
	}
	return r
}

// IDs lists what Build can be asked for.
func IDs(api *plan.API) []string {
	var all []string
	for _, o := range api.Operations {
		all = append(all, o.ID)
	}
	return all
}

func operation(o *plan.Operation, p *policy.Operation) Operation {
	e := Operation{ID: o.ID, Method: o.Method, Path: o.Path, Pos: line(o.Pos.Pos)}
	if p.Idempotency != nil {
		e.Idempotency = annotation(p.Idempotency.On, p.Idempotency.Members())
		k := p.Idempotency
		e.keyed, e.observed = k.Rollout.V != policy.RolloutOff, k.Rollout.V == policy.RolloutObserve
		e.hold, e.mayTx = k.OnCrash.V == policy.OnCrashHold, k.Mode.V != policy.ModeLease
		for _, m := range e.Idempotency.Members {
			switch m.Name {
			case "ttl":
				e.ttl = m.Value
			case "lease":
				e.lease = m.Value
			}
		}
	}
	switch {
	case p.ETag != nil:
		e.ETag = annotation(p.ETag.On, p.ETag.Members())
	case p.Lists.V != "":
		e.ETag = listing(p.Lists)
	}
	e.Notes = notes(o, p)
	e.Checks = checks(o, &e)
	e.Answers = answers(e.Checks)
	return e
}

func annotation(on policy.Origin, members []policy.Effective) *Annotation {
	a := &Annotation{On: origin(on, false)}
	for _, m := range members {
		a.Members = append(a.Members, Member{m.Name, m.Value, origin(m.From, m.Derived()), m.Doc})
	}
	return a
}

// listing explains a list whose items carry tags: nothing else of x-etag is in
// force there.
func listing(of policy.Value[string]) *Annotation {
	a := &Annotation{On: origin(of.From, false)}
	for _, m := range policy.ETagMembers() {
		if m.Name == "listItems" {
			a.Members = []Member{{m.Name, of.V, a.On, m.Doc}}
		}
	}
	return a
}

func origin(o policy.Origin, derived bool) Origin {
	levels := map[policy.Level]string{
		policy.LevelDefault: "default", policy.LevelPreset: "profile", policy.LevelDocument: "document",
		policy.LevelPathItem: "pathItem", policy.LevelOperation: "operation",
	}
	level := levels[o.Level]
	if derived || o.Level == policy.LevelDefault && o.Pos.IsValid() {
		level = "derived"
	}
	return Origin{level, line(o.Pos)}
}

// line is a position without its column: editors open it, and eyes find it.
func line(p diag.Pos) string {
	p.Col = 0
	return p.String()
}

// notes says why an operation is without a protection that a reader may look
// for.
func notes(o *plan.Operation, p *policy.Operation) []string {
	var all []string
	switch {
	case p.Idempotency != nil && p.Idempotency.Rollout.V == policy.RolloutOff:
		all = append(all, "x-idempotency is switched off by rollout: off at "+line(p.Idempotency.Rollout.From.Pos))
	case p.Idempotency != nil && p.Idempotency.Rollout.V == policy.RolloutObserve:
		all = append(all, "rollout: observe counts what the policy would answer, and changes no answer")
	case p.Idempotency != nil:
	case p.Exempt:
		all = append(all, "no keys: exempt, deliberately; an Idempotency-Key is answered with Idempotency-Status: ignored")
	case safe(o.Method):
		all = append(all, "no keys: a retry of "+o.Method+" changes nothing")
	default:
		all = append(all, "no keys: x-idempotency is not switched on; an Idempotency-Key is answered with Idempotency-Status: ignored")
	}
	if p.Lists.V != "" {
		all = append(all, "the list has no ETag itself; its items show what makes that of resource "+p.Lists.V)
	}
	if p.ETag == nil && !safe(o.Method) && p.Unsupported.V == policy.UnsupportedIgnore {
		all = append(all, "If-Match and If-None-Match are ignored here: unsupported: ignore at "+line(p.Unsupported.From.Pos))
	}
	return all
}

func safe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}
