package goapi

import (
	"maps"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/idemgen/idemgen/generator/plan"
)

// part copies a document with the operations of a plan only, and without the
// components that only unsupported ones use. Those that nothing uses remain when
// they are wanted; oapi-codegen would keep some of them in any case, because it
// does not see that components use nothing but each other.
func part(t *openapi3.T, api *plan.API, unused bool) *openapi3.T {
	kept, dropped := uses{}, uses{}
	less := *t
	less.Paths = &openapi3.Paths{Extensions: t.Paths.Extensions, Origin: t.Paths.Origin}
	all := t.Paths.Map()
	for path, methods := range methodsOf(api) {
		if item := all[path]; item != nil {
			less.Paths.Set(path, some(item, methods))
		}
	}
	for path, item := range all {
		if target := aliasOf(t, item); target != "" {
			alias(less.Paths, path, item.Ref, target)
		}
	}
	for _, item := range less.Paths.Map() {
		kept.item(item)
	}
	for _, item := range t.Webhooks {
		kept.item(item)
	}
	direct := ofComponents(t.Components)
	kept.reach(direct)
	for _, o := range api.LeftOut {
		if item := all[o.Path]; item != nil && o.Reason == plan.Unsupported {
			dropped.item(some(item, []string{o.Method}))
		}
	}
	dropped.reach(direct)
	less.Components = onlyComponents(t.Components, func(name string) bool { return kept[name] || unused && !dropped[name] })
	return clone(&less)
}

// alone returns a document with some components and what they use, and no operation.
// It shares them with t.
func alone(t *openapi3.T, names ...string) *openapi3.T {
	kept := uses{}
	for _, name := range names {
		kept[name] = true
	}
	kept.reach(ofComponents(t.Components))
	less := *t
	less.Paths, less.Webhooks = openapi3.NewPaths(), nil
	less.Components = onlyComponents(t.Components, func(name string) bool { return kept[name] })
	return &less
}

// methodsOf returns the methods of a plan's operations by path.
func methodsOf(api *plan.API) map[string][]string {
	methods := map[string][]string{}
	for _, o := range api.Operations {
		methods[o.Path] = append(methods[o.Path], o.Method)
	}
	return methods
}

// some returns a path item with some of its operations.
func some(item *openapi3.PathItem, methods []string) *openapi3.PathItem {
	less := *item
	for method := range item.Operations() {
		less.SetOperation(method, nil)
	}
	for _, method := range methods {
		less.SetOperation(method, item.GetOperation(method))
	}
	return &less
}

// onlyComponents returns components of which some are kept; those that have no code
// stay.
func onlyComponents(c *openapi3.Components, keep func(name string) bool) *openapi3.Components {
	if c == nil {
		return nil
	}
	less := *c
	less.Schemas = filtered("schemas", c.Schemas, keep)
	less.Parameters = filtered("parameters", c.Parameters, keep)
	less.Headers = filtered("headers", c.Headers, keep)
	less.RequestBodies = filtered("requestBodies", c.RequestBodies, keep)
	less.Responses = filtered("responses", c.Responses, keep)
	less.Callbacks = filtered("callbacks", c.Callbacks, keep)
	return &less
}

func filtered[M ~map[string]V, V any](collection string, m M, keep func(name string) bool) M {
	less := maps.Clone(m)
	maps.DeleteFunc(less, func(name string, _ V) bool { return !keep(collection + "/" + name) })
	return less
}
