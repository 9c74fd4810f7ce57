package expect

import "time"

// Current is the version that a resource has now, or its absence, with what else
// the resource's declaration asks for. The zero value is absent.
type Current[V any] struct {
	exists  bool
	version V
	details Details
}

// Details are what a Current says besides the version.
type Details struct {
	Modified  time.Time // zero: not said
	LastWrite []byte    // marker of the row's last write; nil: it had none
	Marked    bool      // LastWrite was said
	Stored    any       // what a PUT would have to send to lead to this state; nil: not said
}

// Found is a resource that exists in version v.
func Found[V any](v V) Current[V] { return Current[V]{exists: true, version: v} }

// Exists reports whether there is a current representation.
func (c Current[V]) Exists() bool { return c.exists }

// Version returns the current version, or the zero V.
func (c Current[V]) Version() V { return c.version }

// ModifiedAt adds the date of the last change, which a resource with
// lastModified must say.
func (c Current[V]) ModifiedAt(t time.Time) Current[V] {
	c.details.Modified = t
	return c
}

// LastWrite adds what the row's last write left in its column for that, which a
// resource with appliedMarker must say; nil where the column is NULL.
func (c Current[V]) LastWrite(marker []byte) Current[V] {
	c.details.LastWrite, c.details.Marked = marker, true
	return c
}

// Stored adds the body of a PUT that would lead to the present state, which an
// operation with alreadyApplied: equalRepresentation compares with the one it
// got: a value that is marshalled as JSON, or []byte as it is. It is asked for
// each time, but looked at only where If-Match is false.
func (c Current[V]) Stored(body any) Current[V] {
	c.details.Stored = body
	return c
}

// DetailsOf returns what c says besides the version.
func DetailsOf[V any](c Current[V]) Details { return c.details }
