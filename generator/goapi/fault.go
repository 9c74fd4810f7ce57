package goapi

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/plan"
)

// Fault is something that oapi-codegen cannot generate.
type Fault struct {
	Pos        diag.Pos // of the operation or the component
	Component  string   // "components/schemas/Pet"; empty: an operation itself
	Operations []*plan.Operation
	Message    string // oapi-codegen's
	Fix        string
}

// Faults finds operations of a plan that are the reason why it was refused with
// errs: first what is wrong with a component or an operation on its own, all of it
// at once; else one operation that cannot be generated beside those before it.
// There are none when the document fails without any operation.
//
// Nothing is concluded from the text of a message: it only says what to try first.
func (t *Trial) Faults(api *plan.API, errs diag.List) []Fault {
	s := t.search(api)
	if s == nil {
		return nil
	}
	for _, find := range []func(diag.List) []Fault{s.each, s.suspected, s.joint} {
		if found := find(errs); len(found) > 0 {
			return found
		}
	}
	return nil
}

// search looks for faults in one plan.
type search struct {
	*Trial
	api   *plan.API
	doc   *openapi3.T                  // prepared, with the plan's operations; never changed
	parts components                   // of doc
	users map[string][]*plan.Operation // by component
}

// search returns nil for a document that cannot be read.
func (t *Trial) search(api *plan.API) *search {
	whole, errs := t.loaded(api)
	if errs.Errors() > 0 {
		return nil
	}
	s := &search{Trial: t, api: api, doc: part(whole, api, false), users: map[string][]*plan.Operation{}}
	prepare(s.doc, api)
	s.parts = inventory(s.doc)
	direct := ofComponents(s.doc.Components)
	for i := range api.Operations {
		o := &api.Operations[i]
		u := uses{}
		u.item(some(s.doc.Paths.Value(o.Path), []string{o.Method}))
		u.reach(direct)
		for name := range u {
			s.users[name] = append(s.users[name], o)
		}
	}
	return s
}

// fault describes what is wrong with a component or, when it is empty, with an
// operation.
func (s *search) fault(component string, o *plan.Operation, message string) Fault {
	f := Fault{Message: message, Fix: remedy(message)}
	if component == "" {
		f.Pos, f.Operations = o.Pos.Pos, []*plan.Operation{o}
		return f
	}
	f.Pos, f.Component, f.Operations = s.place(component), "components/"+component, s.users[component]
	return f
}

// place returns where a component was written.
func (s *search) place(name string) diag.Pos {
	collection, name, _ := strings.Cut(name, "/")
	return s.parts.named(collection, name).pos(s.Trial.doc)
}

// each asks about every part on its own.
func (s *search) each(diag.List) []Fault {
	d := clone(s.doc)
	cure(d, nil)
	said := faults(d, s.configuration(d, s.api))
	var found []Fault
	for _, name := range slices.Sorted(maps.Keys(said)) {
		if len(s.users[name]) > 0 {
			found = append(found, s.fault(name, nil, said[name].Error()))
		}
	}
	for i := range s.api.Operations {
		o := &s.api.Operations[i]
		if err := said[o.Method+" "+o.Path]; err != nil {
			found = append(found, s.fault("", o, err.Error()))
		}
	}
	return found
}

// suspected generates what the errors are about alone.
func (s *search) suspected(errs diag.List) []Fault {
	var found []Fault
	for _, e := range errs {
		if component, o := s.at(e.Pos); o != nil {
			if why := s.fails(o); why != "" {
				found = append(found, s.fault("", o, why))
			}
		} else if component != "" {
			if why := s.failsAlone(component); why != "" {
				found = append(found, s.fault(component, nil, why))
			}
		}
	}
	return found
}

// at returns the operation or the component that is at a place.
func (s *search) at(pos diag.Pos) (component string, o *plan.Operation) {
	for i := range s.api.Operations {
		if s.api.Operations[i].Pos.Pos == pos {
			return "", &s.api.Operations[i]
		}
	}
	for component := range s.users {
		if s.place(component) == pos {
			return component, nil
		}
	}
	return "", nil
}

// joint finds the shortest beginning of the operations that fails. Those that the
// errors are about stand at the end, because they are more likely to be the reason.
func (s *search) joint(errs diag.List) []Fault {
	var likely []*plan.Operation
	for _, e := range errs {
		component, o := s.at(e.Pos)
		likely = append(likely, s.users[component]...)
		if o != nil {
			likely = append(likely, o)
		}
	}
	var first, last []*plan.Operation
	for i := range s.api.Operations {
		if o := &s.api.Operations[i]; slices.Contains(likely, o) {
			last = append(last, o)
		} else {
			first = append(first, o)
		}
	}
	ops := slices.Concat(first, last)
	if s.fails() != "" {
		return nil // without any operation
	}
	good, bad, why := 0, len(ops), message(errs)
	if len(last) > 0 && len(first) > 0 {
		if said := s.fails(first...); said != "" {
			bad, why = len(first), said
		} else {
			good = len(first)
		}
	}
	for bad-good > 1 {
		middle := (good + bad) / 2
		if said := s.fails(ops[:middle]...); said != "" {
			bad, why = middle, said
		} else {
			good = middle
		}
	}
	o := ops[bad-1]
	alone := s.fails(o)
	if alone == "" {
		return []Fault{s.fault("", o, fmt.Sprintf("beside the other operations: %s", why))}
	}
	if component, why := s.within(o); component != "" {
		return []Fault{s.fault(component, nil, why)}
	}
	return []Fault{s.fault("", o, alone)}
}

// within returns the smallest component of an operation that fails alone.
func (s *search) within(o *plan.Operation) (component, why string) {
	direct := ofComponents(s.doc.Components)
	size := map[string]int{}
	for name, users := range s.users {
		if slices.Contains(users, o) {
			u := uses{name: true}
			u.reach(direct)
			size[name] = len(u)
		}
	}
	names := slices.SortedFunc(maps.Keys(size), func(a, b string) int { return cmp.Or(size[a]-size[b], strings.Compare(a, b)) })
	if len(names) == 0 || s.failsAlone(names...) == "" {
		return "", ""
	}
	good, bad := 0, len(names)
	for bad-good > 1 {
		if middle := (good + bad) / 2; s.failsAlone(names[:middle]...) != "" {
			bad = middle
		} else {
			good = middle
		}
	}
	return names[bad-1], s.failsAlone(names[bad-1])
}

// fails generates some operations alone and returns what goes wrong, if anything.
func (s *search) fails(ops ...*plan.Operation) string {
	less := s.api.Only(func(o *plan.Operation) bool { return slices.Contains(ops, o) })
	_, errs := s.write(less, s.supply(less), nil)
	return message(errs)
}

// failsAlone generates some components without any operation and returns what goes
// wrong, if anything.
func (s *search) failsAlone(names ...string) string {
	none := s.api.Only(func(*plan.Operation) bool { return false })
	d := alone(s.doc, names...)
	_, errs := s.write(none, func() (*openapi3.T, diag.List) { return clone(d), nil }, func(c *codegen.Configuration) {
		// As if there were operations that use them.
		c.Generate.Strict, c.Generate.StdHTTPServer, c.OutputOptions.SkipPrune = true, true, true
	})
	return message(errs)
}

// message is the first error's.
func message(errs diag.List) string {
	for _, e := range errs {
		if e.Severity == diag.Error {
			return strings.TrimPrefix(e.Message, refused)
		}
	}
	return ""
}
