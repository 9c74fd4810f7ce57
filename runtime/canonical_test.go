package runtime

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAppendCanonical(t *testing.T) {
	tests := []struct{ src, want string }{
		{`null`, `null`},
		{" \t\r\n[ ]\n", `[]`},
		{`{ }`, `{}`},
		{`{"b":1,"a":2}`, `{"a":2,"b":1}`},
		{`{"a":1,"b":2}`, `{"a":1,"b":2}`},
		{` { "a" : [ 1 , true , false , null ] , "b" : { } } `, `{"a":[1,true,false,null],"b":{}}`},
		{`[1,1.0,1e2,-0,1E+2,100000000000000000000,0.10,1e-7]`, `[1,1.0,1e2,-0,1E+2,100000000000000000000,0.10,1e-7]`},
		{`"\u0041\/\n\u0001\u00e9\ud83d\ude00\"\\\u007f"`, "\"A/\\n\\u0001é😀\\\"\\\\\x7f\""},
		{`"\b\t\n\f\r\u0008\u0009\u000A\u000c\u000D\u001F\u0000"`, `"\b\t\n\f\r\b\t\n\f\r\u001f\u0000"`},
		{`"\u2028\ufffd"`, "\"\u2028\ufffd\""},
		{"\"\ufffd\"", "\"\ufffd\""}, // the replacement character itself is text
		{`"é"`, `"é"`},
		{`"e\u0301"`, "\"e\u0301\""}, // not normalised
		{`{"\ud83d\ude00":1,"\uff5e":2,"a":3,"":4}`, `{"":4,"a":3,"` + "\uff5e" + `":2,"😀":1}`},
		// Sorted as decoded, not as written: 0x22 < 0x41 < 0x5C < 0x61.
		{`{"a":1,"\\":2,"\u0041":3,"\"":4,"\n":5}`, `{"\n":5,"\"":4,"A":3,"\\":2,"a":1}`},
		{`{"ab":1,"a":2,"a\u0000":3}`, `{"a":2,"a\u0000":3,"ab":1}`},
		{`{"b":[{"y":null,"x":true}],"a":{"d":false,"c":[]}}`, `{"a":{"c":[],"d":false},"b":[{"x":true,"y":null}]}`},
		{`[{"b":1,"a":2},3,{"d":{"f":4,"e":5},"c":6},{"g":{"i":7,"h":8}}]`, `[{"a":2,"b":1},3,{"c":6,"d":{"e":5,"f":4}},{"g":{"h":8,"i":7}}]`},
		{`{"a":{"x":[{"2":{"q":1,"p":2},"1":0}]},"b":0}`, `{"a":{"x":[{"1":0,"2":{"p":2,"q":1}}]},"b":0}`},
	}
	for _, tt := range tests {
		got, err := appendCanonical([]byte("begin"), []byte(tt.src))
		if err != nil || string(got) != "begin"+tt.want {
			t.Errorf("appendCanonical(%s) = %s, %v, want begin%s", tt.src, got, err, tt.want)
		}
	}
}

