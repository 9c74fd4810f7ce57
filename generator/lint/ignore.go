package lint

import (
	"slices"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/source"
)

// ignoreName is the extension that takes findings back.
const ignoreName = "x-idemgen-ignore"

// suppression is one rule in one x-idemgen-ignore.
type suppression struct {
	holder source.Node
	rule   diag.Rule
	pos    diag.Pos
	used   bool
}

// suppressor collects the findings that nothing takes back.
type suppressor struct {
	doc      *source.Document
	disabled []diag.Rule
	all      []*suppression
	report   Report
}

func newSuppressor(in Input) *suppressor {
	s := &suppressor{doc: in.Document, disabled: in.Disabled}
	known := map[diag.Pos]bool{}
	for _, holder := range s.holders() {
		n := holder.Get(ignoreName)
		if n.Exists() && !known[n.KeyPos()] {
			known[n.KeyPos()] = true
			s.read(holder, n)
		}
	}
	s.doc.Extensions(ignoreName, func(n source.Node) {
		if !known[n.KeyPos()] {
			s.bad(n.KeyPos(), "move it to an operation, a path item or the root", "%s has no meaning here (%s)", ignoreName, n.Pointer())
		}
	})
	return s
}

// holders are the objects that may have the extension.
func (s *suppressor) holders() []source.Node {
	all := []source.Node{s.doc.Node("")}
	for _, op := range s.doc.Ops {
		all = append(all, op.Place, op.Item, op.Node)
	}
	return all
}

const ignoreFix = ignoreName + ": {IDM101: why it is right here}"

// read takes {IDM101: reason} or a list of {rule: IDM101, reason: …}.
func (s *suppressor) read(holder, n source.Node) {
	switch n.Kind() {
	case source.Map:
		for _, e := range n.Entries() {
			s.one(holder, e.Key(), e, e.KeyPos())
		}
	case source.List:
		for _, item := range n.Items() {
			rule := item.Get("rule")
			if rule.Kind() != source.String {
				s.bad(item.Pos(), ignoreName+": [{rule: IDM101, reason: why it is right here}]", "%s: an item is an object with rule and reason", ignoreName)
				continue
			}
			s.one(holder, rule.Text(), item.Get("reason"), rule.Pos())
		}
	default:
		s.bad(n.Pos(), ignoreFix, "%s must be an object of rules and reasons or a list, not %s", ignoreName, n.Kind())
	}
}

func (s *suppressor) one(holder source.Node, name string, reason source.Node, pos diag.Pos) {
	rule := diag.Rule(name)
	switch {
	case !Known(rule):
		fix := "remove it"
		if near, ok := diag.Nearest(name, IDs()); ok {
			fix = near + ": " + reason.Text()
		}
		s.bad(pos, fix, "%s: there is no rule %q", ignoreName, name)
	case rule == RuleBadIgnore || rule == RuleIdleIgnore:
		s.bad(pos, "remove it", "%s: %s is about suppressions and cannot be suppressed by one", ignoreName, rule)
	case reason.Kind() != source.String || strings.TrimSpace(reason.Text()) == "":
		s.bad(pos, name+": why it is right here", "%s: %s has no reason", ignoreName, name)
	default:
		s.all = append(s.all, &suppression{holder: holder, rule: rule, pos: pos})
	}
}

func (s *suppressor) bad(pos diag.Pos, fix, format string, args ...any) {
	s.meta(RuleBadIgnore, pos, fix, format, args...)
}

// meta reports a suppression.
func (s *suppressor) meta(id diag.Rule, pos diag.Pos, fix, format string, args ...any) {
	var list diag.List
	list.Warn(pos, id, fix, format, args...)
	if slices.Contains(s.disabled, id) {
		s.report.Suppressed++
		return
	}
	s.report.Findings = append(s.report.Findings, Finding{Diagnostic: list[0]})
}

// take keeps a finding unless the configuration or a suppression of the
// operation, its path item or the root takes it back. A finding of a stage
// belongs to no operation: only the root can take it back.
func (s *suppressor) take(f Finding, op *source.Op) {
	taken := slices.Contains(s.disabled, f.Rule)
	for _, x := range s.all {
		if x.rule != f.Rule {
			continue
		}
		if x.holder.Pointer() == "" && x.holder.Same(s.doc.Node("")) || op != nil && x.of(op) {
			x.used, taken = true, true
		}
	}
	if taken {
		s.report.Suppressed++
		return
	}
	s.report.Findings = append(s.report.Findings, f)
}

// of reports whether a suppression stands at an operation or its path item.
func (x *suppression) of(op *source.Op) bool {
	return x.holder.Same(op.Node) || x.holder.Same(op.Place) || x.holder.Same(op.Item)
}

// leaveOut keeps the suppressions of an operation that is not judged.
func (s *suppressor) leaveOut(op *source.Op) {
	for _, x := range s.all {
		x.used = x.used || x.of(op)
	}
}

// idle reports the suppressions that took nothing back. One of a rule that the
// configuration disables is not judged.
func (s *suppressor) idle() {
	for _, x := range s.all {
		if x.used || slices.Contains(s.disabled, x.rule) {
			continue
		}
		s.meta(RuleIdleIgnore, x.pos, "remove "+string(x.rule), "%s: %s suppresses nothing", ignoreName, x.rule)
	}
}
