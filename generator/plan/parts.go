package plan

import (
	"cmp"
	"slices"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/source"
)

// part returns the interface for the first tag of an operation, which the API has
// from then on.
func part(api *API, op source.Op, errs *diag.List) string {
	tag := op.Tags[0]
	p := Part{Name: GoName(tag) + "Service", Tag: tag}
	for _, other := range api.Parts {
		if other.Name != p.Name {
			continue
		}
		if other.Tag != tag {
			errs.Add(op.Pos, diag.RuleName, "tags: ["+other.Tag+"]", "split by tags: the tags %q and %q both get the Go name %s", other.Tag, tag, p.Name)
		}
		return p.Name
	}
	api.Parts = append(api.Parts, p)
	return p.Name
}

// linkParts gives the methods of a resource to the interface that has all of its
// operations, and leaves them in Service where there is no such.
func linkParts(api *API) {
	slices.SortFunc(api.Parts, func(a, b Part) int { return cmp.Compare(a.Name, b.Name) })
	for i := range api.Resources {
		r := &api.Resources[i]
		first := true
		for _, o := range api.Operations {
			if o.Precondition == nil || o.Precondition.Resource != r.Name {
				continue
			}
			if first {
				r.Part, first = o.Part, false
			} else if r.Part != o.Part {
				r.Part = ""
			}
		}
	}
}

// tagged is the place of an operation of a part.
func (a *API) tagged(p Part) diag.Pos {
	for _, o := range a.Operations {
		if o.Part == p.Name {
			return o.Pos.Pos
		}
	}
	return diag.Pos{}
}
