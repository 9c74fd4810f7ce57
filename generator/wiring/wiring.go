// Package wiring writes the typed glue between the user's Service, the code of
// oapi-codegen and the runtime: declarations only, so that every rule lives in
// the runtime once. It prints a plan and decides nothing.
package wiring

import (
	"bytes"
	"fmt"
	"path"

	"github.com/dave/jennifer/jen"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/goapi"
	"github.com/idemgen/idemgen/generator/plan"
)

// Import paths of what generated code uses.
const (
	modulePath  = "github.com/idemgen/idemgen"
	runtimePath = modulePath + "/runtime"
	etagPath    = runtimePath + "/etag"
)

// Generate writes the wiring of a package as a formatted Go file. Version names
// idemgen's release. It reports names that clash with oapi-codegen's, at the
// schema that locate finds for a Go name.
func Generate(api *plan.API, code *goapi.Result, version string, locate func(name string) diag.Pos) ([]byte, diag.List) {
	w := &writer{api: api, code: code, version: version, file: jen.NewFile(api.Package)}
	w.prepare()
	errs := plan.CheckDeclared(append(api.Identifiers(), w.constructors()...), code.Declared, locate)
	errs = append(errs, w.keyTypes()...)
	errs = append(errs, w.swaps()...)
	if errs.Errors() > 0 {
		errs.Sort()
		return nil, errs
	}
	w.header()
	w.handshake()
	w.service()
	for i := range api.Resources {
		w.resource(&api.Resources[i])
	}
	for i := range w.operations {
		w.results(&w.operations[i])
	}
	w.policies()
	w.adapter()
	w.decorator()
	w.handler()
	var b bytes.Buffer
	if err := w.file.Render(&b); err != nil {
		errs.Add(diag.Pos{File: api.Source}, diag.RuleName, "report this to the authors of idemgen", "the wiring does not format: %v", err)
		return nil, errs
	}
	return groupImports(b.Bytes()), nil
}

// writer holds what the sections share.
type writer struct {
	api        *plan.API
	code       *goapi.Result
	version    string
	file       *jen.File
	operations []operation
	resources  map[string]*plan.Resource
	keys       map[string]map[string]string // resource, parameter: Go type
	states     map[string]string            // resource that is changed with driver: cas: Go type
}

// operation is a planned operation with the shape that oapi-codegen gave it.
type operation struct {
	*plan.Operation
	resource  *plan.Resource // nil without x-etag
	params    []goapi.Param  // after the writer and the request
	responses []response     // x-etag only
	swapped   *response      // driver: cas only: its success
}

// response is a declared response of an operation with x-etag. A constructor
// makes the explicit 2xx; the others implement the sealed result themselves.
type response struct {
	goapi.Response
	constructor string
}

// prepare joins the plan with oapi-codegen's result.
func (w *writer) prepare() {
	w.resources = map[string]*plan.Resource{}
	for i := range w.api.Resources {
		w.resources[w.api.Resources[i].Name] = &w.api.Resources[i]
	}
	methods := map[string]goapi.Method{}
	for _, m := range w.code.Methods {
		methods[m.Name] = m
	}
	for i := range w.api.Operations {
		o := operation{Operation: &w.api.Operations[i]}
		o.params = methods[o.Name].Params
		if o.Precondition != nil {
			o.resource = w.resources[o.Precondition.Resource]
			o.responses = responses(o.Name, w.code.Responses[o.Name])
		}
		w.operations = append(w.operations, o)
	}
	w.file.ImportAlias(runtimePath, "idem")
	w.file.ImportName(etagPath, "etag")
	for _, i := range w.code.Imports {
		if i.Name != "" {
			w.file.ImportAlias(i.Path, i.Name)
		} else {
			w.file.ImportName(i.Path, goapi.ImportName(i))
		}
	}
}

// responses names the constructors of an operation: by status, and by what
// oapi-codegen calls the media type where a status has several.
func responses(op string, list []goapi.Response) []response {
	perStatus := map[string]int{}
	for _, r := range list {
		perStatus[r.Status]++
	}
	var out []response
	for _, r := range list {
		named := response{Response: r}
		if len(r.Status) == 3 && r.Status[0] == '2' {
			named.constructor = op + r.Status
			if perStatus[r.Status] > 1 {
				named.constructor += r.Tag
			}
		}
		out = append(out, named)
	}
	return out
}

// constructors returns the names of all constructors.
func (w *writer) constructors() []plan.Identifier {
	var list []plan.Identifier
	for _, o := range w.operations {
		for _, r := range o.responses {
			if r.constructor != "" {
				list = append(list, plan.Identifier{
					Name: r.constructor, Of: "operation " + o.ID, Pos: o.Pos.Pos, Fix: "give the operation another operationId",
				})
			}
		}
	}
	return list
}

// keyTypes learns the Go types of the key parameters and reports those that
// differ between operations.
func (w *writer) keyTypes() diag.List {
	var errs diag.List
	w.keys = map[string]map[string]string{}
	for _, o := range w.operations {
		if o.resource == nil || !o.Precondition.Keyed {
			continue
		}
		types := w.keys[o.resource.Name]
		if types == nil {
			types = map[string]string{}
			w.keys[o.resource.Name] = types
		}
		for i, p := range o.PathParams {
			if !isKey(o.resource, p.Name) {
				continue
			}
			if t, known := types[p.Name]; known && t != o.params[i].Type {
				errs.Add(o.Pos.Pos, diag.RuleResource, "give the parameter the same schema on every path",
					"resource %s: the key parameter %s has the Go type %s here and %s on another path", o.resource.Name, p.Name, o.params[i].Type, t)
				continue
			}
			types[p.Name] = o.params[i].Type
		}
	}
	return errs
}

func isKey(r *plan.Resource, param string) bool {
	for _, k := range r.Key {
		if k.Name == param {
			return true
		}
	}
	return false
}

func (w *writer) header() {
	w.file.HeaderComment(fmt.Sprintf("// Code generated by idemgen v%s from %s. DO NOT EDIT.", w.version, path.Base(w.api.Source)))
}

// handshake ties the file to a runtime that can serve it.
func (w *writer) handshake() {
	f := w.file
	f.Comment("// If this line does not compile, the runtime in go.mod is older than this file:")
	f.Comment(fmt.Sprintf("// go get %s@v%s, or generate again with the idemgen of your go.mod.", modulePath, w.version))
	f.Const().Id("_").Op("=").Qual(runtimePath, "SupportsGeneratedV1")
	f.Line()
}
