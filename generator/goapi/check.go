package goapi

import (
	"regexp"
	"slices"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/source"
)

// check compares the code with the plan and finds what would not compile.
func check(doc *source.Document, api *plan.API, parts components, r *Result) diag.List {
	var errs diag.List
	add := func(pos diag.Pos, fix, format string, args ...any) {
		errs.Add(pos, diag.RuleOapiCodegen, fix, refused+format, args...)
	}
	methods := map[string]Method{}
	for _, m := range r.Methods {
		methods[m.Name] = m
	}
	for _, o := range api.Operations {
		m, ok := methods[o.Name]
		delete(methods, o.Name)
		switch {
		case !ok:
			add(o.Pos.Pos, "report this to the authors of idemgen", "it wrote no method %s for %s", o.Name, o.ID)
		case len(m.Params) < len(o.PathParams):
			add(o.Pos.Pos, "declare every parameter of the path template", "the method %s lacks a path parameter", o.Name)
		case sameParam(m) != "":
			add(o.Pos.Pos, "rename one of the two path parameters", "two path parameters get the Go name %s", sameParam(m))
		default:
			if p := shadowing(m, len(o.PathParams), servers[api.Router].name); p != "" {
				add(o.Pos.Pos, "rename the path parameter", "the path parameter %s has the name of a variable in its code", p)
			}
		}
	}
	for _, m := range r.Methods {
		if _, left := methods[m.Name]; left {
			add(rootPos(doc), "use one of the methods get, put, post, delete, options, head, patch and trace",
				"it wrote a method %s for an operation that idemgen does not know", m.Name)
		}
	}
	errs = append(errs, strangers(doc, r.missing)...)
	named := placesOf(doc, api, parts)
	for _, name := range twice(r.Declared) {
		at := named.mentioned(name)
		if at == named[""] {
			at = named.begins(name)
		}
		add(at, "rename one of the two with x-go-name, or set always-prefix-enum-values or resolve-type-name-collisions under oapi-codegen",
			"two things get the Go name %s", name)
	}
	errs.Sort()
	return errs
}

// theirVariables are names that every generated method uses for itself.
var theirVariables = []string{
	"w", "r", "err", "params", "siw", "sh", "handler", "request", "response", "context", "fmt", "http", "runtime",
}

// shadowing returns the first path parameter whose name the generated method
// already uses, be it that of the router's package.
func shadowing(m Method, n int, router string) string {
	for _, p := range m.Params[:n] {
		if p.Name == router || slices.Contains(theirVariables, p.Name) {
			return p.Name
		}
	}
	return ""
}

// sameParam returns a name that two parameters of a method have, if there is one.
func sameParam(m Method) string {
	seen := map[string]bool{}
	for _, p := range m.Params {
		if seen[p.Name] {
			return p.Name
		}
		seen[p.Name] = true
	}
	return ""
}

// rootPos is the beginning of the document.
func rootPos(doc *source.Document) diag.Pos {
	return diag.Pos{File: doc.Files[0].Name, Line: 1, Col: 1}
}

var word = regexp.MustCompile(`[\pL\pN_./{}~-]+`)

// places maps what a document names, also by its Go name, to where it is written.
type places map[string]diag.Pos

func placesOf(doc *source.Document, api *plan.API, parts components) places {
	p := places{"": rootPos(doc)}
	components := doc.Files[0].Root.Get("components")
	for _, collection := range []string{"requestBodies", "parameters", "responses", "schemas"} {
		for _, c := range components.Get(collection).Entries() {
			// A component of signs only has no Go name: nothing is named then.
			p[c.Key()], p[plan.GoName(c.Key())] = c.KeyPos(), c.KeyPos()
			if chosen := c.Get("x-go-name").Text(); chosen != "" {
				p[chosen] = c.KeyPos()
			}
		}
	}
	for _, c := range parts {
		if _, taken := p[c.name]; !taken {
			p[c.name], p[plan.GoName(c.name)] = c.pos(doc), c.pos(doc)
		}
	}
	for _, o := range api.Operations {
		for _, name := range []string{o.Path, o.ID, o.Name, o.Name + "Params", o.Name + "JSONBody", o.Name + "JSONRequestBody"} {
			if _, taken := p[name]; !taken {
				p[name] = o.Pos.Pos
			}
		}
	}
	return p
}

var ofSchema = regexp.MustCompile(`schema "([^"]+)"`)

// mentioned returns the place of the schema that a message names, or of the longest
// name in it, else of the document.
func (p places) mentioned(message string) diag.Pos {
	if m := ofSchema.FindStringSubmatch(message); m != nil {
		if at, ok := p[m[1]]; ok {
			return at
		}
	}
	best := ""
	for _, w := range word.FindAllString(message, -1) {
		w = strings.Trim(w, ".")
		if _, ok := p[w]; ok && len(w) > len(best) {
			best = w
		}
	}
	return p[best]
}

// begins returns the place of the longest name that a derived one begins with,
// else of the document.
func (p places) begins(derived string) diag.Pos {
	best := ""
	for name := range p {
		if strings.HasPrefix(derived, name) && len(name) > len(best) {
			best = name
		}
	}
	return p[best]
}

// remedy suggests what to do about a message of oapi-codegen.
func remedy(message string) string {
	switch {
	case strings.Contains(message, "duplicate typename"):
		return "rename one of the two with x-go-name, or set resolve-type-name-collisions under oapi-codegen"
	case strings.Contains(message, "x-go-name"):
		return "x-go-name: Name"
	case strings.Contains(message, "may not contain"):
		return "leave the character out, or the operations that use it: operations: {exclude: […]} in idemgen.yaml"
	case strings.Contains(message, "positional parameters"):
		return "declare every parameter of the path template, in the path item or the operation"
	}
	return ""
}
