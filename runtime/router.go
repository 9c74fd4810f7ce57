package runtime

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/idemgen/idemgen/runtime/etag"
)

// Router serves the operations that generated code registers with it: on
// net/http's mux, or on a router that it is given. It puts the user's middleware
// around each operation, and answers unknown paths and methods with problems.
type Router struct {
	handler *Handler
	routes  http.Handler // mux, or the other router
	mux     *http.ServeMux
	state   any // of Other
	methods []string
	known   map[string]*prepared // by pattern
}

func newRouter(h *Handler) *Router {
	rt := &Router{handler: h, mux: http.NewServeMux(), known: map[string]*prepared{}}
	rt.routes = rt.mux
	for _, p := range h.operations {
		rt.known[rt.pattern(p.Operation)] = p
		rt.methods = append(rt.methods, p.Method)
		if p.Method == http.MethodGet {
			rt.methods = append(rt.methods, http.MethodHead)
		}
	}
	slices.Sort(rt.methods)
	rt.methods = slices.Compact(rt.methods)
	rt.mux.HandleFunc("/", rt.Unknown)
	return rt
}

// pattern is what an operation is registered as: method and path.
func (rt *Router) pattern(op *Operation) string {
	method, path, _ := strings.Cut(op.Pattern, " ")
	return method + " " + rt.handler.baseURL + path
}

// HandleFunc registers one operation with net/http's mux. It is called by
// generated code while the handler is built.
func (rt *Router) HandleFunc(pattern string, serve func(http.ResponseWriter, *http.Request)) {
	rt.mux.Handle(pattern, rt.route(pattern, serve))
}

// route puts what comes between routing and decoding around an operation.
func (rt *Router) route(pattern string, serve func(http.ResponseWriter, *http.Request)) http.Handler {
	handler := http.Handler(http.HandlerFunc(serve))
	if p := rt.known[pattern]; p != nil {
		if !p.keyed || p.Precondition == nil {
			handler = rt.handler.guard(p, handler)
		}
		for _, wrap := range slices.Backward(rt.handler.middleware) {
			handler = wrap(p.Operation, handler)
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p, asked := w.(*probe); asked {
			p.found = true
			return
		}
		r.Pattern = pattern // as net/http sets it
		handler.ServeHTTP(w, r)
	})
}

// ServeHTTP implements http.Handler. It routes by the whole path of the URL, also
// below a router of the same kind, which may have left its state in the context;
// the read of a result must not follow the state of the write that it belongs to.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if rt.state != nil && r.Context().Value(rt.state) != nil {
		r = r.WithContext(context.WithValue(r.Context(), rt.state, nil))
	}
	rt.routes.ServeHTTP(w, r)
}

// Unknown answers what no operation matches: 405 with Allow where another method
// would match, else 404. Generated code gives it to its router.
func (rt *Router) Unknown(w http.ResponseWriter, r *http.Request) {
	if _, asked := w.(*probe); asked {
		return
	}
	allow := rt.allowed(r)
	if len(allow) == 0 {
		rt.handler.refuse(w, r, nil, notFound, "No operation has this path.")
		return
	}
	list := strings.Join(allow, ", ")
	w.Header().Set("Allow", list)
	rt.handler.refuse(w, r, nil, methodNotAllowed, "This path answers "+list+".")
}

// allowed asks the router for every method whether it has a route for the path.
func (rt *Router) allowed(r *http.Request) []string {
	var allow []string
	for _, method := range rt.methods {
		p := &probe{header: http.Header{}}
		asking := r.WithContext(r.Context())
		asking.Method = method
		rt.ServeHTTP(p, asking)
		if p.found {
			allow = append(allow, method)
		}
	}
	return allow
}

// probe is the response writer of a request that only asks for a route. Also a
// redirect, which net/http's mux answers itself, is one.
type probe struct {
	header http.Header
	found  bool
}

func (p *probe) Header() http.Header { return p.header }

func (p *probe) Write(b []byte) (int, error) { return len(b), nil }

func (p *probe) WriteHeader(status int) {
	p.found = p.found || status >= 300 && status < 400
}

// guard surrounds an operation that honours no key or no preconditions: what a
// client asks for and does not get must not vanish silently. The response
// writer is passed through untouched, so that streaming keeps working.
func (h *Handler) guard(p *prepared, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.Precondition == nil && !p.keyed {
			if d := p.unsupported(r); d.Status != 0 {
				h.refuseCondition(w, r, p, d, "")
				return
			}
		}
		if !p.keyed && len(r.Header["Idempotency-Key"]) > 0 {
			w.Header().Set("Idempotency-Status", "ignored")
			h.outcome(r.Context(), p.Operation, nil, OutcomeIgnored)
		}
		next.ServeHTTP(w, r)
	})
}

// unsupported decides on preconditions at an operation without x-etag
// (conditional rule S5): dates are ignored, tags on an unsafe method refused.
func (p *prepared) unsupported(r *http.Request) etag.Decision {
	var c etag.Conditions
	p.conditions(r, &c)
	return etag.Stateless(r.Method, &c, &p.policy)
}

// conditions parses the precondition fields that are the runtime's to check.
func (p *prepared) conditions(r *http.Request, c *etag.Conditions) {
	etag.ParseConditions(r.Method, r.Header, c)
	for _, own := range p.OwnPreconditions {
		switch http.CanonicalHeaderKey(own) {
		case "If-Match":
			c.IfMatch = etag.Condition{}
		case "If-None-Match":
			c.IfNoneMatch = etag.Condition{}
		}
	}
}
