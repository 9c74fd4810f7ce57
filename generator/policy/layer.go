package policy

import (
	"fmt"
	"slices"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/source"
)

// form says what an annotation does besides setting members.
type form uint8

const (
	inherit form = iota // nothing is said here
	on
	off
	exempt
)

// layer is one annotation of one place, decoded.
type layer[P any] struct {
	form     form
	at       source.Node // the annotation; absent when there is none
	settings settings[P]
}

// origin is where the layer switches something on or off.
func (l layer[P]) origin(level Level) Origin { return Origin{level, l.at.Pos()} }

// meant reports whether the annotation has a member, or one that is spelt like
// it, of which nothing could be read. That the member is missing is then no
// finding of its own.
func (l layer[P]) meant(name string) bool {
	if _, read := l.settings[name]; read {
		return false
	}
	return slices.ContainsFunc(l.at.Entries(), func(n source.Node) bool {
		_, near := diag.Nearest(n.Key(), []string{name})
		return near
	})
}

// null reports an annotation without a value.
func null(list *diag.List, n source.Node, fix string) {
	list.Add(n.KeyPos(), diag.RuleWrongType, fix, "%s: null is not a value; write one or remove the annotation", n.Key())
}

// idempotencyRoot is x-idempotency at the root.
type idempotencyRoot struct {
	layer[Idempotency]
	apply map[string]diag.Pos // method -> its place in apply
}

var applicable = oneOf("post", "put", "patch", "delete")

func (r *reader) idempotencyRoot(n source.Node) idempotencyRoot {
	root := idempotencyRoot{apply: map[string]diag.Pos{}}
	if !n.Exists() {
		return root
	}
	r.seen(n)
	root.at = n
	switch n.Kind() {
	case source.Null:
		null(&r.list, n, "x-idempotency: {apply: [post]}")
		return root
	case source.Map:
	default:
		r.list.Add(n.Pos(), diag.RuleWrongType, "x-idempotency: {apply: [post]}",
			"x-idempotency at the root holds defaults and must be an object, not %s", n.Kind())
		return root
	}
	root.settings = idempotencyTable.decode(&r.list, n, LevelDocument, func(m source.Node) bool {
		if m.Key() != "apply" {
			return false
		}
		c := &context{list: &r.list, name: "x-idempotency.apply", leaf: "apply"}
		if m.Kind() != source.List {
			c.typed(m, "a list of methods", "[post]")
			return true
		}
		for _, item := range m.Items() {
			c := &context{list: &diag.List{}, name: c.name, leaf: c.leaf}
			switch method, ok := applicable.decode(c, item); {
			case ok:
				root.apply[method] = item.Pos()
			case safeMethod(item.Text()):
				r.list.Add(item.Pos(), diag.RulePlace, "apply: [post]", "x-idempotency.apply: %s is a safe method; a retry of it changes nothing", item.Text())
			default:
				for _, d := range *c.list {
					d.Fix = "apply: [post]"
					r.list = append(r.list, d)
				}
			}
		}
		return true
	})
	return root
}

// idempotencyLayer is x-idempotency at a path item or an operation.
func (r *reader) idempotencyLayer(n source.Node, level Level) layer[Idempotency] {
	l := layer[Idempotency]{at: n}
	if !n.Exists() {
		return l
	}
	r.seen(n)
	required := func(v bool) settings[Idempotency] {
		m, _ := idempotencyTable.find("required")
		from := Origin{level, n.Pos()}
		return settings[Idempotency]{"required": {
			name: m.Name, value: v, from: from,
			apply: func(p *Idempotency, from Origin) { p.Required = Value[bool]{v, from} },
		}}
	}
	switch n.Kind() {
	case source.Null:
		null(&r.list, n, "x-idempotency: true")
	case source.Bool:
		l.form = off
		if n.True() {
			l.form = on
		}
	case source.Map:
		l.form = on
		l.settings = idempotencyTable.decode(&r.list, n, level, func(m source.Node) bool {
			if m.Key() == "apply" {
				r.list.Add(m.KeyPos(), diag.RulePlace, "x-idempotency: true", "x-idempotency.apply belongs to the root of the document")
				return true
			}
			return false
		})
	case source.String:
		switch n.Text() {
		case "required":
			l.form, l.settings = on, required(true)
		case "optional":
			l.form, l.settings = on, required(false)
		case "exempt":
			l.form = exempt
		default:
			r.badForm(n, "true, false, required, optional, exempt", "required", "optional", "exempt", "true", "false")
		}
	default:
		r.badForm(n, "true, false, required, optional, exempt")
	}
	return l
}

