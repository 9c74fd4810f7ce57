package runtime

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
)

// HandlerOf returns what is behind a handler that a generated NewHandler
// returned, for the tools of operators. It is false for a handler that was
// wrapped: unwrap it first.
func HandlerOf(h http.Handler) (*Handler, bool) {
	rt, ok := h.(*Router)
	if !ok {
		return nil, false
	}
	return rt.handler, true
}

// KeyID returns the stored key under which the store knows a client's key, so
// that an operator who was told key and tenant can find the record with
// [Resolver].Get.
//
// Operation is the operationId as written in the spec, else "METHOD /template".
// Of s only those parts count that the policy's scope names. Path is the
// escaped path that the client requested, with the base URL; it counts only
// where the scope names it, and may be empty elsewhere. Key is the value of the
// key's header field, quoted or bare, or the string itself where the key is in
// the body.
func (h *Handler) KeyID(operation string, s Scope, path, key string) (ID, error) {
	id, err := h.keyID(operation, &s, path, key)
	if err != nil {
		return ID{}, fmt.Errorf("idem: KeyID: operation %s: %w", operation, err)
	}
	return id, nil
}

func (h *Handler) keyID(operation string, s *Scope, path, key string) (ID, error) {
	p, err := h.keyedOperation(operation)
	if err != nil {
		return ID{}, err
	}
	policy := p.Idempotency
	if policy.Key.Body == "" {
		lax := policy.Key
		lax.Strict = false // people copy keys without their quotes
		if key, _, err = parseKey([]string{key}, &lax); err != nil {
			return ID{}, err
		}
	}
	canonical := ""
	if slices.Contains(policy.Scope, "path") {
		if path == "" {
			return ID{}, errors.New("its scope names the path: pass the one that the client requested")
		}
		if canonical, err = canonicalPath(path); err != nil {
			return ID{}, err
		}
	}
	return storedKey(h.keyNamespace(p), policy.Scope, s, p.ID, canonical, key)
}

// keyedOperation finds an operation that keeps keys.
func (h *Handler) keyedOperation(id string) (*prepared, error) {
	for op, p := range h.operations {
		switch {
		case op.ID != id:
		case !p.keyed:
			return nil, errors.New("it keeps no keys")
		default:
			return p, nil
		}
	}
	return nil, errors.New("this handler has no such operation: pass the operationId as it is written in the spec")
}

// keyNamespace is the first part of the operation's stored keys. What was only
// observed must never be replayed later.
func (h *Handler) keyNamespace(p *prepared) string {
	if p.observe {
		return h.namespace + "\x00observe"
	}
	return h.namespace
}

// NewResponse builds the envelope of an answer by hand. Of header it leaves out
// what must never be replayed, such as Set-Cookie. A nil body is none. Body is
// kept, not copied. It knows no policy: see [Handler.Completion].
func NewResponse(status int, header http.Header, body []byte) Response {
	names := slices.Collect(maps.Keys(header))
	for i, name := range names {
		names[i] = http.CanonicalHeaderKey(name)
	}
	return Response{Status: status, Headers: recordableHeader(nil, header, names, nil), Body: body}
}

// Completion builds the answer that resolves an unknown record of an operation
// as done, for [Resolver].Resolve: as if the handler had answered it, with the
// headers that the policy keeps, its rule for the body, sealed if it says so, and
// its ttl. The status must be one that the policy records.
func (h *Handler) Completion(ctx context.Context, operation string, id ID, status int, header http.Header, body []byte) (*Completion, error) {
	p, err := h.keyedOperation(operation)
	var resp Response
	if err == nil && (status < 0 || p.verdict(status) != verdictRecord) {
		err = fmt.Errorf("its policy does not record answers with status %d", status)
	}
	if err == nil {
		resp = p.response(nil, status, header, body, nil)
		if p.Idempotency.Replay.Encrypt {
			resp, err = h.seal(ctx, id, &resp)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("idem: Completion: operation %s: %w", operation, err)
	}
	return &Completion{Response: resp, TTL: p.Idempotency.TTL}, nil
}
