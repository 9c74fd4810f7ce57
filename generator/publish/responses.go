package publish

import (
	"slices"
	"strconv"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/source"
)

// success notes that a response of an operation gains headers.
func (p *publisher) success(entry source.Node, headers []header) {
	response := p.doc.Deref(entry)
	if response.Kind() != source.Map {
		return
	}
	headers = slices.DeleteFunc(slices.Clone(headers), func(h header) bool {
		return slices.ContainsFunc(response.Get("headers").Entries(), func(have source.Node) bool { return same(have.Key(), h.name) })
	})
	if len(headers) == 0 {
		return
	}
	at := place(response)
	parts := []string{at}
	for _, h := range headers {
		parts = append(parts, h.name, h.shared)
	}
	id := strings.Join(parts, " ")
	p.gaining[place(entry)] = at
	g := p.gains[id]
	if g == nil {
		g = &gain{response: response, headers: headers}
		p.gains[id] = g
		p.wanted = append(p.wanted, g)
	}
	g.uses = append(g.uses, entry)
}

// successes adds the headers of successful responses. A response that others
// refer to, too, is copied under a name of its own, because it must not promise
// them what only some of its users do.
func (p *publisher) successes() {
	given := map[string]bool{} // a response without other users went to the first that gains
	for _, g := range p.wanted {
		if at := place(g.response); !given[at] && p.alone(g.response) {
			given[at] = true
			p.addHeaders(p.editor, g)
			continue
		}
		p.copy(g)
	}
}

// alone reports whether a response is only that of operations that gain headers:
// of those that refer to it, and of the one that it may be written in.
func (p *publisher) alone(response source.Node) bool {
	at := place(response)
	if in := response.Parent(); in.Key() == "responses" && slices.Contains(methods, in.Parent().Key()) && p.gaining[at] != at {
		return false
	}
	return !slices.ContainsFunc(p.users[at], func(user string) bool { return p.gaining[user] != at })
}

var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

func (p *publisher) addHeaders(e *editor, g *gain) {
	var add object
	for _, h := range g.headers {
		add = append(add, member{h.name, refTo(p.component(g.response.File(), "headers", h.shared, h.value))})
	}
	e.members(g.response, "headers", add)
}

// copy gives responses that gain headers a copy of the one that they refer to.
// That of a component stands beside it; of one that stands in an operation, as
// tools that bundle files leave it, each of them gets its own in place.
func (p *publisher) copy(g *gain) {
	with := newEditor()
	p.addHeaders(with, g)
	tokens := source.Tokens(g.response.Pointer())
	component := len(tokens) == 3 && tokens[0] == "components" && tokens[1] == "responses"
	for _, entry := range g.uses {
		if ref := entry.Get("$ref"); !ref.Exists() || place(p.doc.Target(ref)) != place(g.response) {
			component = false
		}
	}
	if !component {
		for _, entry := range g.uses {
			p.copyInPlace(entry, g.response, with)
		}
		return
	}
	base := tokens[2] + suffix(g.headers)
	name := base
	for n := 2; g.response.Parent().Get(name).Exists() || p.made["responses/"+name]; n++ {
		name = base + strconv.Itoa(n)
	}
	p.made["responses/"+name] = true
	p.editor.copy(g.response, name, with)
	for _, entry := range g.uses {
		ref := entry.Get("$ref")
		file, _, _ := strings.Cut(ref.Text(), "#")
		p.editor.rename(ref, file+"#/components/responses/"+source.EscapeToken(name))
	}
}

// copyInPlace puts a copy of a response where a reference to it stands. Only
// what is between brackets can be moved as it is, and only within its file do
// its own references keep their meaning.
func (p *publisher) copyInPlace(entry, response source.Node, with *editor) {
	if entry.Get("$ref").Exists() && response.Flow() && entry.File() == response.File() && !entry.Shared() {
		p.editor.replace(entry, response, with)
		return
	}
	p.editor.errs.Add(entry.KeyPos(), diag.RulePublish, "move the response to components/responses and refer to that, or write it out here",
		"the response %s gains headers that other users of %s do not have, and it cannot be copied", entry.Key(), response.Pos())
}

// suffix names what a copy has besides.
func suffix(headers []header) string {
	name := ""
	for _, h := range headers {
		switch h.shared {
		case "IdemgenReplayed":
			name += "Keyed"
		case "IdemgenETag":
			name += "Versioned"
		}
	}
	if name == "" {
		name = "Idemgen"
	}
	return name
}
