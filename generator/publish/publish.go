// Package publish writes the document that clients read: the source, with the
// headers and responses that the policies of its operations mean.
package publish

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/source"
)

// File is a file of a document with its published content.
type File struct {
	Name    string // as in the document
	Content []byte
}

// Publish returns the files of a document, the root file first, with what the
// plan adds to it. Only text is inserted, and the names of responses that had
// to be copied replaced: order, comments and quotes remain. Publishing what has
// been published changes nothing. There are no files when the list has an
// error.
func Publish(doc *source.Document, api *plan.API) ([]File, diag.List) {
	p := &publisher{
		doc: doc, editor: newEditor(), users: map[string][]string{},
		shared: map[string]string{}, made: map[string]bool{}, gains: map[string]*gain{}, gaining: map[string]string{},
	}
	doc.Refs(func(ref source.Node) {
		target := doc.Target(ref)
		p.users[place(target)] = append(p.users[place(target)], place(ref.Parent()))
	})
	planned := map[[2]string]*plan.Operation{}
	for i := range api.Operations {
		o := &api.Operations[i]
		planned[[2]string{o.Method, o.Path}] = o
	}
	seen := map[string]bool{} // two paths may share one item
	for _, op := range doc.Ops {
		o := planned[[2]string{op.Method, op.Path}]
		if o == nil || !o.Annotated() || seen[op.Pointer] {
			continue
		}
		seen[op.Pointer] = true
		_, hasBody := doc.Body(op)
		p.operation(op, contractOf(o, hasBody))
	}
	p.successes()
	p.components()
	p.editor.errs.Sort()
	if p.editor.errs.Errors() > 0 {
		return nil, p.editor.errs
	}
	var files []File
	for _, f := range doc.Files {
		content := p.editor.changed(f)
		files = append(files, File{f.Name, content})
	}
	return files, p.editor.errs
}

type publisher struct {
	doc    *source.Document
	editor *editor
	users  map[string][]string // place of a thing -> places of the references to it

	sections []section         // new components
	shared   map[string]string // name of a component, by section and text of the value
	made     map[string]bool   // sections and names given to new components

	wanted  []*gain           // successful responses that gain headers, in document order
	gains   map[string]*gain  // the same, by place and headers
	gaining map[string]string // place of an entry of responses -> of the response that gains for it
}

// section is a member of components with what it gains.
type section struct {
	name string
	add  object
}

// gain is what one response object gains.
type gain struct {
	response source.Node   // behind every $ref
	uses     []source.Node // the entries of responses that lead to it
	headers  []header
}

// operation adds what one operation gains.
func (p *publisher) operation(op source.Op, c contract) {
	p.params(op, c)
	responses := op.Node.Get("responses")
	var add object
	for _, status := range c.statuses {
		if !responses.Get(status).Exists() {
			row := status
			if status == "400" && c.reused400 {
				row = "400 reused"
			}
			add = append(add, member{status, p.refusal(op.Node.File(), row)})
		}
	}
	if c.status304 && !responses.Get("304").Exists() {
		add = append(add, member{"304", p.notModified(op.Node.File())})
	}
	p.editor.members(op.Node, "responses", add)
	for _, entry := range responses.Entries() {
		if s := entry.Key(); len(s) != 3 || s[0] != '2' {
			continue
		}
		headers := c.headers
		if entry.Key() == "202" { // the version is not known yet
			headers = slices.DeleteFunc(slices.Clone(headers), func(h header) bool { return h.name == "ETag" })
		}
		p.success(entry, headers)
	}
}

