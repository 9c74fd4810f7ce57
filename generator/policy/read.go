package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/source"
)

// Read decodes, merges and checks the annotations of a document: built-in
// default < profile < document < path item < operation. It returns everything
// that is wrong, sorted; the Document is complete only when the list has no
// error.
func Read(doc *source.Document) (*Document, diag.List) {
	r := &reader{doc: doc, known: map[source.Mark]bool{}, places: map[source.Mark]*place{}}
	root := doc.Node("")
	r.idempotent = r.idempotencyRoot(root.Get("x-idempotency"))
	r.etag = r.etagRoot(root.Get("x-etag"))
	out := &Document{}
	subjects := make([]subject, len(doc.Ops))
	for i, op := range doc.Ops {
		s := subject{op: op, place: r.place(op)}
		s.idempotency = r.idempotencyLayer(op.Node.Get("x-idempotency"), LevelOperation)
		s.etag = r.etagLayer(op.Node.Get("x-etag"), LevelOperation)
		subjects[i] = s
		effective := Operation{Op: op, Unsupported: r.unsupported(s)}
		effective.Idempotency, effective.Exempt = r.idempotency(s)
		out.Operations = append(out.Operations, effective)
	}
	r.etags(subjects, out)
	r.strays()
	r.misspelt()
	r.idle(subjects)
	r.list.Sort()
	return out, r.list
}

// reader collects what the annotations of one document say.
type reader struct {
	doc        *source.Document
	list       diag.List
	known      map[source.Mark]bool // places of annotations that were read
	places     map[source.Mark]*place
	idempotent idempotencyRoot
	etag       etagRoot
	lists      []listing
}

// place holds the annotations of a path item.
type place struct {
	idempotency layer[Idempotency]
	etag        layer[ETag]
}

// subject is an operation with everything that is said about it.
type subject struct {
	op          source.Op
	place       *place
	idempotency layer[Idempotency]
	etag        layer[ETag]
}

func (s subject) name() string { return s.op.Method + " " + s.op.Path }

// of names the operation in a message about a value that belongs to it alone; a
// value from further up is reported once for all.
func (s subject) of(from Origin) string {
	if from.Level == LevelOperation {
		return " of " + s.name()
	}
	return ""
}

// seen notes that an annotation has a meaning where it stands.
func (r *reader) seen(n source.Node) { r.known[n.Mark()] = true }

// place decodes the annotations of an operation's path item once. One beside a
// $ref is nearer than one in the file that it names.
func (r *reader) place(op source.Op) *place {
	at := op.Place.Mark()
	if p, ok := r.places[at]; ok {
		return p
	}
	annotation := func(name string) source.Node {
		if n := op.Place.Get(name); n.Exists() {
			return n
		}
		return op.Item.Get(name)
	}
	p := &place{
		idempotency: r.idempotencyLayer(annotation("x-idempotency"), LevelPathItem),
		etag:        r.etagLayer(annotation("x-etag"), LevelPathItem),
	}
	r.places[at] = p
	return p
}

// layers are the settings of one annotation, from far to near.
func layers[P any](far, middle, near layer[P]) []settings[P] {
	return []settings[P]{far.settings, middle.settings, near.settings}
}

// nearest returns the nearest setting of a member.
func nearest[P any](all []settings[P], name string) (setting[P], bool) {
	for _, s := range slices.Backward(all) {
		if v, ok := s[name]; ok {
			return v, true
		}
	}
	return setting[P]{}, false
}

// idempotency merges what holds for one operation; nil when x-idempotency is
// off.
func (r *reader) idempotency(s subject) (policy *Idempotency, exempted bool) {
	if safeMethod(s.op.Method) {
		if s.idempotency.form == on {
			r.list.Add(s.idempotency.at.KeyPos(), diag.RulePlace, "remove x-idempotency",
				"x-idempotency on %s: the method is safe, a retry of it changes nothing", s.name())
		}
		return nil, s.idempotency.form == exempt
	}
	form, from := inherit, Origin{}
	if pos, ok := r.idempotent.apply[strings.ToLower(s.op.Method)]; ok {
		form, from = on, Origin{LevelDocument, pos}
	}
	if l := s.place.idempotency; l.form != inherit {
		form, from = l.form, l.origin(LevelPathItem)
	}
	if l := s.idempotency; l.form != inherit {
		form, from = l.form, l.origin(LevelOperation)
	}
	if form != on {
		return nil, form == exempt
	}
	p := idempotencyTable.defaults()
	p.On = from
	all := layers(r.idempotent.layer, s.place.idempotency, s.idempotency)
	if chosen, ok := nearest(all, "profile"); ok {
		if preset := presets[chosen.value.(Profile)]; preset != nil {
			preset(&p, Origin{LevelPreset, chosen.from.Pos})
		}
	}
	for _, l := range all {
		l.onto(&p)
	}
	if p.Public.V && !p.Scope.Set() {
		p.Scope.V = []string{"operation"}
	}
	p.Scope.V = sortScope(p.Scope.V)
	r.checkIdempotency(s, &p)
	return &p, false
}

// unsupported merges the one member of x-etag that matters without x-etag.
func (r *reader) unsupported(s subject) Value[Unsupported] {
	e := etagTable.defaults()
	for _, l := range []settings[ETag]{r.etag.settings, s.etag.settings} {
		if v, ok := l["unsupported"]; ok {
			v.apply(&e, v.from)
		}
	}
	return e.Unsupported
}

// sortedKeys lists the keys of a map, ascending.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
