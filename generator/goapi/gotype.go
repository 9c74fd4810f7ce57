package goapi

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/source"
)

// goTypes checks the Go types that the author of a document chose, which
// oapi-codegen writes as they are.
func goTypes(doc *source.Document) diag.List {
	var errs diag.List
	doc.Extensions("x-go-type", func(n source.Node) {
		if t, err := parser.ParseExpr(n.Text()); n.Kind() != source.String || err != nil || !isType(t) {
			errs.Add(n.Pos(), diag.RuleOapiCodegen, "x-go-type: time.Duration", "x-go-type must be a Go type, not %q", n.Text())
		}
	})
	errs.Sort()
	return errs
}

// strangers reports the packages that such a type names and nothing imports. A
// type without a package may be in a file of the user's.
func strangers(doc *source.Document, missing []string) diag.List {
	var errs diag.List
	if len(missing) == 0 {
		return errs
	}
	doc.Extensions("x-go-type", func(n source.Node) {
		t, err := parser.ParseExpr(n.Text())
		if err != nil {
			return
		}
		ast.Inspect(t, func(part ast.Node) bool {
			if name := qualifier(part); slices.Contains(missing, name) {
				errs.Add(n.KeyPos(), diag.RuleOapiCodegen, "x-go-type-import: {path: example.com/"+name+"}",
					"x-go-type: nothing imports the package %s of %s", name, n.Text())
			}
			return true
		})
	})
	return errs
}

// missing lists the packages that a file names and does not import: what is declared
// nowhere and stands before a dot.
func (f *file) missing(imports []Import) []string {
	known := map[string]bool{}
	for _, i := range imports {
		known[ImportName(i)] = true
	}
	var list []string
	for _, id := range f.tree.Unresolved {
		if !known[id.Name] && strings.HasPrefix(f.code[f.offset(id.End()):], ".") {
			known[id.Name] = true
			list = append(list, id.Name)
		}
	}
	return list
}

// qualifier is what stands before the dot; empty elsewhere.
func qualifier(n ast.Node) string {
	if s, ok := n.(*ast.SelectorExpr); ok {
		if id, ok := s.X.(*ast.Ident); ok {
			return id.Name
		}
	}
	return ""
}

// isType reports whether an expression can be a type.
func isType(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return !token.IsKeyword(e.Name)
	case *ast.SelectorExpr:
		_, ok := e.X.(*ast.Ident)
		return ok
	case *ast.StarExpr:
		return isType(e.X)
	case *ast.ArrayType:
		return isType(e.Elt)
	case *ast.MapType:
		return isType(e.Key) && isType(e.Value)
	case *ast.IndexExpr:
		return isType(e.X) && isType(e.Index)
	case *ast.IndexListExpr:
		return isType(e.X) && !slices.ContainsFunc(e.Indices, func(a ast.Expr) bool { return !isType(a) })
	case *ast.StructType, *ast.InterfaceType, *ast.FuncType, *ast.ChanType:
		return true
	}
	return false
}
