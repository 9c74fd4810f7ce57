package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	idem "github.com/idemgen/idemgen/runtime"
)

// outermost follows a request through the server, and turns a panic that comes
// through into 500, as a server does.
func (w *World) outermost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		c := &call{
			token:  r.Header.Get(TokenField),
			crash:  r.Header.Get(CrashField),
			method: r.Method,
			path:   r.URL.EscapedPath(),
			gone:   r.Context().Done(),
			done:   make(chan struct{}),
		}
		if r.Method == http.MethodPut && r.ContentLength > 0 { // what a handler would store
			c.body, _ = io.ReadAll(r.Body) // the runtime meets the same end
			r.Body = io.NopCloser(bytes.NewReader(c.body))
		}
		w.requests.add(c)
		defer close(c.done)
		defer func() {
			if p := recover(); p != nil {
				fmt.Fprintf(&w.log, "panic: %v\n", p)
				problem(rw, http.StatusInternalServerError, "internal-error")
			}
		}()
		next.ServeHTTP(rw, r.WithContext(context.WithValue(r.Context(), callKey{}, c)))
	})
}

// authenticate is the user's own middleware: it knows the caller before the
// runtime looks at a key.
func authenticate(op *idem.Operation, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		callOf(r.Context()).operation = op.ID
		if len(op.Security) > 0 {
			switch r.Header.Get(AuthField) {
			case "none":
				w.Header().Set("WWW-Authenticate", "Bearer")
				problem(w, http.StatusUnauthorized, "unauthenticated")
				return
			case "revoked":
				problem(w, http.StatusForbidden, "forbidden")
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// scope tells whose request it is.
func scope(r *http.Request) (idem.Scope, error) {
	return idem.Scope{Tenant: r.Header.Get(TenantField), Principal: r.Header.Get(PrincipalField)}, nil
}

func problem(w http.ResponseWriter, status int, suffix string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"type":%q,"title":%q,"status":%d}`, ProblemBase+suffix, http.StatusText(status), status)
}
