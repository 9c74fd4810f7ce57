package plan

import (
	"cmp"
	"slices"
)

// Unsupported is the reason of operations that oapi-codegen cannot generate.
const Unsupported = "unsupported"

// Unsupported reports whether an operation is left out for that reason.
func (a *API) Unsupported() bool {
	return slices.ContainsFunc(a.LeftOut, func(o LeftOut) bool { return o.Reason == Unsupported })
}

// Only returns the plan with some of its operations, in their order. The others
// are left out as unsupported, and resources that none needs go with them.
func (a *API) Only(keep func(*Operation) bool) *API {
	less := *a
	less.Operations, less.LeftOut = nil, slices.Clone(a.LeftOut)
	resources := map[string]bool{}
	for i := range a.Operations {
		o := &a.Operations[i]
		if !keep(o) {
			less.LeftOut = append(less.LeftOut, LeftOut{o.Pos, o.ID, o.Method, o.Path, Unsupported})
			continue
		}
		less.Operations = append(less.Operations, *o)
		if o.Precondition != nil {
			resources[o.Precondition.Resource] = true
		}
	}
	less.Resources = slices.DeleteFunc(slices.Clone(a.Resources), func(r Resource) bool { return !resources[r.Name] })
	slices.SortStableFunc(less.LeftOut, func(a, b LeftOut) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
	return &less
}
