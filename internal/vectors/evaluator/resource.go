package evaluator

import (
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"
)

// State is what the resource of a world is. Its version is the opaque part of its
// tag, in base64: the octets need not be text.
type State struct {
	Exists   bool
	Version  []byte
	Modified time.Time // zero: none
}

// Resource is the one of a world, whatever its key. Its methods are atomic.
type Resource struct {
	mu     sync.Mutex
	state  State
	writes int
}

func (r *Resource) end() (State, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state, r.writes
}

// now returns the present state.
func (r *Resource) now() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// write changes the resource if it is as expected. A delete leaves nothing.
func (r *Resource) write(remove bool, expected func(State) bool) (held bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !expected(r.state) {
		return false
	}
	r.writes++
	r.state = State{Exists: !remove, Version: []byte("written"), Modified: r.state.Modified.Add(time.Hour)}
	return true
}

// Current is the version that the resource has now.
func Current[V ~string](r *Resource) etag.Current[V] {
	s := r.now()
	if !s.Exists {
		return etag.NotFound[V]()
	}
	return etag.Found(V(s.Version)).ModifiedAt(s.Modified)
}

// Answer is what a handler sends.
type Answer func(http.ResponseWriter) error

// Plain is the answer of an operation without versions.
func Plain(r *Resource, method string) Answer {
	if method == http.MethodGet || method == http.MethodHead {
		if !r.now().Exists {
			return answer(http.StatusNotFound)
		}
		return answer(http.StatusOK)
	}
	if method != http.MethodOptions && method != http.MethodTrace {
		r.write(method == http.MethodDelete, func(State) bool { return true })
	}
	if method == http.MethodDelete || method == http.MethodOptions || method == http.MethodTrace {
		return answer(http.StatusNoContent)
	}
	return answer(http.StatusOK)
}

// Read is the answer of a read, with its version.
func Read[V ~string](r *Resource, codec etag.Codec[V]) Answer {
	s := r.now()
	if !s.Exists {
		return answer(http.StatusNotFound)
	}
	return idem.Version(codec, V(s.Version)).ModifiedAt(s.Modified).With(answer(http.StatusOK))
}

// Add is the answer of an operation that creates and expects nothing.
func Add[V ~string](r *Resource, codec etag.Codec[V]) Answer {
	r.write(false, func(State) bool { return true })
	return idem.Version(codec, "written").With(answer(http.StatusCreated))
}

// Update is the answer of a write that expects a version.
func Update[V ~string](r *Resource, method string, m etag.Match[V]) (Answer, error) {
	held := r.write(method == http.MethodDelete, func(s State) bool {
		return s.Exists && (m.Any() || slices.Contains(m.Versions(), V(s.Version)))
	})
	if !held {
		return nil, m.NoMatch()
	}
	return written(method, m.Applied("written")), nil
}

// UpdateUnmodified is the answer of a write that expects a date.
func UpdateUnmodified[V ~string](r *Resource, method string, u etag.Unmodified[V]) (Answer, error) {
	held := r.write(method == http.MethodDelete, func(s State) bool { return s.Exists && s.Modified.Before(u.Before()) })
	if !held {
		return nil, u.NoMatch()
	}
	return written(method, u.Applied("written")), nil
}

// Create is the answer of a write that expects nothing to be there.
func Create[V ~string](r *Resource, _ string, a etag.Absent[V]) (Answer, error) {
	if !r.write(false, func(s State) bool { return !s.Exists }) {
		return nil, a.Exists()
	}
	return idem.Witnessed(a.Applied("written")).With(answer(http.StatusCreated)), nil
}

// overwrite is the answer of a write of something that exists, without a
// condition.
func overwrite[V ~string](r *Resource, method string, u etag.Unconditional[V]) (Answer, error) {
	if !r.write(method == http.MethodDelete, func(s State) bool { return s.Exists }) {
		return nil, u.NotFound()
	}
	return written(method, u.Applied("written")), nil
}

// Upsert is the answer of a write that expects one or the other.
func Upsert[V ~string](r *Resource, method string, e etag.MatchOrAbsent[V]) (Answer, error) {
	return etag.SwitchUpsert(e,
		func(m etag.Match[V]) (Answer, error) { return Update(r, method, m) },
		func(a etag.Absent[V]) (Answer, error) { return Create(r, method, a) })
}

// MaybeUpdate is the answer of a write that may expect nothing at all.
func MaybeUpdate[V ~string](r *Resource, method string, m etag.MaybeMatch[V]) (Answer, error) {
	return etag.Switch(m,
		func(u etag.Unconditional[V]) (Answer, error) { return overwrite(r, method, u) },
		func(m etag.Match[V]) (Answer, error) { return Update(r, method, m) })
}

// MaybeUpsert is the answer of a write that may expect everything.
func MaybeUpsert[V ~string](r *Resource, method string, e etag.MaybeMatchOrAbsent[V]) (Answer, error) {
	return etag.SwitchMaybeUpsert(e,
		func(u etag.Unconditional[V]) (Answer, error) {
			if r.write(false, func(s State) bool { return !s.Exists }) {
				return idem.Witnessed(u.Applied("written")).With(answer(http.StatusCreated)), nil
			}
			return overwrite(r, method, u)
		},
		func(m etag.Match[V]) (Answer, error) { return Update(r, method, m) },
		func(a etag.Absent[V]) (Answer, error) { return Create(r, method, a) })
}

func written[V any](method string, applied etag.Applied[V]) Answer {
	if method == http.MethodDelete {
		return idem.Witnessed(applied).With(answer(http.StatusNoContent))
	}
	return idem.Witnessed(applied).With(answer(http.StatusOK))
}

// answer sends a status, and a body where it has one.
func answer(status int) Answer {
	return func(w http.ResponseWriter) error {
		body := `{"version":"of the header"}`
		switch status {
		case http.StatusNoContent:
			w.WriteHeader(status)
			return nil
		case http.StatusNotFound:
			body = OwnNotFound
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, err := io.WriteString(w, body)
		return err
	}
}

type methodKey struct{}

// Method returns the method of the request that a handler's context is of.
func Method(ctx context.Context) string {
	method, _ := ctx.Value(methodKey{}).(string)
	return method
}

// WithMethod is a middleware that keeps the method for handlers.
func WithMethod(_ *idem.Operation, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), methodKey{}, r.Method)))
	})
}
