package source

import (
	"net/url"
	"path"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
)

// reference is a parsed $ref.
type reference struct {
	file    string // name of the file, as File.Name
	pointer string // RFC 6901
}

// parseRef resolves a $ref written in file. remote is true for one that leaves
// the local files.
func parseRef(file, ref string) (r reference, remote bool, err error) {
	u, err := url.Parse(ref)
	if err != nil {
		return reference{}, false, err
	}
	if u.Scheme != "" || u.Host != "" {
		return reference{}, true, nil
	}
	r = reference{file: file, pointer: u.Fragment}
	switch {
	case u.Path == "":
	case path.IsAbs(u.Path):
		r.file = u.Path
	default:
		r.file = path.Join(path.Dir(file), u.Path)
	}
	return r, false, nil
}

// names lists the members of OpenAPI and JSON Schema objects whose own members
// have names that the author chose.
var names = map[string]bool{
	"properties": true, "patternProperties": true, "$defs": true, "definitions": true, "dependentSchemas": true,
	"schemas": true, "responses": true, "parameters": true, "headers": true, "requestBodies": true,
	"securitySchemes": true, "links": true, "callbacks": true, "pathItems": true, "paths": true, "webhooks": true,
	"content": true, "encoding": true, "mediaTypes": true, "variables": true,
}

// literal lists the members that hold the author's data, in which a $ref means
// nothing.
var literal = map[string]bool{
	"example": true, "default": true, "enum": true, "const": true, "value": true, "dataValue": true,
}

// look finds what is asked for again and again, because looking at every node costs
// more than what those who ask do with it.
func (f *File) look() {
	f.found.Do(func() {
		walkMembers(f.Root, false, func(ref Node) { f.refs = append(f.refs, ref) }, func(n Node) {
			if capital(n.Key()) {
				f.capitals = append(f.capitals, n)
				return
			}
			f.extensions = append(f.extensions, n)
		})
	})
}

// eachRef calls visit for every $ref of a file, in document order.
func (f *File) eachRef(visit func(ref Node)) {
	f.look()
	for _, ref := range f.refs {
		visit(ref)
	}
}

// eachRef calls visit for every $ref below n, in document order.
func eachRef(n Node, visit func(ref Node)) { walkMembers(n, false, visit, func(Node) {}) }

// walkMembers walks n; named says that the author chose the names of its members.
func walkMembers(n Node, named bool, ref, extension func(Node)) {
	if n.n != n.value() {
		return // an alias: its anchor is visited where it stands
	}
	for _, item := range n.Items() {
		walkMembers(item, false, ref, extension)
	}
	for _, e := range n.Entries() {
		key := e.Key()
		extends := strings.HasPrefix(key, "x-")
		if (extends || capital(key)) && (!named || extensible[n.Key()]) {
			extension(e)
		}
		switch {
		case named: // a component may have such a name, too
			walkMembers(e, false, ref, extension)
		case key == "$ref" && e.Kind() == String:
			ref(e)
		case literal[key] || extends:
		case key == "examples":
			eachExample(e, ref)
		case key == "mapping" && n.Get("propertyName").Exists():
			eachMapping(e, ref)
		default:
			walkMembers(e, names[key] && e.Kind() == Map, ref, extension)
		}
	}
}

// eachExample visits the references to whole examples; what is in them is data.
func eachExample(examples Node, visit func(Node)) {
	for _, example := range examples.Entries() {
		if r := example.Get("$ref"); r.Kind() == String {
			visit(r)
		}
	}
}

// eachMapping visits the values of a discriminator that are references, not names.
func eachMapping(mapping Node, visit func(Node)) {
	for _, m := range mapping.Entries() {
		if strings.ContainsAny(m.Text(), "#/") {
			visit(m)
		}
	}
}

// Refs calls visit for every $ref of all files, in document order.
func (d *Document) Refs(visit func(ref Node)) {
	for _, f := range d.Files {
		f.eachRef(visit)
	}
}

// NamesItself reports whether a $ref of the root file leads to that file by its
// name, and not by a fragment alone.
func (d *Document) NamesItself() bool {
	found := false
	d.Files[0].eachRef(func(ref Node) {
		r, remote, err := parseRef(d.Files[0].Name, ref.Text())
		found = found || err == nil && !remote && r.file == d.Files[0].Name && !strings.HasPrefix(ref.Text(), "#")
	})
	return found
}

// Target returns what a $ref points at; absent when there is nothing.
func (d *Document) Target(ref Node) Node { return d.target(ref) }

// Deref follows $ref until it reaches something else.
func (d *Document) Deref(n Node) Node { return d.deref(n) }

// deref follows $ref until it reaches something else; absent when the chain
// breaks or never ends.
func (d *Document) deref(n Node) Node {
	for range maxDepth {
		ref := n.Get("$ref")
		if ref.Kind() != String {
			return n
		}
		if n = d.target(ref); !n.Exists() {
			return n
		}
	}
	return Node{}
}

