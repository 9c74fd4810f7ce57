package goapi

import (
	"reflect"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// mergeable rewrites those allOf that oapi-codegen would refuse to merge, or merge
// without a part. It refuses members that differ in anything, also in what a Go type
// does not show, such as readOnly; and of a member that has allOf itself it forgets
// the properties beside it. It reports whether it changed something: there are other
// schemas then.
func mergeable(all gathered) bool {
	// All are read before one is written: a member of one may be another.
	rewritten := map[*openapi3.Schema]openapi3.SchemaRefs{}
	for _, s := range all.schemas {
		if len(s.AllOf) > 0 {
			if members := agreed(s); members != nil {
				rewritten[s] = members
			}
		}
	}
	for s, members := range rewritten {
		s.AllOf = members
		s.Properties, s.Required, s.AdditionalProperties = nil, nil, openapi3.AdditionalProperties{}
	}
	return len(rewritten) > 0
}

// agreed returns what to write for the members of s and what it has beside them;
// nil when oapi-codegen can merge them as they are.
func agreed(s *openapi3.Schema) openapi3.SchemaRefs {
	var all flat
	all.add(s.AllOf)
	beside := structural(s)
	if all.imported || len(all.members) == 0 || len(s.AllOf) == 1 && !beside {
		return nil // of one member it is another name
	}
	if beside {
		all.members = append(all.members, &openapi3.SchemaRef{Value: withoutAllOf(s)})
	}
	if settle(all.members) || all.forgotten {
		return all.members
	}
	return nil
}

// structural reports whether a schema says something about a Go type beside allOf.
func structural(s *openapi3.Schema) bool {
	return len(s.Properties) > 0 || len(s.Required) > 0 || s.AdditionalProperties.Has != nil || s.AdditionalProperties.Schema != nil
}

func withoutAllOf(s *openapi3.Schema) *openapi3.Schema {
	own := *s
	own.AllOf = nil
	return &own
}

// flat are members of allOf that have none themselves.
type flat struct {
	members   openapi3.SchemaRefs
	forgotten bool // one stood beside the allOf of a member
	imported  bool // one is of another package, where references mean something else
	seen      map[*openapi3.Schema]bool
}

// add adds members, those of a member before what it has beside them, which keeps
// its name: what nothing refers to is not generated.
func (f *flat) add(members openapi3.SchemaRefs) {
	for _, m := range members {
		if m == nil || m.Value == nil || f.seen[m.Value] {
			continue
		}
		if f.seen == nil {
			f.seen = map[*openapi3.Schema]bool{}
		}
		f.seen[m.Value] = true
		f.imported = f.imported || m.Ref != "" && !strings.HasPrefix(m.Ref, "#")
		if len(m.Value.AllOf) > 0 {
			f.add(m.Value.AllOf)
			f.forgotten = f.forgotten || structural(m.Value)
			own := *m
			own.Value = withoutAllOf(m.Value)
			m = &own
		}
		f.members = append(f.members, m)
	}
}

// settle puts copies in the place of members that oapi-codegen would not merge with
// the others, and reports whether there is one.
func settle(members openapi3.SchemaRefs) bool {
	types, format := commonType(members), commonFormat(members)
	single := count(members, func(s *openapi3.Schema) bool { return s.Discriminator != nil }) < 2
	open := count(members, func(s *openapi3.Schema) bool { return s.AdditionalProperties.Schema != nil }) > 1
	settled := false
	for i, m := range members {
		s := *m.Value
		// None of these is seen in the Go type of the whole.
		s.ReadOnly, s.WriteOnly, s.AllowEmptyValue, s.UniqueItems, s.Default = false, false, false, false, nil
		s.ExclusiveMin, s.ExclusiveMax = openapi3.ExclusiveBound{}, openapi3.ExclusiveBound{}
		if types != nil {
			s.Type = types
		}
		if format != "" {
			s.Format = format
		}
		if !single {
			s.Discriminator = nil // which values mean what is for the handler to know
		}
		if open && s.AdditionalProperties.Schema != nil {
			anything := true
			s.AdditionalProperties = openapi3.AdditionalProperties{Has: &anything}
		}
		if !reflect.DeepEqual(&s, m.Value) {
			changed := *m
			changed.Value = &s
			members[i], settled = &changed, true
		}
	}
	return settled
}

func count(members openapi3.SchemaRefs, is func(*openapi3.Schema) bool) int {
	n := 0
	for _, m := range members {
		if is(m.Value) {
			n++
		}
	}
	return n
}

// commonType is the type that members with different ones have in common: integer
// of integer and number, and null when one allows it. It is nil when they have one
// type, or no common one.
func commonType(members openapi3.SchemaRefs) *openapi3.Types {
	var common []string
	null, differ := false, false
	var first *openapi3.Types
	for _, m := range members {
		t := m.Value.Type
		if len(t.Slice()) == 0 {
			continue
		}
		if first == nil {
			first = t
		}
		differ = differ || !slices.Equal(first.Slice(), t.Slice())
		own := slices.DeleteFunc(slices.Clone(t.Slice()), func(name string) bool { return name == "null" })
		null = null || t.Includes("null")
		switch {
		case common == nil || slices.Equal(common, own):
			common = own
		case slices.Equal(common, []string{"number"}) && slices.Equal(own, []string{"integer"}):
			common = own
		case slices.Equal(common, []string{"integer"}) && slices.Equal(own, []string{"number"}):
		default:
			return nil
		}
	}
	if !differ {
		return nil
	}
	if null {
		common = append(common, "null")
	}
	return (*openapi3.Types)(&common)
}

// commonFormat is the format of those members that have one, empty when they have
// different ones, or all have it.
func commonFormat(members openapi3.SchemaRefs) string {
	format := ""
	for _, m := range members {
		switch {
		case m.Value.Format == "" || m.Value.Format == format:
		case format != "":
			return ""
		default:
			format = m.Value.Format
		}
	}
	return format
}
