package goapi

import (
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

const componentsPrefix = "#/components/"

// uses collects the components that something refers to: "schemas/Pet". It looks
// where oapi-codegen looks when it drops the components that nothing refers to;
// what only a discriminator's mapping names, for example, is not used.
type uses map[string]bool

// ref notes a reference and reports whether its value is written in place.
func (u uses) ref(ref string) bool {
	if ref == "" {
		return true
	}
	if name, ok := strings.CutPrefix(ref, componentsPrefix); ok {
		u[name] = true
	}
	return false
}

func (u uses) schema(r *openapi3.SchemaRef) {
	if r == nil || !u.ref(r.Ref) || r.Value == nil {
		return
	}
	s := r.Value
	for _, list := range []openapi3.SchemaRefs{s.OneOf, s.AnyOf, s.AllOf, {s.Not, s.Items, s.AdditionalProperties.Schema}} {
		for _, part := range list {
			u.schema(part)
		}
	}
	for _, property := range s.Properties {
		u.schema(property)
	}
}

func (u uses) content(c openapi3.Content) {
	for _, media := range c {
		if media != nil {
			u.schema(media.Schema)
			u.examples(media.Examples)
		}
	}
}

func (u uses) examples(e openapi3.Examples) {
	for _, example := range e {
		if example != nil {
			u.ref(example.Ref)
		}
	}
}

func (u uses) parameter(r *openapi3.ParameterRef) {
	if r == nil || !u.ref(r.Ref) || r.Value == nil {
		return
	}
	u.schema(r.Value.Schema)
	u.examples(r.Value.Examples)
	u.content(r.Value.Content)
}

func (u uses) header(r *openapi3.HeaderRef) {
	if r != nil && u.ref(r.Ref) && r.Value != nil {
		u.schema(r.Value.Schema)
	}
}

func (u uses) body(r *openapi3.RequestBodyRef) {
	if r != nil && u.ref(r.Ref) && r.Value != nil {
		u.content(r.Value.Content)
	}
}

func (u uses) response(r *openapi3.ResponseRef) {
	if r == nil || !u.ref(r.Ref) || r.Value == nil {
		return
	}
	for _, h := range r.Value.Headers {
		u.header(h)
	}
	u.content(r.Value.Content)
	for _, link := range r.Value.Links {
		if link != nil {
			u.ref(link.Ref)
		}
	}
}

func (u uses) callback(r *openapi3.CallbackRef) {
	if r == nil || !u.ref(r.Ref) || r.Value == nil {
		return
	}
	for _, item := range r.Value.Map() {
		u.item(item)
	}
}

func (u uses) item(item *openapi3.PathItem) {
	if item == nil {
		return
	}
	for _, p := range item.Parameters {
		u.parameter(p)
	}
	for _, op := range item.Operations() {
		u.operation(op)
	}
}

func (u uses) operation(op *openapi3.Operation) {
	for _, p := range op.Parameters {
		u.parameter(p)
	}
	u.body(op.RequestBody)
	for _, r := range op.Responses.Map() {
		u.response(r)
	}
	for _, c := range op.Callbacks {
		u.callback(c)
	}
}

// reach adds what the components that are used use, to any depth.
func (u uses) reach(direct map[string]uses) {
	open := make([]string, 0, len(u))
	for name := range u {
		open = append(open, name)
	}
	for len(open) > 0 {
		name := open[len(open)-1]
		open = open[:len(open)-1]
		for used := range direct[name] {
			if !u[used] {
				u[used] = true
				open = append(open, used)
			}
		}
	}
}

// ofComponents returns what each component uses itself.
func ofComponents(c *openapi3.Components) map[string]uses {
	all := map[string]uses{}
	if c == nil {
		return all
	}
	collect(all, "schemas", c.Schemas, uses.schema)
	collect(all, "parameters", c.Parameters, uses.parameter)
	collect(all, "headers", c.Headers, uses.header)
	collect(all, "requestBodies", c.RequestBodies, uses.body)
	collect(all, "responses", c.Responses, uses.response)
	collect(all, "callbacks", c.Callbacks, uses.callback)
	return all
}

func collect[V any](all map[string]uses, collection string, m map[string]V, visit func(uses, V)) {
	for name, value := range m {
		u := uses{}
		visit(u, value)
		all[collection+"/"+name] = u
	}
}
