package plan

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// separators end a word in a name that is turned into a Go identifier.
const separators = "-#@!$&=.+:;_~ (){}[]"

// camelCase turns a name into words with capitals, dropping what Go does not
// allow. It is oapi-codegen's ToCamelCase, because both files of a package must
// agree on every name.
func camelCase(s string) string {
	var b strings.Builder
	next := true
	for _, r := range strings.Trim(s, " ") {
		switch {
		case unicode.IsUpper(r), unicode.IsDigit(r):
			b.WriteRune(r)
		case unicode.IsLower(r) && next:
			b.WriteString(strings.ToUpper(string(r)))
		case unicode.IsLower(r):
			b.WriteRune(r)
		}
		next = strings.ContainsRune(separators, r)
	}
	return b.String()
}

// signs are the characters that oapi-codegen spells out in front of a name.
var signs = map[rune]string{
	'-': "Minus", '+': "Plus", '&': "And", '|': "Or", '~': "Tilde", '=': "Equal",
	'>': "GreaterThan", '<': "LessThan", '#': "Hash", '.': "Dot", '*': "Asterisk",
	'^': "Caret", '%': "Percent", '_': "Underscore",
}

// prefix returns what oapi-codegen puts in front of the identifier made of name.
func prefix(name string) string {
	if name == "" {
		return "Empty"
	}
	if name == "$" {
		return "DollarSign"
	}
	var b strings.Builder
	for _, r := range name {
		sign, ok := signs[r]
		switch {
		case ok:
			b.WriteString(sign)
		case r == '$':
		case b.Len() == 0 && unicode.IsDigit(r):
			return "N"
		default:
			return b.String()
		}
	}
	return b.String()
}

// operationName returns the Go method name of an operation, by oapi-codegen's
// default rule.
func operationName(id, method, path string) string {
	if id == "" {
		parts := []string{strings.ToLower(method)}
		for part := range strings.SplitSeq(path, "/") {
			if part != "" {
				parts = append(parts, part)
			}
		}
		id = strings.Join(parts, "-")
	}
	name := camelCase(id)
	return camelCase(prefix(name) + name)
}

// GoName returns the exported Go name of a schema or parameter, by
// oapi-codegen's default rule.
func GoName(name string) string { return prefix(name) + camelCase(name) }

// lowerFirst returns a name with its first letter in lower case.
func lowerFirst(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[size:]
}

// Unexported returns the unexported form of a Go name.
func Unexported(name string) string { return lowerFirst(name) }

// nameResource fills in the Go names of a resource.
func nameResource(r *Resource) {
	r.Version = r.Name + "Version"
	r.KeyType = r.Name + "Key"
	r.Codec = lowerFirst(r.Name) + "Version"
	r.Current = "Current" + r.Name
	r.Wrapper = "current" + r.Name
}

// ExpectType is the type of package etag for the form of an expectation. The
// runtime's function that makes one is called Expect and that name. Empty: none.
func ExpectType(form string) string {
	if form == "" {
		return ""
	}
	return GoName(form)
}
