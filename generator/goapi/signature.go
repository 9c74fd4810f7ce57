package goapi

import (
	"bytes"
	"cmp"
	"go/ast"
	"go/printer"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

// read fills in what the file declares.
func read(f *file, r *Result) {
	for _, d := range f.tree.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.ImportSpec:
					r.Imports = append(r.Imports, importOf(s))
				case *ast.TypeSpec:
					r.Declared = append(r.Declared, s.Name.Name)
				case *ast.ValueSpec:
					for _, n := range s.Names {
						r.Declared = append(r.Declared, n.Name)
					}
				}
			}
		case *ast.FuncDecl:
			if d.Recv == nil {
				r.Declared = append(r.Declared, d.Name.Name)
			}
		}
	}
	slices.Sort(r.Declared)
	r.missing = f.missing(r.Imports)
	r.Methods = f.methods(f.types["ServerInterface"])
	r.Responses = map[string][]Response{}
	for _, d := range f.tree.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Recv == nil {
			continue
		}
		op, ok := visited(fn.Name.Name)
		if name, isIdent := fn.Recv.List[0].Type.(*ast.Ident); ok && isIdent && f.types[name.Name] != nil {
			r.Responses[op] = append(r.Responses[op], f.response(op, name.Name))
		}
	}
}

// visited returns the operation that a Visit method answers.
func visited(method string) (string, bool) {
	op, ok := strings.CutPrefix(method, "Visit")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(op, "Response")
}

// methods returns the methods of an interface, by name.
func (f *file) methods(spec *ast.TypeSpec) []Method {
	if spec == nil {
		return nil
	}
	i, ok := spec.Type.(*ast.InterfaceType)
	if !ok {
		return nil
	}
	var list []Method
	for _, field := range i.Methods.List {
		fn, ok := field.Type.(*ast.FuncType)
		if !ok || len(field.Names) != 1 {
			continue
		}
		m := Method{Name: field.Names[0].Name}
		for _, p := range fn.Params.List {
			for _, name := range p.Names {
				m.Params = append(m.Params, Param{Name: name.Name, Type: f.text(p.Type)})
			}
		}
		m.Params = m.Params[min(2, len(m.Params)):]
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b Method) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

var statusAndTag = regexp.MustCompile(`^(default|[1-5]XX|[1-5][0-9][0-9])(.*?)(?:Response)?$`)

// response describes a response type of an operation.
func (f *file) response(op, name string) Response {
	r := Response{Type: name}
	if m := statusAndTag.FindStringSubmatch(strings.TrimPrefix(name, op)); m != nil {
		r.Status, r.Tag = m[1], m[2]
	}
	spec := f.types[name]
	// An alias stands for the type at its end.
	for spec.Assign.IsValid() {
		id, ok := spec.Type.(*ast.Ident)
		if !ok || f.types[id.Name] == nil {
			return r
		}
		spec = f.types[id.Name]
	}
	switch t := spec.Type.(type) {
	case *ast.Ident, *ast.SelectorExpr:
		r.Kind, r.Body = KindNamed, f.text(t)
	case *ast.StructType:
		f.structResponse(t, &r)
	}
	return r
}

func (f *file) structResponse(t *ast.StructType, r *Response) {
	if t.Fields.NumFields() == 0 {
		r.Kind = KindEmpty
		return
	}
	if len(t.Fields.List) != 1 || len(t.Fields.List[0].Names) != 0 {
		return
	}
	embedded, ok := t.Fields.List[0].Type.(*ast.Ident)
	if !ok || f.types[embedded.Name] == nil || f.types[embedded.Name].Assign.IsValid() {
		return
	}
	switch body := f.types[embedded.Name].Type.(type) {
	case *ast.Ident, *ast.SelectorExpr:
		r.Kind, r.Body, r.Embeds = KindEmbedded, f.text(body), embedded.Name
	}
}

// text prints an expression.
func (f *file) text(e ast.Expr) string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, token.NewFileSet(), e); err != nil {
		return ""
	}
	return b.String()
}
