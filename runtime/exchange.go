package runtime

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/idemgen/idemgen/runtime/etag"
)

// exchange is one request at a decorated operation, from its arrival to its
// answer. It is pooled: nothing that a handler gets may lead to it.
type exchange struct {
	asked
	conditions etag.Conditions

	buffer bytes.Buffer
	workspace
	headers []byte   // of the answer, as they are recorded
	values  []string // room for header values that will be handed out
}

// asked is what an exchange knows about its request.
type asked struct {
	h       *Handler
	p       *prepared
	w       http.ResponseWriter
	r       *http.Request
	current Current
	next    func(http.ResponseWriter, *http.Request)

	key         string
	hasKey      bool
	scope       Scope
	body        *bytes.Buffer // &buffer; nil until it is read
	kept        []byte        // the body as handlers get it
	id          ID
	fingerprint Fingerprint
	recalled    bool // both hashes, from an equal request
	limited     io.LimitedReader
}

var (
	exchanges = sync.Pool{New: func() any { return new(exchange) }}
	buffers   = sync.Pool{New: func() any { return new(bytes.Buffer) }}
)

// maxPooled keeps one large request from pinning its memory.
const maxPooled = 64 << 10

// free gives the exchange back. What handlers have seen is not a part of it: a
// goroutine that a handler left behind must never see another request.
func (x *exchange) free() {
	x.freeBody()
	if x.room()+cap(x.headers) > 4*maxPooled {
		return
	}
	x.json.forget()
	x.asked = asked{}
	if x.conditional() { // else it is empty, and more than half of what would be cleared
		x.conditions = etag.Conditions{}
	}
	exchanges.Put(x)
}

// conditional reports whether the request asks for the state of a resource.
func (x *exchange) conditional() bool {
	c := &x.conditions
	return c.IfMatch.Present() || c.IfNoneMatch.Present() || !c.IfUnmodifiedSince.IsZero()
}

// one returns a value as a header holds it. It is never used again: who looks at
// an answer may keep its header.
func (x *exchange) one(value string) []string {
	if len(x.values) == 0 {
		x.values = make([]string, 32)
	}
	lines := x.values[:1:1]
	lines[0], x.values = value, x.values[1:]
	return lines
}

// useBody returns the empty buffer that becomes the body.
func (x *exchange) useBody() *bytes.Buffer {
	x.body = &x.buffer
	return x.body
}

func (x *exchange) freeBody() {
	x.body = nil
	if x.buffer.Cap() > maxPooled {
		x.buffer = bytes.Buffer{}
	}
	x.buffer.Reset()
}

// readBody reads the request's body within the policy's limit, finds a key that
// is in it, and works out the stored key and the fingerprint.
func (x *exchange) readBody() bool {
	h, p := x.h, x.p
	if !x.mayHaveKey() {
		return true // nothing to hash; the handler reads the body itself
	}
	if x.r.ContentLength > p.maxBody {
		return x.tooLarge()
	}
	x.useBody()
	x.limited = io.LimitedReader{R: x.r.Body, N: p.maxBody + 1}
	n, err := x.body.ReadFrom(&x.limited)
	switch {
	case n > p.maxBody, err != nil && isTooLarge(err):
		return x.tooLarge()
	case err != nil && p.observe:
		x.r.Body = failingAfter(x.body.Bytes(), err)
		x.freeBody()
		return x.pass()
	case err != nil:
		h.refuse(x.w, x.r, p.Operation, malformedBody, "The body ended before its announced length.")
		return x.refused(OutcomeRefused)
	}
	if pointer := p.Idempotency.Key.Body; pointer != "" && !x.keyFromBody(pointer) {
		return false
	}
	if !x.hasKey {
		return true
	}
	if err := x.hash(); err != nil {
		if p.observe {
			return x.pass()
		}
		h.refuse(x.w, x.r, p.Operation, hashKind(err), err.Error())
		return x.refused(OutcomeRefused)
	}
	return true
}

// pass lets an observed request through to the handler, without its key, that
// would be refused otherwise.
func (x *exchange) pass() bool {
	x.hasKey = false
	x.h.outcome(x.r.Context(), x.p.Operation, nil, OutcomeRefused)
	return true
}

func (x *exchange) tooLarge() bool {
	if x.p.observe {
		if x.body != nil { // give the handler what was read and what was not
			x.r.Body = struct {
				io.Reader
				io.Closer
			}{io.MultiReader(bytes.NewReader(bytes.Clone(x.body.Bytes())), x.r.Body), x.r.Body}
			x.freeBody()
		}
		return x.pass()
	}
	x.h.refuse(x.w, x.r, x.p.Operation, bodyTooLarge, "This operation accepts "+byteCount(x.p.maxBody)+" at most.")
	return x.refused(OutcomeRefused)
}

// ownBody returns the body in memory that no other request will use: a handler
// may keep what it was given.
func (x *exchange) ownBody() []byte {
	if x.kept == nil {
		x.kept = bytes.Clone(x.body.Bytes())
	}
	return x.kept
}

// hashKind maps a failure of hash to its answer.
func hashKind(err error) kind {
	var request *requestError
	var scope *scopeError
	switch {
	case errors.As(err, &request):
		return malformedRequest
	case errors.As(err, &scope):
		return scopeUnresolved
	}
	return malformedBody
}

// isTooLarge reports whether a server-wide limit was met before the policy's.
func isTooLarge(err error) bool {
	var tooLarge *http.MaxBytesError
	return errors.As(err, &tooLarge)
}

// keyFromBody finds the key at an RFC 6901 pointer into the JSON body.
func (x *exchange) keyFromBody(pointer string) bool {
	key, found, isString, err := jsonMember(&x.workspace, x.body.Bytes(), pointer)
	if err != nil && !x.p.observe {
		x.h.refuse(x.w, x.r, x.p.Operation, malformedBody, err.Error())
		return x.refused(OutcomeRefused)
	}
	switch {
	case err != nil || !found:
		err = nil
		found = false
	case !isString:
		err = &keyError{detail: "the key at " + pointer + " of the body is not a string"}
	default:
		err = checkKeyLength(key, &x.p.Idempotency.Key)
	}
	return x.acceptKey(key, found, err)
}

// hash works out the stored key and the fingerprint.
func (x *exchange) hash() error {
	if x.recall() {
		return nil
	}
	p := x.p
	path, err := canonicalPath(x.r.URL.EscapedPath())
	if err != nil {
		return err
	}
	x.preimage, err = appendKeyPreimage(x.preimage[:0], x.h.keyNamespace(p), p.Idempotency.Scope, &x.scope, p.ID, path, x.key)
	if err != nil {
		return err
	}
	x.id = sha256.Sum256(x.preimage)
	x.fingerprint, err = p.fingerprint.sum(&x.workspace, x.r, path, x.body.Bytes(), &x.conditions)
	return err
}

// scopeValue returns the part of s that a policy names.
func scopeValue(s *Scope, part string) string {
	switch part {
	case "tenant":
		return s.Tenant
	case "principal":
		return s.Principal
	}
	return s.Values[strings.TrimPrefix(part, "ctx:")]
}

// byteCount writes a limit as people do.
func byteCount(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return itoa(n>>20) + " MiB"
	case n >= 1<<10 && n%(1<<10) == 0:
		return itoa(n>>10) + " KiB"
	}
	return itoa(n) + " bytes"
}
