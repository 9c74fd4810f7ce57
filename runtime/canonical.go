package runtime

import (
	"bytes"
	"slices"
)

// bodyError says why a body cannot be fingerprinted, and where.
type bodyError struct {
	offset int // octets from the beginning of the body, -1: unknown
	detail string
}

func (e *bodyError) Error() string {
	if e.offset < 0 {
		return e.detail
	}
	return e.detail + " (octet " + itoa(int64(e.offset)) + ")"
}

// maxDepth bounds the nesting of JSON values.
const maxDepth = 1000

// canonicaliser writes the canonical text of JSON: no white space, members
// sorted by the UTF-8 octets of their decoded names, numbers as their lexemes,
// strings with the fewest escapes. Unlike RFC 8785 it never goes through a
// floating-point number.
//
// It writes in one pass. Only when an object's members arrive unsorted, the
// whole text is written a second time at the end, so that every octet is copied
// at most three times however deep the objects are nested.
type canonicaliser struct {
	src   []byte
	pos   int
	depth int
	drop  *pointerTree // members to leave out

	members  []member // a stack: those of the objects that are open
	names    []byte   // a stack: names of members that cannot be compared in the output
	unsorted []object // closed objects whose members must be moved
	moved    []member // their members, sorted
	scratch  []byte
}

// member is one member of an object: its text in the output, without a comma.
// Its name follows the opening quote, or is in names when it was written with
// escapes or dropped.
type member struct {
	offset         int // of the name in src
	begin, end     int // equal: dropped
	nameEnd        int
	named, nameCut int // in names, where nameCut is not zero
}

// object is the content of an object in the output, between the braces, and its
// members in moved.
type object struct {
	begin, end int
	from, to   int
}

// use prepares c for a further text; what it has allocated is kept.
func (c *canonicaliser) use(src []byte, drop *pointerTree) {
	*c = canonicaliser{
		src: src, drop: drop,
		members: c.members[:0], names: c.names[:0],
		unsorted: c.unsorted[:0], moved: c.moved[:0], scratch: c.scratch[:0],
	}
}

// forget lets go of the text.
func (c *canonicaliser) forget() { c.src, c.drop = nil, nil }

// room is about how much memory c holds, in bytes.
func (c *canonicaliser) room() int {
	const word = 8
	return 6*word*(cap(c.members)+cap(c.moved)) + 4*word*cap(c.unsorted) + cap(c.names) + cap(c.scratch)
}

// appendCanonical appends the canonical text of the JSON text src.
func appendCanonical(dst, src []byte) ([]byte, error) {
	var c canonicaliser
	c.use(src, nil)
	return c.text(dst)
}

// fail is an error at the present position.
func (c *canonicaliser) fail(detail string) error { return &bodyError{c.pos, detail} }

// text appends one complete JSON text.
func (c *canonicaliser) text(dst []byte) ([]byte, error) {
	if bytes.HasPrefix(c.src, []byte("\xEF\xBB\xBF")) {
		return nil, c.fail("the JSON begins with a byte order mark")
	}
	begin := len(dst)
	c.space()
	dst, err := c.value(dst, c.drop)
	if err != nil {
		return nil, err
	}
	c.space()
	if c.pos != len(c.src) {
		return nil, c.fail("there is text after the JSON value")
	}
	if len(c.unsorted) > 0 {
		dst = c.rearrange(dst, begin)
	}
	return dst, nil
}

func (c *canonicaliser) space() {
	for c.pos < len(c.src) {
		switch c.src[c.pos] {
		case ' ', '\t', '\r', '\n':
			c.pos++
		default:
			return
		}
	}
}

// take skips b if it is next.
func (c *canonicaliser) take(b byte) bool {
	if c.pos < len(c.src) && c.src[c.pos] == b {
		c.pos++
		return true
	}
	return false
}

func (c *canonicaliser) value(dst []byte, drop *pointerTree) ([]byte, error) {
	if c.pos == len(c.src) {
		return nil, c.fail("the JSON ends where a value is expected")
	}
	switch b := c.src[c.pos]; {
	case b == '"':
		dst, _, err := c.string(dst)
		return dst, err
	case b == '-' || b >= '0' && b <= '9':
		return c.number(dst)
	case b == '{':
		return c.object(dst, drop)
	case b == '[':
		return c.array(dst)
	}
	for _, literal := range [...]string{"true", "false", "null"} {
		if rest := c.src[c.pos:]; len(rest) >= len(literal) && string(rest[:len(literal)]) == literal {
			c.pos += len(literal)
			return append(dst, literal...), nil
		}
	}
	return nil, c.fail("this is not a JSON value")
}

// enter steps into an object or array.
func (c *canonicaliser) enter() error {
	if c.depth == maxDepth {
		return c.fail("the JSON is nested too deeply")
	}
	c.depth++
	c.pos++
	c.space()
	return nil
}

func (c *canonicaliser) array(dst []byte) ([]byte, error) {
	err := c.enter()
	if err != nil {
		return nil, err
	}
	dst = append(dst, '[')
	for open := !c.take(']'); open; {
		// Pointers do not reach through an array.
		if dst, err = c.value(dst, nil); err != nil {
			return nil, err
		}
		c.space()
		switch {
		case c.take(','):
			dst = append(dst, ',')
			c.space()
		case c.take(']'):
			open = false
		default:
			return nil, c.fail("want a comma or ] here")
		}
	}
	c.depth--
	return append(dst, ']'), nil
}

