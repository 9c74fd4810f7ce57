package diag

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

func TestList_Sort(t *testing.T) {
	var l List
	l.Add(Pos{"b.yaml", 1, 1}, RuleKey, "", "later file")
	l.Add(Pos{"a.yaml", 9, 2}, RuleKey, "", "later line")
	l.Warn(Pos{"a.yaml", 2, 3}, RuleKey, "", "warning after error")
	l.Add(Pos{"a.yaml", 2, 3}, RuleScope, "", "error")
	l.Add(Pos{"a.yaml", 9, 2}, RuleKey, "", "later line")
	l.Add(Pos{File: "a.yaml"}, RuleMissingFile, "", "no line")
	l.Sort()
	var got []string
	for _, d := range l {
		got = append(got, d.Error())
	}
	want := []string{
		"a.yaml: IDM001: no line",
		"a.yaml:2:3: IDM021: error",
		"a.yaml:2:3: warning: IDM020: warning after error",
		"a.yaml:9:2: IDM020: later line",
		"b.yaml:1:1: IDM020: later file",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("sorted:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if l.Errors() != 4 {
		t.Errorf("Errors() = %d, want 4", l.Errors())
	}
}

func TestPos_String(t *testing.T) {
	for pos, want := range map[Pos]string{
		{}:                           "",
		{File: "a.yaml"}:             "a.yaml",
		{File: "a.yaml", Line: 3}:    "a.yaml:3",
		{File: "-", Line: 3, Col: 7}: "-:3:7",
	} {
		if got := pos.String(); got != want {
			t.Errorf("%#v.String() = %q, want %q", pos, got, want)
		}
	}
}

func TestPrint(t *testing.T) {
	long := `{"a":"` + strings.Repeat("x", 200) + `","ttl":"5s","b":"` + strings.Repeat("y", 200) + `"}`
	for _, c := range []struct {
		name, content string
		d             Diagnostic
		want          string
	}{
		{"middle", "one\ntwo: 2\nthree\nfour\n", Diagnostic{Pos{"f", 2, 6}, RuleRange, "too small", "two: 3", Error}, `f:2:6: IDM012: too small
  1 | one
  2 | two: 2
    |      ^
  3 | three
  fix: two: 3
`},
		{"first line", "one\ntwo\nthree\n", Diagnostic{Pos{"f", 1, 1}, RuleRange, "m", "", Error}, `f:1:1: IDM012: m
  1 | one
    | ^
  2 | two
`},
		{"last line without newline", "one\ntwo", Diagnostic{Pos{"f", 2, 1}, RuleRange, "m", "a\nb", Error}, `f:2:1: IDM012: m
  1 | one
  2 | two
    | ^
  fix: a
       b
`},
		{"end of a line", "one\r\n\r\ntwo\r\n", Diagnostic{Pos{"f", 1, 4}, RuleRange, "m", "", Error}, `f:1:4: IDM012: m
  1 | one
    |    ^
  2 |
`},
		{"tab and wide characters", "\tä: x\n", Diagnostic{Pos{"f", 1, 6}, RuleRange, "m", "", Error}, "f:1:6: IDM012: m\n  1 | \tä: x\n    | \t   ^\n"},
		{"number changes width", strings.Repeat("\n", 8) + "nine\nten\n", Diagnostic{Pos{"f", 9, 2}, RuleRange, "m", "", Error}, `f:9:2: IDM012: m
   8 |
   9 | nine
     |  ^
  10 | ten
`},
		{"beyond the end", "one\n", Diagnostic{Pos{"f", 7, 1}, RuleRange, "m", "", Error}, "f:7:1: IDM012: m\n"},
		{"no place", "one\n", Diagnostic{Pos{File: "f"}, RuleMissingFile, "m", "", Warning}, "f: warning: IDM001: m\n"},
		{
			"minified", long,
			Diagnostic{Pos{"f", 1, strings.Index(long, `"5s"`) + 1}, RuleRange, "m", "", Error},
			"f:1:215: IDM012: m\n  1 | …" + strings.Repeat("x", 42) + `","ttl":"5s","b":"` + strings.Repeat("y", 40) + "…\n    | " + strings.Repeat(" ", 51) + "^\n",
		},
	} {
		var b strings.Builder
		if err := Print(&b, List{c.d}, func(string) []byte { return []byte(c.content) }); err != nil {
			t.Fatal(err)
		}
		if b.String() != c.want {
			t.Errorf("%s:\n%s\nwant:\n%s", c.name, b.String(), c.want)
		}
	}
}

func TestPrint_UnknownFile(t *testing.T) {
	var b strings.Builder
	d := Diagnostic{Pos: Pos{"f", 3, 1}, Rule: RuleRange, Message: "m", Fix: "x"}
	if err := Print(&b, List{d}, func(string) []byte { return nil }); err != nil {
		t.Fatal(err)
	}
	if want := "f:3:1: IDM012: m\n  fix: x\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestNearest(t *testing.T) {
	have := []string{"ttl", "lease", "mismatchStatus", "maxWait", "mode"}
	for word, want := range map[string]string{
		"tll": "ttl", "TTL": "ttl", "leas": "lease", "mismatchstatus": "mismatchStatus", "missmatchStatus": "mismatchStatus",
		"mod": "mode", "maxwiat": "maxWait", "banana": "", "": "",
	} {
		got, ok := Nearest(word, have)
		if got != want || ok != (want != "") {
			t.Errorf("Nearest(%q) = %q, %v; want %q", word, got, ok, want)
		}
	}
}

func TestRules_Described(t *testing.T) {
	for _, r := range Rules() {
		if r.About() == "" || !strings.HasPrefix(string(r), "IDM") || len(r) != 6 {
			t.Errorf("rule %q: About() = %q", r, r.About())
		}
	}
	if About := Rule("IDM999").About(); About != "" {
		t.Errorf("an unknown rule is described as %q", About)
	}
}

// TestPrint_Terminal: what a document brings along does not reach the terminal.
func TestPrint_Terminal(t *testing.T) {
	var l List
	l.Add(Pos{"a.yaml", 1, 3}, RuleKey, "x: \x1b[2J\ny: \u0085", "member \x1b[31m\xff")
	var b strings.Builder
	if err := Print(&b, l, func(string) []byte { return []byte("\tä\x1b\x00\u2028\xfe\n") }); err != nil {
		t.Fatal(err)
	}
	want := "a.yaml:1:3: IDM020: member \ufffd[31m\ufffd\n  1 | \tä\ufffd\ufffd\ufffd\ufffd\n    | \t^\n  fix: x: \ufffd[2J\n       y: \ufffd\n"
	if b.String() != want {
		t.Errorf("got  %q\nwant %q", b.String(), want)
	}
}

// Colours are around the text that Print writes, never in what a document says.
func TestPrintColored(t *testing.T) {
	list := List{
		{Pos: Pos{"a.yaml", 1, 3}, Rule: "IDM010", Message: "no \x1b[31m", Fix: "b: 1"},
		{Pos: Pos{"a.yaml", 1, 1}, Rule: "IDM101", Message: "hm", Severity: Warning},
	}
	content := func(string) []byte { return []byte("a: 2\n") }
	var colored, plain strings.Builder
	if err := errors.Join(PrintColored(&colored, list, content), Print(&plain, list, content)); err != nil {
		t.Fatal(err)
	}
	want := "\x1b[1ma.yaml:1:3\x1b[0m\x1b[31m: IDM010: \x1b[0mno \uFFFD[31m\n" +
		"  1 | a: 2\n    |   \x1b[31m^\x1b[0m\n  \x1b[32mfix:\x1b[0m b: 1\n" +
		"\x1b[1ma.yaml:1:1\x1b[0m\x1b[33m: warning: IDM101: \x1b[0mhm\n" +
		"  1 | a: 2\n    | \x1b[33m^\x1b[0m\n"
	if got := colored.String(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := regexp.MustCompile("\x1b\\[[0-9]+m").ReplaceAllString(colored.String(), ""); got != plain.String() {
		t.Errorf("without colours %q, plain %q", got, plain.String())
	}
}
