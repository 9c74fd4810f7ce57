package runtime

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// validParameters reports whether s, which follows an Item, is a list of
// parameters and nothing else (RFC 9651 §4.2.3.2). What they say does not
// matter to a key, but a field that does not parse is malformed as a whole.
func validParameters(s string) bool {
	for s != "" {
		if s[0] != ';' {
			return false
		}
		s = strings.TrimLeft(s[1:], " ")
		n := 0
		for n < len(s) && isKeyOctet(s[n], n == 0) {
			n++
		}
		if n == 0 {
			return false
		}
		s = s[n:]
		if s == "" || s[0] != '=' {
			continue // true, abbreviated
		}
		if n = bareItem(s[1:]); n == 0 {
			return false
		}
		s = s[1+n:]
	}
	return true
}

// isKeyOctet: key = ( lcalpha / "*" ) *( lcalpha / DIGIT / "_" / "-" / "." / "*" )
func isKeyOctet(c byte, first bool) bool {
	if c >= 'a' && c <= 'z' || c == '*' {
		return true
	}
	return !first && (isDigit(c) || c == '_' || c == '-' || c == '.')
}

// bareItem is the length of the bare item that s begins with, 0 when there is
// none (RFC 9651 §4.2.3.1).
func bareItem(s string) int {
	if s == "" {
		return 0
	}
	switch c := s[0]; {
	case c == '-' || isDigit(c):
		n, _ := numberItem(s)
		return n
	case c == '"':
		return stringItem(s)
	case c == '*' || isAlpha(c):
		return tokenItem(s)
	case c == ':':
		return bytesItem(s)
	case c == '?':
		if len(s) > 1 && (s[1] == '0' || s[1] == '1') {
			return 2
		}
	case c == '@':
		if n, decimal := numberItem(s[1:]); n > 0 && !decimal {
			return 1 + n
		}
	case c == '%':
		return displayItem(s)
	}
	return 0
}

// numberItem is the length of an Integer, of 15 digits at most, or a Decimal,
// of 12 digits before the point and 3 behind it (RFC 9651 §4.2.4).
func numberItem(s string) (n int, decimal bool) {
	if s != "" && s[0] == '-' {
		n = 1
	}
	whole := digitCount(s[n:])
	n += whole
	if whole == 0 || whole > 15 {
		return 0, false
	}
	if n == len(s) || s[n] != '.' {
		return n, false
	}
	fraction := digitCount(s[n+1:])
	if whole > 12 || fraction == 0 || fraction > 3 {
		return 0, false
	}
	return n + 1 + fraction, true
}

func digitCount(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

// stringItem is the length of a String (RFC 9651 §4.2.5).
func stringItem(s string) int {
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			if i++; i == len(s) || s[i] != '"' && s[i] != '\\' {
				return 0
			}
		case c < 0x20 || c > 0x7E:
			return 0
		}
	}
	return 0
}

// tokenItem is the length of a Token whose first octet fits (RFC 9651 §4.2.6).
func tokenItem(s string) int {
	n := 1
	for n < len(s) && (isAlpha(s[n]) || isDigit(s[n]) || strings.IndexByte("!#$%&'*+-.^_`|~:/", s[n]) >= 0) {
		n++
	}
	return n
}

// bytesItem is the length of a Byte Sequence (RFC 9651 §4.2.7). Padding may be
// missing.
func bytesItem(s string) int {
	content, _, ok := strings.Cut(s[1:], ":")
	if !ok || strings.ContainsAny(content, "\r\n") { // which the decoder skips
		return 0
	}
	if _, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(content, "=")); err != nil {
		return 0
	}
	return len(content) + 2
}

// displayItem is the length of a Display String (RFC 9651 §4.2.10).
func displayItem(s string) int {
	if len(s) < 2 || s[1] != '"' {
		return 0
	}
	var decoded []byte
	for i := 2; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			if !utf8.Valid(decoded) {
				return 0
			}
			return i + 1
		case c == '%':
			b, ok := unhex(s[i:])
			if !ok || strings.ContainsAny(s[i:i+3], "ABCDEF") { // lower-case only
				return 0
			}
			decoded = append(decoded, b)
			i += 2
		case c < 0x20 || c > 0x7E:
			return 0
		default:
			decoded = append(decoded, c)
		}
	}
	return 0
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isAlpha(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