func (c *canonicaliser) object(dst []byte, drop *pointerTree) ([]byte, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	dst = append(dst, '{')
	first, names, begin := len(c.members), len(c.names), len(dst)
	sorted := true
	for open := !c.take('}'); open; {
		var err error
		if dst, err = c.member(dst, begin, drop); err != nil {
			return nil, err
		}
		if last := len(c.members) - 1; last > first && sorted {
			order := bytes.Compare(c.name(dst, &c.members[last-1]), c.name(dst, &c.members[last]))
			if order == 0 {
				return nil, duplicate(c.members[last].offset)
			}
			sorted = order < 0
		}
		c.space()
		switch {
		case c.take(','):
			c.space()
		case c.take('}'):
			open = false
		default:
			return nil, c.fail("want a comma or } here")
		}
	}
	if !sorted {
		if err := c.sort(dst, begin, c.members[first:]); err != nil {
			return nil, err
		}
	}
	c.members, c.names = c.members[:first], c.names[:names]
	c.depth--
	return append(dst, '}'), nil
}

func duplicate(offset int) error {
	return &bodyError{offset, "a member name stands twice in one object (RFC 8259 §4)"}
}

// member reads one member and writes it, with a comma before it where others
// stand between begin and it.
func (c *canonicaliser) member(dst []byte, begin int, drop *pointerTree) ([]byte, error) {
	if c.pos == len(c.src) || c.src[c.pos] != '"' {
		return nil, c.fail("want a quoted member name here")
	}
	before := len(dst)
	if before > begin {
		dst = append(dst, ',')
	}
	m := member{offset: c.pos, begin: len(dst)}
	dst, escaped, err := c.string(dst)
	if err != nil {
		return nil, err
	}
	m.nameEnd = len(dst) - 1
	if escaped {
		m.named = len(c.names)
		c.names = appendUnescaped(c.names, dst[m.begin+1:m.nameEnd])
		m.nameCut = len(c.names)
	}
	c.space()
	if !c.take(':') {
		return nil, c.fail("want a colon after the member name")
	}
	dst = append(dst, ':')
	c.space()
	unsorted, moved := len(c.unsorted), len(c.moved)
	below := drop.child(c.name(dst, &m))
	if dst, err = c.value(dst, below); err != nil {
		return nil, err
	}
	if below != nil && below.leaf {
		// The name must stay known: it may not stand twice either.
		if m.nameCut == 0 {
			m.named = len(c.names)
			c.names = append(c.names, dst[m.begin+1:m.nameEnd]...)
			m.nameCut = len(c.names)
		}
		dst = dst[:before]
		m.begin = before
		c.unsorted, c.moved = c.unsorted[:unsorted], c.moved[:moved]
	}
	m.end = len(dst)
	c.members = append(c.members, m)
	return dst, nil
}

// name is the decoded name of m.
func (c *canonicaliser) name(dst []byte, m *member) []byte {
	if m.nameCut > 0 {
		return c.names[m.named:m.nameCut]
	}
	return dst[m.begin+1 : m.nameEnd]
}

// sort puts the members of a closed object, which dst ends with, into order and
// remembers that they must be moved.
func (c *canonicaliser) sort(dst []byte, begin int, members []member) error {
	slices.SortFunc(members, func(a, b member) int {
		return bytes.Compare(c.name(dst, &a), c.name(dst, &b))
	})
	for i := 1; i < len(members); i++ {
		if a, b := &members[i-1], &members[i]; bytes.Equal(c.name(dst, a), c.name(dst, b)) {
			return duplicate(max(a.offset, b.offset))
		}
	}
	from := len(c.moved)
	c.moved = append(c.moved, members...)
	c.unsorted = append(c.unsorted, object{begin: begin, end: len(dst), from: from, to: len(c.moved)})
	return nil
}

// rearrange writes the text from begin on with all members in their order.
func (c *canonicaliser) rearrange(dst []byte, begin int) []byte {
	slices.SortFunc(c.unsorted, func(a, b object) int { return a.begin - b.begin })
	c.scratch = c.emit(c.scratch[:0], dst, begin, len(dst), c.unsorted)
	return append(dst[:begin], c.scratch...)
}

// emit appends text[begin:end]. The objects lie within and are ordered by where
// they begin, which puts an object before those inside it.
func (c *canonicaliser) emit(out, text []byte, begin, end int, objects []object) []byte {
	for len(objects) > 0 {
		o := objects[0]
		inner, after := cutObjects(objects[1:], o.end)
		out = append(out, text[begin:o.begin]...)
		start := len(out)
		for _, m := range c.moved[o.from:o.to] {
			if m.begin == m.end {
				continue
			}
			if len(out) > start {
				out = append(out, ',')
			}
			if len(inner) == 0 {
				out = append(out, text[m.begin:m.end]...)
				continue
			}
			_, within := cutObjects(inner, m.begin)
			within, _ = cutObjects(within, m.end)
			out = c.emit(out, text, m.begin, m.end, within)
		}
		begin, objects = o.end, after
	}
	return append(out, text[begin:end]...)
}

// cutObjects splits objects into those that begin before at and the others.
func cutObjects(objects []object, at int) (before, others []object) {
	if len(objects) == 0 || objects[0].begin >= at {
		return nil, objects
	}
	n, _ := slices.BinarySearchFunc(objects, at, func(o object, at int) int { return o.begin - at })
	return objects[:n], objects[n:]
}
