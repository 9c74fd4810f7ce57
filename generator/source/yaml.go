package source

import "github.com/idemgen/idemgen/generator/diag"

// ParseYAML reads a YAML or JSON file that is not part of a document, such as
// the configuration. The Node is absent when the file does not parse.
func ParseYAML(name string, content []byte) (Node, diag.List) {
	var list diag.List
	f := parse(name, content, &list)
	return f.Root, list
}
