package runtime

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// number copies a number as it is written (RFC 8259 §6).
func (c *canonicaliser) number(dst []byte) ([]byte, error) {
	begin := c.pos
	c.take('-')
	if !c.take('0') && !c.digits() {
		return nil, c.fail("want a digit here")
	}
	if c.take('.') && !c.digits() {
		return nil, c.fail("want a digit after the decimal point")
	}
	if c.take('e') || c.take('E') {
		if !c.take('+') {
			c.take('-')
		}
		if !c.digits() {
			return nil, c.fail("want a digit in the exponent")
		}
	}
	return append(dst, c.src[begin:c.pos]...), nil
}

func (c *canonicaliser) digits() bool {
	begin := c.pos
	for c.pos < len(c.src) && c.src[c.pos] >= '0' && c.src[c.pos] <= '9' {
		c.pos++
	}
	return c.pos > begin
}

// string appends the string at pos in its canonical form, with its quotes, and
// reports whether that form has an escape. Most strings are copied as they are.
func (c *canonicaliser) string(dst []byte) (out []byte, escaped bool, err error) {
	src, copied := c.src, c.pos
	i := c.pos + 1
	for {
		i = skipPlain(src, i)
		if i == len(src) {
			return nil, false, c.fail("the string that begins here has no closing quote")
		}
		switch b := src[i]; {
		case b == '"':
			c.pos = i + 1
			return append(dst, src[copied:c.pos]...), escaped, nil
		case b == '\\':
			dst = append(dst, src[copied:i]...)
			r, size, detail := unescapeRune(src[i:])
			if detail != "" {
				return nil, false, &bodyError{i, detail}
			}
			i += size
			copied = i
			before := len(dst)
			dst = appendJSONRune(dst, r)
			escaped = escaped || dst[before] == '\\'
		case b < 0x20:
			return nil, false, &bodyError{i, "a control character in a string must be escaped"}
		default:
			r, size := utf8.DecodeRune(src[i:])
			if r == utf8.RuneError && size == 1 {
				return nil, false, &bodyError{i, "a string is not valid UTF-8"}
			}
			i += size
		}
	}
}

// skipPlain returns the position of the first octet from i on that is not
// printable ASCII, or is a quote or a backslash.
func skipPlain(src []byte, i int) int {
	const (
		ones = 0x0101010101010101
		high = 0x8080808080808080
	)
	rest := src[i:]
	for ; len(rest) >= 8; rest = rest[8:] { // so that no index is checked
		w := binary.LittleEndian.Uint64(rest)
		quote, backslash := w^ones*'"', w^ones*'\\'
		// The high bit of an octet is set where the octet is what is sought. A
		// borrow can set it wrongly only behind one that is set rightly.
		if m := (w | (w - ones*0x20) | (quote - ones) | (backslash - ones)) & high; m != 0 {
			return len(src) - len(rest) + bits.TrailingZeros64(m)/8
		}
	}
	i = len(src) - len(rest)
	for i < len(src) && src[i] >= 0x20 && src[i] < 0x80 && src[i] != '"' && src[i] != '\\' {
		i++
	}
	return i
}

// unescapeRune decodes the escape sequence that s begins with. A detail says
// what is wrong with it.
func unescapeRune(s []byte) (r rune, size int, detail string) {
	if len(s) < 2 {
		return 0, 0, "the JSON ends inside an escape"
	}
	switch s[1] {
	case '"', '\\', '/':
		return rune(s[1]), 2, ""
	case 'b':
		return '\b', 2, ""
	case 'f':
		return '\f', 2, ""
	case 'n':
		return '\n', 2, ""
	case 'r':
		return '\r', 2, ""
	case 't':
		return '\t', 2, ""
	case 'u':
	default:
		return 0, 0, "a string has an unknown escape"
	}
	r, ok := hex4(s)
	if !ok {
		return 0, 0, `\u needs four hexadecimal digits`
	}
	if r < 0xD800 || r > 0xDFFF {
		return r, 6, ""
	}
	low, ok := hex4(s[6:])
	if r >= 0xDC00 || !ok || low < 0xDC00 || low > 0xDFFF {
		return 0, 0, "a string has a lone surrogate"
	}
	return 0x10000 + (r-0xD800)<<10 + (low - 0xDC00), 12, ""
}

// hex4 reads the \uXXXX that s begins with.
func hex4(s []byte) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, b := range s[2:6] {
		d, ok := hexDigit(b)
		if !ok {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

// appendJSONRune appends one character of a string in its canonical form.
func appendJSONRune(dst []byte, r rune) []byte {
	const lowerHex = "0123456789abcdef"
	switch r {
	case '"', '\\':
		return append(dst, '\\', byte(r))
	case '\b':
		return append(dst, `\b`...)
	case '\t':
		return append(dst, `\t`...)
	case '\n':
		return append(dst, `\n`...)
	case '\f':
		return append(dst, `\f`...)
	case '\r':
		return append(dst, `\r`...)
	}
	if r < 0x20 {
		return append(dst, '\\', 'u', '0', '0', lowerHex[r>>4], lowerHex[r&15])
	}
	return utf8.AppendRune(dst, r)
}

// appendUnescaped appends what the content of a canonical string stands for.
func appendUnescaped(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		if text[i] != '\\' {
			dst = append(dst, text[i])
			i++
			continue
		}
		r, size, _ := unescapeRune(text[i:])
		dst = utf8.AppendRune(dst, r)
		i += size
	}
	return dst
}
