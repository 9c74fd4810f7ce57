package source

import (
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/idemgen/idemgen/generator/diag"
)

// Node is a value in an input file together with its place. The zero Node is
// absent; every method works on it.
type Node struct {
	file *File
	key  *yaml.Node // key of the mapping entry; nil for items and roots
	n    *yaml.Node
	ptr  string // RFC 6901 pointer from the root of the file
}

// Kind is the type of a Node as JSON sees it.
type Kind uint8

// Kinds of nodes.
const (
	Absent Kind = iota
	Null
	Bool
	Int
	Float
	String
	List
	Map
)

var kindNames = [...]string{"nothing", "null", "a boolean", "an integer", "a number", "a string", "a list", "an object"}

// String returns the kind with its article, for messages.
func (k Kind) String() string { return kindNames[k] }

// Kind returns what the node is, Absent for the zero Node.
func (n Node) Kind() Kind {
	v := n.value()
	if v == nil {
		return Absent
	}
	switch v.Kind {
	case yaml.MappingNode:
		return Map
	case yaml.SequenceNode:
		return List
	}
	switch v.ShortTag() {
	case "!!null":
		return Null
	case "!!bool":
		return Bool
	case "!!int":
		return Int
	case "!!float":
		return Float
	}
	return String
}

// Exists reports whether the node is there.
func (n Node) Exists() bool { return n.n != nil }

// Text returns a scalar as written, without quotes; empty for other kinds.
func (n Node) Text() string {
	if v := n.value(); v != nil && v.Kind == yaml.ScalarNode {
		return v.Value
	}
	return ""
}

// True reports whether the node is the boolean true.
func (n Node) True() bool { return n.Kind() == Bool && strings.EqualFold(n.Text(), "true") }

// Key returns the name under which a mapping holds the node.
func (n Node) Key() string {
	if n.key == nil {
		return ""
	}
	return n.key.Value
}

// Pos returns the place of the value.
func (n Node) Pos() diag.Pos {
	if n.n == nil {
		return diag.Pos{}
	}
	return n.file.pos(n.n)
}

// KeyPos returns the place of the key, or of the value when there is none.
func (n Node) KeyPos() diag.Pos {
	if n.key == nil {
		return n.Pos()
	}
	return n.file.pos(n.key)
}

// Mark identifies where the key of a node stands, or the value when it has none.
// Unlike a position it parts what one action of an overlay put into two places,
// and like one it is the same for a value that is reached on two ways.
func (n Node) Mark() Mark {
	at := n.key
	if at == nil {
		at = n.n
	}
	if at == nil {
		return Mark{}
	}
	return Mark{n.file, mark{at.Line, at.Column}}
}

// Mark is a place in the text that was parsed. It is comparable.
type Mark struct {
	file *File
	at   mark
}

// Pointer returns the RFC 6901 pointer of the node within its file.
func (n Node) Pointer() string { return n.ptr }

// Get returns the value of a key of a mapping; absent when there is none. Of
// several equal keys the last one counts, as in JSON.
func (n Node) Get(key string) Node {
	v := n.value()
	if v == nil || v.Kind != yaml.MappingNode {
		return Node{}
	}
	for i := len(v.Content) - 2; i >= 0; i -= 2 {
		if k := v.Content[i]; k.Value == key && k.Kind == yaml.ScalarNode && k.Tag != "!!merge" {
			return n.child(k, v.Content[i+1], key)
		}
	}
	for _, m := range merged(v) {
		if found := (Node{file: n.file, n: m, ptr: n.ptr}).Get(key); found.Exists() {
			return found
		}
	}
	return Node{}
}

// Entries returns the values of a mapping in document order, merge keys last.
func (n Node) Entries() []Node {
	v := n.value()
	if v == nil || v.Kind != yaml.MappingNode {
		return nil
	}
	all := make([]Node, 0, len(v.Content)/2)
	for i := 0; i+1 < len(v.Content); i += 2 {
		if k := v.Content[i]; k.Tag != "!!merge" {
			all = append(all, n.child(k, v.Content[i+1], k.Value))
		}
	}
	for _, m := range merged(v) {
		for _, e := range (Node{file: n.file, n: m, ptr: n.ptr}).Entries() {
			if !n.own(e.Key()) {
				all = append(all, e)
			}
		}
	}
	return all
}

// Items returns the items of a sequence.
func (n Node) Items() []Node {
	v := n.value()
	if v == nil || v.Kind != yaml.SequenceNode {
		return nil
	}
	all := make([]Node, len(v.Content))
	for i, item := range v.Content {
		all[i] = Node{file: n.file, n: item, ptr: n.ptr + "/" + strconv.Itoa(i)}
	}
	return all
}

// Parent returns the node that holds n; absent for the root of a file.
func (n Node) Parent() Node {
	if n.ptr == "" {
		return Node{}
	}
	return n.file.Root.at(parent(n.ptr))
}

// at walks an RFC 6901 pointer.
func (n Node) at(pointer string) Node {
	for _, token := range Tokens(pointer) {
		switch n.Kind() {
		case Map:
			n = n.Get(token)
		case List:
			i, err := strconv.Atoi(token)
			items := n.Items()
			if err != nil || i < 0 || i >= len(items) {
				return Node{}
			}
			n = items[i]
		default:
			return Node{}
		}
	}
	return n
}

func (n Node) child(key, value *yaml.Node, name string) Node {
	return Node{file: n.file, key: key, n: value, ptr: n.ptr + "/" + EscapeToken(name)}
}

// own reports whether the mapping itself has the key, merge keys apart.
func (n Node) own(key string) bool {
	v := n.value()
	for i := 0; i+1 < len(v.Content); i += 2 {
		if v.Content[i].Value == key && v.Content[i].Tag != "!!merge" {
			return true
		}
	}
	return false
}

// value follows an alias to what it stands for.
func (n Node) value() *yaml.Node { return unalias(n.n) }

func unalias(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// merged returns the mappings that a YAML merge key (<<) adds.
func merged(mapping *yaml.Node) []*yaml.Node {
	var all []*yaml.Node
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Tag != "!!merge" {
			continue
		}
		switch v := unalias(mapping.Content[i+1]); v.Kind {
		case yaml.MappingNode:
			all = append(all, v)
		case yaml.SequenceNode:
			for _, item := range v.Content {
				if m := unalias(item); m.Kind == yaml.MappingNode {
					all = append(all, m)
				}
			}
		}
	}
	return all
}

// Tokens splits an RFC 6901 pointer into its unescaped reference tokens; the
// empty pointer has none.
func Tokens(pointer string) []string {
	if pointer == "" {
		return nil
	}
	tokens := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, t := range tokens {
		if strings.Contains(t, "~") {
			tokens[i] = strings.ReplaceAll(strings.ReplaceAll(t, "~1", "/"), "~0", "~")
		}
	}
	return tokens
}

// EscapeToken escapes a reference token for use in an RFC 6901 pointer.
func EscapeToken(token string) string {
	if strings.IndexByte(token, '~') < 0 && strings.IndexByte(token, '/') < 0 {
		return token // which most are, and there are many
	}
	return strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1")
}
