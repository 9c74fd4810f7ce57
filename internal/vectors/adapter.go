package vectors

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"strings"
	"text/template"
)

// shape is what one method of a generated Service needs to be implemented.
type shape struct {
	Name     string // CreateOrder
	Request  string // CreateOrderRequestObject
	Response string // CreateOrderResponseObject, or the sealed CreateOrderResult
	Visit    string // VisitCreateOrderResponse

	Seal    string // method that seals the result; empty without x-etag
	Version string // type of the version
	Form    string // type of the expectation, without the version
	Write   string // function of the server that takes its expectation; empty: it has none

	Current string // the method reports the present version; type of the key
}

// Adapter writes an implementation of a generated package's Service that does
// what the ledger says, to stand in the same package.
func Adapter(name string, stores []string, files [][]byte) ([]byte, error) {
	a := analysis{
		interfaces: map[string]*ast.InterfaceType{},
	}
	for _, content := range files {
		f, err := parser.ParseFile(token.NewFileSet(), "", content, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		a.collect(f)
	}
	service := a.interfaces["Service"]
	if service == nil {
		return nil, fmt.Errorf("package %s has no interface Service", name)
	}
	var shapes []shape
	for _, m := range service.Methods.List {
		s, err := a.shape(m)
		if err != nil {
			return nil, fmt.Errorf("package %s: Service.%s: %w", name, m.Names[0].Name, err)
		}
		shapes = append(shapes, s)
	}
	var b bytes.Buffer
	err := adapterTemplate.Execute(&b, map[string]any{
		"Package": name, "Methods": shapes, "Stores": stores, "Versioned": versioned(shapes),
	})
	if err != nil {
		return nil, err
	}
	return format.Source(b.Bytes())
}

func versioned(shapes []shape) bool {
	for _, s := range shapes {
		if s.Version != "" {
			return true
		}
	}
	return false
}

// analysis is what the declarations of a generated package say.
type analysis struct {
	interfaces map[string]*ast.InterfaceType
	functions  []*ast.FuncDecl
}

func (a *analysis) collect(f *ast.File) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				a.functions = append(a.functions, d)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				t, ok := spec.(*ast.TypeSpec)
				if !ok {
					continue
				}
				if node, ok := t.Type.(*ast.InterfaceType); ok {
					a.interfaces[t.Name.Name] = node
				}
			}
		}
	}
}

func (a *analysis) shape(m *ast.Field) (shape, error) {
	f, ok := m.Type.(*ast.FuncType)
	if !ok || len(m.Names) != 1 {
		return shape{}, fmt.Errorf("is not a method")
	}
	params, results := types(f.Params), types(f.Results)
	if len(results) != 2 || results[1] != "error" || len(params) < 2 {
		return shape{}, fmt.Errorf("takes %v and returns %v", params, results)
	}
	s := shape{Name: m.Names[0].Name, Request: params[1], Response: results[0]}
	if version, ok := argument(results[0], "etag.Current"); ok && len(params) == 2 {
		s.Current, s.Version = params[1], version
		return s, nil
	}
	object := s.Name + "ResponseObject"
	s.Visit = a.method(object, ast.IsExported)
	if s.Visit == "" {
		return s, fmt.Errorf("%s has no Visit method", object)
	}
	switch {
	case s.Response == object && len(params) == 2:
		return s, nil
	case s.Response == object:
		return s, fmt.Errorf("takes %v without a sealed result", params)
	}
	s.Seal = a.method(s.Response, func(name string) bool { return !ast.IsExported(name) })
	switch {
	case s.Seal == "":
		return s, fmt.Errorf("the result %s is not sealed", s.Response)
	case len(params) == 2:
		s.Version = a.readVersion(s.Response)
	case len(params) == 3:
		for form, write := range writes {
			if version, ok := argument(params[2], "etag."+form); ok {
				s.Version, s.Form, s.Write = version, "etag."+form, write
			}
		}
	}
	if s.Version == "" {
		return s, fmt.Errorf("takes %v, which this harness does not know how to use", params)
	}
	return s, nil
}

// writes are the functions of package server by the form of the expectation that
// they take.
var writes = map[string]string{
	"Match": "Write", "Absent": "Create", "MatchOrAbsent": "Upsert", "MaybeMatch": "MaybeWrite", "MaybeMatchOrAbsent": "MaybeUpsert",
}

