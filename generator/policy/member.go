package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/source"
)

// Member documents one member of an annotation.
type Member struct {
	Name    string // with its parents: "key.header"
	Type    string // "duration"
	Default string // as written in a document; empty: none
	Limits  string // range or values; empty: none
	Doc     string // one line
	Schema  Schema // of a value
}

// Schema is a JSON Schema (2020-12) of the values that a member may have. It
// must not be changed.
type Schema map[string]any

// member is a Member that can decode itself into a P.
type member[P any] struct {
	Member
	decode func(c *context, n source.Node) (setting[P], bool)
	reset  func(*P) // sets the default
	read   func(*P) (value string, from Origin)

	example string // a value that a reader can paste
}

// setting is a value that a document gives to a member.
type setting[P any] struct {
	name  string
	value any
	apply func(*P, Origin)
	from  Origin
}

// field declares a member: its kind, its default, and where it is kept.
func field[P, T any](name string, k kind[T], def T, at func(*P) *Value[T], doc string) member[P] {
	set := func(v T) setting[P] {
		return setting[P]{name: name, value: v, apply: func(p *P, from Origin) { *at(p) = Value[T]{v, from} }}
	}
	return member[P]{
		Member: Member{Name: name, Type: k.name, Default: written(def), Limits: k.limits, Doc: doc, Schema: k.schema},
		decode: func(c *context, n source.Node) (setting[P], bool) {
			v, ok := k.decode(c, n)
			return set(v), ok
		},
		reset: func(p *P) {
			own := def
			if shared, ok := any(def).([]string); ok {
				own = any(slices.Clone(shared)).(T)
			}
			set(own).apply(p, Origin{})
		},
		read: func(p *P) (string, Origin) {
			v := at(p)
			return written(v.V), v.From
		},
		example: k.example,
	}
}

func (m Member) leaf() string { return leaf(m.Name) }

func leaf(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// written is a value as a document writes it.
func written(v any) string {
	switch v := v.(type) {
	case time.Duration:
		return short(v)
	case []string:
		return "[" + strings.Join(v, ", ") + "]"
	case []Field:
		words := make([]string, len(v))
		for i, f := range v {
			words[i] = string(f)
		}
		return "[" + strings.Join(words, ", ") + "]"
	case int64:
		return bytesText(v)
	}
	return fmt.Sprint(v)
}

// table is the closed list of members of one annotation.
type table[P any] struct {
	annotation string // "x-idempotency"
	members    []member[P]
}

// group is the set of names at one level of an annotation.
type group struct {
	leaves []string
	groups []string
}

// level lists what may stand below a prefix such as "key."; the empty prefix is
// the annotation itself.
func (t table[P]) level(prefix string) group {
	var g group
	for _, m := range t.members {
		rest, ok := strings.CutPrefix(m.Name, prefix)
		if !ok {
			continue
		}
		if parent, _, nested := strings.Cut(rest, "."); !nested {
			g.leaves = append(g.leaves, rest)
		} else if !slices.Contains(g.groups, parent) {
			g.groups = append(g.groups, parent)
		}
	}
	return g
}

func (t table[P]) find(name string) (member[P], bool) {
	for _, m := range t.members {
		if m.Name == name {
			return m, true
		}
	}
	return member[P]{}, false
}

// defaults returns a P with every default.
func (t table[P]) defaults() P {
	var p P
	for _, m := range t.members {
		m.reset(&p)
	}
	return p
}

// settings are the values of one annotation object, by member name.
type settings[P any] map[string]setting[P]

// decode reads the members of an object. special takes the members that only
// some places have; it reports whether it knew the name.
func (t table[P]) decode(list *diag.List, object source.Node, level Level, special func(source.Node) bool) settings[P] {
	into := settings[P]{}
	t.object(list, object, "", level, into, special)
	return into
}

func (t table[P]) object(list *diag.List, object source.Node, prefix string, level Level, into settings[P], special func(source.Node) bool) {
	names := t.level(prefix)
	for _, n := range object.Entries() {
		key := n.Key()
		name := prefix + key
		c := &context{list: list, name: t.annotation + "." + name, leaf: key}
		switch {
		case special != nil && special(n):
		case slices.Contains(names.groups, key):
			if n.Kind() != source.Map {
				c.typed(n, "an object", t.sample(name+".", ""))
				continue
			}
			t.object(list, n, name+".", level, into, nil)
		case slices.Contains(names.leaves, key):
			m, _ := t.find(name)
			s, ok := m.decode(c, n)
			if !ok {
				continue
			}
			s.from = Origin{Level: level, Pos: n.Pos()}
			into[name] = s
		default:
			fix, hint := t.unknown(prefix, n, names)
			list.Add(n.KeyPos(), diag.RuleUnknownMember, fix, "%s has no member %q%s",
				strings.TrimSuffix(t.annotation+"."+prefix, "."), key, hint)
		}
	}
}

// sample writes an object with one member: the named one, or the first.
func (t table[P]) sample(prefix, name string) string {
	for _, m := range t.members {
		if rest, ok := strings.CutPrefix(m.Name, prefix); ok && (name == "" || rest == name) {
			return "{" + rest + ": " + m.example + "}"
		}
	}
	return "{}"
}

// unknown proposes what a name may have meant: a neighbour, or a member of that
// name elsewhere in the annotation. The fix keeps the value that was written.
func (t table[P]) unknown(prefix string, n source.Node, names group) (fix, hint string) {
	key := n.Key()
	value := func(m member[P]) string {
		if text := n.Text(); text != "" {
			return text
		}
		return m.example
	}
	all := append(slices.Clone(names.leaves), names.groups...)
	if near, ok := diag.Nearest(key, all); ok {
		hint = fmt.Sprintf("; did you mean %s?", near)
		if m, leaf := t.find(prefix + near); leaf {
			return near + ": " + value(m), hint
		}
		return near + ": " + t.sample(prefix+near+".", ""), hint
	}
	for _, m := range t.members {
		if _, ok := diag.Nearest(key, []string{m.leaf()}); ok {
			hint = fmt.Sprintf("; did you mean %s?", m.Name)
			if outer, inner, nested := strings.Cut(m.Name, "."); nested {
				return outer + ": {" + inner + ": " + value(m) + "}", hint
			}
			return m.Name + ": " + value(m) + " # directly below " + t.annotation, hint
		}
	}
	slices.Sort(all)
	return "remove it; there are " + strings.Join(all, ", "), ""
}

// onto applies the settings to p.
func (s settings[P]) onto(p *P) {
	for _, v := range s {
		v.apply(p, v.from)
	}
}
