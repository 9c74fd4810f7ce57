// Package expect holds the typed expectations and witnesses of conditional
// requests. Their constructors live here, out of users' reach: a value can only
// come from the runtime, so a handler cannot claim to have checked what it did
// not check.
package expect

import "sync/atomic"

// Codec turns a version into the opaque part of an entity tag and back. Parse
// accepts only what Format writes, so that "01" is not version 1; it reports
// false for everything else. Format reports false for a version that no tag can
// express (RFC 9110 §8.8.3).
type Codec[V any] struct {
	Format func(V) (opaque string, ok bool)
	Parse  func(opaque string) (v V, ok bool)

	// Arg and Args turn versions into what SQL drivers take as an argument; nil:
	// V and []V themselves.
	Arg  func(V) any
	Args func([]V) any
}

// Used records whether a handler asked its expectation for the version. All
// copies of an expectation share one. The zero value is unused. Safe for
// concurrent use.
type Used struct{ touched atomic.Bool }

// Touch marks the expectation as used. A nil receiver is allowed.
func (u *Used) Touch() {
	if u != nil {
		u.touched.Store(true)
	}
}

// Touched reports whether Touch was called.
func (u *Used) Touched() bool { return u != nil && u.touched.Load() }

// Applied is the witness of a guarded write. The zero value proves nothing.
type Applied[V any] struct {
	used     *Used
	version  V
	codec    Codec[V]
	verbatim bool
}

// Verbatim says that a PUT is stored octet for octet as it was sent: with
// putEtag: verbatim only its answer carries an ETag (RFC 9110 §9.3.4).
func (a Applied[V]) Verbatim() Applied[V] {
	a.verbatim = true
	return a
}

// Witness is what the runtime sees of an Applied.
type Witness struct {
	Used     *Used  // nil: the zero value
	Opaque   string // of the tag of the new version
	OK       bool   // Opaque is an entity tag
	Verbatim bool
}

// WitnessOf returns the witness in a.
func WitnessOf[V any](a Applied[V]) Witness {
	w := Witness{Used: a.used, Verbatim: a.verbatim}
	if a.codec.Format != nil {
		w.Opaque, w.OK = a.codec.Format(a.version)
	}
	return w
}
