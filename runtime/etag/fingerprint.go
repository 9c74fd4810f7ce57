package etag

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// AppendFingerprint appends the condition as it enters a request's fingerprint:
// what is asked counts, not how it is written. A malformed condition, which only
// a policy with MalformedRFC lets come this far, is as false as an empty list
// and counts as one; never as an absent field, or it could get the replay of an
// unconditional write.
func (c *Condition) AppendFingerprint(dst []byte) []byte {
	switch c.form {
	case formAbsent:
		return append(dst, 0x00)
	case formAny:
		return append(dst, 0x01)
	}
	var room [MaxTags]ETag
	tags := room[:0]
	for i := range c.Len() {
		tags = append(tags, c.At(i))
	}
	slices.SortFunc(tags, compareWire)
	tags = slices.Compact(tags)
	dst = append(dst, 0x02)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(tags)))
	for _, tag := range tags {
		around := len(`""`)
		if tag.Weak {
			around = len(`W/""`)
		}
		dst = binary.BigEndian.AppendUint32(dst, uint32(around+len(tag.Opaque)))
		if tag.Weak {
			dst = append(dst, "W/"...)
		}
		dst = append(dst, '"')
		dst = append(dst, tag.Opaque...)
		dst = append(dst, '"')
	}
	return dst
}

// compareWire orders tags as their wire forms, octet by octet: strong ones come
// first, and the closing quote counts, which only "!" precedes.
func compareWire(a, b ETag) int {
	if a.Weak != b.Weak {
		if a.Weak {
			return 1
		}
		return -1
	}
	n := min(len(a.Opaque), len(b.Opaque))
	if order := strings.Compare(a.Opaque[:n], b.Opaque[:n]); order != 0 {
		return order
	}
	switch {
	case len(a.Opaque) == len(b.Opaque):
		return 0
	case len(a.Opaque) > n:
		return cmp.Compare(a.Opaque[n], '"')
	default:
		return cmp.Compare('"', b.Opaque[n])
	}
}
