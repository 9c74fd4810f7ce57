package policy

import (
	"slices"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
)

// listing is a GET whose items carry their tags (listItems). The page itself has
// none: it is no representation of any of them.
type listing struct {
	subject
	index    int // in Document.Operations
	resource string
	from     Origin
}

// checkLists reports lists from which no client could take a tag.
func (r *reader) checkLists(resources map[string]*resource) {
	for _, l := range r.lists {
		res := resources[l.resource]
		if res == nil || len(res.users) == 0 {
			fix := "remove listItems"
			if near, ok := diag.Nearest(l.resource, sortedKeys(resources)); ok {
				fix = "listItems: " + near
			}
			r.list.Add(l.from.Pos, diag.RuleResource, fix, "x-etag.listItems%s: no operation has x-etag of a resource %s", l.of(l.from), l.resource)
			continue
		}
		d := &res.users[0].policy.Definition
		switch {
		case !d.shown() || d.Encoding.V != EncodingPlain || len(d.Variants.V) > 0:
			r.list.Add(l.from.Pos, diag.RuleVersionField, "remove listItems",
				"x-etag.listItems%s: the tag of resource %s is not what a member of the item shows", l.of(l.from), l.resource)
		case !r.itemsShow(l, d.Field.V):
			r.list.Add(l.from.Pos, diag.RuleVersionField, d.Field.V[strings.LastIndexByte(d.Field.V, '/')+1:]+": "+versionSchema+" # in the item, and in required",
				"x-etag.listItems: the items of %s have no required member %s, which makes the tag of resource %s", l.name(), d.Field.V, l.resource)
		}
	}
}

// itemsShow reports whether the items of every 2xx JSON body have a required
// member: the body is a list, or one of its members is.
func (r *reader) itemsShow(l listing, field string) bool {
	bodies := r.bodies(&tagged{subject: l.subject})
	for _, m := range bodies {
		prefixes := []string{"/-"}
		for _, p := range pointers(r.doc.Members(m.Schema)) {
			prefixes = append(prefixes, p+"/-")
		}
		if !slices.ContainsFunc(prefixes, func(prefix string) bool { return r.itemShows(m.Schema, prefix, field) }) {
			return false
		}
	}
	return len(bodies) > 0
}

// itemShows reports whether what is at a pointer is an item of a list that has a
// required member.
func (r *reader) itemShows(schema, prefix, field string) bool {
	item, ok := r.doc.Member(schema, prefix)
	if !ok || !item.Array {
		return false
	}
	version, ok := r.doc.Member(item.Schema, field)
	return ok && version.Required && !version.Nullable && !version.Array
}
