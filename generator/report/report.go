// Package report shows how safe an API is to retry, on one page: what protects
// each operation, what is missing, and what to write instead.
package report

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/policy"
)

// Finding is a diagnostic with the operation that it is about.
type Finding struct {
	diag.Diagnostic
	Operation string // "POST /pets"; empty when it is about more than one
}

// Input is one document and what is known about it.
type Input struct {
	Title    string // of the API
	Plan     *plan.API
	Policies *policy.Document
	Findings []Finding
}

// Page is a report.
type Page struct {
	Version string // of idemgen
	APIs    []API
}

// API is the report on one document.
type API struct {
	Title, Source string
	Grade         string // A to F
	Score         int    // percent
	Verdict       string // one sentence
	Rows          []Row  // by path, then method
	Hazards       []Numbered
	Notes         []Numbered // what harms nobody: findings of severity info

	Operations, Unsafe, Keyed, Guarded, Open int // Open: unsafe and undecided
}

// Row is one operation.
type Row struct {
	Method, Path, ID, Summary, Pos string
	Deprecated                     bool
	Semantics                      string // of the method: safe, idempotent, not idempotent
	Keys, Tags                     Cell
	Stored                         []string // statuses that are recorded
	Findings                       []Numbered
}

// Cell is what one annotation says.
type Cell struct {
	// State is on, part (accepted, not demanded), off (deliberately), open
	// (nobody decided) or none (nothing to decide).
	State string
	Text  string
	More  []string
}

// Numbered is a finding with its number on the page, from 1.
type Numbered struct {
	Number int
	Finding
}

// Place is file:line:col.
func (n Numbered) Place() string { return n.Pos.String() }

// Build makes the report. Version is that of idemgen.
func Build(inputs []Input, version string) *Page {
	p := &Page{Version: version}
	number := 0
	for _, in := range inputs {
		p.APIs = append(p.APIs, build(in, &number))
	}
	return p
}

func build(in Input, number *int) API {
	a := API{Title: cmp.Or(in.Title, in.Plan.Source), Source: in.Plan.Source}
	byPos := map[diag.Pos]*policy.Operation{}
	for i := range in.Policies.Operations {
		byPos[in.Policies.Operations[i].Op.Pos] = &in.Policies.Operations[i]
	}
	of := map[string][]Numbered{}
	for _, f := range slices.SortedStableFunc(slices.Values(in.Findings), func(a, b Finding) int { return cmp.Compare(a.Severity, b.Severity) }) {
		*number++
		n := Numbered{*number, f}
		if f.Severity == diag.Info {
			a.Notes = append(a.Notes, n)
		} else {
			a.Hazards = append(a.Hazards, n)
		}
		of[f.Operation] = append(of[f.Operation], n)
	}
	points := 0.0
	for i := range in.Plan.Operations {
		o := &in.Plan.Operations[i]
		p := byPos[o.Pos.Pos]
		if p == nil {
			continue
		}
		row := newRow(o, p)
		if row.undecided() {
			a.Open++
		}
		row.Findings = of[o.Method+" "+o.Path]
		a.Rows = append(a.Rows, row)
		a.count(o, &row)
		if row.Semantics != safe {
			points += row.points()
		}
	}
	a.grade(points)
	return a
}

func (a *API) count(o *plan.Operation, row *Row) {
	a.Operations++
	if row.Semantics != safe {
		a.Unsafe++
	}
	if o.Idempotency != nil && o.Idempotency.Rollout == "enforce" {
		a.Keyed++
	}
	if o.Precondition != nil && len(o.Precondition.Require) > 0 {
		a.Guarded++
	}
}

// What the method promises (RFC 9110 §9.2).
const (
	safe          = "safe"
	idempotent    = "idempotent"
	notIdempotent = "not idempotent"
)

func semantics(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return safe
	case http.MethodPut, http.MethodDelete:
		return idempotent
	}
	return notIdempotent
}

func newRow(o *plan.Operation, p *policy.Operation) Row {
	r := Row{
		Method: o.Method, Path: o.Path, Summary: o.Summary, Pos: o.Pos.String(), Deprecated: o.Deprecated,
		Semantics: semantics(o.Method),
	}
	if o.ID != o.Method+" "+o.Path {
		r.ID = o.ID
	}
	r.Keys = keys(o, p)
	r.Tags = tags(o, p)
	if r.Keys.State == "on" || r.Keys.State == "part" {
		r.Stored = o.Idempotency.Record
	}
	return r
}

