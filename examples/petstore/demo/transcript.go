package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
)

// transcript is what a person reads: scenes, requests, answers, rows, and the
// statements that are checked along the way. It is used by one goroutine.
type transcript struct {
	out    io.Writer
	color  bool
	scenes int
	claims int
	failed []string // statements that were false
}

// Select Graphic Rendition parameters (ECMA-48 §8.3.117).
const (
	bold  = "1"
	dim   = "2"
	red   = "31"
	green = "32"
	blue  = "36"
)

func (t *transcript) paint(style, text string) string {
	if !t.color {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

func (t *transcript) printf(format string, args ...any) { fmt.Fprintf(t.out, format, args...) }

// step reports a part of the preparations.
func (t *transcript) step(name, format string, args ...any) {
	t.printf("   %s  %s\n", t.paint(dim, fmt.Sprintf("%-8s", name)), fmt.Sprintf(format, args...))
}

// scene begins a part of the story; text says what is about to happen.
func (t *transcript) scene(title, text string) {
	t.scenes++
	t.printf("\n%s\n", t.paint(bold, fmt.Sprintf("%d  %s", t.scenes, title)))
	for line := range strings.SplitSeq(text, "\n") {
		t.printf("   %s\n", line)
	}
}

// note is a remark between requests.
func (t *transcript) note(text string) { t.printf("\n   %s\n", text) }

// request shows what is sent.
func (t *transcript) request(r request) {
	t.printf("\n   %s %s\n", t.paint(blue, "→"), t.paint(bold, r.method+" "+r.path))
	for _, f := range r.fields() {
		t.printf("     %s: %s\n", f.name, f.value)
	}
	if r.body != "" {
		t.printf("     %s\n", r.body)
	}
}

// shown are the header fields of an answer that the story is about.
var shown = []string{"Location", "ETag", "Link", "Idempotent-Replayed", "Retry-After"}

// answer shows what came back.
func (t *transcript) answer(a answer) {
	t.printf("   %s %s\n", t.paint(blue, "←"), t.status(a.status))
	for _, name := range shown {
		for _, value := range a.header.Values(name) {
			t.printf("     %s: %s\n", name, value)
		}
	}
	if body := bytes.TrimSpace(a.body); len(body) > 0 {
		t.printf("     %s\n", wrap(string(body), 100, "     "))
	}
}

// again shows in one line how the answer to a retry compares with the first.
func (t *transcript) again(number int, first, a answer) {
	mark := "not replayed"
	if a.replayed() {
		mark = "Idempotent-Replayed: true"
	}
	body := fmt.Sprintf("the same %d bytes", len(a.body))
	if !bytes.Equal(first.body, a.body) {
		body = "other bytes: " + string(bytes.TrimSpace(a.body))
	}
	t.printf("   %s %s  %s  %s  %s\n", t.paint(blue, "←"), t.paint(dim, fmt.Sprintf("#%d", number)), t.status(a.status), mark, body)
}

func (t *transcript) status(code int) string {
	style := green
	if code >= 400 {
		style = red
	}
	return t.paint(style, fmt.Sprintf("%d %s", code, http.StatusText(code)))
}

// rows shows what is in the database.
func (t *transcript) rows(format string, args ...any) {
	t.printf("   %s  %s\n", t.paint(dim, "rows"), fmt.Sprintf(format, args...))
}

// claim checks one statement.
func (t *transcript) claim(holds bool, format string, args ...any) {
	t.claims++
	statement := fmt.Sprintf(format, args...)
	if holds {
		t.printf("   %s %s\n", t.paint(green, "✓"), statement)
		return
	}
	t.failed = append(t.failed, statement)
	t.printf("   %s %s\n", t.paint(red, "✗ FALSE:"), statement)
}

// mishap shows what the network or the operating system did.
func (t *transcript) mishap(format string, args ...any) {
	t.printf("   %s %s\n", t.paint(red, "!"), fmt.Sprintf(format, args...))
}

// wrap breaks text at commas and spaces, before a line grows longer than width.
func wrap(text string, width int, indent string) string {
	var b strings.Builder
	for len(text) > width {
		cut := strings.LastIndexAny(text[:width], ", ")
		if cut <= 0 {
			break
		}
		b.WriteString(strings.TrimSuffix(text[:cut+1], " ") + "\n" + indent)
		text = text[cut+1:]
	}
	return b.String() + text
}

// colorful reports whether f shows colours: a terminal whose owner has not
// declined them (https://no-color.org).
func colorful(f *os.File) bool {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	if runtime.GOOS == "windows" && os.Getenv("WT_SESSION") == "" {
		return false // the old console prints the escape sequences
	}
	return terminal(f)
}

func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
