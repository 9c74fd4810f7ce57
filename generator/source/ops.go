package source

import (
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
)

// Op is an operation of a path item.
type Op struct {
	Path    string   // path template
	Method  string   // upper case
	Pointer string   // of the operation, where it is written
	Pos     diag.Pos // of the operation's key
	Node    Node     // the operation object
	Item    Node     // the path item, through $ref
	Place   Node     // the path item where the path is declared: Item, or a $ref to it
	ID      string   // operationId as written; may be empty

	Summary, Description string
	Tags                 []string
	Deprecated           bool
	Public               bool // no security requirement, or an empty alternative
}

// Requirement is one alternative of a security requirement: scheme name to
// scopes.
type Requirement map[string][]string

// Parameter is a parameter in effect on an operation.
type Parameter struct {
	Pos          diag.Pos // of the parameter object
	Use          diag.Pos // where it is listed: Pos, or a $ref to it
	Name, In     string
	Required     bool
	Deprecated   bool
	Type, Format string // of the schema; empty when it does not say
	Schema       string // pointer; empty when the parameter has content instead
}

// Media is one entry of a content object.
type Media struct {
	Pos    diag.Pos
	Type   string // media type as written
	Schema string // pointer of the schema where it is used; empty: none
	Name   string // name of the schema that it refers to; empty: inline
}

// Body is a request body.
type Body struct {
	Pos      diag.Pos
	Required bool
	Content  []Media // in document order
}

// Response is one entry of responses.
type Response struct {
	Pos         diag.Pos // of the status
	Status      string   // "200", "2XX" or "default"
	Description string
	Headers     []string // names as written, in document order
	Content     []Media  // in document order
}

// Success reports whether the status is in the class 2XX.
func (r Response) Success() bool { return len(r.Status) == 3 && r.Status[0] == '2' }

var methods = map[string]bool{
	"get": true, "put": true, "post": true, "delete": true,
	"options": true, "head": true, "patch": true, "trace": true,
}

// readOps lists the operations. A path item that repeats another path by $ref
// has none of its own: requests to it are requests to that path's operations.
func (d *Document) readOps(list *diag.List) {
	root := d.Files[0].Root
	for _, place := range root.Get("paths").Entries() {
		if strings.HasPrefix(place.Key(), "/") && !strings.HasPrefix(place.Get("$ref").Text(), "#/paths/") {
			d.Ops = append(d.Ops, d.opsOf(place)...)
		}
	}
	for _, place := range root.Get("webhooks").Entries() {
		d.Webhooks = append(d.Webhooks, d.opsOf(place)...)
	}
	first := map[string]Op{}
	for _, op := range d.Ops {
		if op.ID == "" {
			continue
		}
		if other, ok := first[op.ID]; ok {
			at, taken := op.Node.Get("operationId").Pos(), other.Node.Get("operationId").Pos()
			if at == taken { // an alias or a $ref: one operation in two places
				at = op.Place.KeyPos()
			}
			list.Add(at, diag.RuleOperationID, "give each operation an operationId of its own",
				"operationId %q is already that of %s %s at %s", op.ID, other.Method, other.Path, taken)
			continue
		}
		first[op.ID] = op
	}
}

func (d *Document) opsOf(place Node) []Op {
	item := d.deref(place)
	var ops []Op
	for _, n := range item.Entries() {
		if !methods[n.Key()] || n.Kind() != Map {
			continue
		}
		op := Op{
			Path: place.Key(), Method: strings.ToUpper(n.Key()), Pointer: d.qualify(n), Pos: n.KeyPos(),
			Node: n, Item: item, Place: place,
			ID: n.Get("operationId").Text(), Summary: n.Get("summary").Text(), Description: n.Get("description").Text(),
			Tags: texts(n.Get("tags")), Deprecated: n.Get("deprecated").True(),
		}
		alternatives, _ := d.Security(op)
		op.Public = len(alternatives) == 0
		for _, a := range alternatives {
			op.Public = op.Public || len(a) == 0
		}
		ops = append(ops, op)
	}
	return ops
}

// Security returns the alternatives in effect, the operation's own or else the
// document's, and where they are declared. No alternative means that anyone may
// call it.
func (d *Document) Security(op Op) ([]Requirement, diag.Pos) {
	n := op.Node.Get("security")
	if !n.Exists() {
		n = d.Files[0].Root.Get("security")
	}
	var all []Requirement
	for _, item := range n.Items() {
		r := Requirement{}
		for _, scheme := range item.Entries() {
			r[scheme.Key()] = texts(scheme)
		}
		all = append(all, r)
	}
	return all, n.KeyPos()
}