func TestAppendCanonical_Refusals(t *testing.T) {
	tests := []struct {
		src    string
		offset int
	}{
		{``, 0},
		{` `, 1},
		{"\xef\xbb\xbf{}", 0},
		{`{}{}`, 2},
		{`1 2`, 2},
		{`tru`, 0},
		{`nul1`, 0},
		{`'a'`, 0},
		{`NaN`, 0},
		{`01`, 1},
		{`-`, 1},
		{`+1`, 0},
		{`.5`, 0},
		{`1.`, 2},
		{`1.e1`, 2},
		{`1e`, 2},
		{`1e+`, 3},
		{`[`, 1},
		{`[1`, 2},
		{`[1,`, 3},
		{`[1,]`, 3},
		{`[,1]`, 1},
		{`[1 2]`, 3},
		{`[1}`, 2},
		{`{`, 1},
		{`{"a"`, 4},
		{`{"a" 1}`, 5},
		{`{"a":`, 5},
		{`{"a":1`, 6},
		{`{"a":1,`, 7},
		{`{"a":1,}`, 7},
		{`{,}`, 1},
		{`{a:1}`, 1},
		{`{1:1}`, 1},
		{`{"a":1]`, 6},
		{`"abc`, 0},
		{`["abcdefgh`, 1},
		{"\"a\nb\"", 2},
		{"\"a\x1fb\"", 2},
		{`"\x"`, 1},
		{`"\`, 1},
		{`"\u12"`, 1},
		{`"\u12g4"`, 1},
		{`"ab\ud800"`, 3},
		{`"\ud800\u0041"`, 1},
		{`"\ud800\n"`, 1},
		{`"\udc00"`, 1},
		{`"\ud83d\ud83d"`, 1},
		{"\"\xff\"", 1},
		{"\"\xc3\"", 1},
		{"\"\xc0\x80\"", 1},
		{"\"\xed\xa0\x80\"", 1}, // a surrogate in UTF-8
		{"\"\xf4\x90\x80\x80\"", 1},
		{"[1]\x00", 3},
		{`{"a":1,"a":2}`, 7},
		{`{"a":1,"b":2,"a":3}`, 13},
		{`{"b":1,"a":2,"a":3,"c":4}`, 13},
		{`{"a":1,"\u0061":2}`, 7},
		{`{"\"":1,"a":2,"\u0022":3}`, 14},
		{`[{"x":{"a":1,"a":1}}]`, 13},
	}
	for _, tt := range tests {
		got, err := appendCanonical(nil, []byte(tt.src))
		refused, ok := errors.AsType[*bodyError](err)
		if !ok {
			t.Errorf("appendCanonical(%q) = %q, %v, want a *bodyError", tt.src, got, err)
			continue
		}
		if refused.offset != tt.offset {
			t.Errorf("appendCanonical(%q): %v, want it at octet %d", tt.src, err, tt.offset)
		}
	}
}

func TestAppendCanonical_Depth(t *testing.T) {
	nest := func(n int) string {
		half := strings.Repeat(`[{"a":`, n/2)
		return half + strings.Repeat("[", n%2) + "0" + strings.Repeat("]", n%2) + strings.Repeat("}]", n/2)
	}
	for _, n := range []int{999, 1000} {
		if got, err := appendCanonical(nil, []byte(nest(n))); err != nil || string(got) != nest(n) {
			t.Errorf("depth %d: %v", n, err)
		}
	}
	for _, src := range []string{nest(1001), nest(1002), strings.Repeat("[", 1<<20)} {
		_, err := appendCanonical(nil, []byte(src))
		if _, ok := errors.AsType[*bodyError](err); !ok {
			t.Errorf("%d octets, over the depth: error %v, want a *bodyError", len(src), err)
		}
	}
	if _, err := appendCanonical(nil, []byte("["+strings.Repeat("[],", 2000)+"{}]")); err != nil {
		t.Errorf("2000 siblings: %v", err)
	}
}

// Members in the wrong order at every depth must not cost a copy of the text per
// level: a small request could keep the server busy for seconds. The work is
// counted in octets that are written.
func TestAppendCanonical_DeepAndUnsorted(t *testing.T) {
	const depth = 900
	deep := strings.Repeat(`{"b":`, depth) + `"` + strings.Repeat("x", 1<<16) + `"` + strings.Repeat(`,"a":1}`, depth)
	want := strings.Repeat(`{"a":1,"b":`, depth) + `"` + strings.Repeat("x", 1<<16) + `"` + strings.Repeat(`}`, depth)
	var c canonicaliser
	c.use([]byte(deep), nil)
	got, err := c.text(nil)
	if err != nil || string(got) != want {
		t.Fatalf("wrong canonical text (%v)", err)
	}
	if len(c.scratch) != len(want) {
		t.Errorf("rearranging wrote %d octets, want each of %d once", len(c.scratch), len(want))
	}
}

func TestSkipPlain(t *testing.T) {
	for c := range 256 {
		for at := range 20 {
			src := bytes.Repeat([]byte{'~'}, 20)
			src[at] = byte(c)
			want := at
			if c >= 0x20 && c < 0x80 && c != '"' && c != '\\' {
				want = len(src)
			}
			if got := skipPlain(src, 0); got != want {
				t.Fatalf("octet %#02x at %d: stopped at %d, want %d", c, at, got, want)
			}
		}
	}
}

func TestJSONMember(t *testing.T) {
	tests := []struct {
		src, pointer    string
		want            string
		found, isString bool
	}{
		{`{"requestId":"r-1"}`, "/requestId", "r-1", true, true},
		{`{"b":{"a":[1],"k":"\"\u00e9\\\n"},"a":1}`, "/b/k", "\"é\\\n", true, true},
		{`{"a/b":{"~":"x"}}`, "/a~1b/~0", "x", true, true},
		{`{"~1":"x","/":"y"}`, "/~01", "x", true, true},
		{`{"":{"":"x"}}`, "//", "x", true, true},
		{`{"\n":"x"}`, "/\n", "x", true, true},
		{`{"a":""}`, "/a", "", true, true},
		{`{"a":7}`, "/a", "", true, false},
		{`{"a":null}`, "/a", "", true, false},
		{`{"a":{}}`, "/a", "", true, false},
		{`{}`, "/a", "", false, false},
		{`{"a":"x"}`, "/a/b", "", false, false},
		{`{"a":["x"]}`, "/a/0", "", false, false},
		{`["x"]`, "/0", "", false, false},
		{`"a"`, "/a", "", false, false},
		{`{"c":{"a":"x"},"b":"},{\"a\":1"}`, "/a", "", false, false},
		{``, "/a", "", false, false},
	}
	for _, tt := range tests {
		value, found, isString, err := jsonMember(new(workspace), []byte(tt.src), tt.pointer)
		if err != nil || value != tt.want || found != tt.found || isString != tt.isString {
			t.Errorf("jsonMember(%s, %s) = %q, %v, %v, %v, want %q, %v, %v",
				tt.src, tt.pointer, value, found, isString, err, tt.want, tt.found, tt.isString)
		}
	}
	_, _, _, err := jsonMember(new(workspace), []byte(`{"a":"x"}}`), "/a")
	if _, ok := errors.AsType[*bodyError](err); !ok {
		t.Errorf("malformed text: error %v, want a *bodyError", err)
	}
	for _, pointer := range []string{"", "a", "/a~", "/a~2"} {
		if _, _, _, err := jsonMember(new(workspace), []byte(`{}`), pointer); err == nil {
			t.Errorf("pointer %q is accepted", pointer)
		}
	}
}

// naive is a second implementation of the canonical text: it decodes with
// encoding/json and writes what it got, without caring for speed.
func naive(src []byte, depth int) (string, error) {
	if !utf8.Valid(src) || bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) || !json.Valid(src) || loneSurrogate(src) {
		return "", errors.New("not acceptable")
	}
	d := json.NewDecoder(bytes.NewReader(src))
	d.UseNumber()
	text, err := naiveValue(d, depth)
	if err != nil {
		return "", err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return "", errors.New("text after the value")
	}
	return text, nil
}

func naiveValue(d *json.Decoder, depth int) (string, error) {
	token, err := d.Token()
	if err != nil {
		return "", err
	}
	switch v := token.(type) {
	case json.Delim:
		if depth == 0 {
			return "", errors.New("too deep")
		}
		var parts []string
		names := map[string]string{}
		for d.More() {
			name := ""
			if v == '{' {
				token, err := d.Token()
				if err != nil {
					return "", err
				}
				name = token.(string)
				if _, twice := names[name]; twice {
					return "", errors.New("twice")
				}
			}
			text, err := naiveValue(d, depth-1)
			if err != nil {
				return "", err
			}
			names[name] = text
			parts = append(parts, text)
		}
		if _, err := d.Token(); err != nil {
			return "", err
		}
		if v == '[' {
			return "[" + strings.Join(parts, ",") + "]", nil
		}
		parts = parts[:0]
		sorted := make([]string, 0, len(names))
		for name := range names {
			sorted = append(sorted, name)
		}
		slices.Sort(sorted) // Go compares strings by octets
		for _, name := range sorted {
			parts = append(parts, naiveString(name)+":"+names[name])
		}
		return "{" + strings.Join(parts, ",") + "}", nil
	case string:
		return naiveString(v), nil
	case json.Number:
		return v.String(), nil
	case nil:
		return "null", nil
	default:
		return fmt.Sprint(v), nil
	}
}

func naiveString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		if short := strings.IndexRune("\"\\\b\t\n\f\r", r); short >= 0 {
			b.WriteString(`\` + `"\btnfr`[short:short+1])
		} else if r < 0x20 {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// loneSurrogate finds what encoding/json would replace silently.
func loneSurrogate(src []byte) bool {
	surrogate := func(s []byte) byte {
		if len(s) >= 4 && s[0] == '\\' && s[1] == 'u' && s[2]|0x20 == 'd' {
			switch {
			case strings.IndexByte("89abAB", s[3]) >= 0:
				return 'h'
			case strings.IndexByte("cdefCDEF", s[3]) >= 0:
				return 'l'
			}
		}
		return 0
	}
	for i := 0; i < len(src); i++ {
		if src[i] != '\\' {
			continue
		}
		switch surrogate(src[i:]) {
		case 'l':
			return true
		case 'h':
			if surrogate(src[i+6:]) != 'l' {
				return true
			}
			i += 6
		}
		i++
	}
	return false
}

// reversed writes a canonical text with every object's members backwards and
// white space wherever it is allowed: the same value.
func reversed(text []byte) []byte {
	switch text[0] {
	case '{':
		var out []byte
		for i := 1; text[i] != '}'; {
			if text[i] == ',' {
				i++
			}
			name := text[i : i+valueLength(text[i:])]
			i += len(name) + 1
			value := text[i : i+valueLength(text[i:])]
			i += len(value)
			one := slices.Concat([]byte("\n "), name, []byte("\t: "), reversed(value))
			if out != nil {
				one = append(one, ',', ' ')
			}
			out = append(one, out...)
		}
		return slices.Concat([]byte("{\r\n"), out, []byte(" }"))
	case '[':
		out := []byte("[ ")
		for i := 1; text[i] != ']'; {
			if text[i] == ',' {
				i++
				out = append(out, " ,\n"...)
			}
			n := valueLength(text[i:])
			out = append(out, reversed(text[i:i+n])...)
			i += n
		}
		return append(out, " ]"...)
	}
	return text
}

func FuzzCanonical(f *testing.F) {
	for _, src := range []string{
		`{"b":[{"y":null,"x":true}],"a":{"d":false,"c":[]}}`, `[1,1.0,1e2,-0,1E+2]`, `"\u0041\/\n\u0001\ud83d\ude00"`,
		`{"a":1,"\u0061":2}`, `{"b":{"d":{"f":1,"e":2},"c":3},"a":4}`, `"\ud800"`, "\"\xff\"", `{}{}`, "\xef\xbb\xbf1",
		`{"\\":1,"\"":2,"[":3}`, `{"aaaaaaaaaaaaaaaa\n":1,"aaaaaaaaaaaaaaaa":2}`, ` [ ] `, `"\\ud800"`, `[{"b":1,"a":[{"d":1,"c":2}]}]`,
	} {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		got, err := appendCanonical(nil, src)
		want, naiveErr := naive(src, maxDepth)
		if (err == nil) != (naiveErr == nil) {
			t.Fatalf("%q: error %v, the naive implementation says %v", src, err, naiveErr)
		}
		if err != nil {
			if refused, ok := errors.AsType[*bodyError](err); !ok || refused.offset < 0 || refused.offset > len(src) {
				t.Fatalf("%q: error %#v, want a *bodyError with its place", src, err)
			}
			return
		}
		if string(got) != want {
			t.Fatalf("%q: canonical text\n %s\nthe naive implementation says\n %s", src, got, want)
		}
		if again, err := appendCanonical(nil, got); err != nil || !bytes.Equal(again, got) {
			t.Fatalf("%q: canonical text %s becomes %s, %v", src, got, again, err)
		}
		if again, err := appendCanonical(nil, reversed(got)); err != nil || !bytes.Equal(again, got) {
			t.Fatalf("%s: members and white space moved: %s, %v", got, again, err)
		}
	})
}

// sampleOrders is a JSON text of about size octets.
func sampleOrders(size int, sorted bool) []byte {
	line := `{"note":"wrap it, please","qty":12,"sku":"tea-%04d","unitPrice":"12.50"}`
	begin := `{"currency":"EUR","customer":"c_8e03978e","express":false,"lines":[`
	end := `],"shipTo":{"city":"Zürich","zip":"8001"}}`
	if !sorted {
		line = `{"sku":"tea-%04d","qty":12,"unitPrice":"12.50","note":"wrap it, please"}`
		begin = `{"express":false,"shipTo":{"zip":"8001","city":"Zürich"},"customer":"c_8e03978e","currency":"EUR","lines":[`
		end = `]}`
	}
	b := fmt.Appendf([]byte(begin), line, 0)
	for i := 1; len(b)+len(end)+len(line) < size; i++ {
		b = fmt.Appendf(append(b, ','), line, i)
	}
	return append(b, end...)
}

func BenchmarkCanonical(b *testing.B) {
	for _, size := range []int{256, 16 << 10} {
		sorted, unsorted := sampleOrders(size, true), sampleOrders(size, false)
		b.Run(fmt.Sprintf("sha256/%d", size), func(b *testing.B) {
			b.SetBytes(int64(len(sorted)))
			for b.Loop() {
				sha256.Sum256(sorted)
			}
		})
		for name, src := range map[string][]byte{"sorted": sorted, "unsorted": unsorted} {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				var c canonicaliser
				var dst []byte
				b.SetBytes(int64(len(src)))
				b.ReportAllocs()
				for b.Loop() {
					c.use(src, nil)
					out, err := c.text(dst[:0])
					if err != nil {
						b.Fatal(err)
					}
					dst = out
				}
			})
		}
	}
}