// method returns the method of an interface whose name is accepted.
func (a *analysis) method(name string, accept func(string) bool) string {
	t := a.interfaces[name]
	if t == nil {
		return ""
	}
	for _, m := range t.Methods.List {
		if len(m.Names) == 1 && accept(m.Names[0].Name) {
			return m.Names[0].Name
		}
	}
	return ""
}

// readVersion is what the constructors of a read's result take first.
func (a *analysis) readVersion(result string) string {
	for _, f := range a.functions {
		params := types(f.Type.Params)
		if results := types(f.Type.Results); len(results) == 1 && results[0] == result && len(params) > 0 {
			return params[0]
		}
	}
	return ""
}

// types prints the types of a parameter list, one per parameter.
func types(list *ast.FieldList) []string {
	if list == nil {
		return nil
	}
	var all []string
	for _, f := range list.List {
		var b strings.Builder
		_ = format.Node(&b, token.NewFileSet(), f.Type) // a builder does not fail
		for range max(1, len(f.Names)) {
			all = append(all, b.String())
		}
	}
	return all
}

// argument returns the type argument of an instance of generic.
func argument(instance, generic string) (string, bool) {
	rest, ok := strings.CutPrefix(instance, generic+"[")
	if !ok {
		return "", false
	}
	return strings.TrimSuffix(rest, "]"), true
}

var adapterTemplate = template.Must(template.New("adapter").Parse(`package {{.Package}}

import (
	"context"
	"net/http"

	idem "github.com/idemgen/idemgen/runtime"
{{- if .Versioned}}
	"github.com/idemgen/idemgen/runtime/etag"
{{- end}}
	"github.com/idemgen/idemgen/internal/vectors/server"
)

// Vectors serves this package with handlers that do what the ledger says.
func Vectors(w *server.World, options ...idem.Option) (http.Handler, error) {
{{- range .Stores}}
	options = append(options, idem.WithNamedStore({{printf "%q" .}}, w.Store()))
{{- end}}
	return NewHandler(vectorsService{w}, options...)
}

type vectorsService struct{ w *server.World }
{{range .Methods}}
{{if .Current}}
func (s vectorsService) {{.Name}}(ctx context.Context, _ {{.Current}}) (etag.Current[{{.Version}}], error) {
	return server.Current[{{.Version}}](ctx, s.w)
}
{{else}}
type vectors{{.Name}} struct{ visit func(http.ResponseWriter) error }

func (a vectors{{.Name}}) {{.Visit}}(w http.ResponseWriter) error { return a.visit(w) }
{{if not .Seal}}
func (s vectorsService) {{.Name}}(ctx context.Context, _ {{.Request}}) ({{.Response}}, error) {
	a, err := s.w.Run(ctx)
	if err != nil {
		return nil, err
	}
	return vectors{{.Name}}{a.Write}, nil
}
{{else}}
func (vectors{{.Name}}) {{.Seal}}() {}

{{if .Write}}
func (s vectorsService) {{.Name}}(ctx context.Context, _ {{.Request}}, expect {{.Form}}[{{.Version}}]) ({{.Response}}, error) {
	a, err := server.{{.Write}}(ctx, s.w, expect)
	if err != nil {
		return nil, err
	}
	if !a.OK() {
		return vectors{{.Name}}{a.Write}, nil
	}
	return vectors{{.Name}}{idem.Witnessed(a.Applied).With(a.Write)}, nil
}
{{else}}
func (s vectorsService) {{.Name}}(ctx context.Context, _ {{.Request}}) ({{.Response}}, error) {
	a, version, err := server.Read[{{.Version}}](ctx, s.w)
	if err != nil {
		return nil, err
	}
	if !a.OK() {
		return vectors{{.Name}}{a.Write}, nil
	}
	return vectors{{.Name}}{idem.Version(etag.String[{{.Version}}](), version).With(a.Write)}, nil
}
{{end}}{{end}}{{end}}{{end}}`))

var mainTemplate = template.Must(template.New("main").Parse(`// Package main is the server of the vectors.
package main

import (
	"github.com/idemgen/idemgen/internal/vectors/server"
{{range .}}
	"github.com/idemgen/idemgen/internal/vectors/linked/{{.}}"
{{- end}}
)

func main() {
	server.Main(map[string]server.Factory{
{{- range .}}
		"{{.}}": {{.}}.Vectors,
{{- end}}
	})
}
`))
