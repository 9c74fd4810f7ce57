package source

import (
	"regexp"
	"slices"
	"strings"

	"github.com/speakeasy-api/jsonpath/pkg/jsonpath"
	"gopkg.in/yaml.v3"

	"github.com/idemgen/idemgen/generator/diag"
)

// overlay is a document of the OpenAPI Overlay Specification. Both versions are
// applied by the rules of 1.1.0, because they only add to those of 1.0.0.
type overlay struct {
	file    *File
	actions []action
}

// action is one change. Exactly one of update, remove and from is set.
type action struct {
	target Node
	path   *jsonpath.JSONPath
	update Node
	remove bool
	copies Node // the JSONPath of what is copied
	source *jsonpath.JSONPath
}

// overlayReader reads one overlay and collects what is wrong with it.
type overlayReader struct {
	list *diag.List
	rfc  bool // the overlay says by itself that its paths are RFC 9535
}

// overlays applies files to the root document, in their order.
func (l *loader) overlays(root *File, names []string) {
	if len(names) == 0 {
		return
	}
	var all []overlay
	for _, name := range names {
		content, err := l.readFile(name, diag.Pos{File: name})
		if err != nil {
			continue
		}
		file := parse(name, content, &l.list)
		l.doc.overlays = append(l.doc.overlays, file)
		if o, ok := readOverlay(file, &l.list); ok {
			all = append(all, o)
		}
	}
	if l.list.Errors() > 0 {
		return // an action that finds nothing because of another mistake is no finding
	}
	g := newGraft(root, &l.list)
	for _, o := range all {
		for _, a := range o.actions {
			g.apply(a)
		}
	}
	if l.list.Errors() == 0 {
		g.finish()
	}
}

// Overlaid reports whether a place is in an overlay: what stands there was not
// written by the author of the document.
func (d *Document) Overlaid(pos diag.Pos) bool {
	return slices.ContainsFunc(d.overlays, func(f *File) bool { return f.Name == pos.File })
}

func readOverlay(f *File, list *diag.List) (overlay, bool) {
	r := overlayReader{list: list}
	root := f.Root
	if !root.Exists() {
		return overlay{}, false
	}
	if !r.object(root, "an overlay", []string{"overlay", "info", "extends", "actions"}) {
		return overlay{}, false
	}
	version := root.Get("overlay")
	if !regexp.MustCompile(`^1\.[01]\.\d+$`).MatchString(version.Text()) {
		if !version.Exists() {
			version = root
		}
		r.add(version, "overlay: 1.1.0", "not an overlay of version 1.0.0 or 1.1.0")
		return overlay{}, false
	}
	dialect := root.Get("x-speakeasy-jsonpath")
	if dialect.Text() == "legacy" {
		list.Warn(dialect.KeyPos(), diag.RuleOverlay, "remove x-speakeasy-jsonpath", "targets are read as RFC 9535 JSONPath, whatever x-speakeasy-jsonpath says")
	}
	r.rfc = strings.HasPrefix(version.Text(), "1.1.") || dialect.Exists()
	actions := root.Get("actions")
	if actions.Kind() != List || len(actions.Items()) == 0 {
		if !actions.Exists() {
			actions = root
		}
		r.add(actions, "actions:\n  - target: $.paths['/orders'].post\n    update: {x-idempotency: required}", "an overlay needs actions, a list with at least one action")
		return overlay{}, false
	}
	o := overlay{file: f}
	before := list.Errors()
	for _, item := range actions.Items() {
		if a, ok := r.action(item); ok {
			o.actions = append(o.actions, a)
		}
	}
	return o, list.Errors() == before
}

func (r *overlayReader) add(n Node, fix, format string, args ...any) {
	r.list.Add(n.Pos(), diag.RuleOverlay, fix, format, args...)
}

// object demands a mapping with only known members and extensions.
func (r *overlayReader) object(n Node, what string, known []string) bool {
	if n.Kind() != Map {
		r.add(n, "", "%s must be an object, not %s", what, n.Kind())
		return false
	}
	ok := true
	for _, e := range n.Entries() {
		if slices.Contains(known, e.Key()) || strings.HasPrefix(e.Key(), "x-") {
			continue
		}
		ok = false
		fix := ""
		if near, found := diag.Nearest(e.Key(), known); found {
			fix = near + ":"
		}
		r.list.Add(e.KeyPos(), diag.RuleOverlay, fix, "%s has no member %q; it has %s", what, e.Key(), strings.Join(known, ", "))
	}
	return ok
}

func (r *overlayReader) action(n Node) (a action, ok bool) {
	if !r.object(n, "an action", []string{"target", "description", "update", "remove", "copy"}) {
		return a, false
	}
	a.target = n.Get("target")
	if !a.target.Exists() {
		r.add(n, "target: $.paths['/orders'].post", "an action lacks its target")
		return a, false
	}
	if a.path, ok = r.path(a.target); !ok {
		return a, false
	}
	a.update, a.copies = n.Get("update"), n.Get("copy")
	remove := n.Get("remove")
	if remove.Exists() && remove.Kind() != Bool {
		r.add(remove, "remove: true", "remove must be true or false, not %s", remove.Kind())
		return a, false
	}
	a.remove = remove.True()
	does := 0
	for _, set := range []bool{a.update.Exists(), a.remove, a.copies.Exists()} {
		if set {
			does++
		}
	}
	if does != 1 {
		r.add(n, "update: {x-idempotency: required}", "an action must have exactly one of update, remove: true and copy")
		return a, false
	}
	if a.copies.Exists() {
		a.source, ok = r.path(a.copies)
	}
	return a, ok
}

// path reads a JSONPath of RFC 9535. Overlays of 1.0.0 were often written for
// the dialect of an older tool, which reads filters differently.
func (r *overlayReader) path(n Node) (p *jsonpath.JSONPath, ok bool) {
	if n.Kind() != String {
		r.add(n, "target: $.paths['/orders'].post", "%s must be a JSONPath, not %s", n.Key(), n.Kind())
		return nil, false
	}
	err := guard(func() (err error) {
		p, err = jsonpath.NewPath(n.Text())
		return err
	})
	if err != nil {
		message, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
		r.add(n, n.Key()+": $.paths['/orders'].post", "%s is not a JSONPath of RFC 9535: %s", n.Key(), message)
		return nil, false
	}
	if !r.rfc && strings.Contains(n.Text(), "?") {
		r.list.Warn(n.Pos(), diag.RuleOverlay, "overlay: 1.1.0", "the filter is read as RFC 9535 JSONPath, not in the dialect that some tools give overlays of 1.0.0")
	}
	return p, true
}

// query returns what a path selects, each node once.
func query(p *jsonpath.JSONPath, root *yaml.Node) (found []*yaml.Node, err error) {
	err = guard(func() error {
		found = p.Query(root)
		return nil
	})
	seen := make(map[*yaml.Node]bool, len(found))
	return slices.DeleteFunc(found, func(n *yaml.Node) bool {
		twice := seen[n]
		seen[n] = true
		return twice
	}), err
}