// Parameters returns the parameters in effect: those of the path item unless
// the operation overrides them, then the operation's own; in document order.
func (d *Document) Parameters(op Op) []Parameter {
	own := d.parameters(op.Node)
	overridden := map[[2]string]bool{}
	for _, p := range own {
		overridden[[2]string{p.In, p.Name}] = true
	}
	var all []Parameter
	for _, p := range d.parameters(op.Item) {
		if !overridden[[2]string{p.In, p.Name}] {
			all = append(all, p)
		}
	}
	return append(all, own...)
}

func (d *Document) parameters(holder Node) []Parameter {
	var all []Parameter
	for _, item := range holder.Get("parameters").Items() {
		n := d.deref(item)
		if n.Kind() != Map {
			continue
		}
		p := Parameter{
			Pos: n.Pos(), Use: item.Pos(), Name: n.Get("name").Text(), In: n.Get("in").Text(),
			Required: n.Get("required").True(), Deprecated: n.Get("deprecated").True(),
		}
		if schema := n.Get("schema"); schema.Exists() {
			t := d.typeOf(schema)
			p.Schema, p.Type, p.Format = d.qualify(schema), t.name, t.format
		}
		all = append(all, p)
	}
	return all
}

// Body returns the request body of an operation.
func (d *Document) Body(op Op) (Body, bool) {
	n := d.deref(op.Node.Get("requestBody"))
	if n.Kind() != Map {
		return Body{}, false
	}
	return Body{Pos: n.KeyPos(), Required: n.Get("required").True(), Content: d.content(n)}, true
}

// Responses returns the responses of an operation in document order.
func (d *Document) Responses(op Op) []Response {
	var all []Response
	for _, entry := range op.Node.Get("responses").Entries() {
		if strings.HasPrefix(entry.Key(), "x-") {
			continue
		}
		n := d.deref(entry)
		r := Response{
			Pos: entry.KeyPos(), Status: entry.Key(),
			Description: n.Get("description").Text(), Content: d.content(n),
		}
		for _, h := range n.Get("headers").Entries() {
			r.Headers = append(r.Headers, h.Key())
		}
		all = append(all, r)
	}
	return all
}

func (d *Document) content(holder Node) []Media {
	var all []Media
	for _, entry := range holder.Get("content").Entries() {
		m := Media{Pos: entry.KeyPos(), Type: entry.Key()}
		if schema := d.deref(entry).Get("schema"); schema.Exists() {
			m.Schema, m.Name = d.qualify(schema), schemaName(schema)
		}
		all = append(all, m)
	}
	return all
}

// qualify returns the pointer of a node as the Document's methods take it.
func (d *Document) qualify(n Node) string {
	if n.file == d.Files[0] {
		return n.ptr
	}
	return n.file.Name + "#" + n.ptr
}

// Node returns what is at a pointer; absent when nothing is.
func (d *Document) Node(pointer string) Node {
	file := d.Files[0]
	if name, ptr, ok := strings.Cut(pointer, "#"); ok && !strings.HasPrefix(pointer, "/") {
		pointer = ptr
		if name != "" {
			if file = d.byName[name]; file == nil {
				return Node{}
			}
		}
	}
	return file.Root.at(pointer)
}

// Pos returns the place of what is at a pointer: of its key when it has one.
// It is the zero Pos when nothing is there.
func (d *Document) Pos(pointer string) diag.Pos { return d.Node(pointer).KeyPos() }

// Extensions calls visit for every member called name in all files, in document
// order, except inside examples, defaults and other literal data.
func (d *Document) Extensions(name string, visit func(Node)) {
	for _, f := range d.Files {
		f.look()
		for _, n := range f.extensions {
			if n.Key() == name {
				visit(n)
			}
		}
	}
}

// extensible lists the objects that have extensions among the names that the
// author chose.
var extensible = map[string]bool{"paths": true, "responses": true}

// Same reports whether two nodes are one place in one file.
func (n Node) Same(m Node) bool { return n.n == m.n && n.n != nil }

func texts(list Node) []string {
	var all []string
	for _, item := range list.Items() {
		all = append(all, item.Text())
	}
	return all
}
