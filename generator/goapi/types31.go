package goapi

import "github.com/getkin/kin-openapi/openapi3"

// severalTypes gives schemas of several types, as OpenAPI 3.1 has them, the one Go
// type that holds them all; in a parameter, where values are text, a string.
func severalTypes(all gathered) {
	several := func(s *openapi3.Schema) bool {
		types := s.Type.Slice()
		return len(types) > 2 || len(types) == 2 && !s.Type.Includes("null")
	}
	for _, p := range all.parameters {
		if p.Schema != nil && p.Schema.Value != nil && several(p.Schema.Value) {
			p.Schema = openapi3.NewStringSchema().NewRef()
		}
	}
	for _, s := range all.schemas {
		if several(s) {
			*s = openapi3.Schema{Title: s.Title, Description: s.Description, Deprecated: s.Deprecated, Extensions: s.Extensions}
		}
	}
}
