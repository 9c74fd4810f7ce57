package wiring

import (
	"bytes"
	"go/ast"
	"go/parser"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/idemgen/idemgen/generator/goapi"
)

// goType returns a type of oapi-codegen's file with the imports that it needs.
func (w *writer) goType(expr string) jen.Code {
	e, err := parser.ParseExpr(expr)
	if err != nil {
		return jen.Id(expr)
	}
	return w.typeOf(e, expr)
}

func (w *writer) typeOf(e ast.Expr, text string) jen.Code {
	switch t := e.(type) {
	case *ast.Ident:
		return jen.Id(t.Name)
	case *ast.StarExpr:
		return jen.Op("*").Add(w.typeOf(t.X, text))
	case *ast.ArrayType:
		if t.Len == nil {
			return jen.Index().Add(w.typeOf(t.Elt, text))
		}
	case *ast.MapType:
		return jen.Map(w.typeOf(t.Key, text)).Add(w.typeOf(t.Value, text))
	case *ast.SelectorExpr:
		if pkg, ok := t.X.(*ast.Ident); ok {
			return jen.Qual(w.importPath(pkg.Name), t.Sel.Name)
		}
	}
	return jen.Id(text)
}

// importPath returns the path of the package that oapi-codegen's file calls
// name.
func (w *writer) importPath(name string) string {
	for _, i := range w.code.Imports {
		if goapi.ImportName(i) == name {
			return i.Path
		}
	}
	return name
}

// groupImports puts the standard library first, as goimports would.
func groupImports(src []byte) []byte {
	head, rest, ok := bytes.Cut(src, []byte("import (\n"))
	if !ok {
		return src
	}
	block, tail, ok := bytes.Cut(rest, []byte("\n)\n"))
	if !ok {
		return src
	}
	var std, other []string
	for line := range strings.SplitSeq(string(block), "\n") {
		if strings.Contains(line, ".") {
			other = append(other, line)
		} else {
			std = append(std, line)
		}
	}
	groups := strings.Join(std, "\n")
	if len(std) > 0 && len(other) > 0 {
		groups += "\n\n"
	}
	groups += strings.Join(other, "\n")
	return []byte(string(head) + "import (\n" + groups + "\n)\n" + string(tail))
}
