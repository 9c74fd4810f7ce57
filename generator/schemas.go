package generator

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/idemgen/idemgen/generator/lint"
	"github.com/idemgen/idemgen/generator/policy"
)

//go:generate go test -run ^TestSchemas_Current$ -update .

// schemaDraft is the dialect of all schemas.
const schemaDraft = "https://json-schema.org/draft/2020-12/schema"

// openAPISchemas are the schemas of OpenAPI itself, as published.
var openAPISchemas = map[string]string{
	"openapi-3.0": "https://spec.openapis.org/oas/3.0/schema/2024-10-18",
	"openapi-3.1": "https://spec.openapis.org/oas/3.1/schema/2025-11-23",
}

// Schemas returns the JSON Schemas for editors: one for each annotation, and for
// each version of OpenAPI one with the annotations in their places, because
// editors combine several schemas of one file badly. Names are relative to the
// root of the repository.
func Schemas() ([]File, error) {
	annotations := map[string]policy.Places{"x-idempotency": policy.IdempotencySchema(), "x-etag": policy.ETagSchema()}
	for name, s := range lint.Extensions() {
		annotations[name] = policy.Places{Root: s, PathItem: s, Operation: s}
	}
	var files []File
	for _, name := range []string{"x-etag", "x-idempotency"} {
		p := annotations[name]
		file, err := schemaFile(name, policy.Schema{
			"title": name, "anyOf": []policy.Schema{{"$ref": "#/$defs/operation"}, {"$ref": "#/$defs/root"}},
			"$defs": policy.Schema{"root": p.Root, "operation": p.Operation},
		})
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	for _, name := range []string{"openapi-3.0", "openapi-3.1"} {
		file, err := schemaFile(name, combined(openAPISchemas[name], annotations))
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// combined is a schema of OpenAPI with annotations in their places.
func combined(base string, annotations map[string]policy.Places) policy.Schema {
	root, item, operation := policy.Schema{}, policy.Schema{}, policy.Schema{}
	defs := policy.Schema{}
	for name, p := range annotations {
		for _, place := range []struct {
			name   string
			schema policy.Schema
			into   policy.Schema
		}{{"operation", p.Operation, operation}, {"pathItem", p.PathItem, item}, {"root", p.Root, root}} {
			def := place.name + "-" + name
			if reflect.DeepEqual(place.schema, p.Operation) {
				def = name // most places have one schema
			}
			defs[def] = place.schema
			place.into[name] = policy.Schema{"$ref": "#/$defs/" + def}
		}
	}
	for method := range strings.FieldsSeq("get put post delete options head patch trace") {
		item[method] = policy.Schema{"properties": operation}
	}
	root["paths"] = policy.Schema{"patternProperties": policy.Schema{"^/": policy.Schema{"properties": item}}}
	return policy.Schema{
		"title": "OpenAPI with x-idempotency and x-etag",
		"allOf": []policy.Schema{{"$ref": base}, {"properties": root}},
		"$defs": defs,
	}
}

func schemaFile(name string, s policy.Schema) (File, error) {
	s["$schema"] = schemaDraft
	s["$id"] = "https://raw.githubusercontent.com/idemgen/idemgen/v" + Version + "/schemas/" + name + ".schema.json"
	text, err := json.MarshalIndent(s, "", "  ")
	return File{"schemas/" + name + ".schema.json", append(text, '\n')}, err
}
