package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"gopkg.in/yaml.v3"
)

// text writes the tree, and returns what a parser reads from it: another tree,
// that says the same.
func (g *graft) text() ([]byte, *yaml.Node, error) {
	var b bytes.Buffer
	var err error
	if isJSON(g.file.Bytes) {
		err = writeJSON(&b, g.root.Content[0], "\n")
		b.WriteByte('\n')
	} else {
		encoder := yaml.NewEncoder(&b)
		encoder.SetIndent(2)
		err = encoder.Encode(g.root)
	}
	if err != nil {
		return nil, nil, err
	}
	var again yaml.Node
	if err := decode(yaml.NewDecoder(bytes.NewReader(b.Bytes())), &again); err != nil {
		return nil, nil, err
	}
	if len(again.Content) != 1 || !equal(g.root.Content[0], again.Content[0]) {
		return nil, nil, errors.New("what was written says something else")
	}
	return b.Bytes(), again.Content[0], nil
}

// writeJSON writes a plain tree; line is a line break with the indentation.
func writeJSON(b *bytes.Buffer, n *yaml.Node, line string) error {
	brackets, step := "{}", 2
	switch n.Kind {
	case yaml.ScalarNode:
		return writeScalar(b, n)
	case yaml.SequenceNode:
		brackets, step = "[]", 1
	}
	b.WriteByte(brackets[0])
	for i := 0; i < len(n.Content); i += step {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(line + "  ")
		if step == 2 {
			if err := writeString(b, n.Content[i].Value); err != nil {
				return err
			}
			b.WriteString(": ")
		}
		if err := writeJSON(b, n.Content[i+step-1], line+"  "); err != nil {
			return err
		}
	}
	if len(n.Content) > 0 {
		b.WriteString(line)
	}
	b.WriteByte(brackets[1])
	return nil
}

// writeScalar writes a number as it stands when JSON has that form.
func writeScalar(b *bytes.Buffer, n *yaml.Node) error {
	switch n.ShortTag() {
	case "!!null":
		n.Value = "null"
	case "!!bool":
		n.Value = strings.ToLower(n.Value)
	case "!!int", "!!float":
		if !json.Valid([]byte(n.Value)) {
			return errors.New(n.Value + " is no number in JSON")
		}
	default:
		n.Tag = "!!str"
		return writeString(b, n.Value)
	}
	b.WriteString(n.Value)
	return nil
}

func writeString(b *bytes.Buffer, s string) error {
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	err := e.Encode(s)
	// To YAML, U+0085 is a line break.
	b.WriteString(strings.ReplaceAll(strings.TrimSuffix(text.String(), "\n"), "\u0085", `\u0085`))
	return err
}

// tidy takes comments out, and makes the encoder write every string on one line,
// in quotes where it would otherwise choose a block.
func tidy(n *yaml.Node) {
	n.HeadComment, n.LineComment, n.FootComment = "", "", ""
	if n.Kind == yaml.ScalarNode && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || strings.Contains(n.Value, "\n") {
		n.Style = yaml.DoubleQuotedStyle
	}
	for _, child := range n.Content {
		tidy(child)
	}
}
