package goapi

import (
	"fmt"
	"go/ast"
	"maps"
	"slices"
	"strings"
)

// faithful returns the edits after which a type that is made of another one has its
// JSON. Go leaves the methods behind: of a body that is a union nothing could be
// decoded, and members that the schema does not name would be lost on the way, in both
// directions. A body becomes another name of its type, with all methods; an answer has
// methods of its own, and gets those of JSON. Coded are the types that have them then.
func (f *file) faithful() (edits []edit, coded map[string]bool) {
	coded = map[string]bool{}
	for _, d := range f.tree.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == "UnmarshalJSON" { // never without the other
			coded[receiver(fn)] = true
		}
	}
	names := slices.Sorted(maps.Keys(f.types))
	for again := true; again; { // one that is made of one that is made of another
		again = false
		for _, name := range names {
			spec := f.types[name]
			of, ok := spec.Type.(*ast.Ident)
			if !ok || coded[name] || !coded[of.Name] {
				continue
			}
			coded[name], again = true, true
			switch {
			case spec.Assign.IsValid():
			case strings.HasSuffix(name, "RequestBody"):
				at := f.offset(spec.Type.Pos())
				edits = append(edits, edit{at, at, "= "})
			default:
				edits = append(edits, edit{len(f.code), len(f.code), fmt.Sprintf(`
func (t %[1]s) MarshalJSON() ([]byte, error) { return %[2]s(t).MarshalJSON() }

func (t *%[1]s) UnmarshalJSON(b []byte) error { return (*%[2]s)(t).UnmarshalJSON(b) }
`, name, of.Name)})
			}
		}
	}
	return edits, coded
}

// sent returns what stands before and after an answer where the whole of it is
// written. One that is made of a type of another package is converted to that, whose
// methods cannot be seen here: a time would be sent as {}. Of a shared answer that is
// no object its value is taken: JSON would make an object with its name.
func (f *file) sent(name string, coded map[string]bool) (before, after string) {
	if coded[name] {
		return "", ""
	}
	switch t := f.under(name).(type) {
	case *ast.SelectorExpr:
		return f.text(t) + "(", ")"
	case *ast.StructType:
		shared := f.shared(t)
		if _, object := f.under(shared).(*ast.StructType); shared == "" || coded[shared] || object {
			return "", ""
		}
		before, after = f.sent(shared, coded)
		return before, "." + shared + after
	}
	return "", ""
}

// shared is the type of the file that a struct consists of; empty: there is none.
func (f *file) shared(s *ast.StructType) string {
	if len(s.Fields.List) == 1 && len(s.Fields.List[0].Names) == 0 {
		if id, ok := s.Fields.List[0].Type.(*ast.Ident); ok && f.types[id.Name] != nil {
			return id.Name
		}
	}
	return ""
}

// receiver is the name of the type that a method is of; empty: a function.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	t := fn.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}
