package plan

import (
	"cmp"
	"slices"

	"github.com/idemgen/idemgen/generator/diag"
)

// fixedNames are the package-level names that every generated wiring declares.
var fixedNames = []string{"Service", "NewHandler", "strictAdapter", "decorator"}

// Check reports what the document may say and a Go package cannot have: names that
// are one in Go, and paths that its router cannot route. Whoever only asks what the
// document says need not care.
func Check(api *API) diag.List {
	// Conflicts are reported at the later place.
	asWritten := *api
	asWritten.Operations = slices.SortedStableFunc(slices.Values(api.Operations), func(a, b Operation) int { return cmp.Compare(a.order, b.order) })
	var errs diag.List
	checkNames(&asWritten, &errs)
	checkRoutes(&asWritten, &errs)
	errs.Sort()
	return errs
}

// checkNames reports names of the Go package that the plan gives twice. Names
// that oapi-codegen chooses are checked once its code exists; see
// [API.Identifiers].
func checkNames(api *API, errs *diag.List) {
	methods := map[string]Identifier{}
	add := func(id Identifier) {
		first, taken := methods[id.Name]
		if !taken {
			methods[id.Name] = id
			return
		}
		// Two equal operationIds are the policy stage's finding.
		if first.Of == id.Of {
			return
		}
		errs.Add(id.Pos, diag.RuleName, id.Fix, "%s and %s (%s) both get the Go name %s", id.Of, first.Of, first.Pos, id.Name)
	}
	for _, o := range api.Operations {
		if camelCase(o.ID) == "" {
			errs.Add(o.Pos.Pos, diag.RuleName, "operationId: "+lowerFirst(operationName("", o.Method, o.Path)),
				"the operationId %q of %s %s has no letter or digit that a Go name can have", o.ID, o.Method, o.Path)
			continue
		}
		add(Identifier{Name: o.Name, Of: "operation " + o.ID, Pos: o.Pos.Pos, Fix: "give one of them another operationId"})
		if o.Precondition != nil && o.Precondition.Swap {
			add(Identifier{Name: "Mutate" + o.Name, Of: "the change of operation " + o.ID, Pos: o.Pos.Pos, Fix: "give one of them another operationId"})
		}
	}
	for _, r := range api.Resources {
		if r.Hashed {
			continue
		}
		names := []string{r.Current}
		if api.Swapped(r.Name) {
			names = append(names, "Load"+r.Name, "Store"+r.Name)
		}
		for _, name := range names {
			add(Identifier{Name: name, Of: "resource " + r.Name, Pos: r.Pos.Pos, Fix: "give the operation another operationId, or the resource another name"})
		}
	}
	if id, taken := methods["ServerInterface"]; taken {
		errs.Add(id.Pos, diag.RuleName, "give it another operationId", "%s gets the Go name ServerInterface, which the generated code needs itself", id.Of)
	}
}

// Swapped reports whether an operation loads, changes and stores a resource.
func (a *API) Swapped(resource string) bool {
	return slices.ContainsFunc(a.Operations, func(o Operation) bool {
		return o.Precondition != nil && o.Precondition.Swap && o.Precondition.Resource == resource
	})
}

// Identifier is a package-level name of the generated Go code.
type Identifier struct {
	Name string
	Of   string // what it is made of, for messages: "resource Pet"
	Pos  diag.Pos
	Fix  string
}

// Identifiers returns the package-level names that the wiring declares, apart
// from the constructors, whose names depend on oapi-codegen's response types.
func (a *API) Identifiers() []Identifier {
	var list []Identifier
	for _, name := range fixedNames {
		list = append(list, Identifier{Name: name, Of: "the generated wiring"})
	}
	for _, p := range a.Parts {
		list = append(list, Identifier{Name: p.Name, Of: "the interface of tag " + p.Tag, Pos: a.tagged(p), Fix: "give the tag another name, or leave tags out of output.split"})
	}
	for _, r := range a.Resources {
		if r.Hashed {
			continue
		}
		for _, name := range []string{r.Version, r.KeyType, r.Codec} {
			list = append(list, Identifier{Name: name, Of: "resource " + r.Name, Pos: r.Pos.Pos, Fix: "give the resource another name, with resource: in x-etag"})
		}
	}
	for _, o := range a.Operations {
		names := []string{"op" + o.Name}
		if o.Precondition != nil {
			names = append(names, o.Name+"Result", lowerFirst(o.Name)+"2XX")
		}
		for _, name := range names {
			list = append(list, Identifier{Name: name, Of: "operation " + o.ID, Pos: o.Pos.Pos, Fix: "give the operation another operationId"})
		}
	}
	return list
}

// CheckDeclared reports identifiers that are declared twice, among themselves
// or by oapi-codegen, whose package-level names are declared. Locate finds the
// place of the schema with a Go name; it may return the zero Pos.
func CheckDeclared(ids []Identifier, declared []string, locate func(name string) diag.Pos) diag.List {
	var errs diag.List
	theirs := make(map[string]bool, len(declared))
	for _, name := range declared {
		theirs[name] = true
	}
	ours := make(map[string]Identifier, len(ids))
	for _, id := range ids {
		other, taken := ours[id.Name]
		switch {
		case theirs[id.Name]:
			at := locate(id.Name)
			if !at.IsValid() {
				at = id.Pos
			}
			errs.Add(at, diag.RuleName,
				"rename the schema, or give it another Go name, such as x-go-name: "+id.Name+"Model",
				"%s needs the Go name %s, which oapi-codegen gives to something else", id.Of, id.Name)
		case taken && other.Of != id.Of:
			errs.Add(id.Pos, diag.RuleName, id.Fix, "%s and %s both get the Go name %s", id.Of, other.Of, id.Name)
		default:
			ours[id.Name] = id
		}
	}
	errs.Sort()
	return errs
}
