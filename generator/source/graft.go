package source

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/idemgen/idemgen/generator/diag"
)

// maxGrafted bounds the size of a document with its aliases expanded.
const maxGrafted = 10_000_000

// graft changes the tree of a document by the actions of overlays, and remembers
// where each node was written. The merge is not left to a library, because the
// one that there is shares keys between targets, keeps the type of a value that
// it replaces, and forgets the places of all that it inserts.
type graft struct {
	file  *File
	list  *diag.List
	root  *yaml.Node // a document node
	at    map[*yaml.Node]diag.Pos
	count int

	// commented: copies keep comments. Those of the document do; a comment of an
	// overlay is about the overlay.
	commented bool
}

// newGraft copies the tree of a file. What an alias stands for becomes a value
// of its own: an overlay changes what is at a path, and not what YAML happens to
// share with it.
func newGraft(f *File, list *diag.List) *graft {
	g := &graft{file: f, list: list, at: map[*yaml.Node]diag.Pos{}, commented: true}
	g.root = &yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{g.copy(f.Root.n, f.pos)}}
	g.commented = false
	if g.count > maxGrafted {
		list.Add(f.Root.Pos(), diag.RuleOverlay, "repeat less with anchors and merge keys",
			"the document has more than %d values when its anchors are expanded; overlays cannot be applied", maxGrafted)
	}
	return g
}

// copy copies a tree, plainly: no anchors, aliases, merge keys or flow style. Pos
// tells where its nodes were written.
func (g *graft) copy(n *yaml.Node, pos func(*yaml.Node) diag.Pos) *yaml.Node {
	at, written := pos(n), n
	n = unalias(n)
	c := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value, Style: n.Style &^ yaml.FlowStyle}
	if g.commented {
		c.HeadComment, c.LineComment, c.FootComment = written.HeadComment, written.LineComment, written.FootComment
	}
	if len(n.Content) > 0 && c.LineComment != "" {
		// It ends a line of brackets, which become a block: below it, the encoder
		// would put it at the next key, which it is not about.
		c.HeadComment, c.LineComment = strings.TrimPrefix(c.HeadComment+"\n"+c.LineComment, "\n"), ""
	}
	g.at[c] = at
	if g.count++; g.count > maxGrafted {
		return c
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Tag != "!!merge" {
				c.Content = append(c.Content, g.copy(n.Content[i], pos), g.copy(n.Content[i+1], pos))
			}
		}
		for _, m := range merged(n) {
			m = g.copy(m, pos)
			for i := 0; i+1 < len(m.Content); i += 2 {
				if lookup(c, m.Content[i].Value) == nil {
					c.Content = append(c.Content, m.Content[i], m.Content[i+1])
				}
			}
		}
	default:
		for _, child := range n.Content {
			c.Content = append(c.Content, g.copy(child, pos))
		}
	}
	return c
}

