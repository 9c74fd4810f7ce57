package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/idemgen/idemgen/generator/diag"
)

// File is one input file: the root document or a file that it refers to.
type File struct {
	Name  string // as given to Load, or relative to it in the same way
	Bytes []byte // as read, or with overlays applied
	Root  Node   // absent when the file does not parse

	shifts map[int]shift // line of the parsers -> how its character columns become byte columns
	breaks []int         // lines that begin for the parsers only

	found      sync.Once
	refs       []Node // every $ref, in document order; found
	extensions []Node // every member whose name begins with x-, in document order; found
	capitals   []Node // and with X-

	once  sync.Once
	lines []int // line -> offset of its start; once

	// With overlays, Bytes is not what the author wrote. Written and origins map
	// what stands in it to where it was written; both are nil without.
	written map[mark]diag.Pos
	origins map[*yaml.Node]diag.Pos
}

// mark is a place in the text that was parsed, as the parsers count.
type mark struct{ line, col int }

// shift maps columns of one line: at the n-th cut, counted in characters of the
// text that was parsed, extra[n] bytes of the input have been added so far.
type shift struct {
	cuts  []int
	extra []int
}

// parse reads a file into nodes and reports everything that is wrong with its
// syntax.
func parse(name string, content []byte, list *diag.List) *File {
	f := &File{Name: name, Bytes: content}
	if pos, message := f.encodingError(); message != "" {
		list.Add(pos, diag.RuleSyntax, "save the file as UTF-8", "%s", message)
		return f
	}
	text := f.prepare()
	if strings.HasSuffix(name, ".json") {
		if pos, message := f.jsonError(); message != "" {
			list.Add(pos, diag.RuleSyntax, "", "not valid JSON: %s", message)
			return f
		}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var root yaml.Node
	if err := decode(decoder, &root); err != nil {
		pos, message := f.syntaxError(err)
		list.Add(pos, diag.RuleSyntax, f.untabbed(pos), "%s", message)
		return f
	}
	if len(root.Content) != 1 {
		return f
	}
	c := nodeChecker{file: f, list: list}
	if !c.check(root.Content[0], 0) {
		return f
	}
	if at := expands(root.Content[0]); at != nil {
		list.Add(f.pos(at), diag.RuleSyntax, "use a $ref for what many places share", "YAML aliases add up to more than %d values", maxAliased)
		return f
	}
	f.Root = Node{file: f, n: root.Content[0]}
	var more yaml.Node
	switch err := decode(decoder, &more); {
	case err == nil:
		list.Add(f.pos(&more), diag.RuleSyntax, "keep one document in a file; split the others off",
			"the file holds more than one YAML document")
	case !errors.Is(err, errEmpty):
		pos, message := f.syntaxError(err)
		list.Add(pos, diag.RuleSyntax, "", "%s", message)
	}
	return f
}

// decode reads the next document. The parser panics on a few malformed inputs;
// for the caller that is one more syntax error.
func decode(d *yaml.Decoder, into *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("the YAML parser gave up")
		}
	}()
	err = d.Decode(into)
	if errors.Is(err, io.EOF) && into.Kind == 0 {
		return errEmpty
	}
	return err
}

var errEmpty = errors.New("the file is empty")

var (
	yamlLine      = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.+)' referenced$`)
)

func (f *File) syntaxError(err error) (diag.Pos, string) {
	if isJSON(f.Bytes) {
		if pos, message := f.jsonError(); message != "" {
			return pos, "not valid JSON: " + message
		}
	}
	pos, message := f.offset(0), err.Error()
	if errors.Is(err, errEmpty) {
		return pos, message
	}
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		message = message[len(m[0]):]
		if n, err := strconv.Atoi(m[1]); err == nil && n > 0 {
			if strings.HasPrefix(message, "did not find expected") {
				n++ // the parser counts from 0, the scanner from 1
			}
			pos = f.at(n, 1)
			if end := f.offset(len(f.Bytes)); pos.Line > end.Line {
				pos = end
			}
		}
	}
	if m := unknownAnchor.FindStringSubmatch(message); m != nil {
		if at := bytes.Index(f.Bytes, []byte("*"+m[1])); at >= 0 {
			pos = f.offset(at)
		}
	}
	return pos, "not valid YAML: " + message
}

