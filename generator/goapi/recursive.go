package goapi

import (
	"go/ast"
	"maps"
	"slices"
)

// unrolled returns the edits after which every type is finite. An alias that leads
// back to itself, as of a list of such lists, becomes a type; a struct that holds
// itself, because its schema requires itself, holds a pointer.
func (f *file) unrolled() []edit {
	aliases, values := map[string][]*ast.Ident{}, map[string][]*ast.Ident{}
	for name, spec := range f.types {
		values[name] = f.held(spec.Type)
		if spec.Assign.IsValid() {
			ast.Inspect(spec.Type, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && f.types[id.Name] != nil && f.types[id.Name].Assign.IsValid() {
					aliases[name] = append(aliases[name], id)
				}
				return true
			})
		}
	}
	withoutEnds(aliases)
	withoutEnds(values)
	var edits []edit
	for _, name := range slices.Sorted(maps.Keys(aliases)) {
		if reaches(aliases, name, name) {
			at := f.offset(f.types[name].Assign)
			edits = append(edits, edit{at, at + 1, ""})
			delete(aliases, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, id := range values[name] {
			if id.Name == name || reaches(values, id.Name, name) {
				at := f.offset(id.Pos())
				edits = append(edits, edit{at, at, "*"})
			}
		}
	}
	return edits
}

// held lists the types of the file that a value of a type holds in itself: not
// behind a pointer, a slice or a map.
func (f *file) held(t ast.Expr) []*ast.Ident {
	var list []*ast.Ident
	switch t := t.(type) {
	case *ast.Ident:
		if f.types[t.Name] != nil {
			list = append(list, t)
		}
	case *ast.StructType:
		for _, field := range t.Fields.List {
			list = append(list, f.held(field.Type)...)
		}
	}
	return list
}

// withoutEnds removes the names from which no way leads on for ever, which is
// nearly all of them.
func withoutEnds(steps map[string][]*ast.Ident) {
	open := map[string]int{} // ways on
	before := map[string][]string{}
	var ends []string
	for name, next := range steps {
		for _, id := range next {
			before[id.Name] = append(before[id.Name], name)
		}
		if open[name] = len(next); len(next) == 0 {
			ends = append(ends, name)
		}
	}
	for name := range before {
		if _, known := steps[name]; !known {
			ends = append(ends, name)
		}
	}
	for len(ends) > 0 {
		name := ends[len(ends)-1]
		ends = ends[:len(ends)-1]
		delete(steps, name)
		for _, previous := range before[name] {
			if open[previous]--; open[previous] == 0 {
				ends = append(ends, previous)
			}
		}
	}
}

// reaches reports whether one or more steps lead from one name to another.
func reaches(steps map[string][]*ast.Ident, from, to string) bool {
	seen := map[string]bool{}
	open := []string{from}
	for len(open) > 0 {
		name := open[len(open)-1]
		open = open[:len(open)-1]
		for _, id := range steps[name] {
			if id.Name == to {
				return true
			}
			if !seen[id.Name] {
				seen[id.Name] = true
				open = append(open, id.Name)
			}
		}
	}
	return false
}
