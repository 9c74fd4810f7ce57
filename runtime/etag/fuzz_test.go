package etag

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

// naiveParse is a second reading of the grammar (RFC 9110 §8.8.3, §5.6.1), by
// pattern instead of by octet.
func naiveParse(lines []string) (tags []ETag, wildcard, ok bool) {
	if len(lines) == 1 && strings.Trim(lines[0], " \t") == "*" {
		return nil, true, true
	}
	for _, line := range lines {
		if !naiveList.MatchString(line) {
			return nil, false, false
		}
		for _, m := range naiveTag.FindAllStringSubmatch(line, -1) {
			tags = append(tags, ETag{Opaque: latin1(m[2]), Weak: m[1] != ""})
		}
	}
	return tags, false, len(tags) <= 64
}

var (
	naiveTag  = regexp.MustCompile(`(W/)?"([!#-~\x{80}-\x{FF}]*)"`)
	naiveList = regexp.MustCompile(`^[ \t]*((W/)?"[!#-~\x{80}-\x{FF}]*"[ \t]*)?(,[ \t]*((W/)?"[!#-~\x{80}-\x{FF}]*"[ \t]*)?)*$`)
)

// naiveEncode writes each octet as a code point, since patterns match those.
func naiveEncode(s string) string {
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "*", " * ", "*\n", `"a"`, `W/"a"`, `w/"a"`, `"a","b"`, `"a" "b"`, ` , "a,b" ,, W/"*"`, "\"a\"\n\"b\"", "\"a\n b\"",
		`"a`, `"a";"b"`, `"a b"`, "\"\x80\xff\"", "\"\x7f\"", `W/`, `W"a"`, `"W/a"`, list(64), list(65), list(40) + "\n" + list(40),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		encoded := make([]string, len(lines))
		for i, line := range lines {
			encoded[i] = naiveEncode(line)
		}
		tags, wildcard, ok := naiveParse(encoded)
		c, err := Parse(lines)
		if (err == nil) != ok || c.Malformed() == ok || c.Any() != wildcard {
			t.Fatalf("%q: error %v, malformed %v, any %v; want ok %v, any %v", lines, err, c.Malformed(), c.Any(), ok, wildcard)
		}
		if !ok {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("%q: error %v, want a *SyntaxError", lines, err)
			}
			if syntax.Line < 0 || syntax.Line >= len(lines) || syntax.Offset < 0 || syntax.Offset > len(lines[syntax.Line]) {
				t.Fatalf("%q: line %d, octet %d do not exist", lines, syntax.Line, syntax.Offset)
			}
			return
		}
		if c.Len() != len(tags) {
			t.Fatalf("%q: %d tags, want %d", lines, c.Len(), len(tags))
		}
		for i, want := range tags {
			if c.At(i) != want {
				t.Fatalf("%q: tag %d is %v, want %v", lines, i, c.At(i), want)
			}
			if again, ok := ParseTag(want.String()); !ok || again != want {
				t.Fatalf("%q does not survive its wire form", want)
			}
		}
	})
}
