package goapi

import (
	"maps"
	"slices"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/source"
)

// maxRenames bounds how often a document is tried again with other names.
const maxRenames = 200

// component is a part of a document that has a Go name.
type component struct {
	collection, name string
	own              string // the author's x-go-name; empty: none
	origin           *openapi3.Origin
}

// pos is where a component was written: in the document, or elsewhere when it came from
// another file, has another name by now, or was made of a part of something else.
func (c component) pos(doc *source.Document) diag.Pos {
	if at := doc.Files[0].Root.Get("components").Get(c.collection).Get(c.name); at.Exists() {
		return at.KeyPos()
	}
	if pos, ok := doc.Written(c.origin); ok {
		return pos
	}
	return rootPos(doc)
}

// components are the parts of a document, those first that give up a Go name
// first, because they are named less often in code.
type components []component

// rename is a component that gets another Go name than its own. Each try is a name
// that was not tried before.
type rename struct {
	collection, name, goName string
	try                      int // from 1
}

// renames are those of one document so far.
type renames []rename

// collections are those with Go names, and suffixes what is put behind a second one.
var (
	collections = []string{"parameters", "requestBodies", "responses", "schemas"}
	suffixes    = map[string]string{"parameters": "Parameter", "requestBodies": "RequestBody", "responses": "Response", "schemas": "Schema"}
)

func inventory(t *openapi3.T) components {
	var all components
	if t.Components == nil {
		return nil
	}
	for _, collection := range collections {
		for _, name := range componentsOf(t, collection) {
			part := component{collection: collection, name: name}
			if extensions := extensionsOf(t, collection, name); extensions != nil {
				part.own, _ = (*extensions)["x-go-name"].(string)
			}
			part.origin = originOf(t, collection, name)
			all = append(all, part)
		}
	}
	return all
}

// componentsOf lists the names of a collection, ascending.
func componentsOf(t *openapi3.T, collection string) []string {
	switch collection {
	case "schemas":
		return slices.Sorted(maps.Keys(t.Components.Schemas))
	case "parameters":
		return slices.Sorted(maps.Keys(t.Components.Parameters))
	case "responses":
		return slices.Sorted(maps.Keys(t.Components.Responses))
	}
	return slices.Sorted(maps.Keys(t.Components.RequestBodies))
}

// extensionsOf returns the extensions of a component, which are not nil; the
// pointer is nil when there is no such component.
func extensionsOf(t *openapi3.T, collection, name string) *map[string]any {
	var found *map[string]any
	switch collection {
	case "schemas":
		if s := t.Components.Schemas[name]; s != nil && s.Value != nil && s.Ref == "" {
			found = &s.Value.Extensions
		}
	case "parameters":
		if p := t.Components.Parameters[name]; p != nil && p.Value != nil && p.Ref == "" {
			found = &p.Value.Extensions
		}
	case "responses":
		if r := t.Components.Responses[name]; r != nil && r.Value != nil && r.Ref == "" {
			found = &r.Value.Extensions
		}
	case "requestBodies":
		if b := t.Components.RequestBodies[name]; b != nil && b.Value != nil && b.Ref == "" {
			found = &b.Value.Extensions
		}
	}
	if found != nil && *found == nil {
		*found = map[string]any{}
	}
	return found
}

// originOf returns where a component was written; nil when that is not known.
func originOf(t *openapi3.T, collection, name string) *openapi3.Origin {
	switch collection {
	case "schemas":
		if s := t.Components.Schemas[name]; s != nil && s.Value != nil {
			return s.Value.Origin
		}
	case "parameters":
		if p := t.Components.Parameters[name]; p != nil && p.Value != nil {
			return p.Value.Origin
		}
	case "responses":
		if r := t.Components.Responses[name]; r != nil && r.Value != nil {
			return r.Value.Origin
		}
	case "requestBodies":
		if b := t.Components.RequestBodies[name]; b != nil && b.Value != nil {
			return b.Value.Origin
		}
	}
	return nil
}

// of returns the Go name that a component has by now.
func (r renames) of(c component) string {
	for _, given := range r {
		if given.collection == c.collection && given.name == c.name {
			return given.goName
		}
	}
	if c.own != "" {
		return c.own
	}
	return plan.GoName(c.name)
}

// without renames components until none has one of the Go names, which something
// else has as well, in oapi-codegen's code or in the wiring. It reports whether a name changed. A name that the author chose
// stays.
func (all components) without(goNames []string, given renames) (renames, bool) {
	changed := false
	for _, goName := range goNames {
		i := slices.IndexFunc(all, func(c component) bool { return c.own == "" && given.of(c) == goName })
		if i < 0 || len(given) >= maxRenames {
			continue
		}
		c := all[i]
		next := rename{collection: c.collection, name: c.name}
		given = slices.DeleteFunc(slices.Clone(given), func(r rename) bool {
			if r.collection != c.collection || r.name != c.name {
				return false
			}
			next.try = r.try
			return true
		})
		for next.goName == "" || slices.ContainsFunc(all, func(c component) bool { return given.of(c) == next.goName }) {
			next.try++
			next.goName = plan.GoName(c.name) + suffixes[c.collection]
			if next.try > 1 {
				next.goName += strconv.Itoa(next.try)
			}
		}
		given, changed = append(given, next), changed || next.try < maxRenames
	}
	return given, changed
}

// tell warns of names that are not what one would expect.
func (r renames) tell(doc *source.Document, all components, errs *diag.List) {
	for _, given := range r {
		errs.Warn(all.named(given.collection, given.name).pos(doc), diag.RuleOapiCodegen, "x-go-name: "+given.goName,
			"the Go name %s is that of something else, too; here it becomes %s", plan.GoName(given.name), given.goName)
	}
}

// named returns a component, which has no origin when there is none.
func (all components) named(collection, name string) component {
	for _, c := range all {
		if c.collection == collection && c.name == name {
			return c
		}
	}
	return component{collection: collection, name: name}
}

// ours returns the names in an ascending list that the wiring needs itself.
func ours(api *plan.API, ascending []string) []string {
	var list []string
	for _, id := range api.Identifiers() {
		if _, declared := slices.BinarySearch(ascending, id.Name); declared {
			list = append(list, id.Name)
		}
	}
	return list
}

// twice returns the names that stand more than once in an ascending list.
func twice(ascending []string) []string {
	var list []string
	for i := 1; i < len(ascending); i++ {
		if name := ascending[i]; name == ascending[i-1] && (len(list) == 0 || list[len(list)-1] != name) {
			list = append(list, name)
		}
	}
	return list
}
