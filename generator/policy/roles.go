package policy

import (
	"slices"

	"github.com/idemgen/idemgen/generator/diag"
)

// explicitRole is the role that the document gives; empty: derived.
func (t *tagged) explicitRole() Role {
	if v, ok := nearest([]settings[ETag]{t.place.etag.settings, t.etag.settings}, "role"); ok {
		return v.value.(Role)
	}
	return ""
}

// fits lists the roles that a method may have.
var fits = map[string][]Role{
	"GET": {RoleRead}, "HEAD": {RoleRead}, "PUT": {RoleUpdate, RoleUpsert, RoleCreate}, "PATCH": {RoleUpdate},
	"DELETE": {RoleDelete}, "POST": {RoleAction, RoleCreate, RoleUpdate, RoleDelete},
}

// role decides what an operation does to its resource.
func (r *reader) role(t *tagged, res *resource) {
	key, _ := res.keyOf()
	_, keyed := r.hasKey(t.op, key)
	t.keyed = keyed
	given := t.explicitRole()
	switch {
	case slices.Contains(fits[t.op.Method], given):
		t.role = given
	default:
		t.role = r.derivedRole(t)
		if v, ok := t.etag.settings["role"]; ok { // one from the path item is for the other methods
			r.list.Add(v.from.Pos, diag.RuleRole, "role: "+string(t.role), "x-etag.role of %s cannot be %s", t.name(), given)
		}
	}
	if given == RoleUpsert && t.role == RoleUpsert && !r.declares(t, "201") {
		at, _ := nearest([]settings[ETag]{t.place.etag.settings, t.etag.settings}, "role")
		r.list.Add(at.from.Pos, diag.RuleRole, "role: update",
			"x-etag.role of %s: an upsert answers 201 when it has created, and declares none", t.name())
	}
}

func (r *reader) derivedRole(t *tagged) Role {
	switch {
	case t.op.Method == "PUT" && r.declares(t, "201"):
		return RoleUpsert
	case t.op.Method == "POST" && !t.keyed:
		return RoleCreate
	}
	return fits[t.op.Method][0]
}

// declares reports whether an operation declares a status.
func (r *reader) declares(t *tagged, status string) bool {
	for _, response := range r.doc.Responses(t.op) {
		if response.Status == status {
			return true
		}
	}
	return false
}

// collects reports whether the operation creates a resource whose key its path
// does not have yet: a POST to a collection.
func (t *tagged) collects() bool { return t.role == RoleCreate && t.op.Method == "POST" && !t.keyed }

// demands are the conditions that a write of a role carries unless the document
// says otherwise.
func (t *tagged) demands() []Field {
	switch t.role {
	case RoleUpdate, RoleDelete, RoleAction:
		return []Field{IfMatch}
	case RoleUpsert:
		return []Field{IfMatch, IfNoneMatch}
	case RoleCreate:
		if t.op.Method == "PUT" {
			return []Field{IfNoneMatch}
		}
	}
	return []Field{}
}

// require decides which conditions a write must carry. What a place further up
// demands and this operation cannot use is replaced by its own default, never
// dropped: a write must not become unguarded by inheritance.
func (r *reader) require(t *tagged, p *ETag) {
	own, explicit := t.etag.settings["require"]
	if t.reads() {
		if explicit && len(own.value.([]Field)) > 0 {
			r.list.Add(own.from.Pos, diag.RuleRequire, "remove require", "x-etag.require on %s: a read demands no condition", t.name())
		}
		p.Require = Value[[]Field]{V: []Field{}}
		return
	}
	if !p.Require.Set() {
		p.Require.V = t.demands()
		return
	}
	at := p.Require.From.Pos
	fault := func(format string, args ...any) {
		r.list.Add(at, diag.RuleRequire, "require: "+written(t.demands()), format, args...)
	}
	if slices.Contains(p.Require.V, IfUnmodifiedSince) && p.LastModified.V == "" {
		fault("x-etag.require: ifUnmodifiedSince needs a date, and x-etag of resource %s has no lastModified", t.resource)
		return
	}
	why := t.unusable(p.Require.V)
	switch {
	case why == "":
	case explicit:
		fault("x-etag.require of %s: %s", t.name(), why)
	default:
		p.Require = Value[[]Field]{V: t.demands()}
	}
}

// unusable says why an operation cannot demand these conditions; empty: it can.
func (t *tagged) unusable(require []Field) string {
	switch {
	case len(require) == 0:
		return ""
	case t.collects():
		return "its path does not name the resource, so nothing can be compared"
	case t.role == RoleCreate && !slices.Equal(require, []Field{IfNoneMatch}):
		return "a create can only demand ifNoneMatch, because nothing may exist yet"
	case t.role != RoleCreate && t.role != RoleUpsert && slices.Equal(require, []Field{IfNoneMatch}):
		return "If-None-Match: * holds only where nothing exists, and " + string(t.role) + " needs something"
	}
	return ""
}
