package plan

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/source"
)

// Target says what is to be generated.
type Target struct {
	Package string // Go package name
	Source  string // base name of the OpenAPI document
	Router  string // name of one of [Routers]; empty: the first
	// Select tells why an operation is left out; empty: it is not. Nil selects
	// every operation.
	Select func(source.Op, *policy.Operation) (reason string)
	ByTag  bool // Service embeds an interface per tag
}

// Build makes the plan of a document. The policies may be incomplete when the
// policy stage reported errors; it is planned all the same, so that one run
// reports everything. The API is complete only when neither list has an error.
// Whether Go code can be made of it, [Check] tells.
func Build(doc *source.Document, policies *policy.Document, target Target) (*API, diag.List) {
	var errs diag.List
	chosen := router(target.Router)
	api := &API{
		Format: Format, Package: target.Package, Source: target.Source, Router: chosen.Name,
		Resources: []Resource{}, Operations: []Operation{},
	}
	for _, r := range policies.Resources {
		api.Resources = append(api.Resources, resource(r))
	}
	byPointer := map[string]*policy.Operation{}
	for i := range policies.Operations {
		byPointer[policies.Operations[i].Op.Pointer] = &policies.Operations[i]
	}
	for _, op := range doc.Ops {
		p := byPointer[op.Pointer]
		if target.Select != nil {
			if reason := target.Select(op, p); reason != "" {
				api.LeftOut = append(api.LeftOut, LeftOut{Pos{op.Pos}, ID(op), op.Method, op.Path, reason})
				continue
			}
		}
		o := operation(doc, op, chosen)
		if target.ByTag && len(op.Tags) > 0 {
			o.Part = part(api, op, &errs)
		}
		if p != nil {
			o.Idempotency = idempotency(p.Idempotency, o.Responses)
			o.Precondition = precondition(p.ETag, o, &errs)
			state(doc, op, o.Precondition, api.Resources)
			if o.Precondition == nil {
				o.OwnPreconditions = ownPreconditions(doc.Parameters(op))
				o.IgnorePreconditions = p.Unsupported.V == policy.UnsupportedIgnore
			}
		}
		o.order = len(api.Operations)
		api.Operations = append(api.Operations, o)
	}
	if len(api.LeftOut) > 0 {
		api.Resources = slices.DeleteFunc(api.Resources, func(r Resource) bool {
			return !slices.ContainsFunc(api.Operations, func(o Operation) bool { return o.Precondition != nil && o.Precondition.Resource == r.Name })
		})
	}
	slices.SortFunc(api.Operations, func(a, b Operation) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
	slices.SortFunc(api.LeftOut, func(a, b LeftOut) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
	slices.SortFunc(api.Resources, func(a, b Resource) int { return cmp.Compare(a.Name, b.Name) })
	linkReaders(api)
	linkParts(api)
	errs.Sort()
	return api, errs
}

// ID names an operation: by its operationId, else as "METHOD /template".
func ID(op source.Op) string { return cmp.Or(op.ID, op.Method+" "+op.Path) }

// operation plans what does not depend on annotations.
func operation(doc *source.Document, op source.Op, on *Router) Operation {
	o := Operation{
		Pos: Pos{op.Pos}, ID: ID(op),
		Name:   operationName(op.ID, op.Method, op.Path),
		Method: op.Method, Path: op.Path, Pattern: on.pattern(op.Method, op.Path),
		Summary: firstLine(op.Summary), Deprecated: op.Deprecated, Public: op.Public,
		PathParams: pathParams(op.Path),
	}
	requirements, _ := doc.Security(op)
	for _, r := range requirements {
		alternative := Security{}
		for scheme, scopes := range r {
			alternative[scheme] = append([]string{}, scopes...)
		}
		o.Security = append(o.Security, alternative)
	}
	for _, r := range doc.Responses(op) {
		o.Responses = append(o.Responses, Response{Status: r.Status, Headers: canonical(r.Headers)})
		o.Streaming = o.Streaming || slices.ContainsFunc(r.Content, streams)
	}
	slices.SortFunc(o.Responses, func(a, b Response) int { return cmp.Compare(a.Status, b.Status) })
	return o
}

// state names what the GET of a resource shows.
func state(doc *source.Document, op source.Op, p *Precondition, resources []Resource) {
	if p == nil || p.Role != string(policy.RoleRead) || op.Method != http.MethodGet {
		return
	}
	i := slices.IndexFunc(resources, func(r Resource) bool { return r.Name == p.Resource && r.State == "" })
	if i < 0 {
		return
	}
	for _, r := range doc.Responses(op) {
		if r.Status == "200" && len(r.Content) == 1 && r.Content[0].Name != "" {
			resources[i].State = GoName(r.Content[0].Name)
		}
	}
}

// streams reports whether a media type is sent piece by piece.
func streams(m source.Media) bool {
	t, _, _ := strings.Cut(m.Type, ";")
	switch strings.ToLower(strings.TrimSpace(t)) {
	case "text/event-stream", "application/jsonl", "application/x-ndjson":
		return true
	}
	return false
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(line)
}

// canonical returns field names in canonical form, ascending, each once.
func canonical(names []string) []string {
	var list []string
	for _, name := range names {
		list = append(list, http.CanonicalHeaderKey(name))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// ownPreconditions returns the precondition fields among the parameters.
func ownPreconditions(params []source.Parameter) []string {
	var list []string
	for _, p := range params {
		if p.In == "header" && slices.Contains(PreconditionFields, http.CanonicalHeaderKey(p.Name)) {
			list = append(list, p.Name)
		}
	}
	return canonical(list)
}

// PreconditionFields are the request fields that x-etag takes over.
var PreconditionFields = []string{"If-Match", "If-None-Match", "If-Unmodified-Since"}

// linkReaders sets the path that a refused client is sent to, of the GET that
// reads the resource or else the operation's own, and marks the resources that
// some operation finds by key.
func linkReaders(api *API) {
	readers := map[string]string{}
	for _, o := range api.Operations {
		p := o.Precondition
		if p != nil && p.Role == string(policy.RoleRead) && o.Method == http.MethodGet && p.Keyed && readers[p.Resource] == "" {
			readers[p.Resource] = o.Path
		}
	}
	for i := range api.Resources {
		r := &api.Resources[i]
		r.Keyed = slices.ContainsFunc(api.Operations, func(o Operation) bool {
			return o.Precondition != nil && o.Precondition.Keyed && o.Precondition.Resource == r.Name
		})
	}
	for _, o := range api.Operations {
		if o.Precondition != nil {
			o.Precondition.ReadPath = cmp.Or(readers[o.Precondition.Resource], o.Path)
		}
	}
}
