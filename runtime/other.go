package runtime

import (
	"net/http"
	"net/url"
	"strings"
)

// Other is a router that is not net/http's. It must call Unknown of [Router] for
// a request without a route, and must pass the response writer on as it came.
type Other struct {
	Router http.Handler
	// Handle registers a handler.
	Handle func(method, path string, handler http.Handler)
	// Escaped returns the parameters that a path had, by name, as they were
	// written in it; they are unescaped in place. Nil: the router sets them as path
	// values of the request, escaped where the URL has a RawPath.
	Escaped func(r *http.Request) map[string]string
	// State is the key of the request's context under which the router keeps
	// what it has found; nil: it begins anew with every request.
	State any
}

// Route is an operation with what decodes its requests and serves them.
type Route struct {
	Operation *Operation
	Serve     func(http.ResponseWriter, *http.Request)
}

// On registers the operations with another router, in the order given, and
// returns rt, which serves them from now on. As with net/http a GET also answers
// HEAD, unless its path has a HEAD of its own. It is called by generated code
// while the handler is built.
func (rt *Router) On(other Other, routes ...Route) http.Handler {
	rt.routes, rt.state = other.Router, other.State
	heads := map[string]bool{}
	for _, r := range routes {
		if r.Operation.Method == http.MethodHead {
			heads[shape(r.Operation.Path)] = true
		}
	}
	for _, r := range routes {
		pattern := rt.pattern(r.Operation)
		method, path, _ := strings.Cut(pattern, " ")
		handler := other.plain(r.Operation.Path, rt.route(pattern, r.Serve))
		other.Handle(method, path, handler)
		if method == http.MethodGet && !heads[shape(r.Operation.Path)] {
			other.Handle(http.MethodHead, path, handler)
		}
	}
	return rt
}

// plain sets the parameters of a path template as path values of the request, not
// escaped, as net/http does: a link to a resource is made of them.
func (o *Other) plain(template string, next http.Handler) http.Handler {
	names := templateParameter.FindAllStringSubmatch(template, -1)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case o.Escaped != nil:
			params := o.Escaped(r)
			for name, value := range params {
				params[name] = unescaped(value)
				r.SetPathValue(name, params[name])
			}
		case r.URL.RawPath != "":
			for _, m := range names {
				if value := r.PathValue(m[1]); value != "" {
					r.SetPathValue(m[1], unescaped(value))
				}
			}
		}
		next.ServeHTTP(w, r)
	})
}

func unescaped(value string) string {
	plain, err := url.PathUnescape(value)
	if err != nil { // then the URL had not been one
		return value
	}
	return plain
}

// shape is a path template without the names of its parameters.
func shape(path string) string { return templateParameter.ReplaceAllString(path, "{}") }
