package etag

import "fmt"

// MaxTags bounds how many tags one field may list.
const MaxTags = 64

// inlineTags is how many tags a condition holds without an allocation.
const inlineTags = 5

type form uint8

const (
	formAbsent form = iota
	formAny
	formList
	formMalformed
)

// Condition is the parsed value of If-Match or If-None-Match: absent, "*", a
// list of tags (which may be empty), or malformed. The zero value is absent. It
// is large; pass pointers. Reading it is safe for concurrent use.
type Condition struct {
	form   form
	n      int
	offset int                // malformed: of the fault; else of the second tag
	weak   uint64             // a bit per tag
	inline [inlineTags]string // opaque octets
	more   []string
}

// SyntaxError says where a field value stops being a list of entity tags.
type SyntaxError struct {
	Line   int // index of the field line, from 0
	Offset int // octets into that line's value
}

// Error names the line, from 1, and the octet, from 0.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("field line %d, octet %d: want * or a list of quoted entity tags (RFC 9110 §8.8.3)", e.Line+1, e.Offset)
}

// Parse parses the field lines of If-Match or If-None-Match. Each line is
// parsed on its own and the lists are joined: a tag never spans lines (RFC 9110
// §5.3). On an error, a *SyntaxError, the condition is malformed.
func Parse(lines []string) (Condition, error) {
	var c Condition
	if line, offset, ok := c.parse(lines); !ok {
		return c, &SyntaxError{Line: line, Offset: offset}
	}
	return c, nil
}

// parse overwrites c. It returns the line and the octet in it where the grammar
// ends. Elements of inline and more beyond the list keep what they held: clearing
// them would cost more than the rest.
func (c *Condition) parse(lines []string) (line, offset int, ok bool) {
	switch {
	case len(lines) == 0:
		c.clear()
		return 0, 0, true
	case len(lines) == 1 && soleTag(lines[0]): // as most fields are
		c.form, c.n, c.offset, c.weak = formList, 1, 0, 0
		c.inline[0] = lines[0][1 : len(lines[0])-1]
		return 0, 0, true
	case len(lines) == 1 && trimOWS(lines[0]) == "*":
		c.form, c.n, c.offset = formAny, 0, 0
		return 0, 0, true
	}
	c.form, c.n, c.offset, c.weak = formList, 0, 0, 0
	base := 0 // of the line in the combined value
	for line, s := range lines {
		if fault := c.parseLine(s, base); fault >= 0 {
			c.form, c.n, c.offset = formMalformed, 0, base+fault
			return line, fault, false
		}
		base += len(s) + 1
	}
	return 0, 0, true
}

// clear makes c absent.
func (c *Condition) clear() { c.form, c.n, c.offset = formAbsent, 0, 0 }

// parseLine adds the members of one line: #entity-tag with empty elements
// (RFC 9110 §5.6.1.2). It returns the offset of a fault, or -1.
func (c *Condition) parseLine(s string, base int) (fault int) {
	separated := true
	for i := 0; i < len(s); {
		switch s[i] {
		case ' ', '\t':
			i++
			continue
		case ',':
			separated = true
			i++
			continue
		}
		if !separated || c.n == MaxTags {
			return i
		}
		begin, end, ok := scanTag(s, i)
		if !ok {
			return end
		}
		if c.n == 1 {
			c.offset = base + i
		}
		c.add(s[begin:end], begin-i > 1)
		separated = false
		i = end + 1
	}
	return -1
}

func (c *Condition) add(opaque string, weak bool) {
	switch {
	case c.n < inlineTags:
		c.inline[c.n] = opaque
	case c.n == inlineTags:
		c.more = []string{opaque}
	default:
		c.more = append(c.more, opaque)
	}
	if weak {
		c.weak |= 1 << c.n
	}
	c.n++
}

// Present reports whether the field was sent, in whatever form.
func (c *Condition) Present() bool { return c.form != formAbsent }

// Any reports whether the value is "*".
func (c *Condition) Any() bool { return c.form == formAny }

// Malformed reports whether the value is neither "*" nor a list of tags.
func (c *Condition) Malformed() bool { return c.form == formMalformed }

// Offset is where a malformed value goes wrong, in octets from 0. Several field
// lines count as one value, joined by single commas (RFC 9110 §5.2). Of a list it
// is where the second tag begins, 0 if there is none.
func (c *Condition) Offset() int { return c.offset }

// Len returns the number of tags.
func (c *Condition) Len() int { return c.n }

// At returns the i-th tag in the order sent.
func (c *Condition) At(i int) ETag {
	if i >= c.n {
		panic("etag: At beyond the list")
	}
	return ETag{Opaque: c.opaque(i), Weak: c.isWeak(i)}
}

// isWeak reports whether the i-th tag is weak.
func (c *Condition) isWeak(i int) bool { return c.weak>>(i%MaxTags)&1 != 0 }

// opaque returns the octets of the i-th tag.
func (c *Condition) opaque(i int) string {
	if i < inlineTags {
		return c.inline[i]
	}
	return c.more[i-inlineTags]
}

func trimOWS(s string) string {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}
