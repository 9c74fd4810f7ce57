package diag

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Print writes a list as text: for each diagnostic file:line:col: rule: message,
// the line with a caret below the column between its neighbours, and the fix.
// content returns the bytes of a file, nil when it has none to show.
func Print(w io.Writer, list List, content func(file string) []byte) error {
	return printList(w, list, content, plain)
}

func printList(w io.Writer, list List, content func(file string) []byte, paint painter) error {
	var b strings.Builder
	for _, d := range list {
		place, message := visible(d.Pos.String()), visible(d.Message)
		rule := strings.TrimSuffix(strings.TrimPrefix(visible(d.Error()), place), message)
		b.WriteString(paint(bold, place) + paint(d.Severity.color(), rule) + message + "\n")
		if content != nil && d.Pos.IsValid() {
			excerpt(&b, content(d.Pos.File), d.Pos, paint(d.Severity.color(), "^"))
		}
		if d.Fix != "" {
			fmt.Fprintf(&b, "  %s %s\n", paint(green, "fix:"), fixLines(d.Fix))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// fixLines indents the lines after the first.
func fixLines(fix string) string {
	lines := strings.Split(fix, "\n")
	for i, line := range lines {
		lines[i] = visible(line)
	}
	return strings.Join(lines, "\n       ")
}

// excerpt writes the line of pos with a caret below, one line before and one after.
func excerpt(b *strings.Builder, content []byte, pos Pos, caret string) {
	first := pos.Line - 1
	lines := cut(content, first, 3)
	if len(lines) == 0 || first > 0 && len(lines) < 2 {
		return // the position is not in what the caller has
	}
	if first == 0 {
		first, lines = 1, lines[:min(len(lines), 2)]
	}
	width := len(fmt.Sprint(pos.Line + 1))
	for i, line := range lines {
		n := first + i
		if n != pos.Line {
			text, _ := window(line, 0)
			writeLine(b, fmt.Sprintf("  %*d |", width, n), text)
			continue
		}
		text, col := window(line, pos.Col-1)
		writeLine(b, fmt.Sprintf("  %*d |", width, n), text)
		if pos.Col > 0 {
			fmt.Fprintf(b, "  %*s | %s%s\n", width, "", padding(text[:col]), caret)
		}
	}
}

// visible replaces what a terminal would obey instead of showing.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

func writeLine(b *strings.Builder, head, text string) {
	b.WriteString(head)
	if text != "" {
		b.WriteByte(' ')
		b.WriteString(visible(text))
	}
	b.WriteByte('\n')
}

// cut returns up to count lines of content from line first on; line 0 does not
// exist and counts as nothing.
func cut(content []byte, first, count int) []string {
	var lines []string
	for n := 1; n < first+count; n++ {
		line, rest, more := bytes.Cut(content, []byte("\n"))
		if n >= first && (len(line) > 0 || more) {
			lines = append(lines, string(bytes.TrimSuffix(line, []byte("\r"))))
		}
		if !more {
			break
		}
		content = rest
	}
	return lines
}

// shown bounds how much of a line is printed: JSON may come in one line.
const shown = 100

// window cuts a long line to the surroundings of a byte offset and returns the
// offset in what is left.
func window(line string, offset int) (string, int) {
	offset = max(0, min(offset, len(line)))
	for offset > 0 && offset < len(line) && !utf8.RuneStart(line[offset]) {
		offset--
	}
	if len(line) <= shown {
		return line, offset
	}
	from := max(0, min(offset-shown/2, len(line)-shown))
	to := from + shown
	for from > 0 && !utf8.RuneStart(line[from]) {
		from--
	}
	for to < len(line) && !utf8.RuneStart(line[to]) {
		to++
	}
	text, at := line[from:to], offset-from
	if from > 0 {
		text, at = "…"+text, at+len("…")
	}
	if to < len(line) {
		text += "…"
	}
	return text, at
}

// padding is as wide as s on a terminal: tabs stay, anything else is a space.
func padding(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, s)
}
