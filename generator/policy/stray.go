package policy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/source"
)

var annotations = []string{"x-idempotency", "x-etag"}

// strays reports annotations that stand where nothing reads them.
func (r *reader) strays() {
	webhooks := map[source.Mark]bool{}
	for _, op := range r.doc.Webhooks {
		for _, holder := range []source.Node{op.Node, op.Item, op.Place} {
			for _, name := range annotations {
				if n := holder.Get(name); n.Exists() {
					webhooks[n.Mark()] = true
				}
			}
		}
	}
	for _, name := range annotations {
		r.doc.Extensions(name, func(n source.Node) {
			at := n.KeyPos()
			switch {
			case webhooks[n.Mark()]:
				r.list.Add(at, diag.RulePlace, "remove "+name, "%s on a webhook: it describes a request that the server sends, not one that it answers", name)
			case !r.known[n.Mark()]:
				r.list.Add(at, diag.RulePlace, "move "+name+" to an operation, a path item or the root", "%s has no meaning here (%s)", name, n.Pointer())
			}
		})
	}
}

// words are names of their own that are close to an annotation's. Who writes one means
// something else by it: x-idempotent is what others say of operations that may be
// repeated as they are.
var words = []string{"x-idempotent", "x-idempotence", "x-tag"}

// misspelt reports extensions with a name that is an annotation's but for a slip: their
// operation would be served unprotected. Of those that may mean something else it
// warns.
func (r *reader) misspelt() {
	holders := []source.Node{r.doc.Node("")}
	for _, op := range r.doc.Ops {
		holders = append(holders, op.Place, op.Item, op.Node)
	}
	for _, holder := range holders {
		for _, n := range holder.Entries() {
			near, sure := meantBy(n.Key())
			if near == "" {
				continue
			}
			say := r.list.Warn
			if sure {
				say = r.list.Add
			}
			say(n.KeyPos(), diag.RuleUnknownMember, near+": "+cmp.Or(n.Text(), "{…}"), "%s has no meaning; did you mean %s?", n.Key(), near)
		}
	}
}

// meantBy returns the annotation that the name of an extension is close to, and
// whether it can mean nothing else: it differs by a letter, or by two of a long name.
func meantBy(key string) (annotation string, sure bool) {
	lower := strings.ToLower(key)
	if !strings.HasPrefix(lower, "x-") || slices.Contains(annotations, key) {
		return "", false
	}
	for _, name := range annotations {
		if _, slip := diag.NearestWithin(key, []string{name}, 1+len(name)/10); slip && !slices.Contains(words, lower) {
			return name, true
		}
	}
	if near, ok := diag.NearestWithin(key, annotations[:1], 4); ok { // short names are close to many
		return near, false
	}
	return "", false
}

// idle reports x-idempotency that reaches no operation: whoever wrote it believes
// that there is one.
func (r *reader) idle(subjects []subject) {
	reached := map[source.Mark]bool{} // annotations of path items
	var items []source.Node
	switched, unprotected := r.idempotent.at.Get("apply").Exists(), false
	for _, s := range subjects {
		item, unsafe := s.place.idempotency, !safeMethod(s.op.Method)
		if item.form == on {
			items = append(items, item.at)
			reached[item.at.Mark()] = reached[item.at.Mark()] || unsafe
		}
		switched = switched || item.at.Exists() || s.idempotency.at.Exists()
		unprotected = unprotected || unsafe
	}
	for _, at := range items {
		if !reached[at.Mark()] {
			reached[at.Mark()] = true // is said once
			r.list.Add(at.KeyPos(), diag.RulePlace, "move x-idempotency to the path of a POST, PUT, PATCH or DELETE",
				"x-idempotency reaches no operation here: the methods of the path item are safe, a retry of them changes nothing")
		}
	}
	if root := r.idempotent.at; root.Kind() == source.Map && unprotected && !switched {
		r.list.Add(root.KeyPos(), diag.RulePlace, "x-idempotency: {apply: [post, patch]}",
			"x-idempotency at the root holds defaults, and nothing switches it on: no operation has it")
	}
}
