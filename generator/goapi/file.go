package goapi

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/scanner"
	"go/token"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// file is the code that oapi-codegen wrote, parsed.
type file struct {
	fset  *token.FileSet
	tree  *ast.File
	code  string
	types map[string]*ast.TypeSpec // package-level, by name
	open  map[string]bool          // types of other packages that are interfaces, with their package
}

func parseFile(code string) (*file, error) {
	fset := token.NewFileSet()
	// Identifiers are resolved, because an import is unused when its name only
	// occurs as a parameter.
	tree, err := parser.ParseFile(fset, "api.gen.go", code, parser.ParseComments)
	if err != nil {
		return nil, notGo(code, err)
	}
	f := &file{fset: fset, tree: tree, code: code, types: map[string]*ast.TypeSpec{}}
	for _, d := range tree.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE {
			for _, s := range g.Specs {
				spec := s.(*ast.TypeSpec)
				f.types[spec.Name.Name] = spec
			}
		}
	}
	return f, nil
}

func (f *file) offset(p token.Pos) int { return int(p - f.tree.FileStart) }

// notGo explains that code does not parse: with the line, because it has the
// name that went wrong.
func notGo(code string, err error) error {
	var list scanner.ErrorList
	if !errors.As(err, &list) || len(list) == 0 {
		return fmt.Errorf("it wrote code that is not Go: %w", err)
	}
	lines := strings.Split(code, "\n")
	line := lines[min(list[0].Pos.Line, len(lines))-1]
	return fmt.Errorf("it wrote code that is not Go: %s in %q", list[0].Msg, strings.TrimSpace(line))
}

// formatted returns the file without the imports that it does not use and with
// another header; nothing of no file. goimports would search the disk for the same
// result.
func (f *file) formatted(header string) ([]byte, error) {
	if f == nil {
		return nil, nil
	}
	clause := "package " + f.tree.Name.Name + "\n"
	head, err := format.Source([]byte(header + "\n" + clause + f.imports()))
	if err != nil {
		return nil, fmt.Errorf("it wrote imports that are not Go: %w", err)
	}
	// What is below the imports is printed from the tree, so that it is not parsed
	// once more.
	var body bytes.Buffer
	if err := format.Node(&body, f.fset, f.body()); err != nil {
		return nil, fmt.Errorf("it wrote code that is not Go: %w", err)
	}
	return append(head, bytes.TrimPrefix(body.Bytes(), []byte(clause))...), nil
}

// body returns the file without imports, and without the comments above and between
// them.
func (f *file) body() *ast.File {
	body := &ast.File{Package: f.tree.Package, Name: f.tree.Name, Decls: f.tree.Decls, Comments: f.tree.Comments}
	last := f.tree.Name.End()
	for len(body.Decls) > 0 {
		g, ok := body.Decls[0].(*ast.GenDecl)
		if !ok || g.Tok != token.IMPORT {
			break
		}
		body.Decls, last = body.Decls[1:], g.End()
	}
	for len(body.Comments) > 0 && body.Comments[0].Pos() < last {
		body.Comments = body.Comments[1:]
	}
	return body
}

// imports returns the declaration of the imports that the file uses, the standard
// library first; empty: there is none.
func (f *file) imports() string {
	used := map[string]bool{}
	for _, id := range f.tree.Unresolved {
		used[id.Name] = true
	}
	var std, other []string
	for _, spec := range f.tree.Imports {
		switch line, keep := importLine(spec, used); {
		case !keep:
		case strings.Contains(spec.Path.Value, "."):
			other = append(other, line)
		default:
			std = append(std, line)
		}
	}
	if len(std)+len(other) == 0 {
		return ""
	}
	if len(std) > 0 && len(other) > 0 {
		std = append(std, "\n")
	}
	return "\nimport (\n" + strings.Join(append(std, other...), "") + ")\n"
}

// split parts the file where serving begins: models, and what serves them; nil:
// there is nothing of it. Both have all imports, of which each prints its own.
func (f *file) split() (models, server *file, err error) {
	spec := f.types["ServerInterface"]
	if spec == nil {
		return f, nil, nil
	}
	head, cut := 0, 0
	for _, d := range f.tree.Decls {
		g, ok := d.(*ast.GenDecl)
		if ok && g.Tok == token.IMPORT {
			head = f.offset(g.End())
		}
		if ok && len(g.Specs) > 0 && g.Specs[0] == ast.Spec(spec) {
			if cut = f.offset(g.Pos()); g.Doc != nil {
				cut = f.offset(g.Doc.Pos())
			}
		}
	}
	if models, err = parseFile(f.code[:cut]); err != nil {
		return nil, nil, err
	}
	if len(models.types) == 0 {
		models = nil
	}
	server, err = parseFile(f.code[:head] + "\n\n" + f.code[cut:])
	return models, server, err
}

// importLine returns the line of an import and whether the file needs it.
func importLine(spec *ast.ImportSpec, used map[string]bool) (string, bool) {
	name := ImportName(importOf(spec))
	line := "\t" + spec.Path.Value + "\n"
	if spec.Name != nil && spec.Name.Name != "" {
		line = "\t" + spec.Name.Name + " " + spec.Path.Value + "\n"
	}
	return line, used[name] || name == "_" || name == "."
}

func importOf(spec *ast.ImportSpec) Import {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		p = spec.Path.Value
	}
	i := Import{Path: p}
	if spec.Name != nil {
		i.Name = spec.Name.Name
	}
	return i
}

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// ImportName returns the name by which an import is used: its own, or what the
// path suggests.
func ImportName(i Import) string {
	if i.Name != "" {
		return i.Name
	}
	base := path.Base(i.Path)
	if majorVersion.MatchString(base) {
		base = path.Base(path.Dir(i.Path))
	}
	base, _, _ = strings.Cut(base, ".")
	base = strings.TrimPrefix(base, "go-")
	return base
}
