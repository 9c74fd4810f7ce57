package runtime

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestCanonicalPath(t *testing.T) {
	tests := []struct{ escaped, want string }{
		{"/", "/"},
		{"", ""},
		{"/v1/orders/7", "/v1/orders/7"},
		{"/a%2Fb", "/a%2Fb"},
		{"/a%2fb", "/a%2Fb"},
		{"/%61%7E-._~", "/a~-._~"},
		{"/a:b@c+d$e", "/a%3Ab%40c%2Bd%24e"},
		{"/caf\xc3\xa9", "/caf%C3%A9"},
		{"/caf%c3%a9/", "/caf%C3%A9/"},
		{"//x//", "//x//"},
		{"/a%252F", "/a%252F"},
		{"/%00", "/%00"},
	}
	for _, tt := range tests {
		got, err := canonicalPath(tt.escaped)
		if err != nil || got != tt.want {
			t.Errorf("canonicalPath(%q) = %q, %v, want %q", tt.escaped, got, err, tt.want)
		}
		if again, err := canonicalPath(got); err != nil || again != got {
			t.Errorf("canonicalPath(%q) = %q, %v: not stable", got, again, err)
		}
	}
	for _, escaped := range []string{"/%", "/%4", "/%zz", "/a%2", "/%%41"} {
		_, err := canonicalPath(escaped)
		if _, ok := errors.AsType[*requestError](err); !ok {
			t.Errorf("canonicalPath(%q): error %v, want a *requestError", escaped, err)
		}
	}
}

func pairsText(names ...string) string {
	var b []byte
	for _, s := range names {
		b = appendLengthed(b, s)
	}
	return string(b)
}

func TestAppendPairs(t *testing.T) {
	tests := []struct {
		raw  string
		want []string
	}{
		{"", nil},
		{"&&", nil},
		{"a", []string{"a", ""}},
		{"a=", []string{"a", ""}},
		{"=", []string{"", ""}},
		{"=v", []string{"", "v"}},
		{"a=b=c", []string{"a", "b=c"}},
		{"b=2&a=x+y&a=%7E&&c", []string{"a", "x y", "a", "~", "b", "2", "c", ""}},
		{"a=2&b=0&a=1", []string{"a", "2", "a", "1", "b", "0"}},
		{"%62=1&a=2", []string{"a", "2", "b", "1"}}, // sorted as decoded
		{"a=%3B%26%3d%2B", []string{"a", ";&=+"}},
		{"\xff=1&z=2", []string{"z", "2", "\xff", "1"}}, // by octets
	}
	for _, tt := range tests {
		got, err := appendPairs([]byte("x"), tt.raw)
		if want := "x" + pairsText(tt.want...); err != nil || string(got) != want {
			t.Errorf("appendPairs(%q) = %q, %v, want %q", tt.raw, got, err, want)
		}
	}
	for _, raw := range []string{"a=%", "a=%4", "%zz=1", "a;b=1", "a=1;b=2", "a=1&b=%e"} {
		_, err := appendPairs(nil, raw)
		if _, ok := errors.AsType[*requestError](err); !ok {
			t.Errorf("appendPairs(%q): error %v, want a *requestError", raw, err)
		}
	}
}

// Many values of one name keep their order: the sort is stable at any size.
func TestAppendPairs_Stable(t *testing.T) {
	var raw, names []string
	for i := range 200 {
		raw = append(raw, "b="+itoa(int64(i)), "a="+itoa(int64(i)))
	}
	for _, name := range []string{"a", "b"} {
		for i := range 200 {
			names = append(names, name, itoa(int64(i)))
		}
	}
	got, err := appendPairs(nil, strings.Join(raw, "&"))
	if err != nil || string(got) != pairsText(names...) {
		t.Errorf("values of one name changed their order (%v)", err)
	}
}

// FuzzAppendPairs compares with net/url, which decodes the same encoding.
func FuzzAppendPairs(f *testing.F) {
	for _, raw := range []string{"", "b=2&a=x+y&a=%7E&&c", "a=1;b", "%", "=&=", "\xff=%ff&z", "a=b=c"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := appendPairs(nil, raw)
		values, urlErr := url.ParseQuery(raw)
		if (err == nil) != (urlErr == nil) {
			t.Fatalf("%q: %v, net/url says %v", raw, err, urlErr)
		}
		if err != nil {
			return
		}
		var names []string
		for _, name := range slices.Sorted(maps.Keys(values)) {
			for _, value := range values[name] {
				names = append(names, name, value)
			}
		}
		if want := pairsText(names...); string(got) != want {
			t.Fatalf("%q: %q, want %q", raw, got, want)
		}
	})
}

// FuzzCanonicalPath compares with net/url segment by segment.
func FuzzCanonicalPath(f *testing.F) {
	for _, escaped := range []string{"/", "/a%2Fb/%41", "/%", "//a//", "/%c3%bc/ü", "/a+b;c=d"} {
		f.Add(escaped)
	}
	f.Fuzz(func(t *testing.T, escaped string) {
		got, err := canonicalPath(escaped)
		segments := strings.Split(escaped, "/")
		for i, segment := range segments {
			plain, urlErr := url.PathUnescape(segment)
			if urlErr != nil {
				if err == nil {
					t.Fatalf("%q: %q, net/url says %v", escaped, got, urlErr)
				}
				return
			}
			segments[i] = plain
		}
		if err != nil {
			t.Fatalf("%q: %v", escaped, err)
		}
		canonical := strings.Split(got, "/")
		if len(canonical) != len(segments) {
			t.Fatalf("%q: %q has other segments", escaped, got)
		}
		for i, segment := range canonical {
			if plain, err := url.PathUnescape(segment); err != nil || plain != segments[i] || strings.Trim(segment, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%") != "" {
				t.Fatalf("%q: the segment %q, %v, want %q in unreserved octets and escapes", escaped, segment, err, segments[i])
			}
		}
		if again, err := canonicalPath(got); err != nil || again != got {
			t.Fatalf("%q: %q becomes %q, %v", escaped, got, again, err)
		}
	})
}
