package goapi

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/idemgen/idemgen/generator/plan"
)

// hoist makes schemas components of their own where oapi-codegen would use types that
// it does not declare: of unions, enums and members of any name in
// components/responses, which it declares for an operation's own responses only, and
// of unions in components/parameters.
func hoist(t *openapi3.T) {
	if t.Components == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(t.Components.Parameters)) {
		if p := t.Components.Parameters[name]; p != nil && p.Value != nil && p.Ref == "" && declares(p.Value.Schema, false) {
			p.Value.Schema = componentOf(t, name+"_value", p.Value.Schema)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.Components.Responses)) {
		r := t.Components.Responses[name]
		if r == nil || r.Value == nil || r.Ref != "" {
			continue
		}
		for _, mediaType := range slices.Sorted(maps.Keys(r.Value.Content)) {
			if media := r.Value.Content[mediaType]; media != nil && typed(mediaType) && declares(media.Schema, true) {
				media.Schema = componentOf(t, name+"_body", media.Schema)
			}
		}
	}
}

// componentOf makes a schema a component and returns a reference to it.
func componentOf(t *openapi3.T, name string, s *openapi3.SchemaRef) *openapi3.SchemaRef {
	if t.Components.Schemas == nil {
		t.Components.Schemas = openapi3.Schemas{}
	}
	free := freeName(t, name)
	t.Components.Schemas[free] = s
	return &openapi3.SchemaRef{Ref: schemaPrefix + free, Value: s.Value}
}

// typed reports whether oapi-codegen makes a Go type of a response's schema.
func typed(mediaType string) bool {
	return strings.Contains(mediaType, "json") || mediaType == "application/x-www-form-urlencoded"
}

// freeName returns a name whose Go name no component has.
func freeName(t *openapi3.T, base string) string {
	taken := map[string]bool{}
	for _, c := range inventory(t) {
		taken[renames(nil).of(c)] = true
	}
	name := base
	for n := 2; taken[plan.GoName(name)]; n++ {
		name = base + strconv.Itoa(n)
	}
	return name
}

// declares reports whether oapi-codegen declares types for what is within a schema
// that has no name, where it declares some for enums as well.
func declares(s *openapi3.SchemaRef, enums bool) bool {
	return s != nil && s.Ref == "" && within(s.Value, enums, 0)
}

// within is declares for a schema at a depth; at 0 is the whole, of which oapi-codegen
// makes a type anyway.
func within(s *openapi3.Schema, enums bool, depth int) bool {
	if s == nil || depth > maxDepth {
		return false
	}
	if depth > 0 && enums && (len(s.Enum) > 0 || s.Const != nil) || len(s.OneOf)+len(s.AnyOf) > 0 ||
		len(s.Properties) > 0 && (s.AdditionalProperties.Schema != nil || s.AdditionalProperties.Has != nil && *s.AdditionalProperties.Has) {
		return true
	}
	for _, member := range s.AllOf {
		// Merging writes out what it refers to.
		if member != nil && (member.Ref == "" || len(s.AllOf) > 1 || structural(s)) && within(member.Value, enums, depth+1) {
			return true
		}
	}
	parts := slices.AppendSeq(openapi3.SchemaRefs{s.Items, s.AdditionalProperties.Schema}, maps.Values(s.Properties))
	return slices.ContainsFunc(parts, func(part *openapi3.SchemaRef) bool {
		return part != nil && part.Ref == "" && within(part.Value, enums, depth+1)
	})
}

// maxDepth bounds how deep schemas are looked into: those of other names may contain
// themselves.
const maxDepth = 32

// renameResponse gives a response component another key, because oapi-codegen's
// strict server goes by the key and the rest by x-go-name: with both there is no such
// type.
func renameResponse(t *openapi3.T, from, to string) {
	r := t.Components.Responses[from]
	if _, taken := t.Components.Responses[to]; r == nil || taken {
		return
	}
	if r.Value != nil {
		r.Value.Extensions = maps.Clone(r.Value.Extensions)
		delete(r.Value.Extensions, "x-go-name")
	}
	t.Components.Responses[to] = r
	delete(t.Components.Responses, from)
	follow(t, map[string]string{responsePrefix + from: responsePrefix + to})
}
