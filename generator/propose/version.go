package propose

import (
	"slices"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/source"
)

// version is what the GET of a path shows of its resource.
type version struct {
	get      source.Op
	resource string   // Go name
	field    string   // RFC 6901 pointer; empty: only a header shows it
	tagged   bool     // the answer declares an ETag
	demanded bool     // a write of the path declares If-Match
	pos      diag.Pos // of the member in the schema
	proposed bool
}

// versionNames are members that count the changes of a resource, without case
// and separators.
var versionNames = []string{"version", "revision", "rev", "lockversion", "rowversion", "resourceversion", "versionnumber", "etag"}

// version returns what a write can be guarded by; else nil and why not.
func (p *proposer) version(op source.Op) (v *version, why string) {
	if status := p.unfit(op); status != "" {
		return nil, "it declares " + status + ", which leaves x-etag to you"
	}
	v, known := p.versions[op.Path]
	if !known {
		v, why = p.shown(op.Path)
		p.versions[op.Path] = v
	}
	if v == nil && why == "" {
		why = "its GET shows no version to compare"
	}
	return v, why
}

// unfit is a status for which an operation with x-etag has no constructor.
func (p *proposer) unfit(op source.Op) string {
	for _, r := range p.doc.Responses(op) {
		if r.Status == "2XX" {
			return r.Status
		}
	}
	return ""
}

// shown finds the version in the answers of a path's GET.
func (p *proposer) shown(path string) (v *version, why string) {
	i := slices.IndexFunc(p.doc.Ops, func(o source.Op) bool { return o.Path == path && o.Method == "GET" })
	if i < 0 {
		return nil, "the path has no GET that shows a version"
	}
	get := p.doc.Ops[i]
	if status := p.unfit(get); status != "" {
		return nil, "its GET declares " + status + ", which leaves x-etag to you"
	}
	v = &version{get: get, demanded: slices.ContainsFunc(p.doc.Ops, func(o source.Op) bool { return o.Path == path && p.conditional(o) })}
	shown := true
	kind := ""
	for _, r := range p.doc.Responses(get) {
		if !r.Success() {
			continue
		}
		tagged := slices.ContainsFunc(r.Headers, func(h string) bool { return strings.EqualFold(h, "ETag") })
		v.tagged = v.tagged || tagged
		for _, m := range r.Content {
			if !jsonType(m.Type) || m.Schema == "" {
				continue
			}
			field, found := p.member(m.Schema, tagged)
			shown = shown && field != "" && (v.field == "" || field == v.field && found.Type+found.Format == kind)
			v.field, v.pos, kind = field, found.Pos, found.Type+found.Format
			if r.Status == "200" && v.resource == "" {
				v.resource = policy.ResourceName(m.Name)
			}
		}
	}
	switch {
	case shown && v.field != "":
	case v.tagged, v.demanded:
		v.field = "" // the handler says it
	default:
		return nil, ""
	}
	if v.resource == "" {
		v.resource = named(path)
	}
	if !p.free(v.resource, path) {
		return nil, "its resource would be called " + v.resource + ", which is taken"
	}
	p.home[v.resource] = path
	return v, ""
}

// definition is the x-etag of the resource.
func (v *version) definition() string {
	switch v.field {
	case "":
		return "{resource: " + v.resource + ", strategy: handler}"
	case "/version":
		return "{resource: " + v.resource + "}"
	}
	return "{resource: " + v.resource + ", field: " + quoted(v.field) + "}"
}

// reason says why a write is guarded.
func (v *version) reason() string {
	shown := v.field
	switch {
	case v.field == "" && !v.tagged:
		return "If-Match is declared at this path: a write names, in it, the version that it has seen."
	case v.field == "":
		shown = "its ETag"
	}
	return "GET shows the version in " + shown + ": a write names, in If-Match, the one that it has seen."
}

// member finds a version in a schema: a required integer or uuid, or, where the
// answer has an ETag, any required string.
func (p *proposer) member(schema string, tagged bool) (pointer string, found source.Member) {
	for _, name := range p.doc.Members(schema) {
		if !slices.Contains(versionNames, plain(name)) {
			continue
		}
		pointer := "/" + source.EscapeToken(name)
		m, ok := p.doc.Member(schema, pointer)
		if !ok || !m.Required || m.Nullable || m.Array {
			continue
		}
		switch {
		case m.Type == "integer" && (m.Format == "" || m.Format == "int32" || m.Format == "int64"),
			m.Type == "string" && m.Format == "uuid",
			m.Type == "string" && m.Format != "date-time" && tagged:
			return pointer, m
		}
	}
	return "", source.Member{}
}

// free reports whether a path can be the home of a resource: no other path is,
// and the names of its Go types are no schema's.
func (p *proposer) free(resource, path string) bool {
	if resource == "" || !strings.Contains(path, "{") || p.home[resource] != "" {
		return false
	}
	for _, s := range p.doc.Files[0].Root.Get("components").Get("schemas").Entries() {
		switch policy.ResourceName(s.Key()) {
		case resource + "Version", resource + "Key":
			return false
		}
	}
	return true
}

// named makes a resource name of the last fixed segment of a path.
func named(path string) string {
	segments := strings.Split(path, "/")
	for _, s := range slices.Backward(segments) {
		if s != "" && !strings.Contains(s, "{") {
			return policy.ResourceName(s)
		}
	}
	return ""
}
