package source

import (
	"fmt"
	"maps"
	"mime"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/idemgen/idemgen/generator/diag"
)

// objects lists the members of OpenAPI objects that are objects themselves when
// they are there at all, apart from the entries of the maps in names.
var objects = map[string]bool{
	"schema": true, "items": true, "requestBody": true, "not": true, "additionalProperties": true,
	"get": true, "put": true, "post": true, "delete": true, "options": true, "head": true, "patch": true, "trace": true,
}

// lists holds the members whose items are objects.
var lists = map[string]bool{"parameters": true, "allOf": true, "oneOf": true, "anyOf": true, "prefixItems": true}

// checkNulls reports what is null and must be an object, and references that
// are none. The libraries behind take a null for an absent member, so that an
// operation would be lost, or they stop without a place.
func checkNulls(n Node, named bool, list *diag.List) {
	if n.n != n.value() {
		return // an alias: its anchor is checked where it stands
	}
	null := func(n Node, name string) {
		if n.Kind() == Null {
			list.Add(n.Pos(), diag.RuleLoad, "write an object, or remove it", "%s must be an object, not null", name)
		}
	}
	for _, item := range n.Items() {
		if lists[n.Key()] {
			null(item, "an item of "+n.Key())
		}
		checkNulls(item, false, list)
	}
	for _, e := range n.Entries() {
		switch key := e.Key(); {
		case named:
			if !strings.HasPrefix(key, "x-") {
				null(e, quote(key))
			}
			checkNulls(e, false, list)
		case key == "$ref":
			checkRefKind(e, list)
		case literal[key] || key == "examples" || strings.HasPrefix(key, "x-"):
		default:
			if objects[key] {
				null(e, key)
			}
			checkNulls(e, names[key] && e.Kind() == Map, list)
		}
	}
}

func checkRefKind(ref Node, list *diag.List) {
	const fix = `$ref: "#/components/schemas/Name"`
	switch {
	case ref.Kind() != String:
		list.Add(ref.Pos(), diag.RuleMissingRef, fix, "$ref must be a string, not %s", ref.Kind())
	case ref.Text() == "":
		list.Add(ref.Pos(), diag.RuleMissingRef, fix, "$ref is empty")
	}
}

// itemMembers are the members of a path item besides the methods.
var itemMembers = map[string]bool{"$ref": true, "summary": true, "description": true, "servers": true, "parameters": true}

// shapes checks what operations are made of: what does not fit would be left
// out of the generated code without a word, or stop oapi-codegen without a place.
type shapes struct {
	doc  *Document
	list *diag.List
	seen map[*yaml.Node]bool // through $ref, many places lead to one node
}

func (d *Document) checkShapes(list *diag.List) {
	for _, f := range d.Files {
		checkNulls(f.Root, false, list)
	}
	s := shapes{doc: d, list: list, seen: map[*yaml.Node]bool{}}
	root := d.Files[0].Root
	for _, place := range root.Get("paths").Entries() {
		if path := place.Key(); !strings.HasPrefix(path, "x-") {
			if !strings.HasPrefix(path, "/") {
				list.Add(place.KeyPos(), diag.RuleRoute, quote("/"+path)+":", "the path %q must begin with a slash", path)
			}
			s.item(d.deref(place))
		}
	}
	for _, place := range root.Get("webhooks").Entries() {
		s.item(d.deref(place))
	}
}

// first reports whether a node is an object that was not checked yet.
func (s *shapes) first(n Node) bool {
	v := n.value()
	if n.Kind() != Map || s.seen[v] {
		return false
	}
	s.seen[v] = true
	return true
}

func (s *shapes) item(item Node) {
	if !s.first(item) {
		return
	}
	s.parameters(item.Get("parameters"))
	for _, e := range item.Entries() {
		key := e.Key()
		switch {
		case methods[key]:
			s.operation(e)
		case itemMembers[key] || strings.HasPrefix(key, "x-") || capital(key): // the validation warns of capitals
		case key == "query" || key == "additionalOperations":
			s.list.Add(e.KeyPos(), diag.RuleOapiCodegen, "use one of the methods get, put, post, delete, options, head, patch and trace",
				"oapi-codegen cannot generate this document: a path item has %s", key)
		default:
			fix := "remove it, or give it a name that begins with x-"
			known := slices.Concat(slices.Sorted(maps.Keys(methods)), slices.Sorted(maps.Keys(itemMembers)))
			if near, ok := diag.Nearest(strings.ToLower(key), known); ok {
				fix = near + ":"
			}
			s.list.Add(e.KeyPos(), diag.RuleLoad, fix, "a path item has no member %q", key)
		}
	}
}