// target returns what a $ref points at; absent when there is nothing.
func (d *Document) target(ref Node) Node {
	r, remote, err := parseRef(ref.file.Name, ref.Text())
	if err != nil || remote {
		return Node{}
	}
	f := d.byName[r.file] // nil also for a file that could not be read
	if f == nil || (r.pointer != "" && !strings.HasPrefix(r.pointer, "/")) {
		return Node{}
	}
	return f.Root.at(r.pointer)
}

// checkRefs reports the references of a file that point at nothing.
func (d *Document) checkRefs(f *File, list *diag.List) {
	f.eachRef(func(ref Node) {
		r, remote, err := parseRef(f.Name, ref.Text())
		if err != nil || remote || d.byName[r.file] == nil || !d.byName[r.file].Root.Exists() {
			return // reported when the files were read
		}
		if r.pointer != "" && !strings.HasPrefix(r.pointer, "/") {
			list.Add(ref.Pos(), diag.RuleMissingRef, `write the place as a JSON pointer: "#/components/schemas/Name"`,
				"$ref %q is not a file with a JSON pointer", ref.Text())
			return
		}
		target := d.target(ref)
		switch {
		case !target.Exists():
			fix, at := d.suggest(ref, r)
			list.Add(ref.Pos(), diag.RuleMissingRef, fix, "$ref %q points at nothing: %s", ref.Text(), at)
		case target.Same(d.Files[0].Root) && ref.Text() != "":
			list.Add(ref.Pos(), diag.RuleMissingRef, `$ref: "#/components/schemas/Name"`, "$ref %q points at the whole document", ref.Text())
		case target.Kind() != Map && target.Kind() != Bool && !names[target.Parent().Key()]:
			// A schema may be true or false. What stands among components is wrong
			// itself, and reported there.
			list.Add(ref.Pos(), diag.RuleMissingRef, "refer to an object", "$ref %q points at %s, not at an object", ref.Text(), target.Kind())
		}
	})
}

// suggest explains where a reference breaks off and proposes the nearest name.
func (d *Document) suggest(ref Node, r reference) (fix, at string) {
	n, walked := d.byName[r.file].Root, ""
	for _, token := range Tokens(r.pointer) {
		next := n.at("/" + EscapeToken(token))
		if next.Exists() {
			n, walked = next, walked+"/"+EscapeToken(token)
			continue
		}
		var have []string
		for _, e := range n.Entries() {
			have = append(have, e.Key())
		}
		place := "#" + walked
		if r.file != ref.file.Name {
			place = r.file + place
		}
		at = "no " + quote(token) + " in " + place
		if near, ok := diag.Nearest(token, have); ok {
			fixed := strings.Replace(ref.Text(), EscapeToken(token), EscapeToken(near), 1)
			return "$ref: " + quote(fixed), at
		}
		return "define " + quote(token) + " in " + place + ", or correct the $ref", at
	}
	return "", "it does not resolve"
}

func quote(s string) string { return `"` + s + `"` }

// checkCycles reports chains of $ref and allOf that lead back to themselves:
// they describe nothing.
func (d *Document) checkCycles(list *diag.List) {
	c := cycleFinder{doc: d, list: list, state: map[string]uint8{}}
	for _, f := range d.Files {
		f.eachRef(func(ref Node) {
			holder := f.Root.at(parent(ref.ptr))
			if holder.Get("$ref").n == ref.n {
				c.visit(holder)
			}
		})
	}
}

type cycleFinder struct {
	doc   *Document
	list  *diag.List
	state map[string]uint8 // by file and pointer: 1 on the current chain, 2 done
	depth int
}

func (c *cycleFinder) visit(n Node) {
	id := n.file.Name + "#" + n.ptr
	if c.state[id] != 0 || c.depth > maxDepth {
		return
	}
	c.state[id] = 1
	c.depth++
	if ref := n.Get("$ref"); ref.Kind() == String {
		c.follow(c.doc.target(ref), ref)
	}
	for _, part := range n.Get("allOf").Items() {
		c.follow(part, part)
	}
	c.depth--
	c.state[id] = 2
}

// follow goes on to n; via is the step that leads there.
func (c *cycleFinder) follow(n, via Node) {
	if n.Kind() != Map {
		return
	}
	if c.state[n.file.Name+"#"+n.ptr] == 1 {
		if ref := via.Get("$ref"); ref.Exists() {
			via = ref
		}
		c.list.Add(via.Pos(), diag.RuleCyclicRef, "write out what one of the references on the way stands for",
			"$ref %q leads back to itself", via.Text())
		return
	}
	c.visit(n)
}

func parent(pointer string) string {
	if i := strings.LastIndexByte(pointer, '/'); i >= 0 {
		return pointer[:i]
	}
	return ""
}
