package goapi

import (
	"reflect"

	"github.com/getkin/kin-openapi/openapi3"
)

// severalTypes gives schemas of several types, as OpenAPI 3.1 has them, the one Go
// type that holds them all; in a parameter, where values are text, a string.
func severalTypes(t *openapi3.T) {
	several := func(s *openapi3.Schema) bool {
		types := s.Type.Slice()
		return len(types) > 2 || len(types) == 2 && !s.Type.Includes("null")
	}
	walk(t, func(v reflect.Value) {
		if p, ok := reflect.TypeAssert[*openapi3.Parameter](v.Addr()); ok && p.Schema != nil && p.Schema.Value != nil && several(p.Schema.Value) {
			p.Schema = openapi3.NewStringSchema().NewRef()
		}
	})
	walk(t, func(v reflect.Value) {
		if s, ok := reflect.TypeAssert[*openapi3.Schema](v.Addr()); ok && several(s) {
			*s = openapi3.Schema{Title: s.Title, Description: s.Description, Deprecated: s.Deprecated, Extensions: s.Extensions}
		}
	})
}
