package source

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	kinyaml "go.yaml.in/yaml/v4"
	"gopkg.in/yaml.v3"
)

// decoded makes the library's document from the nodes that there are, instead of
// having it parse the text again, which takes more time and memory than all else in
// loading. It returns nil for what is left to the library: several files, what YAML
// has and JSON does not, and whatever is wrong, so that every document says the same
// on both ways.
func (d *Document) decoded(loader *openapi3.Loader, location *url.URL) *openapi3.T {
	root := d.Files[0]
	if len(d.Files) > 1 || !d.refersPlainly() {
		return nil
	}
	tree := transcribe(root.Root.n)
	if tree == nil {
		return nil
	}
	// The loader has to know the document, and its place, before it resolves
	// references.
	t, err := loader.LoadFromDataWithPath([]byte("{}"), location)
	if err != nil || tree.Decode(t) != nil {
		return nil
	}
	s := stamps{file: location.String()}
	s.root(t, tree)
	if loader.ResolveRefsIn(t, location) != nil {
		return nil
	}
	return t
}

// refersPlainly reports whether every $ref is to a component or within a path.
// Anything else the library may have to look for in nodes of its own.
func (d *Document) refersPlainly() bool {
	plainly := true
	d.Files[0].eachRef(func(ref Node) {
		pointer, local := strings.CutPrefix(ref.Text(), "#/")
		tokens := strings.Split(pointer, "/")
		plainly = plainly && local && (tokens[0] == "paths" || len(tokens) == 3 && tokens[0] == "components" && slices.Contains(collections, tokens[1]))
	})
	return plainly
}

// collections are the members of components that the library knows.
var collections = []string{
	"schemas", "responses", "parameters", "examples", "requestBodies", "headers", "securitySchemes", "links", "callbacks",
}

// transcribe copies nodes into those of the parser that the library uses; nil when
// the two parsers may not agree on what is written.
func transcribe(n *yaml.Node) *kinyaml.Node {
	if n.Style&yaml.TaggedStyle != 0 || n.Anchor != "" {
		return nil
	}
	c := &kinyaml.Node{Line: n.Line, Column: n.Column}
	switch n.Kind {
	case yaml.MappingNode:
		c.Kind, c.Tag = kinyaml.MappingNode, "!!map"
	case yaml.SequenceNode:
		c.Kind, c.Tag = kinyaml.SequenceNode, "!!seq"
	case yaml.ScalarNode:
		return transcribeScalar(n, c)
	default:
		return nil // an alias
	}
	if n.Kind == yaml.MappingNode && extended(n) {
		return nil
	}
	c.Content = make([]*kinyaml.Node, len(n.Content))
	for i, child := range n.Content {
		if c.Content[i] = transcribe(child); c.Content[i] == nil {
			return nil
		}
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			if child.Kind != yaml.ScalarNode || c.Content[i].Tag == "!!null" {
				return nil
			}
			c.Content[i].Tag = "!!str" // 200: is the name "200"
		}
	}
	return c
}

// extended reports whether a $ref has more than plain values beside it, from which
// the library makes a schema of its own, with places.
func extended(n *yaml.Node) bool {
	ref, more := false, false
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		ref = ref || name == "$ref"
		more = more || n.Content[i+1].Kind != yaml.ScalarNode && !strings.HasPrefix(name, "x-")
	}
	return ref && more
}

func transcribeScalar(n *yaml.Node, c *kinyaml.Node) *kinyaml.Node {
	c.Kind, c.Value = kinyaml.ScalarNode, n.Value
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		c.Tag, c.Style = "!!str", kinyaml.DoubleQuotedStyle
		return c
	}
	switch c.Tag = n.ShortTag(); c.Tag {
	case "!!int", "!!float":
		if !json.Valid([]byte(n.Value)) {
			return nil // 0o17, 1_000, .inf
		}
	case "!!timestamp":
		c.Tag = "!!str"
	case "!!str":
		if slices.Contains(switches, strings.ToLower(n.Value)) {
			return nil
		}
	case "!!bool", "!!null":
	default:
		return nil // a merge key
	}
	return c
}

// switches are booleans in YAML 1.1 and strings in YAML 1.2.
var switches = []string{"y", "n", "yes", "no", "on", "off"}
