package runtime

import (
	"net/http"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/runtime/etag"
)

func TestOpaqueTags(t *testing.T) {
	secret := make([]byte, MinSecret)
	o := newOpaqueTags(secret, "e", "Pet")
	seen := map[string]string{}
	for _, version := range []string{"", "0", "1", "2", "12345678901234567890", strings.Repeat("x", 15), strings.Repeat("x", 16), "\x80", "a\x80\x00", "\x00"} {
		sealed := o.seal(version)
		if sealed != o.seal(version) || !etag.ValidOpaque(sealed) || strings.Contains(sealed, ".") {
			t.Errorf("%q is sealed as %q", version, sealed)
		}
		if other, taken := seen[sealed]; taken {
			t.Errorf("%q and %q have one tag", version, other)
		}
		seen[sealed] = version
		if got, ok := o.open(sealed); !ok || got != version {
			t.Errorf("%q is opened as %q, %v", version, got, ok)
		}
		for i := range sealed { // every character counts
			changed := sealed[:i] + map[bool]string{true: "B", false: "A"}[sealed[i] == 'A'] + sealed[i+1:]
			if got, ok := o.open(changed); ok {
				t.Errorf("%q with another character %d is opened as %q", version, i, got)
			}
		}
	}
	if len(o.seal("1")) != len(o.seal("1000000")) {
		t.Error("the length tells how far a counter has come")
	}
	for name, other := range map[string]*opaqueTags{
		"secret": newOpaqueTags(append([]byte{1}, secret[1:]...), "e", "Pet"), "epoch": newOpaqueTags(secret, "f", "Pet"),
		"resource": newOpaqueTags(secret, "e", "Dog"), "split": newOpaqueTags(secret, "eP", "et"),
	} {
		if _, ok := other.open(o.seal("1")); ok {
			t.Errorf("another %s opens the tag", name)
		}
	}
	for _, bad := range []string{"", "1", "A", strings.Repeat("A", 43), strings.Repeat("A", 22), o.seal("1") + "A", o.seal("1") + "="} {
		if got, ok := o.open(bad); ok {
			t.Errorf("%q is opened as %q", bad, got)
		}
	}
}

func TestWithTagSecret_Short(t *testing.T) {
	if err := WithTagSecret(make([]byte, MinSecret-1), "")(&options{}); err == nil {
		t.Error("a short secret is accepted")
	}
}

// Names and values must not run into each other.
func TestVariant(t *testing.T) {
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Add(pairs[i], pairs[i+1])
		}
		return h
	}
	names := []string{"Accept", "Accept-Language"}
	base := variant(header("Accept", "a", "Accept-Language", "b"), names)
	if same := variant(header("Accept-Language", " b\t", "Accept", "a", "Other", "c"), names); same != base {
		t.Errorf("%s and %s for one choice", base, same)
	}
	for _, h := range []http.Header{
		header(), header("Accept", "a"), header("Accept", "b", "Accept-Language", "a"), header("Accept", "a", "Accept", "b"),
		header("Accept-Language", "a", "Accept-Language", "b"), header("Accept", "ab"), header("Accept", "", "Accept-Language", ""),
	} {
		if variant(h, names) == base {
			t.Errorf("%v is the same variant", h)
		}
	}
}

func TestVary(t *testing.T) {
	for _, c := range []struct{ before, want string }{
		{"", "Accept"}, {"Origin", "Origin|Accept"}, {"origin, ACCEPT", "origin, ACCEPT"}, {"*", "*"}, {"Accept-Encoding", "Accept-Encoding|Accept"},
	} {
		h := http.Header{}
		if c.before != "" {
			h.Set("Vary", c.before)
		}
		vary(h, "Accept")
		if got := strings.Join(h["Vary"], "|"); got != c.want {
			t.Errorf("%q becomes %q, want %q", c.before, got, c.want)
		}
	}
}
