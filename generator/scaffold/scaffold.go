// Package scaffold fills in the files that a project starts with. They belong
// to the user from then on and are never overwritten.
package scaffold

import (
	"bytes"
	"fmt"
	"go/format"
	"path"
	"slices"
	"strings"
	"text/template"

	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/templates"
)

// Project says what is to be started.
type Project struct {
	Version string // of idemgen, without the v
	Spec    string // document, as the configuration names it
	Dir     string // of the generated package, as the configuration names it
	Package string // Go name of the generated package
	Import  string // import path of the generated package
	Router  string // as the configuration names it; empty: the default
}

// Config returns the configuration file.
func Config(p Project) ([]byte, error) { return fill("idemgen.yaml.tmpl", p) }

// Document returns the sample document.
func Document() ([]byte, error) { return templates.Files.ReadFile("openapi.yaml") }

// Doc returns the doc.go of the generated package, with its go:generate line.
func Doc(p Project) ([]byte, error) { return source("doc.go.tmpl", p) }

// Main returns the program that serves the API.
func Main(p Project) ([]byte, error) {
	return source("main.go.tmpl", imported(p))
}

// operation is what the skeleton needs to know of an operation.
type operation struct {
	Name, ID, Result, Version string
	Expect                    string // type of package etag; empty: none
	State                     string // driver: cas: Go type of what is changed
}

// resource is what the skeleton needs to know of a resource.
type resource struct {
	plan.Resource
	Swapped bool
}

// Service returns an implementation in which every method answers 501.
func Service(p Project, api *plan.API) ([]byte, error) {
	data := struct {
		Project
		Operations []operation
		Resources  []resource
	}{Project: imported(p)}
	for _, r := range api.Resources {
		if r.Keyed && !r.Hashed {
			data.Resources = append(data.Resources, resource{r, api.Swapped(r.Name)})
		}
	}
	for _, o := range api.Operations {
		data.Operations = append(data.Operations, describe(api, o))
	}
	return source("service.go.tmpl", data)
}

func describe(api *plan.API, o plan.Operation) operation {
	op := operation{Name: o.Name, ID: o.ID, Result: o.Name + "ResponseObject"}
	if o.Precondition == nil {
		return op
	}
	op.Result = o.Name + "Result"
	op.Expect = plan.ExpectType(o.Precondition.Expect)
	i := slices.IndexFunc(api.Resources, func(r plan.Resource) bool { return r.Name == o.Precondition.Resource })
	if i >= 0 {
		op.Version = api.Resources[i].Version
		if o.Precondition.Swap {
			op.State = api.Resources[i].State
		}
	}
	return op
}

// imported turns Import into the line of an import block, and Package into the
// name that the importing file uses.
func imported(p Project) Project {
	if slices.Contains([]string{"context", "etag", "flag", "http", "idem", "log", "os", "sql", "sqlite"}, p.Package) {
		p.Package += "api"
	}
	line := fmt.Sprintf("%q", p.Import)
	if path.Base(p.Import) != p.Package {
		line = p.Package + " " + line
	}
	p.Import = line
	return p
}

// source fills in a template of a Go file and formats it.
func source(name string, data any) ([]byte, error) {
	text, err := fill(name, data)
	if err != nil {
		return nil, err
	}
	out, err := format.Source(text)
	if err != nil {
		return nil, fmt.Errorf("format %s: %w", strings.TrimSuffix(name, ".tmpl"), err)
	}
	return out, nil
}

func fill(name string, data any) ([]byte, error) {
	t, err := template.ParseFS(templates.Files, name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return nil, fmt.Errorf("fill in %s: %w", name, err)
	}
	return b.Bytes(), nil
}
