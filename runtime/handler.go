package runtime

import (
	"errors"
	"fmt"
	"hash/maphash"
	"net/http"
	"slices"

	"github.com/idemgen/idemgen/runtime/etag"
)

// Handler applies the declared policies to requests. Generated code builds it;
// it is safe for concurrent use.
type Handler struct {
	*options
	operations map[*Operation]*prepared
	router     *Router
	recent     recent
}

// NewHandler checks that the options satisfy every operation's policy. All that
// is missing is reported in one error, and nothing is started.
func NewHandler(operations []*Operation, list ...Option) (*Handler, error) {
	o, err := newOptions(list)
	errs := []error{err}
	h := &Handler{options: o, operations: make(map[*Operation]*prepared, len(operations))}
	h.recent.seed = maphash.MakeSeed()
	for _, op := range operations {
		p, err := prepare(op, o)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		h.operations[op] = p
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	h.router = newRouter(h)
	return h, nil
}

// Router returns the mux that the operations are registered with.
func (h *Handler) Router() *Router { return h.router }

// BaseURL returns the path prefix of WithBaseURL.
func (h *Handler) BaseURL() string { return h.baseURL }

// Serve applies op's policy around next, which decodes the request and calls
// the handler. Current reads the present version of the resource; it is nil for
// an operation without x-etag. The checks run in the order of the package
// comment.
func (h *Handler) Serve(w http.ResponseWriter, r *http.Request, op *Operation, current Current, next func(http.ResponseWriter, *http.Request)) {
	p := h.operations[op]
	if p == nil {
		panic(fmt.Sprintf("idem: Serve: operation %q is not of this handler", op.ID)) // generated code lists them all
	}
	switch {
	case p.policy.Role == etag.RoleRead && p.Precondition != nil:
		h.serveRead(w, r, p, next)
	case !p.keyed && !p.guarded():
		next(w, r)
	default:
		h.serveWrite(w, r, p, current, next)
	}
}

// serveWrite runs steps 3 to 8 for an operation that keeps keys, guards a
// resource, or both.
func (h *Handler) serveWrite(w http.ResponseWriter, r *http.Request, p *prepared, current Current, next func(http.ResponseWriter, *http.Request)) {
	x := exchanges.Get().(*exchange)
	x.h, x.p, x.w, x.r, x.current, x.next = h, p, w, r, current, next
	defer x.free()
	if !x.stateless() {
		return
	}
	if p.keyed && !x.readBody() {
		return
	}
	switch {
	case !x.hasKey:
		x.runWithoutKey()
	case p.observe:
		x.runObserved()
	default:
		x.runWithKey()
	}
}

// stateless makes the checks whose verdict is the same for every identical
// retry, first failure first; so they may precede the claim.
func (x *exchange) stateless() bool {
	h, p := x.h, x.p
	p.conditions(x.r, &x.conditions)
	verdict := etag.Stateless(x.r.Method, &x.conditions, &p.policy)
	if verdict.Status == http.StatusBadRequest {
		h.refuseCondition(x.w, x.r, p, verdict, "")
		return x.refused(OutcomeRefused)
	}
	if p.keyed && !x.findKey() {
		return false
	}
	if verdict.Status != 0 {
		h.refuseCondition(x.w, x.r, p, verdict, "")
		return x.refused(OutcomeRefused)
	}
	return !p.keyed || !x.mayHaveKey() || x.resolveScope()
}

// mayHaveKey reports whether a key was sent or may still be found in the body.
func (x *exchange) mayHaveKey() bool { return x.hasKey || x.p.Idempotency.Key.Body != "" }

// findKey reads the key from its header. A key in the body is read later.
func (x *exchange) findKey() bool {
	policy := x.p.Idempotency
	if policy.Key.Body != "" {
		return true
	}
	key, present, err := requestKey(x.r.Header, x.p.keyNames, &policy.Key)
	return x.acceptKey(key, present, err)
}

// acceptKey judges the key wherever it came from.
func (x *exchange) acceptKey(key string, present bool, err error) bool {
	h, p := x.h, x.p
	if err == nil && present && p.pattern != nil && !p.pattern.MatchString(key) {
		err = &keyError{detail: "the key does not match the pattern that this operation demands"}
	}
	switch {
	case p.observe && (err != nil || !present):
		outcome := OutcomeMissing
		if err != nil {
			outcome = OutcomeInvalid
		} else if !p.Idempotency.Required {
			return true
		}
		h.outcome(x.r.Context(), p.Operation, nil, outcome)
		return true
	case err != nil:
		h.refuseKey(x.w, x.r, p.Operation, keyInvalid, err.Error())
		return x.refused(OutcomeInvalid)
	case !present && p.Idempotency.Required:
		h.refuseKey(x.w, x.r, p.Operation, keyMissing, "")
		return x.refused(OutcomeMissing)
	}
	x.key, x.hasKey = key, present
	return true
}

// resolveScope asks whose request it is. It fails closed.
func (x *exchange) resolveScope() bool {
	if x.h.scope == nil || !slices.ContainsFunc(x.p.Idempotency.Scope, needsResolver) {
		return true
	}
	scope, err := x.h.scope(x.r)
	if err != nil {
		x.h.fault(x.r.Context(), x.p.Operation, nil, "the scope could not be resolved", err)
		return x.unresolved()
	}
	x.scope = scope
	for _, part := range x.p.Idempotency.Scope {
		if needsResolver(part) && scopeValue(&x.scope, part) == "" {
			return x.unresolved()
		}
	}
	return true
}

func (x *exchange) unresolved() bool {
	if x.p.observe {
		x.hasKey = false
		x.h.outcome(x.r.Context(), x.p.Operation, nil, OutcomeRefused)
		return true
	}
	x.h.refuse(x.w, x.r, x.p.Operation, scopeUnresolved, "")
	return x.refused(OutcomeRefused)
}

// refused counts a request that the layer answered itself.
func (x *exchange) refused(o Outcome) bool {
	if x.p.keyed {
		x.h.outcome(x.r.Context(), x.p.Operation, nil, o)
	}
	return false
}
