package expect

import (
	"strconv"
	"time"
)

// Unmodified is the expectation of an operation guarded by If-Unmodified-Since
// (RFC 9110 §13.1.4): the resource must not have changed after a date. Dates have
// whole seconds, so that it cannot tell two writes within one. The zero value
// matches nothing, and its witness is refused.
type Unmodified[V any] struct {
	used  *Used
	since time.Time
	codec Codec[V]
}

// NewUnmodified makes an expectation whose use is recorded in u.
func NewUnmodified[V any](u *Used, since time.Time, codec Codec[V]) Unmodified[V] {
	return Unmodified[V]{used: u, since: since, codec: codec}
}

// Since is the date that the client sent, in whole seconds: what was last
// modified at it, or later in the same second, still matches. See Before.
func (m Unmodified[V]) Since() time.Time {
	m.used.Touch()
	return m.since
}

// Before is the first moment that is too late: the resource matches if it was
// last modified before it.
func (m Unmodified[V]) Before() time.Time {
	m.used.Touch()
	return m.since.Add(time.Second)
}

// Where returns an SQL condition on a column of dates that holds for what has
// not changed, and its argument, a time.Time. SQLite has no type for dates:
// there compare Before with what the column holds.
func (m Unmodified[V]) Where(d Dialect, column string, first int) (condition string, args []any) {
	args = []any{m.Before()}
	if d == DialectPostgres {
		return column + " < $" + strconv.Itoa(first), args
	}
	return column + " < ?", args
}

// NoMatch is the error to return when no row was old enough.
func (m Unmodified[V]) NoMatch() error {
	m.used.Touch()
	return &NoMatchError{}
}

// Applied is the proof that the write was made under this expectation, and v
// the version that it produced.
func (m Unmodified[V]) Applied(v V) Applied[V] {
	return Applied[V]{used: m.used, version: v, codec: m.codec}
}
