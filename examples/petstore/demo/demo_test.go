package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles and runs a server")
	}
	var out bytes.Buffer
	if err := run(t.Context(), &transcript{out: &out}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, text := range []string{"→ POST /store/orders", "← 412 Precondition Failed", "SIGKILL", "rows  whiskers: 3 orders", "statements are true"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("the transcript lacks %q:\n%s", text, out.String())
		}
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("the transcript has colours, and was not written to a terminal")
	}
}

// TestStory_Unprotected runs the story against a server whose policies were
// weakened: the demo must notice.
func TestStory_Unprotected(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles and runs a server")
	}
	dir, err := locate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := generate(dir)
	if err != nil {
		t.Fatal(err)
	}
	wiring := filepath.Join(dir, "api", "idem.gen.go")
	weak := strings.NewReplacer(
		"idem.FingerprintJSON", "idem.FingerprintNone",
		`[]string{"tenant", "operation"}`, `[]string{"operation"}`,
	).Replace(string(fresh[wiring]))
	if weak == string(fresh[wiring]) {
		t.Fatalf("%s has no policy to weaken", wiring)
	}
	fresh[wiring] = []byte(weak)
	work := t.TempDir()
	binary, err := compile(t.Context(), work, fresh, func(time.Duration) {})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	tr := &transcript{out: &out}
	if err := story(t.Context(), tr, binary, filepath.Join(work, "petstore.db")); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	err = verdict(tr, time.Second)
	if err == nil {
		t.Fatalf("the demo finds nothing wrong:\n%s", out.String())
	}
	want := []string{
		"a changed body is 409, and the problem says why",
		"another tenant's order is another order",
		"one row for the other shop",
	}
	if !slices.Equal(tr.failed, want) {
		t.Errorf("false statements are %q, want %q", tr.failed, want)
	}
	for _, statement := range want {
		if !strings.Contains(err.Error(), statement) {
			t.Errorf("the error %q does not name %q", err, statement)
		}
	}
}

func TestStart_Fails(t *testing.T) {
	_, err := start(t.Context(), filepath.Join(t.TempDir(), "absent"), "x.db")
	if err == nil {
		t.Error("a server without a binary started")
	}
}

func TestVerdict(t *testing.T) {
	tr := &transcript{out: &bytes.Buffer{}}
	tr.claim(true, "one row")
	if err := verdict(tr, time.Second); err != nil {
		t.Errorf("all statements are true, and the verdict is %v", err)
	}
	tr.claim(false, "%d rows", 2)
	if err := verdict(tr, time.Second); err == nil || !strings.Contains(err.Error(), "1 of 2 statements are false") || !strings.Contains(err.Error(), "2 rows") {
		t.Errorf("verdict is %v, want the false statement", err)
	}
}

func TestColor(t *testing.T) {
	for _, color := range []bool{false, true} {
		var out bytes.Buffer
		(&transcript{out: &out, color: color}).claim(true, "one row")
		if got := strings.Contains(out.String(), "\x1b["); got != color {
			t.Errorf("color %t: %q", color, out.String())
		}
	}
}

func TestWrap(t *testing.T) {
	tests := []struct{ text, want string }{
		{"short", "short"},
		{`{"a":1,"b":2}`, "{\"a\":1,\n  \"b\":2}"},
		{"two words", "two\n  words"},
		{"unbreakable", "unbreakable"},
	}
	for _, test := range tests {
		if got := wrap(test.text, 8, "  "); got != test.want {
			t.Errorf("wrap(%q) = %q, want %q", test.text, got, test.want)
		}
	}
}

func TestLines(t *testing.T) {
	l := newLines()
	line, more := l.find("open")
	if line != "" {
		t.Errorf("found %q in nothing", line)
	}
	fmt.Fprint(l, "first\nthe store is op")
	if line, _ := l.find("op"); line != "" {
		t.Errorf("found the incomplete line %q", line)
	}
	fmt.Fprint(l, "en\n")
	select {
	case <-more:
	default:
		t.Error("nobody was told that there is more")
	}
	if line, _ := l.find("open"); line != "the store is open" {
		t.Errorf("found %q", line)
	}
}
