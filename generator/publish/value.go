package publish

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/idemgen/idemgen/generator/source"
)

// What is added to a document is an object, a list, a string, an int or a bool;
// members stay in the order in which they are written here.
type (
	object []member
	member struct {
		key   string
		value any
	}
	list []any
)

func refTo(target string) object { return object{{"$ref", target}} }

// equals reports whether a node holds a value, members in any order.
func equals(n source.Node, v any) bool {
	switch v := v.(type) {
	case object:
		return n.Kind() == source.Map && len(n.Entries()) == len(v) &&
			!slices.ContainsFunc(v, func(m member) bool { return !equals(n.Get(m.key), m.value) })
	case list:
		items := n.Items()
		if n.Kind() != source.List || len(items) != len(v) {
			return false
		}
		for i, item := range items {
			if !equals(item, v[i]) {
				return false
			}
		}
		return true
	case string:
		return n.Kind() == source.String && n.Text() == v
	case int:
		return n.Kind() == source.Int && n.Text() == strconv.Itoa(v)
	case bool:
		return n.Kind() == source.Bool && n.True() == v
	}
	return false
}

// plain matches strings that are the same string in YAML 1.1 and 1.2, in block
// and in flow style, without quotes; reserved those of them that are not.
var (
	plain    = regexp.MustCompile(`^[$A-Za-z][A-Za-z0-9_.;/+()-]*( [A-Za-z0-9_.;/+()-]+)*$`)
	reserved = regexp.MustCompile(`^(?i:y|n|yes|no|on|off|true|false|null)$`)
)

func yamlString(s string) string {
	if plain.MatchString(s) && !reserved.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// jsonString quotes a string of this package or a name of the document. It
// writes characters as they are where JSON allows it.
func jsonString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ':
			b.WriteString(`\u00` + string("0123456789abcdef"[r>>4]) + string("0123456789abcdef"[r&15]))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// style is how a file is written.
type style struct {
	newline string
	json    bool
	unit    string // one level of indentation
	colon   string // between key and value of JSON
	comma   string // between members of JSON on one line
}

// styleOf looks at how a file is written.
func styleOf(f *source.File) style {
	s := style{newline: "\n", json: f.JSON(), unit: "  ", colon: ": ", comma: ", "}
	if i := bytes.IndexByte(f.Bytes, '\n'); i > 0 && f.Bytes[i-1] == '\r' {
		s.newline = "\r\n"
	}
	if !s.json {
		return s
	}
	entries := f.Root.Entries()
	if len(entries) == 0 {
		return s
	}
	start, end := entries[0].KeySpan()
	if before := string(f.Bytes[f.Line(start):start]); strings.TrimSpace(before) == "" {
		s.unit = before
	}
	if bytes.HasPrefix(f.Bytes[end:], []byte(":")) && !bytes.HasPrefix(f.Bytes[end:], []byte(": ")) {
		s.colon, s.comma = ":", ","
	}
	return s
}

func (s style) key(name string) string {
	if s.json {
		return jsonString(name)
	}
	return yamlString(name)
}

// block writes the members of an object, or the items of a list, as lines of
// YAML.
func (s style) block(b *strings.Builder, v any, indent string) {
	switch v := v.(type) {
	case object:
		for _, m := range v {
			b.WriteString(indent + s.key(m.key) + ":")
			s.blockValue(b, m.value, indent+s.unit)
		}
	case list:
		for _, item := range v {
			o, ok := item.(object)
			if !ok {
				b.WriteString(indent + "-")
				s.blockValue(b, item, indent+s.unit)
				continue
			}
			var lines strings.Builder
			s.block(&lines, o, indent+"  ")
			b.WriteString(indent + "- " + lines.String()[len(indent)+2:])
		}
	}
}

func (s style) blockValue(b *strings.Builder, v any, indent string) {
	if o, ok := v.(object); ok && len(o) > 0 {
		b.WriteString(s.newline)
		s.block(b, o, indent)
		return
	}
	if l, ok := v.(list); ok && len(l) > 0 {
		if _, scalars := l[0].(object); scalars {
			b.WriteString(s.newline)
			s.block(b, l, indent)
			return
		}
	}
	b.WriteString(" " + s.inline(v) + s.newline)
}

// inline writes a value on one line, between brackets.
func (s style) inline(v any) string {
	switch v := v.(type) {
	case object:
		parts := make([]string, len(v))
		for i, m := range v {
			parts[i] = s.key(m.key) + s.colon + s.inline(m.value)
		}
		return "{" + strings.Join(parts, s.comma) + "}"
	case list:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = s.inline(item)
		}
		return "[" + strings.Join(parts, s.comma) + "]"
	case string:
		return s.key(v)
	case int:
		return strconv.Itoa(v)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// lines writes a value over several lines, between brackets, as JSON does; the
// first line is not indented.
func (s style) lines(v any, indent string) string {
	inner := s.newline + indent + s.unit
	switch v := v.(type) {
	case object:
		if len(v) == 0 {
			return "{}"
		}
		parts := make([]string, len(v))
		for i, m := range v {
			parts[i] = inner + s.key(m.key) + s.colon + s.lines(m.value, indent+s.unit)
		}
		return "{" + strings.Join(parts, ",") + s.newline + indent + "}"
	case list:
		if len(v) == 0 {
			return "[]"
		}
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = inner + s.lines(item, indent+s.unit)
		}
		return "[" + strings.Join(parts, ",") + s.newline + indent + "]"
	}
	return s.inline(v)
}
