package propose

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/idemgen/idemgen/generator/source"
)

const preamble = `# Proposed by idemgen from the document alone. Read each reason and change what
# it cannot know:
#
#   x-idempotency: required   refuses requests without an Idempotency-Key; write
#                             optional while there are clients that send none
#   x-idempotency: exempt     decides that a repetition does no harm
#   x-etag                    refuses writes without If-Match (428)
`

// Overlay writes the proposals as an OpenAPI Overlay 1.1 document, each with its
// reason as a comment. It is nil when no proposal can be reached.
func (p Proposals) Overlay() []byte {
	var b strings.Builder
	b.WriteString(preamble)
	b.WriteString("overlay: 1.1.0\ninfo:\n  title: " + strconv.QuoteToASCII("Retry safety of "+p.Title) + "\n  version: 1.0.0\nactions:\n")
	reached := 0
	for i, pr := range p.List {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString("  # " + oneLine(pr.Operation) + "\n")
		for _, r := range pr.Reason {
			b.WriteString("  # " + oneLine(r) + "\n")
		}
		if pr.Pointer == "" {
			b.WriteString("  # " + strings.Join(pr.Annotations, "\n  # ") + "\n")
			continue
		}
		reached++
		b.WriteString("  - target: " + scalar(path(pr.Pointer)) + "\n    update:\n      " + strings.Join(pr.Annotations, "\n      ") + "\n")
	}
	if reached == 0 {
		return nil
	}
	return []byte(b.String())
}

// oneLine keeps a text inside its comment.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

var shorthand = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// path is an RFC 6901 pointer as an RFC 9535 path.
func path(pointer string) string {
	var b strings.Builder
	b.WriteString("$")
	for _, token := range source.Tokens(pointer) {
		if shorthand.MatchString(token) {
			b.WriteString("." + token)
			continue
		}
		b.WriteString("['")
		for _, c := range token {
			switch {
			case c == '\'' || c == '\\':
				b.WriteString(`\` + string(c))
			case c < ' ':
				b.WriteString(`\u` + strconv.FormatInt(0x10000|int64(c), 16)[1:])
			default:
				b.WriteRune(c)
			}
		}
		b.WriteString("']")
	}
	return b.String()
}

// scalar writes a path as a YAML string; only what would end a plain one, or
// start a comment, needs quotes.
func scalar(s string) string {
	if strings.Contains(s, ": ") || strings.Contains(s, " #") || strings.HasSuffix(s, ":") || strings.TrimSpace(s) != s {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return s
}
