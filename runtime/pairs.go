package runtime

import (
	"slices"
	"strings"
)

// requestError says why a request's target cannot be fingerprinted.
type requestError struct{ detail string }

func (e *requestError) Error() string { return e.detail }

const upperHex = "0123456789ABCDEF"

// canonicalPath rewrites an escaped path so that equal paths have equal octets:
// each segment is percent-decoded, then everything but ALPHA DIGIT - . _ ~ is
// encoded. A %2F stays distinct from a slash.
func canonicalPath(escaped string) (string, error) {
	if plainPath(escaped) {
		return escaped, nil
	}
	out := make([]byte, 0, len(escaped)+16)
	for i := 0; i < len(escaped); i++ {
		c := escaped[i]
		switch {
		case c == '/':
			out = append(out, c)
			continue
		case c == '%':
			var ok bool
			if c, ok = unhex(escaped[i:]); !ok {
				return "", &requestError{"the path has a % that is not followed by two hexadecimal digits"}
			}
			i += 2
		}
		if unreserved(c) {
			out = append(out, c)
		} else {
			out = append(out, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return string(out), nil
}

// plainPath reports whether a path is canonical as it is.
func plainPath(s string) bool {
	for i := range len(s) {
		if s[i] != '/' && !unreserved(s[i]) {
			return false
		}
	}
	return true
}

func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}

// unhex decodes the %XX at the beginning of s.
func unhex(s string) (byte, bool) {
	if len(s) < 3 {
		return 0, false
	}
	high, ok1 := hexDigit(s[1])
	low, ok2 := hexDigit(s[2])
	return high<<4 | low, ok1 && ok2
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

type pair struct{ name, value string }

// appendPairs appends the name-value pairs of a query or a form body, sorted by
// the octets of their names; the values of one name keep their order.
func appendPairs(dst []byte, raw string) ([]byte, error) {
	if raw == "" {
		return dst, nil
	}
	var room [16]pair
	pairs := room[:0]
	for piece := range strings.SplitSeq(raw, "&") {
		if piece == "" {
			continue
		}
		name, value, _ := strings.Cut(piece, "=")
		name, err := decodePair(name)
		if err != nil {
			return nil, err
		}
		if value, err = decodePair(value); err != nil {
			return nil, err
		}
		pairs = append(pairs, pair{name, value})
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	for _, p := range pairs {
		dst = appendLengthed(appendLengthed(dst, p.name), p.value)
	}
	return dst, nil
}

// decodePair decodes one side of a pair: + is a space, %XX an octet.
func decodePair(s string) (string, error) {
	if !strings.ContainsAny(s, "%+;") {
		return s, nil
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ';': // servers disagree on whether it separates
			return "", &requestError{"a semicolon in a query or form must be written as %3B"}
		case '+':
			out = append(out, ' ')
		case '%':
			b, ok := unhex(s[i:])
			if !ok {
				return "", &requestError{"a query or form has a % that is not followed by two hexadecimal digits"}
			}
			out = append(out, b)
			i += 2
		default:
			out = append(out, c)
		}
	}
	return string(out), nil
}
