package source

import (
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/idemgen/idemgen/generator/diag"
)

// maxDepth bounds the nesting of an input file: every later stage recurses.
const maxDepth = 1000

// nodeChecker finds what the parser accepts and a document must not have.
type nodeChecker struct {
	file *File
	list *diag.List
	open []*yaml.Node // anchored nodes around the current one

	sizes   map[*yaml.Node]int // members of mappings with merge keys
	stopped bool               // what stops everything is said once
}

// maxMembers bounds what merge keys add up to: a few lines of anchors that merge
// each other can stand for more than any machine holds.
const maxMembers = 10_000

// coreTags are the tags of YAML whose values JSON has too.
var coreTags = []string{"!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq"}

// check walks a tree; false means that nobody may walk it.
func (c *nodeChecker) check(n *yaml.Node, depth int) bool {
	if c.stopped {
		return false
	}
	if depth > maxDepth {
		c.stopped = true
		c.list.Add(c.file.pos(n), diag.RuleSyntax, "", "nested more than %d levels deep", maxDepth)
		return false
	}
	if n.Kind == yaml.AliasNode {
		if slices.Contains(c.open, n.Alias) {
			c.list.Add(c.file.pos(n), diag.RuleSyntax, "use a $ref for recursive structures",
				"the anchor %q contains itself", n.Value)
			return false
		}
		return true
	}
	if n.Style&yaml.TaggedStyle != 0 && !slices.Contains(coreTags, n.ShortTag()) {
		c.list.Add(c.file.pos(n), diag.RuleSyntax, "remove the tag", "the YAML tag %s has no meaning in JSON", n.ShortTag())
	}
	if n.Anchor != "" {
		c.open = append(c.open, n)
		defer func() { c.open = c.open[:len(c.open)-1] }()
	}
	if n.Kind == yaml.MappingNode {
		c.keys(n)
	}
	ok := true
	for _, child := range n.Content {
		ok = c.check(child, depth+1) && ok
	}
	return ok && c.bounded(n)
}

// bounded counts the members of a mapping, those that it merges included.
func (c *nodeChecker) bounded(n *yaml.Node) bool {
	from := merged(n)
	if len(from) == 0 {
		return true
	}
	size := len(n.Content) / 2
	for _, m := range from {
		size += max(c.sizes[m], len(m.Content)/2)
	}
	if size > maxMembers {
		c.stopped = true
		c.list.Add(c.file.pos(n), diag.RuleSyntax, "", "merge keys add up to more than %d members", maxMembers)
		return false
	}
	if c.sizes == nil {
		c.sizes = map[*yaml.Node]int{}
	}
	c.sizes[n] = size
	return true
}

func (c *nodeChecker) keys(n *yaml.Node) {
	if distinct(n.Content) {
		return
	}
	var firsts, last map[string]*yaml.Node
	var shadowed []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		switch {
		case k.Kind != yaml.ScalarNode && k.Kind != yaml.AliasNode:
			c.list.Add(c.file.pos(k), diag.RuleSyntax, "", "a key must be a string")
			continue
		case k.Tag == "!!merge":
			c.merge(n.Content[i+1])
			continue
		}
		if firsts == nil {
			firsts, last = make(map[string]*yaml.Node, len(n.Content)/2), map[string]*yaml.Node{}
		}
		name := unalias(k).Value
		if first, ok := firsts[name]; ok {
			c.list.Add(c.file.pos(k), diag.RuleDuplicateKey, "remove one of the two, or merge them",
				"duplicate key %q; the first is at %s", name, c.file.pos(first))
			shadowed = append(shadowed, last[name])
		} else {
			firsts[name] = k
		}
		last[name] = k
	}
	if len(shadowed) > 0 {
		// The last one counts. What the others say is no finding of its own.
		n.Content = without(n.Content, shadowed)
	}
}

// distinct reports whether entries have plain keys that are all different, when
// there are so few that this is seen without a map.
func distinct(entries []*yaml.Node) bool {
	if len(entries) > 2*8 {
		return false
	}
	for i := 0; i+1 < len(entries); i += 2 {
		k := entries[i]
		if k.Kind != yaml.ScalarNode || k.Tag == "!!merge" {
			return false
		}
		for j := 0; j < i; j += 2 {
			if entries[j].Value == k.Value {
				return false
			}
		}
	}
	return true
}

// without returns the entries of a mapping except those with some keys.
func without(entries, keys []*yaml.Node) []*yaml.Node {
	var left []*yaml.Node
	for i := 0; i+1 < len(entries); i += 2 {
		if !slices.Contains(keys, entries[i]) {
			left = append(left, entries[i], entries[i+1])
		}
	}
	return left
}

// merge checks the value of a merge key, of which anything else would be left
// out without a word.
func (c *nodeChecker) merge(value *yaml.Node) {
	items := []*yaml.Node{value}
	if v := unalias(value); v.Kind == yaml.SequenceNode {
		items = v.Content
	}
	for _, item := range items {
		if unalias(item).Kind != yaml.MappingNode {
			c.list.Add(c.file.pos(item), diag.RuleSyntax, "", "a merge key (<<) takes an object or a list of objects")
		}
	}
}
