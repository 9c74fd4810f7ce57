package policy

import (
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/source"
)

// shown reports whether the 2xx body of readers shows the version.
func (d *Definition) shown() bool {
	return d.Strategy.V != StrategyHandler && !d.Computed()
}

// Computed reports whether tags are made of the bytes that a read sends, so that
// there is no version for anybody to handle.
func (d *Definition) Computed() bool { return d.Strategy.V == StrategyContentHash && !d.Field.Set() }

// checkVersion finds the version, and where there is one the date, in the 2xx
// body of each reader and takes the version's type from there.
func (r *reader) checkVersion(res *resource) {
	derived, at := VersionType(""), diag.Pos{}
	for _, t := range res.users {
		if t.op.Method != "GET" || !t.reads() {
			continue
		}
		bodies := r.bodies(t)
		if len(bodies) == 0 && (t.policy.shown() || t.policy.LastModified.V != "") {
			r.list.Add(t.annotation(), diag.RuleVersionField, t.off(),
				"%s reads resource %s and has no 2xx JSON body that shows the version", t.name(), res.Name)
		}
		for _, m := range bodies {
			if t.policy.LastModified.V != "" {
				r.date(t, m)
			}
			if !t.policy.shown() {
				continue
			}
			found, pos := r.version(t, m)
			if derived == "" {
				derived, at = found, pos
			} else if found != "" && found != derived {
				r.list.Add(m.Pos, diag.RuleVersionField, "give the member one type in all readers", "the version of resource %s is %s in one reader and %s in %s", res.Name, derived, found, t.name())
			}
		}
	}
	for _, t := range res.users {
		switch {
		case t.policy.Type.Set():
		case t.policy.shown():
			t.policy.Type = Value[VersionType]{derived, Origin{Pos: at}}
		default:
			t.policy.Type = Value[VersionType]{V: TypeString}
		}
	}
}

// bodies are the JSON bodies of an operation's 2xx answers.
func (r *reader) bodies(t *tagged) []source.Media {
	var all []source.Media
	for _, response := range r.doc.Responses(t.op) {
		for _, m := range response.Content {
			if response.Success() && jsonType(m.Type) && m.Schema != "" {
				all = append(all, m)
			}
		}
	}
	return all
}

// member finds a required, non-null member of a reader's body. What is wrong
// with it is reported at the value that names it or, where that is a default, at
// the annotation.
func (r *reader) member(t *tagged, name string, pointer Value[string], body source.Media, what, like string) (m source.Member, ok bool) {
	at := t.annotation()
	if pointer.Set() {
		at = pointer.From.Pos
	}
	leaf := pointer.V[strings.LastIndexByte(pointer.V, '/')+1:]
	m, found := r.doc.Member(body.Schema, pointer.V)
	switch {
	case !found:
		fix := leaf + ": " + like + " # in properties, and in required"
		if near, ok := diag.Nearest(pointer.V, pointers(r.doc.Members(body.Schema))); ok {
			fix = name + ": " + near
		}
		r.list.Add(at, diag.RuleVersionField, fix, "x-etag.%s: the 2xx body of %s has no member %s", name, t.name(), pointer.V)
		return m, false
	case m.Array:
		r.list.Add(t.annotation(), diag.RuleVersionField, t.off(), "x-etag.%s: %s of %s passes through an array", name, pointer.V, t.name())
		return m, false
	case !m.Required:
		r.list.Add(m.Pos, diag.RuleVersionField, "required: ["+leaf+"]", "%s holds the %s of resource %s and must be required", pointer.V, what, t.resource)
	case m.Nullable:
		r.list.Add(m.Pos, diag.RuleVersionField, leaf+": {type: "+m.Type+"}", "%s holds the %s of resource %s and must not be null", pointer.V, what, t.resource)
	}
	return m, true
}

// date checks the modification date in one body.
func (r *reader) date(t *tagged, body source.Media) {
	m, ok := r.member(t, "lastModified", t.policy.LastModified, body, "date", dateSchema)
	if ok && (m.Type != "string" || m.Format != "date-time") {
		leaf := t.policy.LastModified.V[strings.LastIndexByte(t.policy.LastModified.V, '/')+1:]
		r.list.Add(m.Pos, diag.RuleVersionField, leaf+": "+dateSchema,
			"%s holds the date of resource %s and must be a string (date-time), not %s", t.policy.LastModified.V, t.resource, describe(m))
	}
}

const (
	dateSchema    = "{type: string, format: date-time}"
	versionSchema = "{type: integer, format: int64}"
)

// version checks the version field of one body and returns its type, empty when
// something is wrong with it, and where it is declared.
func (r *reader) version(t *tagged, body source.Media) (VersionType, diag.Pos) {
	field := t.policy.Field.V
	like := versionSchema
	if t.policy.Strategy.V == StrategyUpdatedAt {
		like = dateSchema
	}
	m, ok := r.member(t, "field", t.policy.Field, body, "version", like)
	if !ok {
		return "", m.Pos
	}
	leaf := field[strings.LastIndexByte(field, '/')+1:]
	found := versionType(m)
	if given := t.policy.Type; given.Set() {
		if found == given.V || given.V == TypeString && m.Type == "string" {
			return given.V, m.Pos
		}
		r.list.Add(given.From.Pos, diag.RuleVersionField, "remove type", "x-etag.type: %s does not fit %s of %s, which is %s", given.V, field, t.name(), describe(m))
		return "", m.Pos
	}
	dated := t.policy.Strategy.V == StrategyUpdatedAt
	switch {
	case dated && found != TypeTimestamp:
		r.list.Add(m.Pos, diag.RuleVersionField, leaf+": "+dateSchema,
			"%s holds the version of resource %s with strategy updatedAt and must be a string (date-time), not %s", field, t.resource, describe(m))
		return "", m.Pos
	case !dated && found == TypeTimestamp:
		r.list.Add(m.Pos, diag.RuleVersionField, "strategy: updatedAt # in x-etag of resource "+t.resource,
			"%s holds the version of resource %s as a date-time, which is the strategy updatedAt", field, t.resource)
		return "", m.Pos
	case found == "":
		r.list.Add(m.Pos, diag.RuleVersionField, leaf+": "+versionSchema,
			"%s holds the version of resource %s and must be an integer (int64) or a string, not %s", field, t.resource, describe(m))
	}
	return found, m.Pos
}

// versionType is the type that a schema asks for; empty: none.
func versionType(m source.Member) VersionType {
	switch m.Type {
	case "integer":
		if m.Format == "" || m.Format == "int64" || m.Format == "int32" {
			return TypeInt64
		}
	case "string":
		switch m.Format {
		case "uuid":
			return TypeUUID
		case "date-time":
			return TypeTimestamp
		}
		return TypeString
	}
	return ""
}

func describe(m source.Member) string {
	switch {
	case m.Type == "":
		return "without a type"
	case m.Format == "":
		return m.Type
	}
	return m.Type + " (" + m.Format + ")"
}