// untabbed is the remedy where a line is indented with a tab; empty elsewhere.
func (f *File) untabbed(pos diag.Pos) string {
	lines := bytes.SplitN(f.Bytes, []byte("\n"), pos.Line+1)
	if line := lines[min(pos.Line, len(lines))-1]; bytes.ContainsRune(line[:len(line)-len(bytes.TrimLeft(line, " \t"))], '\t') {
		return "indent with spaces: YAML takes no tab there"
	}
	return ""
}

// encodingError finds what is not a character of YAML or JSON, with its place,
// which the parser does not say.
func (f *File) encodingError() (diag.Pos, string) {
	if bytes.HasPrefix(f.Bytes, []byte("\xfe\xff")) || bytes.HasPrefix(f.Bytes, []byte("\xff\xfe")) {
		return f.offset(0), "the file is UTF-16, not UTF-8"
	}
	isJSON := isJSON(f.Bytes)
	for i := 0; i < len(f.Bytes); {
		r, size := utf8.DecodeRune(f.Bytes[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return f.offset(i), fmt.Sprintf("the byte 0x%02X is not UTF-8", f.Bytes[i])
		case !isJSON && forbidden(r):
			return f.offset(i), fmt.Sprintf("the control character U+%04X is not allowed in YAML", r)
		}
		i += size
	}
	return diag.Pos{}, ""
}

// forbidden reports characters that a YAML parser refuses (YAML 1.2 §5.1).
func forbidden(r rune) bool {
	return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || 0x7f <= r && r < 0xa0 && r != 0x85 || r == 0xfffe || r == 0xffff
}

// jsonError reads the file as strict JSON; the message is empty when it is.
func (f *File) jsonError() (diag.Pos, string) {
	var syntax *json.SyntaxError
	text := bytes.TrimPrefix(f.Bytes, []byte("\ufeff"))
	if json.Valid(text) { // reads once and copies nothing
		return diag.Pos{}, ""
	}
	var value json.RawMessage
	if !errors.As(json.Unmarshal(text, &value), &syntax) {
		return diag.Pos{}, ""
	}
	at := max(0, int(syntax.Offset)-1) + len(f.Bytes) - len(text)
	return f.offset(min(at, len(f.Bytes))), syntax.Error()
}

// offset is the place of a byte of the input.
func (f *File) offset(at int) diag.Pos {
	before := f.Bytes[:at]
	line := bytes.Count(before, []byte("\n")) + 1
	return diag.Pos{File: f.Name, Line: line, Col: at - bytes.LastIndexByte(before, '\n')}
}

func isJSON(content []byte) bool {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	content = bytes.TrimLeft(content, " \t\r\n")
	return len(content) > 0 && (content[0] == '{' || content[0] == '[')
}

// pos converts a parser's mark, which counts characters of the prepared text,
// into a place that counts bytes of the input.
func (f *File) pos(n *yaml.Node) diag.Pos {
	if p, ok := f.origins[n]; ok {
		return p
	}
	return f.at(n.Line, n.Column)
}

func (f *File) at(line, col int) diag.Pos {
	if f.written != nil {
		return f.written[mark{line, col}]
	}
	return f.input(line, col)
}

// input converts a parser's mark into a place in Bytes.
func (f *File) input(line, col int) diag.Pos {
	p := diag.Pos{File: f.Name, Line: line - sort.SearchInts(f.breaks, line+1), Col: col}
	if s, ok := f.shifts[line]; ok {
		if i := sort.SearchInts(s.cuts, col); i > 0 {
			p.Col += s.extra[i-1]
		}
	}
	return p
}

// lineStart is the place of a line of the text that was parsed.
func (f *File) lineStart(line int) diag.Pos {
	if f.written == nil {
		return f.at(line, 1)
	}
	best := mark{}
	for m := range f.written {
		if m.line <= line && (m.line > best.line || m.line == best.line && m.col < best.col) {
			best = m
		}
	}
	if best.line > 0 {
		return f.written[best]
	}
	return diag.Pos{File: f.Name, Line: line, Col: 1}
}