func (s *shapes) operation(op Node) {
	if !s.first(op) {
		return
	}
	s.parameters(op.Get("parameters"))
	s.content(s.doc.deref(op.Get("requestBody")))
	for _, entry := range op.Get("responses").Entries() {
		status := entry.Key()
		if strings.HasPrefix(status, "x-") {
			continue
		}
		if !statusCode.MatchString(status) {
			fix := "'200':"
			if class := strings.ToUpper(status); statusCode.MatchString(class) {
				fix = class + ":"
			}
			s.list.Add(entry.KeyPos(), diag.RuleLoad, fix, "the status of a response must be 100 to 599, a class such as 2XX, or default, not %q", status)
		}
		s.response(s.doc.deref(entry))
	}
}

var statusCode = regexp.MustCompile(`^([1-5][0-9][0-9]|[1-5]XX|default)$`)

func (s *shapes) response(r Node) {
	if !s.first(r) {
		return
	}
	s.content(r)
	for _, h := range r.Get("headers").Entries() {
		if !fieldName.MatchString(h.Key()) {
			s.list.Add(h.KeyPos(), diag.RuleLoad, "X-Example:", "%q is not the name of a header field", h.Key())
		}
	}
}

// fieldName is the token of RFC 9110 §5.6.2.
var fieldName = regexp.MustCompile("^[-!#$%&'*+.^_`|~0-9A-Za-z]+$")

// content checks media types and ranges (RFC 9110 §8.3.1, §12.5.1).
func (s *shapes) content(holder Node) {
	content := holder.Get("content")
	if !s.first(content) {
		return
	}
	for _, entry := range content.Entries() {
		key := entry.Key()
		if strings.HasPrefix(key, "x-") {
			continue
		}
		parsed, _, err := mime.ParseMediaType(key)
		if kind, sub, ok := strings.Cut(parsed, "/"); err != nil || !ok || !fieldName.MatchString(kind) || !fieldName.MatchString(sub) {
			s.list.Add(entry.KeyPos(), diag.RuleLoad, "application/json:", "%q is not a media type", key)
		}
	}
}

var locations = []string{"path", "query", "header", "cookie"}

func (s *shapes) parameters(list Node) {
	first := map[[2]string]Node{}
	for _, item := range list.Items() {
		p := s.doc.deref(item)
		if p.Kind() != Map {
			continue
		}
		id := [2]string{p.Get("in").Text(), p.Get("name").Text()}
		if other, taken := first[id]; taken && id[1] != "" {
			s.list.Add(item.Pos(), diag.RuleLoad, "remove one of the two", "the %s parameter %q is declared twice; the first is at %s", id[0], id[1], other.Pos())
		}
		first[id] = item
		if s.first(p) {
			s.parameter(p)
		}
	}
}

func (s *shapes) parameter(p Node) {
	add := func(at Node, fix, format string, args ...any) {
		if !at.Exists() {
			at = p
		}
		s.list.Add(at.Pos(), diag.RuleLoad, fix, "%s", fmt.Sprintf(format, args...))
	}
	in, name := p.Get("in"), p.Get("name")
	if name.Kind() == Absent || name.Text() == "" {
		add(name, "name: limit", "a parameter needs a name")
	} else if in.Text() == "header" && !fieldName.MatchString(name.Text()) {
		add(name, "name: X-Example", "%q is not the name of a header field", name.Text())
	}
	switch {
	case !in.Exists():
		add(in, "in: query", "the parameter %q needs a place: path, query, header or cookie", name.Text())
	case in.Text() == "body" || in.Text() == "formData":
		add(in, "requestBody: {content: {application/json: {schema: {type: object}}}}", "in: %s is of OpenAPI 2; OpenAPI 3 has requestBody", in.Text())
	case !slices.Contains(locations, in.Text()):
		add(in, "in: query", "in must be path, query, header or cookie, not %q", in.Text())
	case !p.Get("schema").Exists() && !p.Get("content").Exists():
		add(p, "schema: {type: string}", "the parameter %q needs a schema", name.Text())
	}
}
