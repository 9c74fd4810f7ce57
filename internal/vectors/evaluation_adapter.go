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

// evaluated is what one method of a generated Service needs to be implemented
// for evaluations.
type evaluated struct {
	Name, Request, Response string
	Visit                   string
	Seal                    string // method that seals the result; empty without x-etag
	Version                 string // type of the version
	Expect                  string // type of the expectation
	Answer                  string // function of the evaluator
	Key                     string // the method reports the present version
}

// answers are the functions of package evaluator by the form of the expectation
// that they take.
var answers = map[string]string{
	"Match": "Update", "Unmodified": "UpdateUnmodified", "Absent": "Create", "MatchOrAbsent": "Upsert",
	"MaybeMatch": "MaybeUpdate", "MaybeMatchOrAbsent": "MaybeUpsert",
}

// evaluationAdapter writes an implementation of a generated package's Service
// that keeps one resource, to stand in the same package.
func evaluationAdapter(name string, files [][]byte) ([]byte, error) {
	a := analysis{interfaces: map[string]*ast.InterfaceType{}}
	for _, content := range files {
		f, err := parser.ParseFile(token.NewFileSet(), "", content, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		a.collect(f)
	}
	var methods []evaluated
	for _, m := range a.interfaces["Service"].Methods.List {
		f, ok := m.Type.(*ast.FuncType)
		if !ok {
			return nil, fmt.Errorf("package %s: Service embeds something", name)
		}
		params, results := types(f.Params), types(f.Results)
		e := evaluated{Name: m.Names[0].Name, Request: params[1], Response: results[0]}
		if version, ok := argument(e.Response, "etag.Current"); ok {
			e.Key, e.Version = e.Request, version
			methods = append(methods, e)
			continue
		}
		object := e.Name + "ResponseObject"
		e.Visit = a.method(object, ast.IsExported)
		switch {
		case len(params) == 3:
			form, version, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(params[2], "etag."), "]"), "[")
			if e.Answer = answers[form]; e.Answer == "" {
				return nil, fmt.Errorf("package %s: Service.%s takes %s, which this harness does not know", name, e.Name, params[2])
			}
			e.Expect, e.Version = params[2], version
		case e.Response == object:
			e.Answer = "Plain"
		case e.Name == "ReadThing":
			e.Answer = "Read"
		default:
			e.Answer = "Add"
		}
		if e.Response != object {
			e.Seal = a.method(e.Response, func(name string) bool { return !ast.IsExported(name) })
		}
		methods = append(methods, e)
	}
	var b bytes.Buffer
	if err := evaluationTemplate.Execute(&b, map[string]any{"Package": name, "Methods": methods}); err != nil {
		return nil, err
	}
	return format.Source(b.Bytes())
}

var evaluationTemplate = template.Must(template.New("evaluation").Parse(`package {{.Package}}

import (
	"context"
	"net/http"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"
	"github.com/idemgen/idemgen/internal/vectors/evaluator"
)

// Evaluator serves this package with handlers that keep one resource.
func Evaluator(r *evaluator.Resource, options ...idem.Option) (http.Handler, error) {
	return NewHandler(evaluatorService{r}, options...)
}

type evaluatorService struct{ r *evaluator.Resource }

var _ etag.ETag // not every document has versions
{{range .Methods}}
{{if .Key}}
func (s evaluatorService) {{.Name}}(context.Context, {{.Key}}) (etag.Current[{{.Version}}], error) {
	return evaluator.Current[{{.Version}}](s.r), nil
}
{{else}}
type evaluator{{.Name}} struct{ visit evaluator.Answer }

func (a evaluator{{.Name}}) {{.Visit}}(w http.ResponseWriter) error { return a.visit(w) }
{{if .Seal}}
func (evaluator{{.Name}}) {{.Seal}}() {}
{{end}}
{{if .Expect}}
func (s evaluatorService) {{.Name}}(ctx context.Context, _ {{.Request}}, expect {{.Expect}}) ({{.Response}}, error) {
	a, err := evaluator.{{.Answer}}(s.r, evaluator.Method(ctx), expect)
	if err != nil {
		return nil, err
	}
	return evaluator{{.Name}}{a}, nil
}
{{else}}
func (s evaluatorService) {{.Name}}(ctx context.Context, _ {{.Request}}) ({{.Response}}, error) {
{{- if eq .Answer "Plain"}}
	return evaluator{{.Name}}{evaluator.Plain(s.r, evaluator.Method(ctx))}, nil
{{- else}}
	return evaluator{{.Name}}{evaluator.{{.Answer}}(s.r, etag.String[ThingVersion]())}, nil
{{- end}}
}
{{end}}{{end}}{{end}}`))

// evaluatorMain is the main of a server of evaluations.
var evaluatorMain = template.Must(template.New("main").Parse(`// Package main is the server of the evaluations.
package main

import (
	"github.com/idemgen/idemgen/internal/vectors/evaluator"
{{range .}}
	"github.com/idemgen/idemgen/internal/vectors/linked/{{.}}"
{{- end}}
)

func main() {
	evaluator.Main(map[string]evaluator.Factory{
{{- range .}}
		"{{.}}": {{.}}.Evaluator,
{{- end}}
	})
}
`))
