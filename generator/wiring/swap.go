package wiring

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/goapi"
	"github.com/idemgen/idemgen/generator/plan"
)

// swaps learns what the operations with driver: cas load, change and store: what
// the GET of the resource shows, which their own success has to show too.
func (w *writer) swaps() diag.List {
	var errs diag.List
	w.states = map[string]string{}
	for i := range w.operations {
		o := &w.operations[i]
		if o.Precondition == nil || !o.Precondition.Swap {
			continue
		}
		state := w.shown(o.resource)
		for j := range o.responses {
			if r := &o.responses[j]; r.constructor != "" && r.Body != "" && r.Body == state {
				o.swapped = r
				break
			}
		}
		if o.swapped == nil {
			errs.Add(o.Pos.Pos, diag.RuleRole, "give both 200 the same schema by $ref, or write driver: update",
				"%s has driver: cas, and no success of its own with the schema that the GET of resource %s shows", o.ID, o.resource.Name)
			continue
		}
		w.states[o.resource.Name] = state
	}
	return errs
}

// shown is the Go type of what the GET of a resource shows; empty: none has a
// name.
func (w *writer) shown(r *plan.Resource) string {
	for i := range w.operations {
		o := &w.operations[i]
		if o.resource != r || o.Precondition.Role != "read" || o.Method != "GET" {
			continue
		}
		for _, response := range o.responses {
			if response.Status == "200" && (response.Kind == goapi.KindNamed || response.Kind == goapi.KindEmbedded) {
				return response.Body
			}
		}
	}
	return ""
}

// mutate is the Service method of an operation with driver: cas.
func (w *writer) mutate(o *operation) []jen.Code {
	state := w.goType(w.states[o.resource.Name])
	text := "Mutate" + strings.Replace(describe(o), " handles ", " makes the change of ", 1) +
		" It returns what to store, or a refusal."
	return append(comment(text), jen.Id("Mutate"+o.Name).Params(jen.Id("old").Add(state), jen.Id("req").Id(o.Name+"RequestObject")).
		Params(jen.Add(state), jen.Id(o.result())))
}

// loadAndStore are the Service methods of a resource that is changed with
// driver: cas.
func (w *writer) loadAndStore(r *plan.Resource) []jen.Code {
	state, key := w.goType(w.states[r.Name]), jen.Id("key").Id(r.KeyType)
	version := jen.Id(r.Version)
	list := append(comment("Load"+r.Name+" returns "+article(r.Name)+" as it is now, with its version."),
		jen.Id("Load"+r.Name).Params(ctx(), key).Params(jen.Add(state), jen.Qual(etagPath, "Current").Types(version), jen.Error()))
	list = append(list, comment("Store"+r.Name+" stores a changed "+r.Name+" where the version is still the expected one, and returns what is stored.")...)
	return append(list, jen.Id("Store"+r.Name).Params(ctx(), key, jen.Id("expect").Qual(etagPath, "Match").Types(version), jen.Id("changed").Add(state)).
		Params(jen.Add(state), jen.Qual(etagPath, "Applied").Types(version), jen.Error()))
}

// swap is the body of the adapter's method.
func (w *writer) swap(o *operation) jen.Code {
	r := o.resource
	state, service := w.goType(w.states[r.Name]), jen.Id("a").Dot("service")
	var key []jen.Code
	for _, k := range r.Key {
		key = append(key, jen.Id(k.Field).Op(":").Id("req").Dot(k.Field))
	}
	mutate := jen.Func().Params(jen.Id("old").Add(state)).Params(jen.Add(state), jen.Id(o.result())).
		Add(oneLine(jen.Return(jen.Add(service).Dot("Mutate"+o.Name).Call(jen.Id("old"), jen.Id("req")))))
	return jen.Qual(runtimePath, "Swap").Call(jen.Id("ctx"), jen.Id(r.Codec), jen.Id(r.KeyType).Values(key...),
		jen.Add(service).Dot("Load"+r.Name), mutate, jen.Add(service).Dot("Store"+r.Name), jen.Id(o.swapped.constructor))
}
