package plan

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/idemgen/idemgen/generator/diag"
)

// templateParam matches a parameter of a path template, as oapi-codegen does.
var templateParam = regexp.MustCompile(`{[.;?]?([^{}*]+)\*?}`)

// pathParams returns the parameters of a path template, each once.
func pathParams(path string) []Param {
	var list []Param
	seen := map[string]bool{}
	for _, m := range templateParam.FindAllStringSubmatch(path, -1) {
		if name := m[1]; !seen[name] {
			seen[name] = true
			list = append(list, Param{Name: name, Field: GoName(name)})
		}
	}
	return list
}

// wildcard returns the wildcard name for a parameter: what Go does not allow in
// an identifier becomes an underscore.
func wildcard(name string) string {
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsLetter(r) && (i == 0 || !unicode.IsNumber(r)) {
			runes[i] = '_'
		}
	}
	return string(runes)
}

// checkRoutes reports the operations that the router of an API cannot route. The
// operations are in the order of the document: of two that do not go together
// the later one is reported.
func checkRoutes(api *API, errs *diag.List) {
	chosen := router(api.Router)
	var ops []*Operation
	for i := range api.Operations {
		op := &api.Operations[i]
		if message, fix := unaskable(op.Path); message != "" {
			errs.Add(op.Pos.Pos, diag.RuleRoute, fix, message, op.Path)
			continue
		}
		ops = append(ops, op)
	}
	alternative := chosen.alternatives(ops)
	for _, r := range chosen.refusals(ops) {
		fix := chosen.remedy(r.op.Path)
		if r.other != nil || r.reason == kept {
			fix = "change a literal segment of one of the two paths, so that no request fits both or one path is more specific"
		}
		if other := alternative(r.op); other != "" {
			fix = "set router: " + other + ", which routes it, or " + fix
		}
		if r.other != nil {
			errs.Add(r.op.Pos.Pos, diag.RuleRoute, fix, "%s cannot route both %s and %s (%s): %s",
				chosen.Title, r.op.Pattern, r.other.Pattern, r.other.Pos, r.reason)
			continue
		}
		errs.Add(r.op.Pos.Pos, diag.RuleRoute, fix, "%s cannot route %s: %s", chosen.Title, r.op.Pattern, r.reason)
	}
}

// remedy says how to write a path that the router cannot route, whatever else
// there is.
func (r *Router) remedy(path string) string {
	literal := templateParam.ReplaceAllString(path, "")
	params := templateParam.FindAllStringSubmatch(path, -1)
	switch {
	case !strings.HasPrefix(path, "/"):
		return "begin the path with a slash: /" + path
	case len(pathParams(path)) < len(params):
		return "give each parameter of the path a name of its own"
	case r.Means != "" && strings.ContainsAny(literal, r.Means):
		return "write the path without " + r.Means
	case slices.ContainsFunc(params, func(m []string) bool { return strings.Contains(m[1], ":") }):
		return "name the parameter without a colon"
	case strings.Contains(path, "//"):
		return "write the path without an empty segment"
	case strings.Contains(literal, "%"):
		return "write the path with the characters that % stands for"
	}
	return "write the path so that each parameter is a whole segment, such as /files/{name}"
}

// unaskable says, with a verb for the path, why no request has it.
func unaskable(path string) (message, fix string) {
	if strings.ContainsAny(templateParam.ReplaceAllString(path, ""), "{}") {
		return "the path %s has a brace without its counterpart", "close each parameter: /files/{name}"
	}
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		return "no request has the path %s: describe what follows it as query parameters", path[:i] + ":"
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return "no request has the path %s: clients resolve its dots", "write the path without dots"
		}
	}
	return "", ""
}

// alternatives returns a function that names the first other router which routes
// an operation among all of an API; empty: none.
func (r *Router) alternatives(ops []*Operation) func(op *Operation) string {
	tried := map[*Router][]refusal{}
	return func(op *Operation) string {
		for i := range Routers {
			other := &Routers[i]
			if other == r {
				continue
			}
			if _, known := tried[other]; !known {
				tried[other] = other.refusals(ops)
			}
			if !slices.ContainsFunc(tried[other], func(f refusal) bool { return f.op == op }) {
				return other.Name
			}
		}
		return ""
	}
}
