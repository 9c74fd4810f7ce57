package goapi

import (
	"go/ast"
	"slices"
	"strings"
)

// edit replaces code[from:to] by text.
type edit struct {
	from, to int
	text     string
}

// mended returns code that compiles where oapi-codegen's does not, and reports
// whether it differs. A response type that is an interface, because its schema
// allows anything, becomes a struct with a Body: a Go interface cannot have methods.
// A field that a request has once per media type, such as Body io.Reader, it has once.
// A type that contains itself becomes finite, and one that is made of another has its
// JSON.
func (f *file) mended() (code string, changed bool) {
	edits, coded := f.faithful()
	edits = slices.Concat(f.repeated(), f.unrolled(), edits)
	for _, d := range f.tree.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Recv == nil || len(fn.Recv.List[0].Names) != 1 {
			continue
		}
		_, visits := visited(fn.Name.Name)
		name, isIdent := fn.Recv.List[0].Type.(*ast.Ident)
		if !visits || !isIdent || f.types[name.Name] == nil {
			continue
		}
		before, after := f.sent(name.Name, coded)
		if f.isInterface(name.Name) {
			spec := f.types[name.Name]
			from, to := f.offset(spec.Type.Pos()), f.offset(spec.Type.End())
			edits = append(edits, edit{f.offset(spec.Name.End()), to, " struct{ Body " + f.code[from:to] + " }"})
			before, after = "", ".Body"
		}
		if before+after != "" {
			edits = append(edits, f.around(fn, before, after)...)
		}
	}
	if len(edits) == 0 {
		return f.code, false
	}
	slices.SortFunc(edits, func(a, b edit) int { return b.from - a.from })
	code = f.code
	for _, e := range edits {
		code = code[:e.from] + e.text + code[e.to:]
	}
	return code, true
}

// repeated takes fields out of request structs that an earlier field equals.
func (f *file) repeated() []edit {
	var edits []edit
	for name, spec := range f.types {
		fields, ok := spec.Type.(*ast.StructType)
		if !ok || !strings.HasSuffix(name, "RequestObject") {
			continue
		}
		seen := map[string]bool{}
		for _, field := range fields.Fields.List {
			from, to := f.offset(field.Pos()), f.offset(field.End())
			text := strings.Join(strings.Fields(f.code[from:to]), " ")
			if seen[text] {
				edits = append(edits, edit{from, to, ""})
			}
			seen[text] = true
		}
	}
	return edits
}

// around returns the edits after which a method passes on the whole of its receiver
// with something before and after it.
func (f *file) around(fn *ast.FuncDecl, before, after string) []edit {
	var edits []edit
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if _, selected := n.(*ast.SelectorExpr); selected {
			return false // not the whole
		}
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		for _, arg := range call.Args {
			if id, ok := arg.(*ast.Ident); ok && id.Name == fn.Recv.List[0].Names[0].Name {
				from, to := f.offset(id.Pos()), f.offset(id.End())
				edits = append(edits, edit{from, to, before + id.Name + after})
			}
		}
		return true
	})
	return edits
}

// under returns what a type of the file is made of in the end: no other type of the
// file. Nil: there is no such type.
func (f *file) under(name string) ast.Expr {
	spec := f.types[name]
	for range len(f.types) {
		if spec == nil {
			return nil
		}
		id, ok := spec.Type.(*ast.Ident)
		if !ok || f.types[id.Name] == nil {
			return spec.Type
		}
		spec = f.types[id.Name]
	}
	return nil
}

// isInterface reports whether a type of the file is an interface underneath, as far as
// is known.
func (f *file) isInterface(name string) bool {
	switch t := f.under(name).(type) {
	case *ast.InterfaceType:
		return true
	case *ast.Ident:
		return t.Name == "any"
	case *ast.SelectorExpr:
		return f.open[f.text(t)]
	}
	return false
}
