package goapi

import (
	"maps"
	"testing"
)

// A schema that a discriminator names by its own name keeps it: it is on the wire.
func TestLetters_KeepsNamesThatTravel(t *testing.T) {
	for mapping, kept := range map[string]bool{"": true, ", mapping: {a: '#/components/schemas/4a'}": false} {
		doc, _ := load(t, `
openapi: 3.0.3
info: {title: Kinds, version: 1.0.0}
paths:
  /a:
    get:
      responses:
        '200': {description: A, content: {application/json: {schema: {$ref: '#/components/schemas/Any'}}}}
components:
  schemas:
    Any: {oneOf: [{$ref: '#/components/schemas/4a'}], discriminator: {propertyName: kind`+mapping+`}}
    4a: {type: object, required: [kind], properties: {kind: {type: string}}}
`)
		v, err := doc.View()
		if err != nil {
			t.Fatal(err)
		}
		letters(v)
		if (v.Components.Schemas["4a"] != nil) != kept {
			t.Errorf("mapping %q: the name is kept: %v", mapping, !kept)
		}
		if m := v.Components.Schemas["Any"].Value.Discriminator.Mapping; !kept && m["a"].Ref != "#/components/schemas/N4a" {
			t.Errorf("mapping %v", m)
		}
	}
}

// A reference into a component is written out, unless that would never end.
func TestInline_EndsAtRecursion(t *testing.T) {
	doc, _ := load(t, `
openapi: 3.0.3
info: {title: Trees, version: 1.0.0}
paths:
  /a:
    get:
      responses:
        '200': {description: A, content: {application/json: {schema: {$ref: '#/components/schemas/Tree'}}}}
components:
  schemas:
    Tree:
      type: object
      properties:
        name: {type: string}
        alias: {$ref: '#/components/schemas/Tree/properties/name'}
        next: {type: object, properties: {next: {$ref: '#/components/schemas/Tree/properties/next'}}}
        children: {type: array, items: {$ref: '#/components/schemas/Tree'}}
        others: {$ref: '#/components/schemas/Tree/properties/children'}
`)
	v, err := doc.View()
	if err != nil {
		t.Fatal(err)
	}
	inline(v)
	tree := v.Components.Schemas["Tree"].Value.Properties
	for name, got := range map[string]string{
		"": tree["alias"].Ref + tree["others"].Ref, "#/components/schemas/Tree/properties/next": tree["next"].Value.Properties["next"].Ref,
		"#/components/schemas/Tree": tree["children"].Value.Items.Ref,
	} {
		if got != name {
			t.Errorf("a reference is %q, want %q", got, name)
		}
	}
}

// Components whose names begin with a digit are given others in one order, and none
// takes the place of another.
func TestLetters_LosesNothing(t *testing.T) {
	const text = `
openapi: 3.0.3
info: {title: T, version: 1.0.0}
paths: {/a: {get: {responses: {'200': {$ref: '#/components/responses/4-x'}, '201': {$ref: '#/components/responses/4_x'}}}}}
components:
  responses: {4-x: {description: A}, 4_x: {description: B}, N4X: {description: C}}
  schemas: {1-a: {type: object}, 1_a: {type: string}, 1.a: {type: integer}}
`
	doc, _ := load(t, text)
	for range 20 {
		d, err := doc.View()
		if err != nil {
			t.Fatal(err)
		}
		letters(d)
		got := map[string]string{}
		for name, r := range d.Components.Responses {
			got[name] = *r.Value.Description
		}
		for name, s := range d.Components.Schemas {
			got[name] = s.Value.Type.Slice()[0]
		}
		want := map[string]string{"N4X": "C", "N4X2": "A", "N4X3": "B", "N1A": "object", "N1A2": "integer", "N1A3": "string"}
		if !maps.Equal(got, want) {
			t.Fatalf("components %v, want %v", got, want)
		}
		if ref := d.Paths.Value("/a").Get.Responses.Value("201").Ref; ref != "#/components/responses/N4X3" {
			t.Fatalf("the reference leads to %s", ref)
		}
	}
}
