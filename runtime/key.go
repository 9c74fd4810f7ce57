package runtime

import (
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"slices"
	"strings"
)

// Scope says whose request it is, so that equal keys of different callers are
// different keys. The function given to [WithScope] returns it. Of its parts
// only those count that the policy's scope names; one of them that is empty is
// unresolved, never a value, and the request is refused. The zero value belongs
// to nobody.
type Scope struct {
	Tenant    string            // the customer whose data the request touches
	Principal string            // the authenticated caller
	Values    map[string]string // the ctx:<name> parts, by name; read only
}

// keyError says why a key cannot be used. It never holds the key.
type keyError struct{ detail string }

func (e *keyError) Error() string { return e.detail }

const defaultKeyHeader = "Idempotency-Key"

// keyNames are the names of the key's header and of its aliases, as http.Header
// knows them.
func keyNames(p *KeyPolicy) []string {
	names := append([]string{orDefault(p.Header, defaultKeyHeader)}, p.Aliases...)
	for i, name := range names {
		names[i] = http.CanonicalHeaderKey(name)
	}
	return names
}

// requestKey finds the key in its header or an alias of it, by their keyNames.
// Where both are sent, they must agree.
func requestKey(h http.Header, names []string, p *KeyPolicy) (key string, present bool, err error) {
	key, present, err = parseKey(h[names[0]], p)
	if err != nil {
		return "", true, err
	}
	for _, alias := range names[1:] {
		other, sent, err := parseKey(h[alias], p)
		switch {
		case err != nil:
			return "", true, err
		case sent && present && other != key:
			return "", true, &keyError{names[0] + " and " + alias + " differ: send one of them"}
		case sent:
			key, present = other, true
		}
	}
	return key, present, nil
}

// parseKey parses the field lines of a key
// (draft-ietf-httpapi-idempotency-key-header-07 §2.1): one line, a
// structured-field string (RFC 9651 §3.3.3), or in lax syntax the same
// characters bare. Both forms of the same characters are the same key.
func parseKey(lines []string, p *KeyPolicy) (key string, present bool, err error) {
	switch len(lines) {
	case 0:
		return "", false, nil
	case 1:
	default:
		return "", true, &keyError{"the key is sent on several lines: send one"}
	}
	text := strings.Trim(lines[0], " \t")
	switch {
	case text == "":
		return "", true, &keyError{"the key is empty: send one, or leave the header out where the operation allows it"}
	case text[0] == '"':
		key, err = parseString(text)
	case p.Strict:
		err = &keyError{`the key must be a quoted string, such as "8e03978e-40d5" (RFC 9651)`}
	default:
		key, err = text, checkBare(text)
	}
	if err == nil {
		err = checkKeyLength(key, p)
	}
	return key, true, err
}

// parseString reads an Item of type String. Its parameters must be well-formed
// and are ignored.
func parseString(text string) (string, error) {
	escaped := false
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			if !validParameters(text[i+1:]) {
				return "", &keyError{"what follows the quoted key is not a list of parameters (RFC 9651)"}
			}
			if !escaped {
				return text[1:i], nil
			}
			return unescape(text[1:i]), nil
		case c == '\\':
			i++
			if i == len(text) || text[i] != '"' && text[i] != '\\' {
				return "", &keyError{`in a quoted key only \" and \\ are escapes`}
			}
			escaped = true
		case c < 0x20 || c > 0x7E:
			return "", &keyError{"a quoted key holds printable ASCII only"}
		}
	}
	return "", &keyError{"the key's closing quote is missing"}
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// checkBare accepts 1 or more of 0x21..0x7E without structured delimiters.
func checkBare(text string) error {
	switch text[0] {
	case ':', '@', '%', '?':
		return &keyError{"the key is a structured value of another type: send a quoted string"}
	}
	for i := range len(text) {
		switch c := text[i]; {
		case bareOctets[c]:
		case c < 0x21 || c > 0x7E:
			return &keyError{"a bare key holds visible ASCII only: quote it"}
		default:
			return &keyError{"a bare key holds no quote, comma, semicolon, backslash or parenthesis: quote it"}
		}
	}
	return nil
}

// bareOctets are those that a bare key may hold.
var bareOctets = func() (is [256]bool) {
	for c := 0x21; c <= 0x7E; c++ {
		is[c] = !strings.ContainsRune(`",;\()`, rune(c))
	}
	return is
}()

// checkKeyLength checks the length in octets, after decoding.
func checkKeyLength(key string, p *KeyPolicy) error {
	low, high := orDefault(p.MinLength, 1), orDefault(p.MaxLength, 255)
	switch {
	case len(key) < low:
		return &keyError{"the key is too short: this operation demands at least " + itoa(int64(low)) + " octets"}
	case len(key) > high:
		return &keyError{"the key is too long: this operation accepts " + itoa(int64(high)) + " octets at most"}
	}
	return nil
}

// scopeError names a part of the scope that is not known.
type scopeError struct{ part string }

func (e *scopeError) Error() string { return "the scope's " + e.part + " is not known" }

// storedKey hashes whose key it is together with the key. The order of the
// parts is fixed, whatever the policy's, so that reordering a list in the spec
// forgets no key. The error is a *scopeError for a part that has no value or is
// not known at all: a key in too wide a scope would replay one caller's answer
// to another.
func storedKey(namespace string, parts []string, s *Scope, operation, canonicalPath, key string) (ID, error) {
	var room [512]byte
	b, err := appendKeyPreimage(room[:0], namespace, parts, s, operation, canonicalPath, key)
	if err != nil {
		return ID{}, err
	}
	return sha256.Sum256(b), nil
}

func appendKeyPreimage(b []byte, namespace string, parts []string, s *Scope, operation, canonicalPath, key string) ([]byte, error) {
	for _, part := range parts {
		switch {
		case part == "operation", part == "path":
		case needsResolver(part):
			if scopeValue(s, part) == "" {
				return nil, &scopeError{part}
			}
		default:
			return nil, &scopeError{part}
		}
	}
	b = append(b, "idemgen/key/1\x00"...)
	if namespace != "" {
		b = appendPart(b, "namespace", namespace)
	}
	if slices.Contains(parts, "tenant") {
		b = appendPart(b, "tenant", s.Tenant)
	}
	if slices.Contains(parts, "principal") {
		b = appendPart(b, "principal", s.Principal)
	}
	if slices.Contains(parts, "operation") {
		b = appendPart(b, "operation", operation)
	}
	if slices.Contains(parts, "path") {
		b = appendPart(b, "path", canonicalPath)
	}
	b = appendContextParts(b, parts, s)
	return appendPart(b, "key", key), nil
}

// appendContextParts appends the ctx:<name> parts, ascending by octets. There
// are a few at most, so looking for the next one is cheaper than sorting a copy.
func appendContextParts(b []byte, parts []string, s *Scope) []byte {
	last := ""
	for {
		next := ""
		for _, part := range parts {
			if strings.HasPrefix(part, "ctx:") && part > last && (next == "" || part < next) {
				next = part
			}
		}
		if next == "" {
			return b
		}
		b = appendPart(b, next, scopeValue(s, next))
		last = next
	}
}

func appendPart(b []byte, label, value string) []byte {
	return appendLengthed(appendLengthed(b, label), value)
}

// appendLengthed appends L(x): the length of x as four octets, then x.
func appendLengthed[T string | []byte](b []byte, x T) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(x)))
	return append(b, x...)
}