// badForm reports an annotation that is neither an object nor a known shorthand.
func (r *reader) badForm(n source.Node, forms string, words ...string) {
	fix := n.Key() + ": true"
	if near, ok := diag.Nearest(n.Text(), words); ok {
		fix = n.Key() + ": " + near
	}
	got := n.Kind().String()
	if n.Text() != "" {
		got = fmt.Sprintf("%q", n.Text())
	}
	r.list.Add(n.Pos(), diag.RuleWrongType, fix, "%s must be one of %s or an object, not %s", n.Key(), forms, got)
}

// etagRoot is x-etag at the root.
type etagRoot struct {
	layer[ETag]
	resources []namedResource // in document order
}

// namedResource is an entry of resources.
type namedResource struct {
	name     string
	at       source.Node
	settings settings[ETag]
}

// notAtRoot are the members of x-etag that cannot hold for all resources at once.
var notAtRoot = []string{"resource", "key", "role", "listItems"}

func (r *reader) etagRoot(n source.Node) etagRoot {
	root := etagRoot{}
	if !n.Exists() {
		return root
	}
	r.seen(n)
	root.at = n
	switch n.Kind() {
	case source.Null:
		null(&r.list, n, "x-etag: {unsupported: ignore}")
		return root
	case source.Map:
	default:
		r.list.Add(n.Pos(), diag.RuleWrongType, "x-etag: true # at the path item", "x-etag at the root holds defaults and must be an object, not %s", n.Kind())
		return root
	}
	root.settings = etagTable.decode(&r.list, n, LevelDocument, func(m source.Node) bool {
		switch {
		case m.Key() == "resources":
			root.resources = r.resources(m)
			return true
		case slices.Contains(notAtRoot, m.Key()):
			r.list.Add(m.KeyPos(), diag.RulePlace, "move "+m.Key()+" to the path item or the operation", "x-etag.%s has no meaning at the root, for all resources at once", m.Key())
			return true
		}
		return false
	})
	return root
}

func (r *reader) resources(n source.Node) []namedResource {
	c := &context{list: &r.list, name: "x-etag.resources", leaf: "resources"}
	if n.Kind() != source.Map {
		c.typed(n, "an object of definitions by name", "{Pet: {field: /version}}")
		return nil
	}
	var all []namedResource
	for _, e := range n.Entries() {
		if _, err := resourceName(e.Key()); err != nil {
			r.list.Add(e.KeyPos(), diag.RuleResource, "resources: {Pet: {field: /version}}", "x-etag.resources: %s", err)
			continue
		}
		if e.Kind() != source.Map {
			sub := &context{list: &r.list, name: c.name + "." + e.Key(), leaf: e.Key()}
			sub.typed(e, "an object", "{field: /version}")
			continue
		}
		defined := namedResource{name: e.Key(), at: e}
		defined.settings = etagTable.decode(&r.list, e, LevelDocument, func(m source.Node) bool {
			if _, known := etagTable.find(m.Key()); known && !definitionNames[m.Key()] {
				r.list.Add(m.KeyPos(), diag.RulePlace, "move "+m.Key()+" to the path item or the operation",
					"x-etag.resources.%s: %s does not define the resource but belongs to operations", e.Key(), m.Key())
				return true
			}
			return false
		})
		all = append(all, defined)
	}
	return all
}

// etagLayer is x-etag at a path item or an operation.
func (r *reader) etagLayer(n source.Node, level Level) layer[ETag] {
	l := layer[ETag]{at: n}
	if !n.Exists() {
		return l
	}
	r.seen(n)
	switch n.Kind() {
	case source.Null:
		null(&r.list, n, "x-etag: true")
	case source.Bool:
		l.form = off
		if n.True() {
			l.form = on
		}
	case source.String:
		c := &context{list: &r.list, name: "x-etag", leaf: "x-etag"}
		m, _ := etagTable.find("resource")
		if s, ok := m.decode(c, n); ok {
			s.from = Origin{level, n.Pos()}
			l.form, l.settings = on, settings[ETag]{"resource": s}
		}
	case source.Map:
		l.settings = etagTable.decode(&r.list, n, level, func(m source.Node) bool {
			if m.Key() == "resources" {
				r.list.Add(m.KeyPos(), diag.RulePlace, "x-etag: {field: /version}", "x-etag.resources belongs to the root of the document")
				return true
			}
			if m.Key() == "unsupported" && level == LevelPathItem {
				r.list.Add(m.KeyPos(), diag.RulePlace, "move unsupported to the operation or the root", "x-etag.unsupported has no meaning at a path item")
				return true
			}
			return false
		})
		l.form = on
		if n.Get("unsupported").Exists() && len(n.Entries()) == 1 {
			l.form = inherit // says what happens without x-etag, and so does not switch it on
		}
	default:
		r.badForm(n, "true, false, a resource name")
	}
	return l
}

func safeMethod(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "get", "head", "options", "trace":
		return true
	}
	return false
}
