package contract

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"
)

// NewServer makes a server. It passes the options on to the generated NewHandler,
// and cleans up with tb, which is before the next server is made. The servers may
// share a database: every rule makes resources of its own.
type NewServer func(tb testing.TB, options ...idem.Option) http.Handler

// Params are the values of path parameters, by their names in the path.
type Params map[string]string

// Body is the content of a request. The zero value is none.
type Body struct {
	ContentType string
	Content     []byte
}

// JSON is v as application/json. It panics on a value that has no JSON form.
func JSON(v any) Body {
	content, err := json.Marshal(v)
	if err != nil {
		panic("contract: " + err.Error())
	}
	return Body{"application/json", content}
}

// Seeds are what only the implementation knows.
type Seeds struct {
	// Auth puts credentials on a request. Nil: none are needed.
	Auth func(r *http.Request)

	// Create makes a resource that did not exist and returns what identifies it.
	// It may send requests or write to the database. Every call makes another
	// one.
	Create func(tb testing.TB, c *Client) Params

	// Absent identifies a resource that does not exist and may. Operations that
	// create it need it; the others are tried on what was deleted if it is nil.
	Absent func(tb testing.TB) Params
}

// Bodies are the valid bodies of the operations, by operationId. Bodies with
// different numbers change a resource to different representations. An operation
// that has none is sent without a body.
type Bodies map[string]func(n int) Body

// Operation is an operation on the resource, as the document declares it.
type Operation struct {
	ID, Method, Path string
	Policy           etag.Policy
	// KeyHeader is where the operation takes its idempotency key; empty: it
	// takes none. RequiresKey: it has to be sent.
	KeyHeader   string
	RequiresKey bool
}

// Resource is what a tag describes.
type Resource struct {
	Name string
	// Operations are those whose path identifies the resource. One reads it.
	Operations []Operation
}

// Violation is a rule that an implementation breaks.
type Violation struct {
	Rule      string // a sentence
	Operation string // its ID
	Detail    string // what was expected and what came
}

// String returns the violation on one line.
func (v Violation) String() string { return v.Operation + ": " + v.Rule + ": " + v.Detail }

// Run checks every rule that applies to the resource, each as a subtest.
func Run(t *testing.T, newServer NewServer, r Resource, s Seeds, b Bodies) {
	t.Helper()
	each(t, r, func(rule *rule, op *Operation) {
		t.Run(op.ID+"/"+rule.name, func(t *testing.T) {
			for _, v := range try(t, newServer, r, s, b, rule, op) {
				t.Error(v)
			}
		})
	})
}

// Check returns what Run would report, for tests that prove that a broken
// implementation is noticed.
func Check(tb testing.TB, newServer NewServer, r Resource, s Seeds, b Bodies) (all []Violation) {
	tb.Helper()
	each(tb, r, func(rule *rule, op *Operation) {
		all = append(all, try(tb, newServer, r, s, b, rule, op)...)
	})
	return all
}

// each calls f for every rule and every operation that it is about.
func each(tb testing.TB, r Resource, f func(*rule, *Operation)) {
	tb.Helper()
	if r.reader() == nil {
		tb.Fatalf("contract: no operation reads a %s", r.Name)
	}
	for i := range rules {
		for j := range r.Operations {
			if op := &r.Operations[j]; rules[i].about(&r, op) {
				f(&rules[i], op)
			}
		}
	}
}

// reader is the operation that shows the resource.
func (r *Resource) reader() *Operation {
	return r.first(func(o *Operation) bool { return o.Policy.Role == etag.RoleRead && o.Method == http.MethodGet })
}

// writer is an operation that changes the resource under If-Match.
func (r *Resource) writer() *Operation {
	return r.first(func(o *Operation) bool { return changes(o) && o.matches() })
}

func (r *Resource) deleter() *Operation {
	return r.first(func(o *Operation) bool { return o.Policy.Role == etag.RoleDelete && o.matches() })
}

func (r *Resource) first(is func(*Operation) bool) *Operation {
	for i := range r.Operations {
		if is(&r.Operations[i]) {
			return &r.Operations[i]
		}
	}
	return nil
}

// changes reports whether a resource is there, and another one, afterwards.
func changes(o *Operation) bool {
	switch o.Policy.Role {
	case etag.RoleUpdate, etag.RoleUpsert, etag.RoleAction:
		return true
	default:
		return false
	}
}

// matches reports whether the operation takes If-Match as what guards it.
func (o *Operation) matches() bool {
	switch o.Policy.Role {
	case etag.RoleUpdate, etag.RoleUpsert, etag.RoleAction, etag.RoleDelete:
		return len(o.Policy.Require) == 0 || o.requires(etag.IfMatch)
	default:
		return false
	}
}

func (o *Operation) requires(f etag.Field) bool { return slices.Contains(o.Policy.Require, f) }
