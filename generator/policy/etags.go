package policy

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/source"
)

// tagged is an operation with x-etag.
type tagged struct {
	subject
	index    int // in Document.Operations
	from     Origin
	resource string
	named    Origin // what names the resource; the switch itself when derived
	role     Role
	keyed    bool // has the parameters that identify the resource
	policy   *ETag
}

func (t *tagged) reads() bool { return t.role == RoleRead }

// annotation is the place to point at when the operation itself is at fault.
func (t *tagged) annotation() diag.Pos { return t.from.Pos }

// off is what to write to switch x-etag off for this operation alone.
func (t *tagged) off() string {
	if t.from.Level == LevelOperation {
		return "x-etag: false"
	}
	return "x-etag: false # at " + t.name()
}

// etags merges x-etag: first which operations belong to which resource, then the
// definition of each resource, then what each operation does.
func (r *reader) etags(subjects []subject, out *Document) {
	var all []*tagged
	for i, s := range subjects {
		if t := r.tagged(s, i); t != nil {
			all = append(all, t)
		}
	}
	resources := r.define(all)
	for _, t := range all {
		res := resources[t.resource]
		r.role(t, res)
		t.policy = r.operation(t, res)
	}
	r.checkResources(all, resources)
	r.checkLists(resources)
	for _, t := range all {
		out.Operations[t.index].ETag = t.policy
	}
	for _, l := range r.lists {
		out.Operations[l.index].Lists = Value[string]{l.resource, l.from}
	}
	for _, name := range sortedKeys(resources) {
		if res := resources[name]; len(res.users) > 0 {
			res.Definition = res.users[0].policy.Definition
			out.Resources = append(out.Resources, res.Resource)
		}
	}
}

// tagged decides whether x-etag is on for the operation at an index, and for which resource;
// nil when it is off or nothing names the resource.
func (r *reader) tagged(s subject, index int) *tagged {
	form, from := inherit, Origin{}
	if l := s.place.etag; l.form != inherit {
		form, from = l.form, l.origin(LevelPathItem)
	}
	if l := s.etag; l.form != inherit {
		form, from = l.form, l.origin(LevelOperation)
	}
	if form != on {
		return nil
	}
	if s.op.Method == "OPTIONS" || s.op.Method == "TRACE" {
		if from.Level == LevelOperation {
			r.list.Add(s.etag.at.KeyPos(), diag.RulePlace, "remove x-etag", "x-etag on %s: the method has no preconditions (RFC 9110 §13.2.1)", s.name())
		}
		return nil
	}
	near := []settings[ETag]{s.place.etag.settings, s.etag.settings}
	items, lists := nearest(near, "listItems")
	if lists && s.op.Method == "GET" {
		r.lists = append(r.lists, listing{s, index, items.value.(string), items.from})
		return nil
	}
	if v, ok := s.etag.settings["listItems"]; ok {
		r.list.Add(v.from.Pos, diag.RulePlace, "remove listItems", "x-etag.listItems on %s: only a GET lists items", s.name())
	}
	t := &tagged{subject: s, index: index, from: from, named: from}
	if v, ok := nearest(near, "resource"); ok {
		t.resource, t.named = v.value.(string), v.from
		return t
	}
	if lists { // beside a list, a write is about its items
		t.resource, t.named = items.value.(string), items.from
		return t
	}
	if t.resource = ResourceOf(r.doc, s.op.Path); t.resource == "" {
		if s.place.etag.meant("resource") || s.etag.meant("resource") {
			return nil
		}
		r.list.Add(from.Pos, diag.RuleResource, "x-etag: Thing", "x-etag of %s names no resource, and the path has no GET whose 200 refers to a named JSON schema", s.name())
		return nil
	}
	return t
}

// ResourceOf names the resource that x-etag: true means at a path, after the schema
// of its GET 200; empty when nothing names one.
func ResourceOf(doc *source.Document, path string) string {
	for _, op := range doc.Ops {
		if op.Path != path || op.Method != "GET" {
			continue
		}
		for _, response := range doc.Responses(op) {
			for _, m := range response.Content {
				if response.Status == "200" && jsonType(m.Type) && m.Name != "" {
					return ResourceName(m.Name)
				}
			}
		}
	}
	return ""
}

// ResourceName makes the name of a resource of that of a schema: pet-item becomes
// PetItem. It is empty when there is none.
func ResourceName(name string) string {
	var b strings.Builder
	upper := true
	for _, c := range name {
		switch {
		case c > unicode.MaxASCII || !unicode.IsLetter(c) && !unicode.IsDigit(c):
			upper = true
		case upper:
			b.WriteRune(unicode.ToUpper(c))
			upper = false
		default:
			b.WriteRune(c)
		}
	}
	if s := b.String(); exportable.MatchString(s) {
		return s
	}
	return ""
}

