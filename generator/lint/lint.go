// Package lint judges what generates well and is still unwise: operations that
// nobody decided about, scopes that do not part tenants, secrets in recorded
// answers. One table of rules drives the checks, docs/rules.md and the Spectral
// ruleset.
package lint

import (
	"cmp"
	"slices"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/source"
)

// Input is a document that the stages before have read without an error.
type Input struct {
	Document *source.Document
	Policies *policy.Document
	API      *plan.API
	Warnings diag.List   // of those stages; they are findings too
	Disabled []diag.Rule // rules that the configuration switches off
}

// Finding is a diagnostic with the operation that it is about.
type Finding struct {
	diag.Diagnostic
	Operation string // "POST /pets"; empty when it is about more than one
}

// Report is what Run found.
type Report struct {
	Findings   []Finding // sorted as [diag.List.Sort] does, without duplicates
	Suppressed int       // findings that a reason in the document or the configuration took back
}

// Add takes over another report.
func (r *Report) Add(other Report) {
	r.Findings = append(r.Findings, other.Findings...)
	r.Suppressed += other.Suppressed
	r.sort()
}

// AddList takes over diagnostics of a stage.
func (r *Report) AddList(list diag.List) {
	for _, d := range list {
		r.Findings = append(r.Findings, Finding{Diagnostic: d})
	}
	r.sort()
}

func (r *Report) sort() {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(a.Pos.Compare(b.Pos), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Message, b.Message), cmp.Compare(a.Fix, b.Fix), cmp.Compare(a.Operation, b.Operation))
	})
	r.Findings = slices.Compact(r.Findings)
}

// List returns the findings without their operations.
func (r *Report) List() diag.List {
	list := make(diag.List, len(r.Findings))
	for i, f := range r.Findings {
		list[i] = f.Diagnostic
	}
	return list
}

// Count returns how many findings have a severity.
func (r *Report) Count(s diag.Severity) int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// Run applies every rule to every operation that is generated. One that the
// configuration leaves out has no policy in force that could be judged.
func Run(in Input) Report {
	s := newSuppressor(in)
	for _, w := range in.Warnings {
		s.take(Finding{Diagnostic: w}, nil)
	}
	planned := map[string]*plan.Operation{}
	for i := range in.API.Operations {
		o := &in.API.Operations[i]
		planned[o.Method+" "+o.Path] = o
	}
	keys, tagged := keyHeaders(in.Policies), taggedPaths(in)
	for i := range in.Policies.Operations {
		p := &in.Policies.Operations[i]
		sub := &subject{Operation: p, doc: in.Document, policies: in.Policies, keys: keys, tagged: tagged, name: p.Op.Method + " " + p.Op.Path}
		if sub.plan = planned[sub.name]; sub.plan == nil {
			s.leaveOut(&p.Op)
			continue
		}
		for _, rule := range table {
			if rule.check == nil {
				continue
			}
			sub.rule = rule
			rule.check(sub)
		}
		for _, f := range sub.found {
			s.take(f, &p.Op)
		}
	}
	s.idle()
	s.report.sort()
	return s.report
}

// subject is the operation that a rule looks at.
type subject struct {
	*policy.Operation
	doc      *source.Document
	policies *policy.Document
	plan     *plan.Operation
	name     string // "POST /pets"

	keys   []string       // header fields that carry a key, canonical
	tagged map[string]tag // paths whose GET answers with an ETag

	rule  Rule
	found []Finding
}

// add reports what is wrong with this operation.
func (s *subject) add(pos diag.Pos, fix, format string, args ...any) {
	s.addFor(s.name, pos, fix, format, args...)
}

// addFrom reports a value. One from further up is reported once for all that
// inherit it, so the message must not name the operation then; see of.
func (s *subject) addFrom(from policy.Origin, fix, format string, args ...any) {
	name := s.name
	if shared(from) {
		name = ""
	}
	s.addFor(name, s.at(from), fix, format, args...)
}

// of names the operation in a message about a value of its own.
func (s *subject) of(from policy.Origin) string {
	if shared(from) {
		return ""
	}
	return " of " + s.name
}

func shared(from policy.Origin) bool {
	return from.Level == policy.LevelDocument || from.Level == policy.LevelPathItem
}

// at is the place of a value, or of the annotation when it is a default.
func (s *subject) at(from policy.Origin) diag.Pos {
	if from.Pos.IsValid() {
		return from.Pos
	}
	return s.Op.Pos
}

func (s *subject) addFor(operation string, pos diag.Pos, fix, format string, args ...any) {
	var list diag.List
	list.Add(pos, s.rule.ID, fix, format, args...)
	list[0].Severity = s.rule.Severity
	s.found = append(s.found, Finding{list[0], operation})
}

// secured reports whether some caller has to show credentials.
func (s *subject) secured() bool {
	return slices.ContainsFunc(s.plan.Security, func(a plan.Security) bool { return len(a) > 0 })
}

// unsafe reports whether the method changes something (RFC 9110 §9.2.1).
func (s *subject) unsafe() bool {
	return slices.Contains([]string{"POST", "PATCH", "PUT", "DELETE"}, s.Op.Method)
}

// undecided reports whether neither annotation says anything.
func (s *subject) undecided() bool { return s.Idempotency == nil && !s.Exempt && s.ETag == nil }
