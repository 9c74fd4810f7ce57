package etag

import "github.com/idemgen/idemgen/runtime/internal/expect"

// Match is the typed If-Match expectation of a guarded operation.
type Match[V any] = expect.Match[V]

// Unmodified is the typed If-Unmodified-Since expectation of a guarded operation.
type Unmodified[V any] = expect.Unmodified[V]

// Absent is the typed expectation of an operation that creates.
type Absent[V any] = expect.Absent[V]

// MatchOrAbsent is the typed expectation of an upsert; see [SwitchUpsert].
type MatchOrAbsent[V any] = expect.MatchOrAbsent[V]

// MaybeMatch is the expectation of a write that demands no condition; see
// [Switch].
type MaybeMatch[V any] = expect.MaybeMatch[V]

// MaybeMatchOrAbsent is the expectation of an upsert that demands no condition;
// see [SwitchMaybeUpsert].
type MaybeMatchOrAbsent[V any] = expect.MaybeMatchOrAbsent[V]

// Unconditional says that the client sent no condition.
type Unconditional[V any] = expect.Unconditional[V]

// Switch tells a request without a condition from one with If-Match.
func Switch[V, R any](m MaybeMatch[V], onNone func(Unconditional[V]) (R, error), onMatch func(Match[V]) (R, error)) (R, error) {
	return expect.Switch(m, onNone, onMatch)
}

// SwitchUpsert tells a client that knows a version, which is a plain update,
// from one that knows of nothing, which is a plain insert. An upsert statement
// in either would insert where If-Match demands existence, or replace where
// If-None-Match forbids it.
func SwitchUpsert[V, R any](e MatchOrAbsent[V], onMatch func(Match[V]) (R, error), onAbsent func(Absent[V]) (R, error)) (R, error) {
	return expect.SwitchUpsert(e, onMatch, onAbsent)
}

// SwitchMaybeUpsert is [SwitchUpsert] with a third form: no condition, which is
// the place of an upsert statement.
func SwitchMaybeUpsert[V, R any](e MaybeMatchOrAbsent[V], onNone func(Unconditional[V]) (R, error),
	onMatch func(Match[V]) (R, error), onAbsent func(Absent[V]) (R, error),
) (R, error) {
	return expect.SwitchMaybeUpsert(e, onNone, onMatch, onAbsent)
}

// Applied is the witness that a write was made under its expectation.
type Applied[V any] = expect.Applied[V]

// Current is the version that a resource has now, or its absence.
type Current[V any] = expect.Current[V]

// Codec turns a version into the opaque part of a tag and back.
type Codec[V any] = expect.Codec[V]

// Dialect says how a database writes a condition on several values.
type Dialect = expect.Dialect

// The dialects of Match.Where.
const (
	SQLite   = expect.DialectSQLite
	MySQL    = expect.DialectMySQL
	Postgres = expect.DialectPostgres
)

// Found is what CurrentX returns for a resource that exists in version v.
func Found[V any](v V) Current[V] { return expect.Found(v) }

// NotFound is what CurrentX returns for a resource that does not exist.
func NotFound[V any]() Current[V] { return Current[V]{} }
