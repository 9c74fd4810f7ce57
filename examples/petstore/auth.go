package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"

	"github.com/idemgen/idemgen/examples/petstore/api"
	idem "github.com/idemgen/idemgen/runtime"
)

// account is who an API key belongs to. An account that has no shop yet may
// look around; without a tenant nothing is recorded for it.
type account struct {
	name string
	shop string
}

// accounts finds accounts by the hash of their API key, so that the time of a
// look-up says nothing about the keys.
type accounts map[[sha256.Size]byte]account

// exampleAccounts are the API keys of this example. A service would keep the
// hashes in a table.
func exampleAccounts() accounts {
	return accounts{
		sha256.Sum256([]byte("whiskers-key")): {name: "Ada", shop: "whiskers"},
		sha256.Sum256([]byte("pawsome-key")):  {name: "Bob", shop: "pawsome"},
		sha256.Sum256([]byte("trial-key")):    {name: "Cyd"},
	}
}

// authenticate is middleware around every operation. It runs after routing, so
// it knows what the operation demands, and before any recorded answer is looked
// up, so that a revoked key gets 401 and not somebody's old 200.
func (a accounts) authenticate(op *idem.Operation, next http.Handler) http.Handler {
	if len(op.Security) == 0 {
		return next // open to anybody
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, ok := a[sha256.Sum256([]byte(r.Header.Get("X-Api-Key")))]
		if !ok {
			w.Header().Set("WWW-Authenticate", `ApiKey realm="pet store"`)
			writeProblem(w, refusal(http.StatusUnauthorized, "Send the API key of your account in X-Api-Key."))
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), accountKey{}, caller)))
	})
}

type accountKey struct{}

// shopOf returns the shop of the caller: every query is limited to it.
func shopOf(ctx context.Context) string {
	caller, _ := ctx.Value(accountKey{}).(account)
	return caller.shop
}

// scope says whose idempotency keys a request uses. An empty tenant is answered
// with 403, because keys without an owner would be shared by strangers.
func scope(r *http.Request) (idem.Scope, error) {
	return idem.Scope{Tenant: shopOf(r.Context())}, nil
}

// writeProblem answers for the middleware, which runs outside the generated
// code.
func writeProblem(w http.ResponseWriter, p api.Problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a client that went away needs no answer
}
