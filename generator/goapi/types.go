package goapi

import (
	"regexp"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
)

var duplicateType = regexp.MustCompile(`duplicate typename '[^']+' detected`)

// duplicates is oapi-codegen's error about a name that two types would get.
type duplicates struct {
	error
	names []string // all such names, in the order of the types
}

// allDuplicates finds the other names, too, because oapi-codegen stops at the first
// one. It is called under the mutex, when oapi-codegen has just refused t.
func allDuplicates(t *openapi3.T, config codegen.Configuration, err error) error {
	all, listing := componentTypes(t.Components, config)
	if listing != nil {
		return err
	}
	d := &duplicates{error: err}
	first := map[string]codegen.TypeDefinition{}
	for _, typ := range all {
		other, found := first[typ.TypeName]
		switch {
		case !found:
			first[typ.TypeName] = typ
		case !codegen.TypeDefinitionsEquivalent(other, typ) && !slices.Contains(d.names, typ.TypeName):
			d.names = append(d.names, typ.TypeName)
		}
	}
	return d
}

// componentTypes returns the types that oapi-codegen makes of components, in its
// order. It is called under the mutex, after a run.
func componentTypes(c *openapi3.Components, config codegen.Configuration) (all []codegen.TypeDefinition, err error) {
	for _, types := range []func() ([]codegen.TypeDefinition, error){
		func() ([]codegen.TypeDefinition, error) {
			return codegen.GenerateTypesForSchemas(nil, c.Schemas, config.OutputOptions.ExcludeSchemas)
		},
		func() ([]codegen.TypeDefinition, error) { return codegen.GenerateTypesForParameters(nil, c.Parameters) },
		func() ([]codegen.TypeDefinition, error) { return codegen.GenerateTypesForResponses(nil, c.Responses) },
		func() ([]codegen.TypeDefinition, error) {
			return codegen.GenerateTypesForRequestBodies(nil, c.RequestBodies)
		},
	} {
		more, err := types()
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

// faults asks oapi-codegen about every component and every operation of a prepared
// document on its own, without writing code, and returns what it says by
// "schemas/Pet" or "GET /pets". It changes t. What it refuses here it refuses in
// every document that has the component or the operation.
func faults(t *openapi3.T, config codegen.Configuration) map[string]error {
	found := map[string]error{}
	note := func(name string, f func() error) {
		if err := guard(f); err != nil {
			found[name] = err
		}
	}
	mu.Lock()
	defer mu.Unlock()
	// A run sets oapi-codegen's package variables.
	empty := &openapi3.T{OpenAPI: t.OpenAPI, Info: t.Info, Paths: openapi3.NewPaths(), Components: &openapi3.Components{}}
	if err := guard(func() error { _, err := run(empty, config); return err }); err != nil {
		return nil
	}
	codegen.SetGlobalStateSpec(t)
	for name, c := range single(t.Components) {
		note(name, func() error {
			if err := codegen.ValidateSpec(&openapi3.T{Components: c}); err != nil {
				return err
			}
			_, err := componentTypes(c, config)
			return err
		})
	}
	for path, item := range t.Paths.Map() {
		for method := range item.Operations() {
			note(method+" "+path, func() error {
				one := *t
				one.Webhooks, one.Paths = nil, openapi3.NewPaths()
				one.Paths.Set(path, some(item, []string{method}))
				return definable(&one)
			})
		}
	}
	return found
}

// definable asks oapi-codegen about the operations of a document.
func definable(t *openapi3.T) error {
	if err := codegen.ValidateSpec(&openapi3.T{Paths: t.Paths}); err != nil {
		return err
	}
	ops, err := codegen.OperationDefinitions(t)
	if err != nil {
		return err
	}
	callbacks, err := codegen.CallbackOperationDefinitions(t)
	if err != nil {
		return err
	}
	for _, op := range append(ops, callbacks...) {
		if _, err := op.GetResponseTypeDefinitions(); err != nil {
			return err
		}
	}
	return nil
}

// single returns each component that becomes a type as the only one.
func single(c *openapi3.Components) map[string]*openapi3.Components {
	all := map[string]*openapi3.Components{}
	if c == nil {
		return all
	}
	for name, v := range c.Schemas {
		all["schemas/"+name] = &openapi3.Components{Schemas: openapi3.Schemas{name: v}}
	}
	for name, v := range c.Parameters {
		all["parameters/"+name] = &openapi3.Components{Parameters: openapi3.ParametersMap{name: v}}
	}
	for name, v := range c.Responses {
		all["responses/"+name] = &openapi3.Components{Responses: openapi3.ResponseBodies{name: v}}
	}
	for name, v := range c.RequestBodies {
		all["requestBodies/"+name] = &openapi3.Components{RequestBodies: openapi3.RequestBodies{name: v}}
	}
	return all
}
