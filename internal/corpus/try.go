package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/policy"
	proposals "github.com/idemgen/idemgen/generator/propose"
	"github.com/idemgen/idemgen/generator/source"
)

// outcome is what came of one document.
type outcome struct {
	operations, annotated         int
	reasons                       map[string]int // of the operations that were left out
	repaired                      bool           // by an overlay of ours
	generated, compiled, proposal string
}

func (o *outcome) leftOut() string {
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(o.reasons)) {
		parts = append(parts, fmt.Sprintf("%d: %s", o.reasons[reason], reason))
	}
	return strings.Join(parts, "; ")
}

// rounds bounds how often a document is tried with fewer operations.
const rounds = 50

// settings are what a run is about.
type settings struct {
	dir, router string
	compile     bool
}

// try generates and compiles one document. Operations that cannot be planned are
// excluded, and annotations that an operation cannot have are taken back.
func try(in settings, name, work string) (*outcome, error) {
	f, err := openForeign(in, name)
	if err != nil {
		return nil, err
	}
	o := &outcome{reasons: map[string]int{}, generated: "no", compiled: "-", proposal: "-"}
	doc, errs := f.load()
	if doc == nil || errs.Errors() > 0 {
		o.generated = "no: " + first(errs)
		return o, nil
	}
	o.operations, o.repaired = len(doc.Ops), f.repaired
	plain, excluded := map[string]bool{}, map[string]bool{}
	for range rounds {
		text, actions := annotations(doc, plain, excluded)
		delete(f.texts, overlayName)
		if len(actions) > 0 {
			f.texts[overlayName] = []byte(text)
		}
		project, errs := generator.Open(f.config(overlayName, slices.Sorted(maps.Keys(excluded))), f.read)
		if project == nil {
			if !o.yield(doc, errs, actions, plain, excluded) {
				o.generated = "no: " + first(errs)
				return o, nil
			}
			continue
		}
		files, errs := generator.Generate(project)
		if files == nil {
			o.generated = "no: " + first(errs)
			return o, nil
		}
		o.count(project.Plans()[0], errs)
		o.proposal = propose(f, doc, excluded)
		if !in.compile {
			return o, nil
		}
		generated := map[string][]byte{}
		for _, f := range files {
			generated[f.Name] = f.Content
		}
		o.compiled, err = build(generated, work)
		return o, err
	}
	o.generated = fmt.Sprintf("no: not within %d rounds", rounds)
	return o, nil
}

// propose does what idemgen init --overlay and generate --overlay do, and tells how
// many actions were proposed, or why they do not apply or generate.
func propose(f *foreign, doc *source.Document, excluded map[string]bool) string {
	policies, errs := policy.Read(doc)
	if errs.Errors() > 0 {
		return "no: " + first(errs)
	}
	overlay := proposals.Propose(doc, policies).Overlay()
	if overlay == nil {
		return "nothing to propose"
	}
	f.texts[proposalName] = overlay
	project, errs := generator.Open(f.config(proposalName, slices.Sorted(maps.Keys(excluded))), f.read)
	if project == nil {
		return "no: " + first(errs)
	}
	files, errs := generator.Generate(project)
	if files == nil {
		return "no: " + first(errs)
	}
	return fmt.Sprintf("yes, %d actions", strings.Count(string(overlay), "\n  - target: "))
}

// count notes what was generated in the end. The generator warns of what it left
// out itself.
func (o *outcome) count(api *plan.API, errs diag.List) {
	o.generated = "yes"
	skipped := map[plan.Pos]bool{}
	renamed := 0
	for _, e := range errs {
		switch _, reason, left := strings.Cut(e.Message, " is left out: "); {
		case left:
			skipped[plan.Pos{Pos: e.Pos}] = true
			o.reasons[cell(reason)]++
		case strings.Contains(e.Message, "is that of something else, too"):
			renamed++
		}
	}
	for _, op := range api.Operations {
		if op.Annotated() && !skipped[op.Pos] {
			o.annotated++
		}
	}
	if o.repaired {
		o.generated += ", with a repair"
	}
	if renamed > 0 {
		o.generated += fmt.Sprintf(", %d names changed", renamed)
	}
}

// yield takes back an annotation or excludes an operation for each error, and
// reports whether it found all of them.
func (o *outcome) yield(doc *source.Document, errs diag.List, actions map[int]source.Op, plain, excluded map[string]bool) bool {
	for _, e := range errs {
		if e.Severity != diag.Error {
			continue
		}
		if op, ok := actions[e.Pos.Line]; ok && e.Pos.File == overlayName {
			plain[id(op)] = true
			continue
		}
		if op, ok := mentioned(doc, e.Message); ok && e.Rule == diag.RuleStreaming {
			plain[id(op)] = true
			continue
		}
		users := doc.Users(e.Pos)
		if len(users) == 0 {
			return false
		}
		for _, op := range users {
			if !excluded[id(op)] {
				excluded[id(op)] = true
				o.reasons[reason(e)]++
			}
		}
	}
	return true
}

// mentioned returns the operation that a message names.
func mentioned(doc *source.Document, message string) (source.Op, bool) {
	i := slices.IndexFunc(doc.Ops, func(op source.Op) bool { return strings.HasPrefix(message, id(op)+" ") })
	if i < 0 {
		return source.Op{}, false
	}
	return doc.Ops[i], true
}

// reason shortens an error so that equal causes count together.
func reason(e diag.Diagnostic) string {
	if e.Rule == diag.RuleRoute {
		if router, _, named := strings.Cut(e.Message, " cannot route "); named {
			return router + " cannot route it"
		}
		return "no request has its path"
	}
	return cell(string(e.Rule) + " " + e.Message)
}

func id(op source.Op) string { return op.Method + " " + op.Path }

// annotations writes an overlay, and tells which operation each of its lines is
// about. An operation without security is public.
func annotations(doc *source.Document, plain, excluded map[string]bool) (string, map[int]source.Op) {
	lines := []string{"overlay: 1.1.0", "info: {title: Annotations, version: '1'}", "actions:"}
	about := map[int]source.Op{}
	for _, op := range doc.Ops {
		if !slices.Contains([]string{"POST", "PUT", "PATCH", "DELETE"}, op.Method) || plain[id(op)] || excluded[id(op)] || op.Item.Key() != op.Path {
			continue
		}
		value := "required"
		if op.Public {
			value = "{public: true}"
		}
		about[len(lines)+1], about[len(lines)+2] = op, op
		lines = append(lines, "  - target: "+target(op.Path, strings.ToLower(op.Method)), "    update: {x-idempotency: "+value+"}")
	}
	return strings.Join(lines, "\n") + "\n", about
}

// target selects a path item, or an operation of it, in YAML.
func target(path string, method ...string) string {
	path = "$.paths['" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(path) + "']"
	return strconv.Quote(strings.Join(append([]string{path}, method...), "."))
}

func first(errs diag.List) string {
	for _, e := range errs {
		if e.Severity == diag.Error {
			return cell(e.Error())
		}
	}
	return ""
}
