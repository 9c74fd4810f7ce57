package runtime

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/idemgen/idemgen/runtime/internal/expect"
)

// errNoAnswer is a handler's (nil, nil).
var errNoAnswer = errors.New("idem: the handler returned neither a response nor an error")

// Answer passes a handler's result on and turns (nil, nil), which would be sent
// as an empty 200, into an error.
func Answer[T any](response T, err error) (T, error) {
	if err == nil && any(response) == nil {
		err = errNoAnswer
	}
	return response, err
}

// notExecuted is an error after which nothing was done.
type notExecuted struct{ err error }

func (e *notExecuted) Error() string { return e.err.Error() }
func (e *notExecuted) Unwrap() error { return e.err }

func isNotExecuted(err error) bool {
	var e *notExecuted
	return errors.As(err, &e)
}

// NotExecuted marks err as a failure before any effect: the key is given back
// at once instead of being held for an unclear outcome. NotExecuted(nil) is nil.
func NotExecuted(err error) error {
	if err == nil {
		return nil
	}
	return &notExecuted{err: err}
}

// errNotImplemented is answered with 501.
var errNotImplemented = errors.New("not implemented")

// NotImplemented is what the methods of a fresh scaffold return: the client
// gets 501, and the key stays usable.
func NotImplemented(operation string) error {
	return NotExecuted(fmt.Errorf("idem: operation %s: %w", operation, errNotImplemented))
}

// failure maps an error to its answer. Without protection a request is repeated
// only if its method allows that (RFC 9110 §9.2.2).
func failure(err error, method string, protected bool) kind {
	switch {
	case errors.Is(err, errNotImplemented):
		return notImplemented
	case protected, isNotExecuted(err), method != http.MethodPost && method != http.MethodPatch:
		return internalError
	}
	return internalError.unclear()
}

// RequestError answers a request whose body does not decode. Generated code
// installs it; it tells the run that the handler was not called.
func (h *Handler) RequestError(w http.ResponseWriter, r *http.Request, err error) {
	if rec, ok := w.(*recorder); ok {
		rec.refused = true
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		h.refuse(w, r, h.operationOf(r), bodyTooLarge, "This operation accepts "+byteCount(tooLarge.Limit)+" at most.")
		return
	}
	h.refuse(w, r, h.operationOf(r), malformedBody, err.Error())
}

// ParameterError answers a request whose path, query or header parameters do
// not decode. It comes before any key is looked at.
func (h *Handler) ParameterError(w http.ResponseWriter, r *http.Request, err error) {
	h.refuse(w, r, h.operationOf(r), malformedRequest, err.Error())
}

// ResponseError answers for a handler that returned an error or whose response
// could not be written. Inside a run it only reports: the run decides on record
// and answer together.
func (h *Handler) ResponseError(w http.ResponseWriter, r *http.Request, err error) {
	if rec, ok := w.(*recorder); ok {
		rec.err = err
		return
	}
	op := h.operationOf(r)
	if op != nil {
		h.fault(r.Context(), op, nil, "the handler failed", err)
	} else {
		h.log.ErrorContext(r.Context(), "the handler failed", "method", r.Method, "path", r.Pattern, "error", err)
	}
	h.refuse(w, r, op, failure(err, r.Method, false), "")
}

// noMatch reports whether err is the handler's "no row had that version", or its
// "that exists already".
func noMatch(err error) (refused, created bool) {
	var none *expect.NoMatchError
	var exists *expect.ExistsError
	created = errors.As(err, &exists)
	return created || errors.As(err, &none), created
}

// operationOf finds the operation that the router chose for r.
func (h *Handler) operationOf(r *http.Request) *Operation {
	if p := h.router.known[r.Pattern]; p != nil {
		return p.Operation
	}
	return nil
}
