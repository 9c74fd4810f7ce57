package publish

import (
	"cmp"
	"slices"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/source"
)

// editor collects what is to change in the text of a document and then changes
// it. What is not changed stays as it is, octet for octet.
type editor struct {
	errs    diag.List
	pending map[string]*addition // by place of the container
	order   []*addition
	renames map[string]rename // by place of the scalar
	moves   []move
	styles  map[*source.File]style
}

// addition is what one mapping or list gains.
type addition struct {
	node    source.Node
	members object
	items   list
	copies  []entryCopy
}

// entryCopy is a copy of an entry of a mapping, to stand in the same mapping
// under another name, with what the original would have gained.
type entryCopy struct {
	from source.Node
	name string
	with *editor
}

// rename is a scalar that becomes another one.
type rename struct {
	node source.Node
	text string
}

// move is a value whose text is replaced by that of another one, with what that
// would have gained.
type move struct {
	node, from source.Node
	with       *editor
}

// splice replaces a part of a file, in most cases an empty one.
type splice struct {
	at, end int
	text    string
	depth   int    // of several at one place the innermost comes first
	line    string // the line break before text, unless it begins a line already
}

func newEditor() *editor {
	return &editor{pending: map[string]*addition{}, renames: map[string]rename{}, styles: map[*source.File]style{}}
}

func place(n source.Node) string { return n.File().Name + "#" + n.Pointer() }

// to returns the additions to a mapping or list; nil where there can be none.
func (e *editor) to(n source.Node, kind source.Kind) *addition {
	if a, ok := e.pending[place(n)]; ok {
		return a
	}
	a := &addition{node: n}
	switch {
	case n.Kind() != kind:
		e.errs.Add(n.KeyPos(), diag.RulePublish, "write it out: {} is an empty object, [] an empty list",
			"cannot add to what is %s, not %s", n.Kind(), kind)
		a = nil
	case n.Shared():
		e.errs.Add(n.KeyPos(), diag.RulePublish, "write it out instead of using an anchor, or share it through a $ref",
			"cannot change %s here: its text is shared with other places, by an anchor or a merge key", leaf(n))
		a = nil
	default:
		e.order = append(e.order, a)
	}
	e.pending[place(n)] = a
	return a
}

func leaf(n source.Node) string { return cmp.Or(n.Key(), "the value") }

// member adds a member to a mapping, unless it has been added.
func (e *editor) member(n source.Node, key string, value any) {
	a := e.to(n, source.Map)
	if a != nil && !slices.ContainsFunc(a.members, func(m member) bool { return m.key == key }) {
		a.members = append(a.members, member{key, value})
	}
}

// members adds to the object called key of a mapping, which it makes if there
// is none.
func (e *editor) members(n source.Node, key string, add object) {
	if len(add) == 0 {
		return
	}
	if in := n.Get(key); in.Exists() {
		for _, m := range add {
			e.member(in, m.key, m.value)
		}
		return
	}
	e.member(n, key, add)
}

// items adds to the list called key of a mapping, which it makes if there is
// none.
func (e *editor) items(n source.Node, key string, add list) {
	if len(add) == 0 {
		return
	}
	in := n.Get(key)
	if !in.Exists() {
		e.member(n, key, add)
		return
	}
	if a := e.to(in, source.List); a != nil {
		a.items = append(a.items, add...)
	}
}

// rename replaces the text of a string.
func (e *editor) rename(n source.Node, text string) {
	if n.Shared() {
		e.to(n, source.String) // reports it
		return
	}
	e.renames[place(n)] = rename{n, text}
}

// copy adds a copy of an entry to the mapping that holds it.
func (e *editor) copy(from source.Node, name string, with *editor) {
	if a := e.to(from.Parent(), source.Map); a != nil {
		a.copies = append(a.copies, entryCopy{from, name, with})
	}
	e.errs = append(e.errs, with.errs...)
}

// replace puts the text of a value in the place of another one of its file.
func (e *editor) replace(n, from source.Node, with *editor) {
	e.moves = append(e.moves, move{n, from, with})
	e.errs = append(e.errs, with.errs...)
}

// changed returns the new content of a file.
func (e *editor) changed(f *source.File) []byte {
	return []byte(apply(f.Bytes, 0, len(f.Bytes), e.splices(f)))
}

// splices returns the changes of one file, in the order in which they were
// asked for.
func (e *editor) splices(f *source.File) []splice {
	var all []splice
	for _, a := range e.order {
		if a.node.File() == f {
			all = append(all, e.splice(a)...)
		}
	}
	for _, r := range e.renames {
		if r.node.File() != f {
			continue
		}
		start, end := r.node.Span()
		text := e.style(f).key(r.text)
		switch f.Bytes[start] {
		case '"':
			text = jsonString(r.text)
		case '\'':
			text = "'" + strings.ReplaceAll(r.text, "'", "''") + "'"
		}
		all = append(all, splice{at: start, end: end, text: text})
	}
	for _, m := range e.moves {
		if m.node.File() == f {
			at, end := m.node.Span()
			from, to := m.from.Span()
			all = append(all, splice{at: at, end: end, text: apply(f.Bytes, from, to, m.with.splices(f))})
		}
	}
	return all
}

func (e *editor) style(f *source.File) style {
	s, ok := e.styles[f]
	if !ok {
		s = styleOf(f)
		e.styles[f] = s
	}
	return s
}

// apply returns a part of a text with the splices that lie in it.
func apply(text []byte, from, to int, splices []splice) string {
	sorted := slices.Clone(splices)
	slices.SortStableFunc(sorted, func(a, b splice) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(b.depth, a.depth))
	})
	var b strings.Builder
	for _, s := range sorted {
		if s.at < from || s.end > to {
			continue
		}
		b.Write(text[from:s.at])
		if s.line != "" && !strings.HasSuffix(b.String(), "\n") {
			b.WriteString(s.line)
		}
		b.WriteString(s.text)
		from = s.end
	}
	b.Write(text[from:to])
	return b.String()
}

func (e *editor) splice(a *addition) []splice {
	if len(a.members)+len(a.items)+len(a.copies) == 0 {
		return nil
	}
	if a.node.Flow() {
		return e.inFlow(a)
	}
	return []splice{e.inBlock(a)}
}

// inBlock adds lines behind the last line of a mapping or list in block style.
func (e *editor) inBlock(a *addition) splice {
	f := a.node.File()
	s := e.style(f)
	indent := strings.Repeat(" ", a.node.Indent())
	_, end := a.node.Span()
	at := f.Next(end)
	var b strings.Builder
	for _, c := range a.copies {
		b.WriteString(indent + c.block(s))
	}
	s.block(&b, a.members, indent)
	s.block(&b, a.items, indent)
	return splice{at: at, end: at, text: b.String(), depth: strings.Count(a.node.Pointer(), "/"), line: s.newline}
}

// block is the text of a copied entry behind its indentation, line break
// included.
func (c *entryCopy) block(s style) string {
	f := c.from.File()
	start, keyEnd := c.from.KeySpan()
	_, end := c.from.Span()
	next := f.Next(end)
	text := apply(f.Bytes, start, next, append(c.with.splices(f), splice{at: start, end: keyEnd, text: s.key(c.name)}))
	if next == len(f.Bytes) && !strings.HasSuffix(text, "\n") {
		text += s.newline
	}
	return text
}
