// Package breaking tells which changes of policy between two versions of a
// document its clients notice. Changes of paths, parameters and schemas are for
// others to judge.
package breaking

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/policy"
)

// Severity says what a change does to clients that were right before.
type Severity string

// Severities, from worst to least.
const (
	// Breaking: a request that was answered is refused, a status means
	// something else, or a retry has its effect again.
	Breaking Severity = "breaking"
	// Risky: some client notices, in the deploy or in a failure.
	Risky Severity = "risky"
	// Note: nobody who was right before notices.
	Note Severity = "note"
)

func (s Severity) rank() int { return slices.Index([]Severity{Breaking, Risky, Note}, s) }

// Change is one change of policy. The same change of several operations, from a
// value that they inherit, is one.
type Change struct {
	Pos        diag.Pos // in the new document; in the old one for what is gone
	Severity   Severity
	Operations []string // operationId, else "METHOD /template"; ascending
	Member     string   // "x-idempotency.ttl", "x-etag" or "operationId"
	Old, New   string   // as a document writes it; empty: nothing
	Reason     string   // one line, without a full stop
}

// Error returns file:line:col: severity: operations: what: why, so that a Change
// prints like a diagnostic.
func (c Change) Error() string {
	who := c.Operations[0]
	if n := len(c.Operations) - 1; n > 0 {
		who = fmt.Sprintf("%s and %d more", who, n)
	}
	return fmt.Sprintf("%s: %s: %s: %s: %s", c.Pos, c.Severity, who, c.What(), c.Reason)
}

// What names the member and how it changed.
func (c Change) What() string {
	switch {
	case c.Old == "" && c.New == "":
		return c.Member
	case c.Old == "":
		return c.Member + " " + c.New + " is new"
	case c.New == "":
		return c.Member + " " + c.Old + " is gone"
	}
	return fmt.Sprintf("%s %s -> %s", c.Member, c.Old, c.New)
}

// Compare lists the changes of policy from one version of a document to the
// next, worst first, then by position. Operations are the same when method and
// path template are, whatever the parameters are called; those that only one
// version has are no change of policy.
func Compare(before, after *policy.Document) []Change {
	old := map[string]*policy.Operation{}
	for i := range before.Operations {
		old[route(&before.Operations[i])] = &before.Operations[i]
	}
	c := &comparison{at: map[key]int{}}
	for i := range after.Operations {
		now := &after.Operations[i]
		if then := old[route(now)]; then != nil {
			c.operation(then, now)
		}
	}
	for i := range c.all {
		slices.Sort(c.all[i].Operations)
	}
	slices.SortStableFunc(c.all, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Severity.rank(), b.Severity.rank()), a.Pos.Compare(b.Pos),
			cmp.Compare(a.Member, b.Member), cmp.Compare(a.Operations[0], b.Operations[0]))
	})
	return c.all
}

// Count returns how many changes have a severity.
func Count(list []Change, s Severity) int {
	n := 0
	for _, c := range list {
		if c.Severity == s {
			n++
		}
	}
	return n
}

var parameter = regexp.MustCompile(`\{[^{}]*\}`)

func route(o *policy.Operation) string {
	return o.Op.Method + " " + parameter.ReplaceAllString(o.Op.Path, "{}")
}

// key is what makes changes of several operations one.
type key struct {
	pos      diag.Pos
	severity Severity
	member   string
	old, now string
	reason   string
}

// comparison collects changes.
type comparison struct {
	all []Change
	at  map[key]int
}

func (c *comparison) add(now *policy.Operation, change Change) {
	k := key{change.Pos, change.Severity, change.Member, change.Old, change.New, change.Reason}
	name := id(now)
	if i, ok := c.at[k]; ok {
		c.all[i].Operations = append(c.all[i].Operations, name)
		return
	}
	c.at[k] = len(c.all)
	change.Operations = []string{name}
	c.all = append(c.all, change)
}

func id(o *policy.Operation) string { return cmp.Or(o.Op.ID, o.Op.Method+" "+o.Op.Path) }

// operation compares two versions of an operation.
func (c *comparison) operation(then, now *policy.Operation) {
	c.keys(then, now)
	c.tags(then, now)
}

// place is where a change is to be seen: where the new value is set, else where
// the old one was, else the operation.
func place(then, now policy.Origin, o *policy.Operation) diag.Pos {
	switch {
	case now.Level != policy.LevelDefault && now.Pos.IsValid():
		return now.Pos
	case then.Level != policy.LevelDefault && then.Pos.IsValid():
		return then.Pos
	case now.Pos.IsValid():
		return now.Pos
	}
	return o.Op.Pos
}

// verdict is what a rule says about a change; the zero verdict is silence.
type verdict struct {
	severity Severity
	reason   string
}

// rule judges the change of one member.
type rule[P any] func(then, now *P) verdict

// always is the same for every change.
func always[P any](s Severity, reason string) rule[P] {
	return func(_, _ *P) verdict { return verdict{s, reason} }
}

// follows names the members that others are derived from: their place is where a
// reader sees the change.
var follows = map[string]string{"scope": "public"}

// members compares the members of an annotation that is in force in both
// versions.
func members[P any](c *comparison, annotation string, rules map[string]rule[P], then, now *P, list func(*P) []policy.Effective, o *policy.Operation) {
	before, after := list(then), list(now)
	from := func(all []policy.Effective, m policy.Effective) policy.Origin {
		for _, other := range all {
			if m.Derived() && other.Name == follows[m.Name] {
				return other.From
			}
		}
		return m.From
	}
	for i, m := range after {
		old := before[i]
		judge := rules[m.Name]
		if old.Value == m.Value || judge == nil {
			continue
		}
		v := judge(then, now)
		if v == (verdict{}) {
			continue
		}
		c.add(o, Change{
			Pos: place(from(before, old), from(after, m), o), Severity: v.severity, Member: annotation + "." + m.Name,
			Old: orNone(old.Value), New: orNone(m.Value), Reason: v.reason,
		})
	}
}

func orNone(s string) string { return cmp.Or(s, "none") }
