package runtime

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"

	"github.com/idemgen/idemgen/runtime/etag"
)

// LastWrite returns what a write to a resource with appliedMarker must leave in
// the row, in a column of its own, in the same statement: the stored key and the
// fingerprint of the request, 65 octets. It is nil, and the column must become
// NULL, for a request without a key: whatever stood there is not the last write
// any more. A retry whose answer was lost, and which would meet the version that
// it has made itself, is recognised by it.
func LastWrite(ctx context.Context) []byte {
	n := runOf(ctx)
	if n == nil {
		return nil
	}
	n.marked.Store(true)
	if n.marker == nil {
		return nil
	}
	return n.marker.bytes()
}

// marker is what LastWrite returns.
type marker struct {
	id          ID
	fingerprint Fingerprint
}

func (m *marker) bytes() []byte {
	return append(append(make([]byte, 0, len(m.id)+len(m.fingerprint)), m.id[:]...), m.fingerprint[:]...)
}

// unmarked is the error of a write that left the marker of another one in the
// row.
func (n *run) unmarked() error {
	p := n.x.p
	if !p.Precondition.AppliedMarker || p.Precondition.Role == etag.RoleDelete || n.marked.Load() {
		return nil
	}
	return fmt.Errorf("idem: operation %s never asked for idem.LastWrite, which a row of resource %s must hold after every write", p.ID, p.Precondition.Resource)
}

// alreadyApplied answers a request whose precondition is false because it has
// been performed before: its own marker is in the row, or it would store what is
// stored (RFC 9110 §13.1.1). The answer is the current representation, as the
// caller may read it.
func (n *run) alreadyApplied(r *http.Request, now present, d etag.Decision) bool {
	if d.Status != http.StatusPreconditionFailed || !now.exists || !n.isLastWrite(now) && !n.isStored(r, now, d) {
		return false
	}
	link := n.x.p.readLink(r, n.x.h.baseURL)
	target, err := url.Parse(link)
	if link == "" || err != nil {
		return false
	}
	read, ok := n.x.read(n, target)
	if !ok {
		n.x.h.fault(n, n.x.p.Operation, n.x.keyID(), "the request is applied already, and what it led to cannot be read", errUnreadable)
		return false
	}
	rec := n.rec
	rec.reset()
	maps.Copy(rec.header, read.sent)
	rec.header["Idempotency-Status"] = []string{"already-applied"}
	if r.URL.EscapedPath() != link {
		rec.header["Content-Location"] = []string{link}
	}
	rec.status, rec.body = http.StatusOK, append(rec.body, read.body...)
	n.already = true
	n.x.h.precondition(n, n.x.p, PreconditionAlreadyApplied, d)
	return true
}

var errUnreadable = errors.New("idem: the read operation did not answer 2xx")

// isLastWrite reports whether the row was last written by this very request.
func (n *run) isLastWrite(now present) bool {
	return n.marker != nil && bytes.Equal(now.LastWrite, n.marker.bytes())
}

// isStored reports whether a PUT whose If-Match is false asks for what is there.
func (n *run) isStored(r *http.Request, now present, d etag.Decision) bool {
	x := n.x
	if !x.p.Precondition.EqualRepresentation || d.Field != etag.IfMatch.String() || x.body == nil || x.body.Len() == 0 {
		return false
	}
	if coding := contentCoding(r.Header); coding != "" && coding != "identity" {
		return false
	}
	stored, isText := now.Stored.([]byte)
	if !isText {
		var err error
		if stored, err = json.Marshal(now.Stored); err != nil {
			x.h.fault(n, x.p.Operation, x.keyID(), "what is stored cannot be compared", err)
			return false
		}
	}
	one, err := canonicalBody(r, x.body.Bytes())
	if err != nil {
		return false
	}
	other, err := canonicalBody(r, stored)
	return err == nil && bytes.Equal(one, other)
}

// canonicalBody is a body as it enters fingerprints.
func canonicalBody(r *http.Request, body []byte) ([]byte, error) {
	f := fingerprinter{policy: &FingerprintPolicy{}}
	contentType := r.Header.Get("Content-Type")
	return f.appendBody(nil, new(workspace), contentType, mediaType(contentType), "", body)
}
