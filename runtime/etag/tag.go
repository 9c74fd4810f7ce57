package etag

import "strings"

// ETag is an entity tag (RFC 9110 §8.8.3). The zero value is the valid tag "".
type ETag struct {
	Opaque string // the octets between the quotes
	Weak   bool
}

// String returns the wire form.
func (t ETag) String() string {
	if t.Weak {
		return `W/"` + t.Opaque + `"`
	}
	return `"` + t.Opaque + `"`
}

// ParseTag parses one complete entity tag.
func ParseTag(s string) (ETag, bool) {
	bare, weak := strings.CutPrefix(s, "W/")
	if !soleTag(bare) {
		return ETag{}, false
	}
	return ETag{Opaque: bare[1 : len(bare)-1], Weak: weak}, true
}

// Strong is the strong comparison of RFC 9110 §8.8.3.2: both tags are strong
// and their octets are equal.
func Strong(a, b ETag) bool { return !a.Weak && !b.Weak && a.Opaque == b.Opaque }

// Weak is the weak comparison of RFC 9110 §8.8.3.2: the octets are equal.
func Weak(a, b ETag) bool { return a.Opaque == b.Opaque }

// ValidOpaque reports whether s consists of etagc octets only.
func ValidOpaque(s string) bool {
	for i := range len(s) {
		if !etagc(s[i]) {
			return false
		}
	}
	return true
}

// etagc = %x21 / %x23-7E / obs-text
func etagc(c byte) bool { return c == 0x21 || c >= 0x23 && c != 0x7F }

// soleTag reports whether s is one strong tag and nothing else.
func soleTag(s string) bool {
	end := len(s) - 1
	return end > 0 && s[0] == '"' && s[end] == '"' && ValidOpaque(s[1:end])
}

// scanTag reads the entity tag that begins at s[i] and returns where its opaque
// octets begin and where they end, which is at the closing quote. Where there is
// no tag, end is the octet with which it cannot go on.
func scanTag(s string, i int) (begin, end int, ok bool) {
	if i < len(s) && s[i] == 'W' {
		if i++; i == len(s) || s[i] != '/' {
			return i, i, false
		}
		i++
	}
	if i == len(s) || s[i] != '"' {
		return i, i, false
	}
	i++
	begin = i
	for ; i < len(s) && s[i] != '"'; i++ {
		if s[i] <= ' ' || s[i] == 0x7F {
			return begin, i, false
		}
	}
	return begin, i, i < len(s)
}

// equal compares opaque octets. Tags of one resource differ at the end, if they
// have one length.
func equal(a, b string) bool {
	return len(a) == len(b) && (len(a) == 0 || a[len(a)-1] == b[len(b)-1] && a == b)
}
