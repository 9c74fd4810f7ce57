package goapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/source"
)

// view turns a fresh document into what oapi-codegen shall see: operations have
// their planned names, and the fields that the runtime reads and writes itself
// are gone. Left in, a required Idempotency-Key would be answered with 400
// text/plain before the runtime sees the request, and an If-Match on two lines,
// which RFC 9110 §5.3 allows, would be refused.
func view(t *openapi3.T, api *plan.API) {
	byPath := map[string][]*plan.Operation{}
	for i := range api.Operations {
		o := &api.Operations[i]
		byPath[o.Path] = append(byPath[o.Path], o)
	}
	for path, item := range t.Paths.Map() {
		if item == nil || aliasOf(t, item) != "" {
			continue
		}
		own := *item
		if own.Ref = ""; item.Ref != "" {
			own = *copyInPlace(&own) // two paths may share one item, but not its names
		}
		dropLeftOut(&own, path, api)
		pushDown(&own, byPath[path])
		for _, o := range byPath[path] {
			op := own.GetOperation(o.Method)
			if op == nil {
				continue
			}
			copied := *op
			copied.OperationID = o.Name
			copied.Parameters = without(op.Parameters, takenOver(o))
			if o.Precondition != nil {
				optionalETag(copied.Responses)
			}
			own.SetOperation(o.Method, &copied)
		}
		t.Paths.Set(path, &own)
	}
	for path, item := range t.Paths.Map() {
		if target := aliasOf(t, item); target != "" {
			alias(t.Paths, path, item.Ref, target)
		}
	}
}

// aliasOf returns the path that a path item of t is another name of; empty for what is
// none. An alias has no operations of its own: both paths are served by the same ones.
func aliasOf(t *openapi3.T, item *openapi3.PathItem) string {
	path := ""
	for range t.Paths.Len() {
		if item == nil || !strings.HasPrefix(item.Ref, "#/paths/") {
			return path
		}
		path = source.Tokens(strings.TrimPrefix(item.Ref, "#/paths"))[0]
		item = t.Paths.Value(path)
	}
	return path
}

// alias sets an alias to the path item that it stands for, because oapi-codegen makes
// the name of an operation without an operationId of the path where it finds it.
func alias(paths *openapi3.Paths, path, ref, target string) {
	if item := paths.Value(target); item != nil {
		own := copyInPlace(item)
		own.Ref = ref
		paths.Set(path, own)
	}
}

// dropLeftOut removes the operations of a path that are not generated.
func dropLeftOut(item *openapi3.PathItem, path string, api *plan.API) {
	for _, o := range api.LeftOut {
		if o.Path == path {
			item.SetOperation(o.Method, nil)
		}
	}
}

// takenOver returns the names of the header parameters that the runtime handles
// for an operation, in lower case.
func takenOver(o *plan.Operation) []string {
	var names []string
	if o.Idempotency != nil && o.Idempotency.Key.Header != "" {
		names = append(names, o.Idempotency.Key.Header)
		names = append(names, o.Idempotency.Key.Aliases...)
	}
	if o.Precondition != nil {
		names = append(names, plan.PreconditionFields...)
	}
	for i := range names {
		names[i] = strings.ToLower(names[i])
	}
	return names
}

// without returns the parameters that are not header fields with one of the
// names, which are in lower case.
func without(params openapi3.Parameters, names []string) openapi3.Parameters {
	return slices.DeleteFunc(slices.Clone(params), func(p *openapi3.ParameterRef) bool {
		return named(p, names)
	})
}

// named reports whether a parameter, followed through $ref, is a header field
// with one of the names. Field names are case-insensitive (RFC 9110 §5.1).
func named(p *openapi3.ParameterRef, names []string) bool {
	return p != nil && p.Value != nil && p.Value.In == openapi3.ParameterInHeader &&
		slices.Contains(names, strings.ToLower(p.Value.Name))
}

// pushDown moves the parameters of a path item that some of its operations must
// not have to the operations that keep them.
func pushDown(item *openapi3.PathItem, ops []*plan.Operation) {
	var taken []string
	for _, o := range ops {
		taken = append(taken, takenOver(o)...)
	}
	moved := slices.DeleteFunc(slices.Clone(item.Parameters), func(p *openapi3.ParameterRef) bool { return !named(p, taken) })
	if len(moved) == 0 {
		return
	}
	item.Parameters = without(item.Parameters, taken)
	for method, op := range item.Operations() {
		if op == nil {
			continue
		}
		copied := *op
		copied.Parameters = slices.Clone(op.Parameters)
		for _, p := range moved {
			if op.Parameters.GetByInAndName(p.Value.In, p.Value.Name) == nil {
				copied.Parameters = append(copied.Parameters, p)
			}
		}
		item.SetOperation(method, &copied)
	}
}

// optionalETag makes a required ETag response field optional: the runtime sets
// it, and a required field that nobody sets would be sent empty.
func optionalETag(responses *openapi3.Responses) {
	for _, r := range responses.Map() {
		if r == nil || r.Value == nil {
			continue
		}
		for name, h := range r.Value.Headers {
			if http.CanonicalHeaderKey(name) == "Etag" && h != nil && h.Value != nil && h.Value.Required {
				value := *h.Value
				value.Required = false
				r.Value.Headers[name] = &openapi3.HeaderRef{Value: &value}
			}
		}
	}
}
