package source

import (
	"bytes"
	"slices"

	"gopkg.in/yaml.v3"
)

// Text of the input, for whoever edits it: what a node spans, and how it is
// written. Offsets are those of File.Bytes.

// JSON reports whether the file is written as JSON; what is added to it must be
// JSON then.
func (f *File) JSON() bool { return isJSON(f.Bytes) }

// File returns the input file that holds the node; nil for the zero Node.
func (n Node) File() *File { return n.file }

// Flow reports whether a mapping or list is written between brackets, as all of
// JSON is.
func (n Node) Flow() bool { return n.n != nil && n.n.Style&yaml.FlowStyle != 0 }

// Indent returns the characters before the keys of a mapping in block style, or
// before the dashes of a list.
func (n Node) Indent() int {
	if n.n.Kind == yaml.MappingNode && len(n.n.Content) > 0 {
		return n.n.Content[0].Column - 1
	}
	return n.n.Column - 1
}

// Shared reports whether the text of the node is that of other places, too: the
// node or one around it is an alias, comes out of a merge key, or has an anchor
// that an alias repeats.
func (n Node) Shared() bool {
	at := n.file.Root
	if at.n.Anchor != "" && n.file.repeats(at.n) {
		return true
	}
	walked := ""
	for _, token := range Tokens(n.ptr) {
		merged := at.Kind() == Map && !at.own(token)
		walked += "/" + EscapeToken(token)
		at = at.at("/" + EscapeToken(token))
		if merged || at.n == nil || at.n.Kind == yaml.AliasNode || at.n.Anchor != "" && n.file.repeats(at.n) {
			return true
		}
	}
	return at.n != n.n
}

// repeats reports whether an alias stands for an anchored node.
func (f *File) repeats(anchored *yaml.Node) bool {
	var find func(n *yaml.Node) bool
	find = func(n *yaml.Node) bool {
		if n.Kind == yaml.AliasNode {
			return n.Alias == anchored
		}
		return slices.ContainsFunc(n.Content, find)
	}
	return find(f.Root.n)
}

// Span returns where the text of a node begins and ends. In block style it begins
// behind the indentation and ends in the last line of the node, where a comment
// may be included.
func (n Node) Span() (start, end int) {
	indent := -1
	if n.key != nil {
		indent = n.key.Column - 1
	}
	return n.file.start(n.n), n.file.end(n.n, indent)
}

// KeySpan returns where the key of a mapping entry begins and ends.
func (n Node) KeySpan() (start, end int) {
	return n.file.start(n.key), n.file.end(n.key, n.key.Column-1)
}

// Inside returns, for a mapping or list between brackets, where its last member
// ends, whether a comma follows that, and where the closing bracket is. An
// empty one ends right behind the opening bracket.
func (n Node) Inside() (last int, comma bool, closing int) {
	b := brackets{text: n.file.Bytes, at: n.file.content(n.n)}
	b.scan()
	return b.last, b.comma, b.at
}

// Line returns the offset at which the line of an offset begins.
func (f *File) Line(at int) int { return bytes.LastIndexByte(f.Bytes[:at], '\n') + 1 }

// Next returns the offset of the line after that of an offset, or the length of
// the file.
func (f *File) Next(at int) int {
	if i := bytes.IndexByte(f.Bytes[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(f.Bytes)
}

// start is the offset of a node, properties such as an anchor included.
func (f *File) start(n *yaml.Node) int {
	f.once.Do(func() {
		f.lines = []int{0, 0} // lines are counted from 1
		for i, c := range f.Bytes {
			if c == '\n' {
				f.lines = append(f.lines, i+1)
			}
		}
	})
	p := f.input(n.Line, n.Column)
	return f.lines[p.Line] + p.Col - 1
}

// content is the offset of a node behind its anchor and tag.
func (f *File) content(n *yaml.Node) int {
	at := f.start(n)
	for at < len(f.Bytes) && (f.Bytes[at] == '&' || f.Bytes[at] == '!') {
		for at < len(f.Bytes) && !space(f.Bytes[at]) {
			at++
		}
		for at < len(f.Bytes) && space(f.Bytes[at]) {
			at++
		}
	}
	return at
}

// end is the offset behind a node; what belongs to it is indented by more than
// indent.
func (f *File) end(n *yaml.Node, indent int) int {
	switch at := f.content(n); {
	case n.Kind == yaml.AliasNode:
		return at + 1 + len(n.Value)
	case n.Style&yaml.FlowStyle != 0:
		b := brackets{text: f.Bytes, at: at}
		b.scan()
		return b.at + 1
	case n.Kind == yaml.MappingNode && len(n.Content) > 0:
		key, value := n.Content[len(n.Content)-2], n.Content[len(n.Content)-1]
		return f.end(value, key.Column-1)
	case n.Kind == yaml.SequenceNode && len(n.Content) > 0:
		return f.end(n.Content[len(n.Content)-1], n.Column-1)
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		return quoted(f.Bytes, at)
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return f.blockScalar(at, indent)
	case f.Bytes != nil && bytes.HasPrefix(f.Bytes[at:], []byte(n.Value)) && n.Value != "":
		return at + len(n.Value) // on one line
	default:
		return f.plain(at, indent)
	}
}

// blockScalar is the end of a scalar that begins with | or > at an offset. Blank
// lines at its end belong to it only where they count (|+).
func (f *File) blockScalar(at, indent int) int {
	next := f.Next(at)
	keep := bytes.ContainsRune(bytes.SplitN(f.Bytes[at:next], []byte(" "), 2)[0], '+')
	end := next
	for next < len(f.Bytes) {
		line := f.Bytes[next:f.Next(next)]
		blank := len(bytes.TrimSpace(line)) == 0
		if !blank && leading(line) <= indent {
			break
		}
		next += len(line)
		if !blank || keep {
			end = next
		}
	}
	return lineEnd(f.Bytes, end)
}

// plain is the end of a scalar without quotes that goes over several lines, or of
// a null that is not written.
func (f *File) plain(at, indent int) int {
	end, line := at, at
	for line < len(f.Bytes) {
		next := f.Next(line)
		text := f.Bytes[line:next]
		trimmed := bytes.TrimSpace(text)
		if line != at && len(trimmed) > 0 && (leading(text) <= indent || trimmed[0] == '#') {
			break
		}
		if text = bytes.TrimRight(text, " \t\r\n"); len(text) > 0 {
			end = line + len(text)
		}
		line = next
	}
	return end
}

// lineEnd steps back from the start of a line over the break before it.
func lineEnd(text []byte, at int) int {
	if at > 0 && text[at-1] == '\n' {
		at--
	}
	return at
}

func leading(line []byte) int { return len(line) - len(bytes.TrimLeft(line, " ")) }

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// quoted is the offset behind a quoted scalar.
func quoted(text []byte, at int) int {
	quote := text[at]
	for at++; at < len(text); at++ {
		switch {
		case quote == '"' && text[at] == '\\':
			at++
		case text[at] != quote:
		case quote == '\'' && at+1 < len(text) && text[at+1] == '\'':
			at++
		default:
			return at + 1
		}
	}
	return len(text)
}
