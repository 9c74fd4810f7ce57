package source

import (
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/idemgen/idemgen/generator/diag"
)

// Member is a member of a schema, found through $ref and allOf.
type Member struct {
	Pos          diag.Pos // of the member's name
	Type, Format string   // empty when the schema does not say it
	Required     bool     // it and every step on the way
	Nullable     bool     // it or a step on the way
	Array        bool     // the pointer passes through an array
	Schema       string   // pointer of the member's own schema
}

// Member finds the member at an RFC 6901 pointer below the schema at a pointer
// of the document. The empty pointer is the schema itself.
func (d *Document) Member(schema, pointer string) (Member, bool) {
	n := d.Node(schema)
	if !n.Exists() {
		return Member{}, false
	}
	m := Member{Pos: n.KeyPos(), Required: true}
	t := d.typeOf(n)
	for _, token := range Tokens(pointer) {
		parts := d.parts(n)
		next, required := property(parts, token)
		if items := arrayItems(parts); !next.Exists() && items.Exists() {
			m.Array = true
			if next = items; !isIndex(token) {
				next, _ = property(d.parts(items), token)
			}
		}
		if !next.Exists() {
			return Member{}, false
		}
		n, t = next, d.typeOf(next)
		m.Pos = n.KeyPos()
		m.Required = m.Required && required
		m.Nullable = m.Nullable || t.nullable
	}
	m.Type, m.Format, m.Schema = t.name, t.format, d.qualify(n)
	return m, true
}

// property finds a member in the schemas that all apply to an object.
func property(parts []Node, name string) (member Node, required bool) {
	for _, p := range parts {
		if found := p.Get("properties").Get(name); found.Exists() && !member.Exists() {
			member = found
		}
		required = required || slices.Contains(texts(p.Get("required")), name)
	}
	return member, required
}

func arrayItems(parts []Node) Node {
	for _, p := range parts {
		if items := p.Get("items"); items.Exists() {
			return items
		}
	}
	return Node{}
}

func isIndex(token string) bool {
	return token == "-" || token != "" && strings.Trim(token, "0123456789") == ""
}

// Members returns the names of the members of a schema, through $ref and allOf,
// in document order.
func (d *Document) Members(schema string) []string {
	var all []string
	for _, p := range d.parts(d.Node(schema)) {
		for _, e := range p.Get("properties").Entries() {
			all = append(all, e.Key())
		}
	}
	return all
}

// Alternatives returns pointers of the schemas of which one or some apply to a
// value (oneOf, anyOf), through $ref and allOf, in document order.
func (d *Document) Alternatives(schema string) []string {
	var all []string
	for _, p := range d.parts(d.Node(schema)) {
		for _, key := range []string{"oneOf", "anyOf"} {
			for _, a := range p.Get(key).Items() {
				all = append(all, d.qualify(a))
			}
		}
	}
	return all
}

// parts returns the schemas that all apply to a value of n: n behind its $ref,
// the parts of allOf, and the one alternative besides null.
func (d *Document) parts(n Node) []Node {
	var all []Node
	seen := map[*yaml.Node]bool{} // one schema, however it was reached
	var add func(Node)
	add = func(n Node) {
		if n.Kind() != Map || seen[n.n] {
			return
		}
		seen[n.n] = true
		all = append(all, n)
		if ref := n.Get("$ref"); ref.Kind() == String {
			add(d.target(ref))
		}
		for _, part := range n.Get("allOf").Items() {
			add(part)
		}
		for _, key := range []string{"oneOf", "anyOf"} {
			if only, ok := d.besidesNull(n.Get(key)); ok {
				add(only)
			}
		}
	}
	add(n)
	return all
}

// besidesNull returns the single alternative of oneOf or anyOf that is not
// {type: null}.
func (d *Document) besidesNull(alternatives Node) (Node, bool) {
	var only []Node
	for _, a := range alternatives.Items() {
		if a.Get("type").Text() != "null" {
			only = append(only, a)
		}
	}
	if len(only) != 1 {
		return Node{}, false
	}
	return only[0], true
}

type schemaType struct {
	name, format string
	nullable     bool
}

// typeOf reads the type of a schema in the forms of OpenAPI 3.0 (nullable) and
// 3.1 (lists of types, alternatives with null).
func (d *Document) typeOf(n Node) schemaType {
	var t schemaType
	for _, p := range d.parts(n) {
		switch kind := p.Get("type"); kind.Kind() {
		case List:
			for _, item := range kind.Items() {
				switch {
				case item.Text() == "null":
					t.nullable = true
				case t.name == "":
					t.name = item.Text()
				}
			}
		case String:
			if t.name == "" {
				t.name = kind.Text()
			}
		}
		if t.format == "" {
			t.format = p.Get("format").Text()
		}
		t.nullable = t.nullable || p.Get("nullable").True()
		for _, key := range []string{"oneOf", "anyOf"} {
			for _, a := range p.Get(key).Items() {
				t.nullable = t.nullable || a.Get("type").Text() == "null"
			}
		}
	}
	return t
}

// schemaName is the name of the schema that a schema refers to, directly or as
// the only part of allOf; empty for an inline schema.
func schemaName(n Node) string {
	if parts := n.Get("allOf").Items(); len(parts) == 1 {
		n = parts[0]
	}
	ref := n.Get("$ref")
	if ref.Kind() != String {
		return ""
	}
	r, remote, err := parseRef(ref.file.Name, ref.Text())
	if err != nil || remote {
		return ""
	}
	if tokens := Tokens(r.pointer); len(tokens) > 0 {
		return tokens[len(tokens)-1]
	}
	base := path.Base(r.file)
	return strings.TrimSuffix(base, path.Ext(base))
}