// params adds the request headers that are not declared, and says of one that
// is that it is required where the author does not say anything.
func (p *publisher) params(op source.Op, c contract) {
	var add list
	for _, want := range c.params {
		declared := slices.ContainsFunc(p.doc.Parameters(op), func(have source.Parameter) bool {
			return have.In == "header" && same(have.Name, want.name)
		})
		if !declared {
			add = append(add, refTo(p.component(op.Node.File(), "parameters", want.shared, want.value)))
			continue
		}
		for _, own := range op.Node.Get("parameters").Items() {
			silent := own.Get("in").Text() == "header" && same(own.Get("name").Text(), want.name) && !own.Get("required").Exists()
			if want.required && silent && len(p.users[place(own)]) == 0 {
				p.editor.member(own, "required", true)
			}
		}
	}
	p.editor.items(op.Node, "parameters", add)
}

// refusal returns the response of a row of refusals, as it is used in a file.
func (p *publisher) refusal(from *source.File, row string) object {
	r := refusals[row]
	value := object{{"description", r.text}}
	if row == "409" || row == "503" {
		root := p.doc.Files[0]
		value = append(value, member{"headers", object{{retryAfter.name, refTo(p.component(root, "headers", retryAfter.shared, retryAfter.value))}}})
	}
	schema := refTo(p.component(p.doc.Files[0], "schemas", "IdemgenProblem", problemSchema))
	value = append(value, member{"content", object{{"application/problem+json", object{{"schema", schema}}}}})
	return refTo(p.component(from, "responses", r.shared, value))
}

func (p *publisher) notModified(from *source.File) object {
	return refTo(p.component(from, "responses", "IdemgenNotModified", object{
		{"description", "The resource still has a tag of If-None-Match; the copy that the client has is current."},
		{"headers", object{{etagHeader.name, refTo(p.component(p.doc.Files[0], "headers", etagHeader.shared, etagHeader.value))}}},
	}))
}

// component returns a reference, as it is written in a file, to a component of
// the root file with a value. A component that is there already is used; one
// with another value has the name for itself.
func (p *publisher) component(from *source.File, sect, base string, value object) string {
	root := p.doc.Files[0]
	id := sect + "/" + style{json: true, colon: ":", comma: ","}.inline(value)
	name, ok := p.shared[id]
	if !ok {
		name = p.free(root.Root.Get("components").Get(sect), sect, base, value)
		p.shared[id] = name
	}
	return relative(from.Name, root.Name) + "#/components/" + sect + "/" + name
}

// free returns the first of base, base2, base3, ... that nothing has, or that
// has the value already. A new component is noted.
func (p *publisher) free(have source.Node, sect, base string, value object) string {
	for n := 1; ; n++ {
		name := base
		if n > 1 {
			name += strconv.Itoa(n)
		}
		if there := have.Get(name); there.Exists() {
			if equals(there, value) {
				return name
			}
			continue
		}
		if id := sect + "/" + name; !p.made[id] {
			p.made[id] = true
			p.note(sect, member{name, value})
			return name
		}
	}
}

func (p *publisher) note(sect string, m member) {
	i := slices.IndexFunc(p.sections, func(s section) bool { return s.name == sect })
	if i < 0 {
		i = len(p.sections)
		p.sections = append(p.sections, section{name: sect})
	}
	p.sections[i].add = append(p.sections[i].add, m)
}

// components adds the new components to the root file.
func (p *publisher) components() {
	root := p.doc.Files[0].Root
	have := root.Get("components")
	var whole object
	for _, s := range p.sections {
		if have.Exists() {
			p.editor.members(have, s.name, s.add)
			continue
		}
		whole = append(whole, member{s.name, s.add})
	}
	if len(whole) > 0 {
		p.editor.member(root, "components", whole)
	}
}

// relative returns the reference to a file in another one: a path from the
// directory of the first, empty for the file itself.
func relative(from, to string) string {
	if from == to {
		return ""
	}
	dir, target := strings.Split(path.Dir(path.Clean(from)), "/"), strings.Split(path.Clean(to), "/")
	if dir[0] == "." {
		dir = nil
	}
	for len(dir) > 0 && len(target) > 1 && dir[0] == target[0] {
		dir, target = dir[1:], target[1:]
	}
	return strings.Repeat("../", len(dir)) + strings.Join(target, "/")
}
