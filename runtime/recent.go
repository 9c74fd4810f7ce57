package runtime

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"slices"
	"strings"
	"sync/atomic"
)

// recent remembers what repeated requests hash to. Clients in a retry loop send
// the same octets again, and a storm of them should cost comparisons, not two
// hashes and a canonical form each. All that enters the hashes is compared,
// octet for octet, so that what is found is what would be worked out.
//
// Only requests that met a record twice are remembered: those that are sent once
// or retried once pay nothing, and their bodies are not kept. A newer one takes
// the place of an older one. It is safe for concurrent use.
type recent struct {
	seed   maphash.Seed
	places [recentPlaces]recentPlace
}

type recentPlace struct {
	last   atomic.Uint64 // a part of both hashes of the request that met a record here last
	hashed atomic.Pointer[hashed]
}

const (
	recentPlaces  = 64
	maxRecentBody = 4 << 10 // bytes; larger ones are hashed every time
)

// hashed is a request that was hashed, and the result. It is never changed.
type hashed struct {
	input       hashInput
	body        []byte
	id          ID
	fingerprint Fingerprint
}

// hashInput is what the hashes are made of besides the body, in requests that
// may be remembered.
type hashInput struct {
	p                                 *prepared
	key, tenant, principal            string
	method, path, rawPath, query, typ string
}

// mayRemember reports whether nothing enters the hashes of this operation that
// hashInput does not have. Bodies that are sealed in the store are not kept in
// the clear here.
func (p *prepared) mayRemember() bool {
	return len(p.fingerprint.headers) == 0 && !p.Idempotency.Replay.Encrypt &&
		!slices.ContainsFunc(p.Idempotency.Scope, func(part string) bool { return strings.HasPrefix(part, "ctx:") })
}

// input is false where the hashes are made of more than a hashInput has.
func (x *exchange) input() (in hashInput, ok bool) {
	p := x.p
	if !p.remember || x.body.Len() > maxRecentBody || len(x.r.Header["Content-Encoding"]) > 0 || x.conditional() {
		return in, false
	}
	in = hashInput{
		p: p, key: x.key, tenant: x.scope.Tenant, principal: x.scope.Principal,
		method: x.r.Method, path: x.r.URL.Path, rawPath: x.r.URL.RawPath, query: x.r.URL.RawQuery,
	}
	if lines := x.r.Header["Content-Type"]; len(lines) > 0 {
		in.typ = lines[0]
	}
	return in, true
}

func (rc *recent) place(key string) *recentPlace {
	return &rc.places[maphash.String(rc.seed, key)%recentPlaces]
}

// recall takes the stored key and the fingerprint from an equal request.
func (x *exchange) recall() bool {
	was := x.h.recent.place(x.key).hashed.Load()
	if was == nil || !bytes.Equal(was.body, x.body.Bytes()) {
		return false
	}
	if in, ok := x.input(); !ok || in != was.input {
		return false
	}
	x.id, x.fingerprint, x.recalled = was.id, was.fingerprint, true
	return true
}

// remember keeps a request that met a record, if it does so again, for those
// that repeat it.
func (x *exchange) remember() {
	if x.recalled {
		return
	}
	place := x.h.recent.place(x.key)
	this := binary.LittleEndian.Uint64(x.id[:]) ^ binary.LittleEndian.Uint64(x.fingerprint[1:])
	if place.last.Swap(this) != this {
		return
	}
	if in, ok := x.input(); ok {
		place.hashed.Store(&hashed{in, bytes.Clone(x.body.Bytes()), x.id, x.fingerprint})
	}
}
