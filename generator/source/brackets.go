package source

import "strings"

// brackets finds the end of a mapping or list between brackets.
type brackets struct {
	text  []byte
	at    int  // of the opening bracket; after scan of the closing one
	last  int  // behind the last member
	comma bool // a comma follows the last member
}

func (b *brackets) scan() {
	depth, begins := 1, true // begins: a quote here would begin a scalar
	b.last = b.at + 1
	for b.at++; b.at < len(b.text); b.at++ {
		c := b.text[b.at]
		switch {
		case space(c):
			continue
		case c == '#' && space(b.text[b.at-1]):
			for b.at+1 < len(b.text) && b.text[b.at+1] != '\n' {
				b.at++
			}
			continue
		case c == ',':
			if begins = true; depth == 1 {
				b.comma = true
				continue
			}
		case c == '[' || c == '{':
			depth, begins = depth+1, true
		case c == ']' || c == '}':
			if depth--; depth == 0 {
				return
			}
			begins = false
		case begins && (c == '"' || c == '\''):
			b.at = quoted(b.text, b.at) - 1
			begins = b.at+1 < len(b.text) && b.text[b.at+1] == ':' // "key":"value"
			if begins {
				b.at++
			}
		case begins && (c == '&' || c == '!'):
			for b.at+1 < len(b.text) && !space(b.text[b.at+1]) && b.text[b.at+1] != ',' {
				b.at++
			}
		default:
			begins = c == ':' && b.at+1 < len(b.text) && (space(b.text[b.at+1]) || strings.IndexByte(",[]{}", b.text[b.at+1]) >= 0)
		}
		b.last, b.comma = b.at+1, false
	}
}
