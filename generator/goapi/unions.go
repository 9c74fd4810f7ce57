package goapi

import (
	"maps"
	"path"
	"slices"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/idemgen/idemgen/generator/plan"
)

// undiscriminated takes away discriminators that oapi-codegen refuses, because they
// do not tell apart everything that a union may be: a schema without a name has no
// value. The union itself stays, and so does what travels; what is missing in Go is
// the switch over the values.
func undiscriminated(all gathered) {
	for _, s := range all.schemas {
		if s.Discriminator != nil && !(tellsApart(s.Discriminator, s.AnyOf) && tellsApart(s.Discriminator, s.OneOf)) {
			s.Discriminator = nil
		}
	}
}

// tellsApart reports whether each schema of a union has a value of its own.
func tellsApart(d *openapi3.Discriminator, union openapi3.SchemaRefs) bool {
	values, n := map[string]bool{}, 0
	for _, part := range union {
		if part == nil || part.Ref == "" && part.Value != nil && part.Value.Type.Is("null") {
			continue
		}
		n++
		if part.Ref == "" && len(d.Mapping) > 0 {
			return false
		}
		mapped := false
		for value, to := range d.Mapping {
			if to.Ref == part.Ref {
				values[value], mapped = true, true
			}
		}
		if !mapped {
			values[path.Base(part.Ref)] = true
		}
	}
	return len(values) >= n
}

// plainParameters makes parameters that are one of several simple types strings,
// because oapi-codegen's runtime can bind no union: the request would be refused.
func plainParameters(all gathered) {
	for _, p := range all.parameters {
		if p.Schema != nil && simpleUnion(p.Schema.Value) {
			p.Schema = openapi3.NewStringSchema().NewRef()
		}
	}
}

// simpleUnion reports whether a schema is one of several that are no object and no
// array.
func simpleUnion(s *openapi3.Schema) bool {
	if s == nil || s.Type != nil {
		return false
	}
	n := 0
	for _, part := range slices.Concat(s.OneOf, s.AnyOf) {
		if part == nil || part.Value == nil || part.Value.Type == nil || part.Value.Type.Includes("object") || part.Value.Type.Includes("array") {
			return false
		}
		if !part.Value.Type.Is("null") {
			n++
		}
	}
	return n > 1
}

// nameItems names the enums of arrays in unions, because oapi-codegen calls the array
// and what is in it by one name. Most documents have none, for which no names are made.
func nameItems(t *openapi3.T, all gathered) {
	if !slices.ContainsFunc(all.schemas, func(s *openapi3.Schema) bool {
		return slices.ContainsFunc(slices.Concat(s.OneOf, s.AnyOf), func(part *openapi3.SchemaRef) bool { return enumInArray(part) != nil })
	}) {
		return
	}
	if t.Components != nil {
		for name, s := range t.Components.Schemas {
			nameItemsOf(s, name)
		}
		for name, r := range t.Components.Responses {
			nameItemsIn(contentOf(r), name)
		}
		for name, b := range t.Components.RequestBodies {
			if b != nil && b.Value != nil {
				nameItemsIn(b.Value.Content, name)
			}
		}
	}
	for path, item := range t.Paths.Map() {
		if item == nil {
			continue
		}
		for _, op := range item.Operations() {
			name := op.OperationID
			if item.Ref != "" { // another name of a path, with types of its own
				name += "_" + path
			}
			nameItemsOfOperation(op, name)
		}
	}
}

func nameItemsOfOperation(op *openapi3.Operation, name string) {
	if op.RequestBody != nil && op.RequestBody.Ref == "" && op.RequestBody.Value != nil {
		nameItemsIn(op.RequestBody.Value.Content, name+"_body")
	}
	for status, r := range op.Responses.Map() {
		if r != nil && r.Ref == "" {
			nameItemsIn(contentOf(r), name+"_"+status)
		}
	}
}

func contentOf(r *openapi3.ResponseRef) openapi3.Content {
	if r == nil || r.Value == nil {
		return nil
	}
	return r.Value.Content
}

func nameItemsIn(content openapi3.Content, name string) {
	for mediaType, media := range content {
		if media == nil {
			continue
		}
		if len(content) > 1 {
			nameItemsOf(media.Schema, name+"_"+mediaType)
		} else {
			nameItemsOf(media.Schema, name)
		}
	}
}

// nameItemsOf goes through what has no name of its own below a name.
func nameItemsOf(ref *openapi3.SchemaRef, name string) {
	if ref == nil || ref.Ref != "" || ref.Value == nil {
		return
	}
	s := ref.Value
	for property, part := range s.Properties {
		nameItemsOf(part, name+"_"+property)
	}
	for i, part := range slices.Concat(s.AllOf, s.OneOf, s.AnyOf) {
		here := name + "_" + strconv.Itoa(i)
		if i >= len(s.AllOf) {
			nameEnum(part, here+"_item")
		}
		nameItemsOf(part, here)
	}
	nameItemsOf(s.Items, name+"_item")
	nameItemsOf(s.AdditionalProperties.Schema, name+"_value")
}

// enumInArray returns the enum without a name that is in one array or several; nil:
// there is none.
func enumInArray(part *openapi3.SchemaRef) *openapi3.SchemaRef {
	inArray := false
	for part != nil && part.Ref == "" && part.Value != nil && part.Value.Type.Includes("array") {
		part, inArray = part.Value.Items, true
	}
	if !inArray || part == nil || part.Ref != "" || part.Value == nil || len(part.Value.Enum) == 0 || part.Value.Extensions["x-go-type-name"] != nil {
		return nil
	}
	return part
}

// nameEnum names an enum in arrays.
func nameEnum(part *openapi3.SchemaRef, name string) {
	if part = enumInArray(part); part == nil {
		return
	}
	s := *part.Value
	s.Extensions = maps.Clone(s.Extensions)
	if s.Extensions == nil {
		s.Extensions = map[string]any{}
	}
	s.Extensions["x-go-type-name"] = plan.GoName(name)
	part.Value = &s
}