func keys(o *plan.Operation, p *policy.Operation) Cell {
	k := o.Idempotency
	switch {
	case k == nil && semantics(o.Method) == safe:
		return Cell{State: "none"}
	case k == nil && p.Exempt:
		return Cell{State: "off", Text: "exempt"}
	case k == nil && p.ETag != nil:
		return Cell{State: "none", Text: "none"}
	case k == nil:
		return Cell{State: "open", Text: "undecided"}
	case k.Rollout != "enforce":
		return Cell{State: "off", Text: "rollout: " + k.Rollout}
	}
	c := Cell{State: "on", Text: "required"}
	if !k.Required {
		c = Cell{State: "part", Text: "optional"}
	}
	where := k.Key.Header
	if k.Key.Body != "" {
		where = "body " + k.Key.Body
	}
	c.More = []string{where, "replays for " + hours(k.TTL), "per " + strings.Join(k.Scope, ", ")}
	if k.Mode != "auto" {
		c.More = append(c.More, "mode "+k.Mode)
	}
	if k.OnCrash == "hold" {
		c.More = append(c.More, "held after a crash")
	}
	if k.OnStoreError == "run" {
		c.More = append(c.More, "unprotected without the store")
	}
	return c
}

func tags(o *plan.Operation, p *policy.Operation) Cell {
	e := o.Precondition
	switch {
	case e == nil && len(o.OwnPreconditions) > 0:
		return Cell{State: "part", Text: "by the handler", More: o.OwnPreconditions}
	case e == nil && p.Unsupported.V == policy.UnsupportedIgnore && semantics(o.Method) != safe:
		return Cell{State: "off", Text: "ignored"}
	case e == nil:
		return Cell{State: "none"}
	case e.Role == "read":
		return Cell{State: "on", Text: "ETag", More: []string{e.Resource}}
	case len(e.Require) == 0:
		return Cell{State: "part", Text: "optional", More: []string{e.Resource, e.Role}}
	}
	fields := map[string]string{"ifMatch": "If-Match", "ifNoneMatch": "If-None-Match", "ifUnmodifiedSince": "If-Unmodified-Since"}
	var all []string
	for _, f := range e.Require {
		all = append(all, fields[f])
	}
	return Cell{State: "on", Text: strings.Join(all, " or "), More: []string{e.Resource, e.Role}}
}

// undecided reports whether an unsafe operation says nothing about retries.
func (r *Row) undecided() bool { return r.Keys.State == "open" }

// points is how much of an operation is in order, 0 to 1: a decision counts, and
// what is doubtful about it halves it. A PUT or DELETE without one can be
// repeated, but overwrites what others wrote.
func (r *Row) points() float64 {
	doubtful := slices.ContainsFunc(r.Findings, func(n Numbered) bool { return n.Severity == diag.Warning })
	switch {
	case r.undecided() && r.Semantics == idempotent:
		return 0.5
	case r.undecided():
		return 0
	case doubtful:
		return 0.5
	}
	return 1
}

// grade sums up. An API without unsafe operations has nothing to lose.
func (a *API) grade(points float64) {
	a.Score = 100
	if a.Unsafe > 0 {
		a.Score = int(100 * points / float64(a.Unsafe)) // points are halves, so that no percent is lost to rounding
	}
	limits := []struct {
		from  int
		grade string
	}{{95, "A"}, {85, "B"}, {70, "C"}, {50, "D"}, {0, "F"}}
	for _, l := range limits {
		if a.Score >= l.from {
			a.Grade = l.grade
			break
		}
	}
	switch {
	case a.Unsafe == 0:
		a.Verdict = "Nothing here changes anything, so nothing can happen twice."
	case a.Open == 0 && len(a.Hazards) == 0:
		a.Verdict = "Every operation that changes something says what a repetition does."
	case a.Open == 0:
		a.Verdict = fmt.Sprintf("Every operation that changes something says what a repetition does; %s to look at.", things(len(a.Hazards)))
	default:
		a.Verdict = fmt.Sprintf("%d of %d operations that change something do not say what a repetition does.", a.Open, a.Unsafe)
	}
}

func things(n int) string {
	if n == 1 {
		return "1 hazard"
	}
	return fmt.Sprintf("%d hazards", n)
}

func hours(d plan.Duration) string {
	t := time.Duration(d)
	switch {
	case t%time.Hour == 0:
		return fmt.Sprintf("%d\u00a0h", t/time.Hour)
	case t%time.Minute == 0:
		return fmt.Sprintf("%d\u00a0min", t/time.Minute)
	}
	return t.String()
}
