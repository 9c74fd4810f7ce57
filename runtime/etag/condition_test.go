package etag

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// list returns n tags "0", "1", … in one line.
func list(n int) string {
	tags := make([]string, n)
	for i := range tags {
		tags[i] = fmt.Sprintf(`"%d"`, i)
	}
	return strings.Join(tags, ", ")
}

func TestParse_Offsets(t *testing.T) {
	for _, test := range []struct {
		lines        []string
		line, offset int
		combined     int // octet of the lines joined by commas
	}{
		{[]string{`v1`}, 0, 0, 0},
		{[]string{`"v1`}, 0, 3, 3},
		{[]string{`"v 1"`}, 0, 2, 2},
		{[]string{`"v1""v0"`}, 0, 4, 4},
		{[]string{`"v1"; "v0"`}, 0, 4, 4},
		{[]string{`W`}, 0, 1, 1},
		{[]string{`W/ "a"`}, 0, 2, 2},
		{[]string{`"a", *`}, 0, 5, 5},
		{[]string{`*`, ``}, 0, 0, 0},
		{[]string{`*`, `*`}, 0, 0, 0},
		{[]string{`*,`}, 0, 0, 0},
		{[]string{`"a"`, ``, `"b"x`}, 2, 3, 8},
		{[]string{`"a`, `b"`}, 0, 2, 2}, // a tag never spans lines
		{[]string{list(64) + ` `, `"x"`}, 1, 0, len(list(64)) + 2},
	} {
		c, err := Parse(test.lines)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("Parse(%q): error %v, want a *SyntaxError", test.lines, err)
			continue
		}
		if syntax.Line != test.line || syntax.Offset != test.offset || c.Offset() != test.combined {
			t.Errorf("Parse(%q): line %d, octet %d, %d of the value; want %d, %d, %d", test.lines, syntax.Line, syntax.Offset, c.Offset(), test.line, test.offset, test.combined)
		}
		if !c.Malformed() || !c.Present() || c.Any() || c.Len() != 0 {
			t.Errorf("Parse(%q): malformed %v present %v any %v len %d", test.lines, c.Malformed(), c.Present(), c.Any(), c.Len())
		}
	}
}

func TestSyntaxError_Text(t *testing.T) {
	_, err := Parse([]string{`"a"`, `b`})
	if err == nil || !strings.Contains(err.Error(), "line 2, octet 0") {
		t.Errorf("error %v must name the second line and its first octet", err)
	}
}

func TestParse_Bounds(t *testing.T) {
	for _, n := range []int{1, 5, 6, 64} {
		c, err := Parse([]string{list(n)})
		if err != nil || c.Len() != n {
			t.Fatalf("%d tags: %v, %d read", n, err, c.Len())
		}
		for i := range n {
			if got := c.At(i); got.Opaque != fmt.Sprint(i) || got.Weak {
				t.Errorf("%d tags: At(%d) = %v", n, i, got)
			}
		}
	}
	if _, err := Parse([]string{list(65)}); err == nil {
		t.Error("65 tags are accepted")
	}
}

func TestAt_BeyondTheList(t *testing.T) {
	// A request with five tags came before: they must not show through.
	c, _ := Parse([]string{list(5)})
	c.parse([]string{`"a"`})
	defer func() {
		if recover() == nil {
			t.Error("At(1) of a list of one did not panic")
		}
	}()
	c.At(1)
}

func TestParse_EmptyListIsPresent(t *testing.T) {
	for _, lines := range [][]string{{""}, {" \t"}, {",,", ", "}} {
		c, err := Parse(lines)
		if err != nil || !c.Present() || c.Any() || c.Len() != 0 {
			t.Errorf("Parse(%q): %v, present %v, any %v, len %d", lines, err, c.Present(), c.Any(), c.Len())
		}
	}
	if c, err := Parse(nil); err != nil || c.Present() {
		t.Errorf("no lines: %v, present %v", err, c.Present())
	}
}

func TestParseTag(t *testing.T) {
	for _, test := range []struct {
		text string
		tag  ETag
		ok   bool
	}{
		{`"a"`, ETag{Opaque: "a"}, true},
		{`W/"a"`, ETag{Opaque: "a", Weak: true}, true},
		{`""`, ETag{}, true},
		{`"W/x"`, ETag{Opaque: "W/x"}, true},
		{"\"\x80\xff\"", ETag{Opaque: "\x80\xff"}, true},
		{`"a" `, ETag{}, false},
		{` "a"`, ETag{}, false},
		{`"a","b"`, ETag{}, false},
		{`*`, ETag{}, false},
		{``, ETag{}, false},
		{`W/`, ETag{}, false},
		{`"`, ETag{}, false},
	} {
		tag, ok := ParseTag(test.text)
		if tag != test.tag || ok != test.ok {
			t.Errorf("ParseTag(%q) = %v, %v, want %v, %v", test.text, tag, ok, test.tag, test.ok)
		}
		if ok && tag.String() != test.text {
			t.Errorf("String of %q is %q", test.text, tag)
		}
	}
}

func TestParseTag_EveryOctet(t *testing.T) {
	for n := range 256 {
		octet := string([]byte{byte(n)})
		want := n == 0x21 || n >= 0x23 && n <= 0x7E || n >= 0x80
		if _, ok := ParseTag(`"` + octet + `"`); ok != want {
			t.Errorf("octet %#x in a tag: %v, want %v", n, ok, want)
		}
		if ValidOpaque(octet) != want {
			t.Errorf("ValidOpaque of octet %#x: want %v", n, want)
		}
	}
}

func TestParseConditions_Overwrites(t *testing.T) {
	const date = "Sun, 06 Nov 1994 08:49:37 GMT"
	dates := http.Header{"If-Unmodified-Since": {date}, "If-Modified-Since": {date}}
	lists := http.Header{"If-Match": {list(7)}, "If-None-Match": {"x"}, "If-Unmodified-Since": {date}, "If-Modified-Since": {date}}
	var c Conditions
	for range 2 {
		ParseConditions("GET", dates, &c)
		if c.IfMatch.Present() || c.IfMatch.Len() != 0 || c.IfNoneMatch.Present() {
			t.Error("a request with dates only kept the lists of the one before")
		}
		if !c.IfUnmodifiedSince.Equal(at("1994-11-06T08:49:37Z")) || !c.IfModifiedSince.Equal(at("1994-11-06T08:49:37Z")) {
			t.Errorf("dates %v, %v", c.IfUnmodifiedSince, c.IfModifiedSince)
		}
		ParseConditions("GET", lists, &c)
		if c.IfMatch.Len() != 7 || !c.IfNoneMatch.Malformed() {
			t.Errorf("%d tags, If-None-Match malformed %v", c.IfMatch.Len(), c.IfNoneMatch.Malformed())
		}
		if !c.IfUnmodifiedSince.IsZero() || !c.IfModifiedSince.IsZero() {
			t.Error("a date counts beside the field that takes precedence")
		}
	}
}