// resource collects what defines a resource and who uses it.
type resource struct {
	Resource
	settings settings[ETag] // of the definition members
	users    []*tagged
}

// define gathers the definition of each resource from the root, the path items
// and the operations, and reports contradictions.
func (r *reader) define(all []*tagged) map[string]*resource {
	resources := map[string]*resource{}
	get := func(name string, at diag.Pos) *resource {
		res, ok := resources[name]
		if !ok {
			res = &resource{Resource: Resource{Name: name, Pos: at}, settings: settings[ETag]{}}
			resources[name] = res
		}
		return res
	}
	for _, named := range r.etag.resources {
		r.contribute(get(named.name, named.at.KeyPos()), named.settings)
	}
	for _, t := range all {
		res := get(t.resource, t.annotation())
		res.users = append(res.users, t)
		if r.named(t) == t.resource {
			r.contribute(res, t.place.etag.settings)
		}
		r.contribute(res, t.etag.settings)
	}
	for _, named := range r.etag.resources {
		if res := resources[named.name]; len(res.users) == 0 {
			r.list.Add(named.at.KeyPos(), diag.RuleResource, "x-etag: "+named.name+" # at the path that reads it",
				"x-etag.resources.%s is used by no operation", named.name)
		}
	}
	for _, res := range resources {
		for _, t := range res.users {
			if t.op.Method == "GET" && t.explicitRole() != RoleAction {
				res.Home = t.op.Path
				break
			}
		}
		if res.Home == "" && len(res.users) > 0 {
			res.Home = res.users[0].op.Path
		}
	}
	return resources
}

// named is the resource that the path item's own annotation is about: the one it
// names, or the one derived for the path.
func (r *reader) named(t *tagged) string {
	if v, ok := t.place.etag.settings["resource"]; ok {
		return v.value.(string)
	}
	return ResourceOf(r.doc, t.op.Path)
}

// contribute adds the definition members of one place to a resource.
func (r *reader) contribute(res *resource, from settings[ETag]) {
	for _, name := range sortedKeys(from) {
		v := from[name]
		if !definitionNames[name] {
			continue
		}
		before, ok := res.settings[name]
		if !ok {
			res.settings[name] = v
			continue
		}
		if written(before.value) != written(v.value) {
			r.list.Add(v.from.Pos, diag.RuleResource, name+": "+written(before.value),
				"x-etag.%s of resource %s is %s here and %s at %s", name, res.Name, written(v.value), written(before.value), before.from.Pos)
		}
	}
}

// operation merges what holds for one operation.
func (r *reader) operation(t *tagged, res *resource) *ETag {
	p := etagTable.defaults()
	r.etag.settings.onto(&p)
	res.settings.onto(&p)
	for _, l := range []settings[ETag]{t.place.etag.settings, t.etag.settings} {
		for name, v := range l {
			if !definitionNames[name] {
				v.apply(&p, v.from)
			}
		}
	}
	p.On = t.from
	if p.Strategy.V == StrategyUpdatedAt && !p.Field.Set() {
		p.Field.V = "/updatedAt"
	}
	p.Resource = Value[string]{t.resource, Origin{}}
	if t.named != t.from || r.explicit(t, "resource") {
		p.Resource.From = t.named
	}
	if !p.Key.Set() {
		p.Key.V = parameters(res.Home)
	}
	if t.role != p.Role.V {
		p.Role = Value[Role]{V: t.role}
	}
	r.require(t, &p)
	r.driver(t, &p)
	if !p.Wildcard.Set() {
		p.Wildcard.V = VerdictAccept
		if len(p.Require.V) > 0 {
			p.Wildcard.V = VerdictReject
		}
	}
	return &p
}

// explicit reports whether a place near the operation sets a member.
func (r *reader) explicit(t *tagged, name string) bool {
	_, ok := nearest([]settings[ETag]{t.place.etag.settings, t.etag.settings}, name)
	return ok
}

var parameter = regexp.MustCompile(`\{([^{}]+)\}`)

// parameters lists the parameters of a path template.
func parameters(path string) []string {
	all := []string{}
	for _, m := range parameter.FindAllStringSubmatch(path, -1) {
		all = append(all, m[1])
	}
	return all
}

// keyOf is the effective key of a resource.
func (res *resource) keyOf() ([]string, diag.Pos) {
	if v, ok := res.settings["key"]; ok {
		return v.value.([]string), v.from.Pos
	}
	return parameters(res.Home), res.Pos
}

// hasKey reports whether an operation has the parameters that identify the
// resource; missing is the first one that it lacks.
func (r *reader) hasKey(op source.Op, key []string) (missing string, ok bool) {
	var have []string
	for _, p := range r.doc.Parameters(op) {
		if p.In == "path" {
			have = append(have, p.Name)
		}
	}
	have = append(have, parameters(op.Path)...)
	for _, name := range key {
		if !slices.Contains(have, name) {
			return name, false
		}
	}
	return "", true
}
