package source

import "gopkg.in/yaml.v3"

// maxAliased bounds what aliases of YAML add to a file: a few lines that refer to
// each other can stand for more values than any machine holds.
const maxAliased = 100_000

// expands returns the alias at which a file becomes too large with everything
// written out; nil when it does not. No anchor may contain itself.
func expands(root *yaml.Node) *yaml.Node {
	sizes := map[*yaml.Node]int{} // of what has an anchor
	var added int
	var size func(n *yaml.Node) (values int, tooLarge *yaml.Node)
	size = func(n *yaml.Node) (int, *yaml.Node) {
		if n.Kind == yaml.AliasNode {
			values := sizes[n.Alias]
			if added += values; added > maxAliased {
				return values, n
			}
			return values, nil
		}
		total := 1
		for _, child := range n.Content {
			values, tooLarge := size(child)
			if tooLarge != nil {
				return 0, tooLarge
			}
			total += values
		}
		if n.Anchor != "" {
			sizes[n] = total
		}
		return total, nil
	}
	_, tooLarge := size(root)
	return tooLarge
}
