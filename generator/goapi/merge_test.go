package goapi

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// What oapi-codegen merges stays as the author wrote it, and so does what belongs to
// another package: its references mean something else here.
func TestAgreed_Leaves(t *testing.T) {
	text := func() *openapi3.SchemaRef { return openapi3.NewStringSchema().NewRef() }
	readOnly := func() *openapi3.SchemaRef {
		r := text()
		r.Value.ReadOnly = true
		return r
	}
	named := func(ref string, s *openapi3.SchemaRef) *openapi3.SchemaRef {
		s.Ref = ref
		return s
	}
	for name, c := range map[string]struct {
		members openapi3.SchemaRefs
		changed bool
	}{
		"equal":                {openapi3.SchemaRefs{text(), text()}, false},
		"one":                  {openapi3.SchemaRefs{readOnly()}, false},
		"different":            {openapi3.SchemaRefs{text(), readOnly()}, true},
		"a component":          {openapi3.SchemaRefs{named("#/components/schemas/Text", text()), readOnly()}, true},
		"of another package":   {openapi3.SchemaRefs{named("common.yaml#/components/schemas/Text", text()), readOnly()}, false},
		"nothing in common":    {openapi3.SchemaRefs{text(), openapi3.NewIntegerSchema().NewRef()}, false},
		"integer and a number": {openapi3.SchemaRefs{openapi3.NewIntegerSchema().NewRef(), openapi3.NewFloat64Schema().NewRef()}, true},
	} {
		got := agreed(&openapi3.Schema{AllOf: c.members})
		if (got != nil) != c.changed {
			t.Errorf("%s: rewritten: %v", name, got != nil)
		}
		for i, m := range got {
			if m.Ref != c.members[i].Ref || m.Value.ReadOnly {
				t.Errorf("%s: member %d is %q, readOnly %v", name, i, m.Ref, m.Value.ReadOnly)
			}
		}
	}
	// A schema that contains itself ends.
	self := openapi3.NewObjectSchema()
	self.AllOf = openapi3.SchemaRefs{named("#/components/schemas/Self", self.NewRef()), readOnly()}
	if got := agreed(self); len(got) != 2 {
		t.Errorf("a schema of itself has %d members", len(got))
	}
}
