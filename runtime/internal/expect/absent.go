package expect

// Absent is the expectation of an operation that creates (RFC 9110 §13.1.2,
// If-None-Match: *): nothing may exist under the key. Insert without replacing
// anything: the unique key makes the comparison. The zero value's witness is
// refused.
type Absent[V any] struct {
	used  *Used
	codec Codec[V]
}

// NewAbsent makes an expectation whose use is recorded in u.
func NewAbsent[V any](u *Used, codec Codec[V]) Absent[V] { return Absent[V]{used: u, codec: codec} }

// Exists is the error to return when the key was taken: the insert wrote no row,
// or met a unique violation on the resource's own key. One on another index is a
// conflict of the operation's own, with an answer of its own.
//
// In PostgreSQL a failed statement ends the transaction, and ON CONFLICT (key)
// DO NOTHING does not fail.
func (a Absent[V]) Exists() error {
	a.used.Touch()
	return &ExistsError{}
}

// Applied is the proof that the resource was created, in version v.
func (a Absent[V]) Applied(v V) Applied[V] {
	a.used.Touch()
	return Applied[V]{used: a.used, version: v, codec: a.codec}
}
