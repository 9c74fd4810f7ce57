package generator

import (
	"slices"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/source"
)

// all reports whether every operation is selected.
func (o Operations) all() bool {
	return !o.Annotated && len(o.Include)+len(o.Exclude)+len(o.Tags)+len(o.Paths) == 0
}

// choice returns what decides about the operations of a document, nil when all
// are selected, and reports the names that none of them has: a name that
// selects nothing is a misspelt one.
func (o Operations) choice(doc *source.Document) (func(source.Op, *policy.Operation) string, diag.List) {
	var errs diag.List
	if o.all() {
		return nil, errs
	}
	var ids, tags, paths []string
	for _, op := range doc.Ops {
		ids = append(ids, op.Method+" "+op.Path)
		if op.ID != "" {
			ids = append(ids, op.ID)
		}
		tags, paths = append(tags, op.Tags...), append(paths, op.Path)
	}
	for _, kind := range []struct {
		member, what string
		names        []Name
		have         []string
		fits         func(name, have string) bool
	}{
		{"include", "operation", o.Include, ids, same},
		{"exclude", "operation", o.Exclude, ids, same},
		{"tags", "tag", o.Tags, tags, same},
		{"paths", "path", o.Paths, paths, begins},
	} {
		for _, n := range kind.names {
			if slices.ContainsFunc(kind.have, func(have string) bool { return kind.fits(n.Text, have) }) {
				continue
			}
			fix := "remove the name"
			if near, ok := diag.Nearest(n.Text, kind.have); ok {
				fix = kind.member + ": [" + near + "]"
			}
			errs.Add(n.Pos, diag.RuleConfig, fix, "operations.%s: the document has no %s %s", kind.member, kind.what, n.Text)
		}
	}
	return o.reason, errs
}

// reason tells why an operation is left out; empty: it is not.
func (o Operations) reason(op source.Op, p *policy.Operation) string {
	named := func(names []Name) bool {
		return slices.ContainsFunc(names, func(n Name) bool { return n.Text == op.ID && op.ID != "" || n.Text == op.Method+" "+op.Path })
	}
	switch {
	case named(o.Exclude):
		return "excluded"
	case len(o.Include)+len(o.Tags)+len(o.Paths) > 0 && !named(o.Include) &&
		!slices.ContainsFunc(o.Tags, func(n Name) bool { return slices.Contains(op.Tags, n.Text) }) &&
		!slices.ContainsFunc(o.Paths, func(n Name) bool { return begins(n.Text, op.Path) }):
		return "not included"
	case o.Annotated && (p == nil || p.Idempotency == nil && p.ETag == nil && p.Lists.V == ""):
		return "not annotated"
	}
	return ""
}

func same(name, have string) bool { return name == have }

// begins compares a path template with a pattern that may end in *.
func begins(pattern, path string) bool {
	if prefix, open := strings.CutSuffix(pattern, "*"); open {
		return strings.HasPrefix(path, prefix)
	}
	return pattern == path
}