// lookup returns the value of a key of a plain mapping, nil when there is none.
func lookup(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

func (g *graft) apply(a action) {
	fail := func(n Node, fix, format string, args ...any) {
		g.list.Add(n.Pos(), diag.RuleOverlay, fix, format, args...)
	}
	targets, err := query(a.path, g.root)
	switch {
	case err != nil:
		fail(a.target, "", "the target cannot be evaluated: %v", err)
	case len(targets) == 0:
		fail(a.target, g.suggest(a.target.Text()), "the target matches nothing in %s", g.file.Name)
	case a.remove:
		g.remove(a, targets)
	case other(targets) != nil:
		fail(a.target, "make an action for each kind of value", "the target matches values of different kinds, such as %s (%s) and %s (%s)",
			kindOf(targets[0]), g.at[targets[0]], kindOf(other(targets)), g.at[other(targets)])
	case a.copies.Exists():
		sources, err := query(a.source, g.root)
		if err != nil || len(sources) != 1 {
			fail(a.copies, "", "copy must select one value, and selects %d", len(sources))
			return
		}
		// The source is copied first: it may be within a target.
		original := g.copy(sources[0], g.pos)
		for _, t := range targets {
			g.merge(t, original, g.pos, a.copies.Pos())
		}
	default:
		for _, t := range targets {
			g.merge(t, unalias(a.update.n), a.update.file.pos, diag.Pos{})
		}
	}
}

// other returns the first target of another kind than the first one.
func other(targets []*yaml.Node) *yaml.Node {
	for _, t := range targets {
		if t.Kind != targets[0].Kind {
			return t
		}
	}
	return nil
}

func (g *graft) pos(n *yaml.Node) diag.Pos { return g.at[n] }

// remove takes nodes out of the mappings and sequences that hold them.
func (g *graft) remove(a action, targets []*yaml.Node) {
	gone := make(map[*yaml.Node]bool, len(targets))
	for _, t := range targets {
		gone[t] = true
	}
	if gone[g.root.Content[0]] {
		g.list.Add(a.target.Pos(), diag.RuleOverlay, "", "the whole document cannot be removed")
		return
	}
	var prune func(*yaml.Node)
	prune = func(n *yaml.Node) {
		step := 1
		if n.Kind == yaml.MappingNode {
			step = 2
		}
		kept := n.Content[:0]
		for i := 0; i+step <= len(n.Content); i += step {
			if value := n.Content[i+step-1]; !gone[value] {
				kept = append(kept, n.Content[i:i+step]...)
				prune(value)
			}
		}
		n.Content = kept
	}
	prune(g.root)
}

// merge puts an update into a target by the rules of Overlay 1.1.0: mappings
// merge, lists grow, scalars are replaced, and anything else is a mistake. At is
// where to report one, unless the update itself has a place.
func (g *graft) merge(target, update *yaml.Node, pos func(*yaml.Node) diag.Pos, at diag.Pos) {
	update = unalias(update)
	if !at.IsValid() {
		at = pos(update)
	}
	switch {
	case target.Kind == yaml.SequenceNode && update.Kind == yaml.SequenceNode:
		for _, item := range update.Content {
			g.append(target, item, pos, at)
		}
	case target.Kind == yaml.SequenceNode:
		g.append(target, update, pos, at)
	case target.Kind != update.Kind:
		g.list.Add(at, diag.RuleOverlay, "remove the value by an action before this one",
			"the update is %s, and what it would replace is %s (%s)", kindOf(update), kindOf(target), g.at[target])
	case target.Kind == yaml.ScalarNode:
		target.Value, target.Tag, target.Style = update.Value, update.Tag, update.Style
		g.at[target] = pos(update)
	default:
		plain := g.copy(update, pos) // without merge keys
		for i := 0; i+1 < len(plain.Content); i += 2 {
			key, value := plain.Content[i], plain.Content[i+1]
			have := lookup(target, key.Value)
			switch {
			case have == nil:
				target.Content = append(target.Content, key, value)
			case have.Kind == yaml.SequenceNode && value.Kind != yaml.SequenceNode:
				// A list only takes single items when it is the target itself.
				g.list.Add(g.at[value], diag.RuleOverlay, key.Value+": [...]", "the update is %s, and what it would replace is a list (%s)", kindOf(value), g.at[have])
			default:
				g.merge(have, value, g.pos, g.at[value])
			}
		}
	}
}

// append adds an item to a list. One that is there already is the sign of an
// overlay that is applied a second time.
func (g *graft) append(list, item *yaml.Node, pos func(*yaml.Node) diag.Pos, at diag.Pos) {
	c := g.copy(item, pos)
	for _, have := range list.Content {
		if equal(have, c) {
			g.list.Add(at, diag.RuleOverlay, "remove the item, or the overlay that was applied before",
				"the list has an item that the update adds already (%s)", g.at[have])
			return
		}
	}
	list.Content = append(list.Content, c)
}

func equal(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || a.Value != b.Value || a.ShortTag() != b.ShortTag() || len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !equal(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

func kindOf(n *yaml.Node) string { return Node{n: n}.Kind().String() }

// literals matches the names in a JSONPath.
var literals = regexp.MustCompile(`'[^']*'|"[^"]*"`)

// suggest repairs a target that matches nothing: names that the document does
// not have become the nearest operationId or path.
func (g *graft) suggest(target string) string {
	var names []string
	if paths := lookup(g.root.Content[0], "paths"); paths != nil {
		for i := 0; i+1 < len(paths.Content); i += 2 {
			names = append(names, paths.Content[i].Value)
			for _, op := range paths.Content[i+1].Content {
				if id := lookup(op, "operationId"); id != nil {
					names = append(names, id.Value)
				}
			}
		}
	}
	fixed := literals.ReplaceAllStringFunc(target, func(literal string) string {
		name := literal[1 : len(literal)-1]
		if slices.Contains(names, name) {
			return literal
		}
		if near, ok := diag.Nearest(name, names); ok {
			return literal[:1] + near + literal[:1]
		}
		return literal
	})
	if fixed == target {
		return "correct the target, or remove the action"
	}
	return "target: " + fixed
}

// finish writes the tree as the text that all parsers read from now on, JSON as
// JSON, and maps the places in that text to where its parts were written. A text
// with comments and blocks that does not say the same is written without.
func (g *graft) finish() {
	f := g.file
	text, again, err := g.text()
	if err != nil && !isJSON(f.Bytes) {
		tidy(g.root)
		text, again, err = g.text()
	}
	if err != nil {
		g.list.Add(f.Root.Pos(), diag.RuleOverlay, "report this to the authors of idemgen", "the document cannot be written with its overlays: %v", err)
		return
	}
	f.Bytes, f.shifts, f.breaks = text, nil, nil
	if !plain(text) {
		w := columns{line: 1, col: 1, shifts: map[int]shift{}}
		w.scan(string(text))
		f.shifts, f.breaks = w.shifts, w.breaks
	}
	f.written, f.origins = map[mark]diag.Pos{}, map[*yaml.Node]diag.Pos{}
	g.locate(g.root.Content[0], again)
	root := Node{file: f, n: again}
	if c := (nodeChecker{file: f, list: g.list}); c.check(root.n, 0) {
		f.Root = root
	}
}

// locate notes for each node of the written text where it comes from. A mapping
// begins where its first key does, and of the two the library means the key.
func (g *graft) locate(from, to *yaml.Node) {
	g.file.origins[to] = g.at[from]
	at := mark{to.Line, to.Column}
	if _, taken := g.file.written[at]; !taken || len(to.Content) == 0 {
		g.file.written[at] = g.at[from]
	}
	for i := range from.Content {
		g.locate(from.Content[i], to.Content[i])
	}
}
