package runtime

import (
	"fmt"
	"net/http"
	"time"

	"github.com/idemgen/idemgen/runtime/etag"
	"github.com/idemgen/idemgen/runtime/internal/expect"
)

// Versioned is the version that a 2xx response carries, and for a write the
// proof that its expectation was used. The zero value proves nothing.
type Versioned struct {
	opaque string
	ok     bool         // opaque is an entity tag
	proves bool         // made from a witness
	used   *expect.Used // of the expectation that the witness came from

	modified time.Time // reads of a resource with lastModified
	hashed   bool      // the version is the hash of the body
	verbatim bool      // a PUT that is stored octet for octet
}

// Version is the version of what a read shows.
func Version[V any](codec etag.Codec[V], v V) Versioned {
	opaque, ok := codec.Format(v)
	return Versioned{opaque: opaque, ok: ok}
}

// ModifiedAt adds the date of the last change to what a read shows.
func (v Versioned) ModifiedAt(t time.Time) Versioned {
	v.modified = t
	return v
}

// Hashed is the version of what a read shows where the resource has none of its
// own: a hash of the octets that are sent, for which they are kept back until
// the handler is done.
func Hashed() Versioned { return Versioned{hashed: true} }

// Witnessed is the version that a write has produced.
func Witnessed[V any](applied etag.Applied[V]) Versioned {
	w := expect.WitnessOf(applied)
	return Versioned{opaque: w.Opaque, ok: w.OK, proves: true, used: w.Used, verbatim: w.Verbatim}
}

// versionWriter is a ResponseWriter of this package that takes the version of
// its answer.
type versionWriter interface{ setVersion(Versioned) }

// Visit hands the version to the writer and then writes the response.
func (v Versioned) Visit(w http.ResponseWriter, visit func(http.ResponseWriter) error) error {
	vw, ok := w.(versionWriter)
	if !ok {
		return fmt.Errorf("idem: a versioned response needs the generated handler's own writer, not %T: do not wrap it between router and handler", w)
	}
	vw.setVersion(v)
	return visit(w)
}

// With returns visit preceded by handing the version to the writer. A 2xx of
// generated code is such a function.
func (v Versioned) With(visit func(http.ResponseWriter) error) func(http.ResponseWriter) error {
	return func(w http.ResponseWriter) error { return v.Visit(w, visit) }
}

func (rec *recorder) setVersion(v Versioned) { rec.version = v }
