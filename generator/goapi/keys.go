package goapi

import (
	"reflect"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/idemgen/idemgen/generator/plan"
)

// shareKeys gives a resource one Go type for a key parameter that is an enum, because
// oapi-codegen declares one for each operation, and a key has to be one type to read
// what another operation writes. Enums that differ stay different.
func shareKeys(t *openapi3.T, api *plan.API) {
	type key struct{ resource, param string }
	uses := map[key][]*openapi3.ParameterRef{}
	var order []key
	for i := range api.Operations {
		o := &api.Operations[i]
		item := t.Paths.Value(o.Path)
		if o.Precondition == nil || !o.Precondition.Keyed || item == nil || item.GetOperation(o.Method) == nil {
			continue
		}
		for _, params := range []openapi3.Parameters{item.Parameters, item.GetOperation(o.Method).Parameters} {
			for j, p := range params {
				if p == nil || p.Ref != "" || p.Value == nil || p.Value.In != openapi3.ParameterInPath || !inlineEnum(p.Value.Schema) {
					continue
				}
				k := key{o.Precondition.Resource, p.Value.Name}
				if uses[k] == nil {
					order = append(order, k)
				}
				value := *p.Value
				params[j] = &openapi3.ParameterRef{Extensions: p.Extensions, Value: &value}
				uses[k] = append(uses[k], params[j])
			}
		}
	}
	for _, k := range order {
		first := uses[k][0].Value.Schema
		equal := len(uses[k]) > 1
		for _, p := range uses[k] {
			equal = equal && reflect.DeepEqual(p.Value.Schema.Value.Enum, first.Value.Enum)
		}
		if !equal {
			continue
		}
		if t.Components == nil {
			t.Components = &openapi3.Components{}
		}
		shared := componentOf(t, k.resource+"_"+k.param, first)
		for _, p := range uses[k] {
			p.Value.Schema = shared
		}
	}
}

func inlineEnum(s *openapi3.SchemaRef) bool {
	return s != nil && s.Ref == "" && s.Value != nil && len(s.Value.Enum) > 0 && s.Value.Extensions["x-go-type"] == nil
}
