package expect

// Kind says which of its expectations a request has.
type Kind uint8

// The zero Kind is a condition that nothing fulfils.
const (
	KindMatch  Kind = iota // certain versions
	KindAbsent             // nothing may exist
	KindNone               // no condition
)

// MatchOrAbsent is the expectation of an upsert: the client knows a version, or
// that there is none. [SwitchUpsert] tells them apart. The zero value is a Match
// that matches nothing.
type MatchOrAbsent[V any] struct {
	kind  Kind
	match Match[V]
}

// NewMatchOrAbsent makes the expectation of a request.
func NewMatchOrAbsent[V any](k Kind, m Match[V]) MatchOrAbsent[V] { return MatchOrAbsent[V]{k, m} }

// MaybeMatch is the expectation of a write that demands no condition and must
// keep the one it gets. [Switch] tells the two apart. The zero value is a Match
// that matches nothing.
type MaybeMatch[V any] struct {
	kind  Kind
	match Match[V]
}

// NewMaybeMatch makes the expectation of a request.
func NewMaybeMatch[V any](k Kind, m Match[V]) MaybeMatch[V] { return MaybeMatch[V]{k, m} }

// MaybeMatchOrAbsent is the expectation of an upsert that demands no condition.
// [SwitchMaybeUpsert] tells its three forms apart. The zero value is a Match that
// matches nothing.
type MaybeMatchOrAbsent[V any] struct {
	kind  Kind
	match Match[V]
}

// NewMaybeMatchOrAbsent makes the expectation of a request.
func NewMaybeMatchOrAbsent[V any](k Kind, m Match[V]) MaybeMatchOrAbsent[V] {
	return MaybeMatchOrAbsent[V]{k, m}
}

// Unconditional says that the client sent no condition: it accepts to lose what
// others wrote.
type Unconditional[V any] struct {
	used  *Used
	codec Codec[V]
}

// NotFound is the error to return when there was no row: the runtime answers
// 404.
func (u Unconditional[V]) NotFound() error {
	u.used.Touch()
	return &NoMatchError{}
}

// Applied is the proof that the request had no condition, and v the version that
// the write produced.
func (u Unconditional[V]) Applied(v V) Applied[V] {
	u.used.Touch()
	return Applied[V]{used: u.used, version: v, codec: u.codec}
}

func (m Match[V]) absent() Absent[V]               { return Absent[V]{m.used, m.codec} }
func (m Match[V]) unconditional() Unconditional[V] { return Unconditional[V]{m.used, m.codec} }

// Switch calls onNone for a request without a condition, else onMatch. Both have
// to be there: a client that sends If-Match relies on it.
func Switch[V, R any](m MaybeMatch[V], onNone func(Unconditional[V]) (R, error), onMatch func(Match[V]) (R, error)) (R, error) {
	if m.kind == KindNone {
		return onNone(m.match.unconditional())
	}
	return onMatch(m.match)
}

// SwitchUpsert calls onMatch for a client that knows a version, where a plain
// update belongs: an upsert would insert where If-Match demands existence. It
// calls onAbsent for one that knows of nothing, where a plain insert belongs.
func SwitchUpsert[V, R any](e MatchOrAbsent[V], onMatch func(Match[V]) (R, error), onAbsent func(Absent[V]) (R, error)) (R, error) {
	if e.kind == KindAbsent {
		return onAbsent(e.match.absent())
	}
	return onMatch(e.match)
}

// SwitchMaybeUpsert is [SwitchUpsert] where a request may also come without a
// condition: onNone is the place of an unconditional upsert.
func SwitchMaybeUpsert[V, R any](e MaybeMatchOrAbsent[V], onNone func(Unconditional[V]) (R, error),
	onMatch func(Match[V]) (R, error), onAbsent func(Absent[V]) (R, error),
) (R, error) {
	switch e.kind {
	case KindNone:
		return onNone(e.match.unconditional())
	case KindAbsent:
		return onAbsent(e.match.absent())
	default:
		return onMatch(e.match)
	}
}
