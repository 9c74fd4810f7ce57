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
// methods of its own, and gets those of JSON.
func (f *file) faithful() []edit {
	coded := map[string]bool{} // types with methods for JSON
	for _, d := range f.tree.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == "UnmarshalJSON" { // never without the other
			coded[receiver(fn)] = true
		}
	}
	var edits []edit
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
	return edits
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
