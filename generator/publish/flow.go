package publish

import (
	"bytes"
	"strings"

	"github.com/idemgen/idemgen/generator/source"
)

// inFlow adds members or items between the brackets of JSON or of YAML in flow
// style: each on a line of its own where the present ones are, else on the same
// line.
func (e *editor) inFlow(a *addition) []splice {
	f := a.node.File()
	s := e.style(f)
	last, comma, closing := a.node.Inside()
	indent, ownLine := ownLines(f, a.node)
	first, _ := a.node.Span()
	empty := len(a.node.Entries())+len(a.node.Items()) == 0
	if empty && s.json && s.unit != "" && s.colon == ": " {
		// An empty object of a file with one member a line.
		line := f.Line(first)
		outer := string(f.Bytes[line:])
		outer = outer[:len(outer)-len(strings.TrimLeft(outer, " \t"))]
		inner := outer + s.unit
		return []splice{{at: last, end: closing, text: strings.TrimPrefix(e.added(a, s, inner, true), ",") + s.newline + outer}}
	}
	text := e.added(a, s, indent, ownLine)
	if empty {
		text = strings.TrimPrefix(strings.TrimPrefix(text, ","), " ")
	}
	at := last
	if comma { // the one behind the last member serves what comes next
		at += bytes.IndexByte(f.Bytes[last:closing], ',') + 1
		text = strings.TrimPrefix(text, ",")
	}
	if rest := f.Bytes[at:min(closing, f.Next(at))]; ownLine && bytes.HasPrefix(bytes.TrimSpace(rest), []byte("#")) {
		// A comment stays with the member that it stands behind.
		behind := at + len(bytes.TrimRight(rest, "\r\n"))
		if comma {
			return []splice{{at: behind, end: behind, text: text}}
		}
		return []splice{{at: at, end: at, text: ","}, {at: behind, end: behind, text: text[1:]}}
	}
	return []splice{{at: at, end: at, text: text}}
}

// added is the text of an addition; a comma stands before each part of it.
func (e *editor) added(a *addition, s style, indent string, ownLine bool) string {
	gap := s.comma[1:]
	if ownLine {
		gap = s.newline + indent
	}
	value := func(v any) string {
		if ownLine && s.json {
			return s.lines(v, indent)
		}
		return s.inline(v)
	}
	var b strings.Builder
	for _, c := range a.copies {
		b.WriteString("," + gap + c.flow(s))
	}
	for _, m := range a.members {
		b.WriteString("," + gap + s.key(m.key) + s.colon + value(m.value))
	}
	for _, item := range a.items {
		b.WriteString("," + gap + value(item))
	}
	return b.String()
}

// flow is the text of a copied entry between brackets.
func (c *entryCopy) flow(s style) string {
	f := c.from.File()
	start, keyEnd := c.from.KeySpan()
	_, end := c.from.Span()
	return apply(f.Bytes, start, end, append(c.with.splices(f), splice{at: start, end: keyEnd, text: s.key(c.name)}))
}

// ownLines reports whether the members of a mapping or list begin their lines,
// and what they are indented with.
func ownLines(f *source.File, n source.Node) (indent string, ok bool) {
	var at int
	switch {
	case len(n.Entries()) > 0:
		at, _ = n.Entries()[0].KeySpan()
	case len(n.Items()) > 0:
		at, _ = n.Items()[0].Span()
	default:
		return "", false
	}
	before := string(f.Bytes[f.Line(at):at])
	return before, strings.TrimSpace(before) == ""
}
