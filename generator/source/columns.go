package source

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// text is what the parsers read. It is made again for those who need it, because
// nobody does for most documents: kin-openapi gets them from the nodes.
func (f *File) text() []byte {
	if f.written != nil {
		return f.Bytes
	}
	again := File{Bytes: f.Bytes}
	return again.prepare()
}

// prepare makes the text for the parsers from Bytes. A YAML parser refuses JSON's surrogate escapes
// and the escaped slash, and takes characters for line breaks that JSON does not;
// in JSON input both are rewritten, and the columns behind them are remembered.
func (f *File) prepare() []byte {
	if plain(f.Bytes) && !(isJSON(f.Bytes) && (bytes.Contains(f.Bytes, []byte(`\u`)) || bytes.Contains(f.Bytes, []byte(`\/`)))) {
		return f.Bytes
	}
	in := strings.TrimPrefix(string(f.Bytes), "\ufeff")
	w := columns{line: 1, col: 1, shifts: map[int]shift{}}
	if len(in) != len(f.Bytes) {
		w.extra = 3
		w.record()
	}
	if isJSON(f.Bytes) {
		in = w.rewriteJSON(in)
	} else {
		w.scan(in)
	}
	f.shifts, f.breaks = w.shifts, w.breaks
	return []byte(in)
}

// plain reports whether a character is a byte and a line ends where it ends for
// everybody.
func plain(b []byte) bool {
	for i, c := range b {
		if c >= 0x7f || c == '\r' && !bytes.HasPrefix(b[i+1:], []byte("\n")) {
			return false
		}
	}
	return true
}

// columns follows a text character by character and records where a column of
// the text is not a column of the input.
type columns struct {
	line, col int // of the next character of the text, from 1
	extra     int // input bytes beyond the characters of this line so far
	shifts    map[int]shift
	breaks    []int // lines that begin for the parser only
}

// record notes that from the current column on the input is extra bytes ahead.
func (w *columns) record() {
	s := w.shifts[w.line]
	// SearchInts finds the cuts below a column: the cut is the column before.
	s.cuts = append(s.cuts, w.col-1)
	s.extra = append(s.extra, w.extra)
	w.shifts[w.line] = s
}

// put advances over one character of the text that was size bytes of the input.
func (w *columns) put(r rune, size int) {
	if r == '\n' {
		w.line, w.col, w.extra = w.line+1, 1, 0
		return
	}
	w.col++
	if size != 1 {
		w.extra += size - 1
		w.record()
	}
}

// breakLine advances over a character that ends a line for the parser and for
// nobody else, who would look for the place further down.
func (w *columns) breakLine(size int) {
	w.extra += w.col + size - 1
	w.line, w.col = w.line+1, 1
	w.breaks = append(w.breaks, w.line)
	w.record()
}

// scan follows a text that is passed on unchanged.
func (w *columns) scan(in string) {
	for i := 0; i < len(in); {
		r, size := utf8.DecodeRuneInString(in[i:])
		if r == '\r' && !strings.HasPrefix(in[i+1:], "\n") || r == 0x85 || r == 0x2028 || r == 0x2029 {
			w.breakLine(size)
		} else {
			w.put(r, size)
		}
		i += size
	}
}

// rewriteJSON returns JSON that a YAML parser reads alike: surrogate escapes and
// escaped slashes become characters, characters that YAML takes for line breaks become escapes.
func (w *columns) rewriteJSON(in string) string {
	var out strings.Builder
	out.Grow(len(in))
	inString := false
	for i := 0; i < len(in); {
		if n := ordinary(in[i:]); n > 0 {
			out.WriteString(in[i : i+n])
			w.col += n
			i += n
			continue
		}
		c := in[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(in[i:])
			if r == 0x85 || r == 0x2028 || r == 0x2029 || forbidden(r) {
				w.escape(&out, r, size)
			} else {
				out.WriteString(in[i : i+size])
				w.put(r, size)
			}
			i += size
			continue
		}
		if inString && c == '\\' && i+1 < len(in) {
			r, size := surrogates(in[i:])
			if in[i+1] == '/' {
				r, size = '/', 2
			}
			if size == 0 { // any other escape is passed on, both characters
				out.WriteString(in[i : i+2])
				w.put('\\', 1)
				w.put(rune(in[i+1]), 1)
				i += 2
				continue
			}
			out.WriteRune(r)
			w.put(r, size)
			i += size
			continue
		}
		switch {
		case c == 0x7f:
			w.escape(&out, 0x7f, 1)
		case c == '\r' && !strings.HasPrefix(in[i+1:], "\n"):
			out.WriteByte(c)
			w.breakLine(1)
		default:
			if c == '"' {
				inString = !inString
			}
			out.WriteByte(c)
			w.put(rune(c), 1)
		}
		i++
	}
	return out.String()
}

// ordinary is how much of s begins with bytes that are characters of a line and mean
// nothing to rewriteJSON.
func ordinary(s string) int {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return i
		}
	}
	return len(s)
}

// escape writes \uXXXX for a character of size bytes.
func (w *columns) escape(out *strings.Builder, r rune, size int) {
	fmt.Fprintf(out, `\u%04x`, r)
	w.col += 6
	w.extra += size - 6
	w.record()
}

// surrogates reads the escape of a UTF-16 surrogate at the start of s: the
// character and the length of its escapes; a lone half is U+FFFD. The length is
// 0 when s starts with anything else.
func surrogates(s string) (rune, int) {
	high, ok := escape16(s)
	if !ok || !utf16.IsSurrogate(high) {
		return 0, 0
	}
	if low, ok := escape16(s[6:]); ok {
		if r := utf16.DecodeRune(high, low); r != utf8.RuneError {
			return r, 12
		}
	}
	return utf8.RuneError, 6
}

// escape16 reads \uXXXX at the start of s.
func escape16(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[2:6], 16, 16)
	return rune(n), err == nil
}
