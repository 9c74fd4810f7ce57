package expect

import "strconv"

// Match is the expectation of an operation guarded by If-Match (RFC 9110
// §13.1.1): the resource must have one of these versions now. Put Versions or
// Where into the write itself; checking first and writing then loses updates.
// The zero value matches nothing, and its witness is refused.
type Match[V any] struct {
	used     *Used
	any      bool
	versions []V
	codec    Codec[V]
}

// NewMatch makes an expectation whose use is recorded in u.
func NewMatch[V any](u *Used, anyVersion bool, versions []V, codec Codec[V]) Match[V] {
	return Match[V]{used: u, any: anyVersion, versions: versions, codec: codec}
}

// Versions returns the versions that the client accepts. None means that
// nothing can match. Where the policy accepts a wildcard, ask Any first.
func (m Match[V]) Versions() []V {
	m.used.Touch()
	return m.versions
}

// One returns the version when there is exactly one.
func (m Match[V]) One() (V, bool) {
	m.used.Touch()
	if m.any || len(m.versions) != 1 {
		var zero V
		return zero, false
	}
	return m.versions[0], true
}

// Any reports whether the client sent If-Match: * and the policy accepts it:
// the resource must exist, in whatever version.
func (m Match[V]) Any() bool {
	m.used.Touch()
	return m.any
}

// Where returns an SQL condition on column that holds for the expected
// versions, and its arguments: "column IN (?, ?)" with one argument a version for
// SQLite and MySQL, "column = ANY($first)" with the slice of versions for
// PostgreSQL, which alone counts its placeholders. A timestamp is a time.Time, a
// UUID its text. If nothing can match it is
// "1 = 0", for an accepted wildcard "1 = 1", both without arguments. Column is
// written as given: never build it from a request.
func (m Match[V]) Where(d Dialect, column string, first int) (condition string, args []any) {
	m.used.Touch()
	switch {
	case m.any:
		return "1 = 1", nil
	case len(m.versions) == 0:
		return "1 = 0", nil
	case d == DialectPostgres:
		return column + " = ANY($" + strconv.Itoa(first) + ")", []any{m.codec.args(m.versions)}
	}
	sql := append([]byte(column), " IN ("...)
	for i, v := range m.versions {
		if i > 0 {
			sql = append(sql, ", "...)
		}
		sql = append(sql, '?')
		args = append(args, m.codec.arg(v))
	}
	return string(append(sql, ')')), args
}

// NoMatch is the error to return when no row had an expected version. The
// runtime finds out whether the resource is absent (404) or changed (412).
func (m Match[V]) NoMatch() error {
	m.used.Touch()
	return &NoMatchError{}
}

// Applied is the proof that the write was made under this expectation, and v
// the version that it produced: the one that the database returned, not
// expected + 1.
func (m Match[V]) Applied(v V) Applied[V] {
	return Applied[V]{used: m.used, version: v, codec: m.codec}
}

func (c Codec[V]) arg(v V) any {
	if c.Arg == nil {
		return v
	}
	return c.Arg(v)
}

func (c Codec[V]) args(list []V) any {
	if c.Args == nil {
		return list
	}
	return c.Args(list)
}

// Dialect says how a database writes a condition on several values.
type Dialect uint8

// The dialects of Where.
const (
	DialectSQLite Dialect = iota + 1
	DialectMySQL
	DialectPostgres
)
