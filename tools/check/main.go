// Check runs the analyzers of go vet and of staticcheck for several operating
// systems, from source.
//
//	go run -C tools ./check -C .. [-os linux,windows,darwin] [packages]
//
// `GOOS=windows go vet` does the same work but compiles every dependency for
// windows first, the SQLite driver among them, because it reads their types from
// what the compiler writes. Here dependencies are parsed and type-checked without
// the bodies of their functions, which takes a tenth of the time.
package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/analysis/suite/vet"
	"golang.org/x/tools/go/packages"
	"honnef.co/go/tools/analysis/lint"
	"honnef.co/go/tools/simple"
	"honnef.co/go/tools/staticcheck"
)

func main() {
	systems := flag.String("os", "linux,windows,darwin", "operating systems, separated by commas")
	dir := flag.String("C", ".", "directory of the module")
	flag.Parse()
	patterns := flag.Args()
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	var findings []string
	for goos := range strings.SplitSeq(*systems, ",") {
		found, err := check(*dir, goos, patterns)
		if err != nil {
			fmt.Fprintf(os.Stderr, "check for %s: %v\n", goos, err)
			os.Exit(2)
		}
		findings = append(findings, found...)
	}
	if len(findings) > 0 {
		fmt.Fprintln(os.Stdout, strings.Join(findings, "\n"))
		os.Exit(1)
	}
}

// check returns what is found in the packages of dir when they are built for
// goos, one line each. A file is looked at twice, with its tests and without.
func check(dir, goos string, patterns []string) ([]string, error) {
	list, err := load(dir, goos, patterns)
	if err != nil {
		return nil, err
	}
	graph, err := checker.Analyze(analyzers(), list, nil)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, act := range graph.Roots {
		if act.Err != nil {
			return nil, fmt.Errorf("%s: %s: %w", act.Package.ID, act.Analyzer.Name, act.Err)
		}
		for _, d := range act.Diagnostics {
			if foreign(act.Package.Fset.Position(d.Pos).Filename) && !slices.Contains(vet.Suite, act.Analyzer) {
				continue
			}
			found = append(found, fmt.Sprintf("%s: %s (%s, %s)", act.Package.Fset.Position(d.Pos), d.Message, act.Analyzer.Name, goos))
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// foreign reports whether the text of a file is oapi-codegen's: vet's findings in
// it are mistakes of the view that it was given, staticcheck's are its own taste.
func foreign(file string) bool { return filepath.Base(file) == "api.gen.go" }

// analyzers returns those of go vet, and of staticcheck all that are on by
// default and look for mistakes (SA) or needless code (S).
func analyzers() []*analysis.Analyzer {
	list := slices.Clone(vet.Suite)
	for _, suite := range [][]*lint.Analyzer{staticcheck.Analyzers, simple.Analyzers} {
		for _, a := range suite {
			if !a.Doc.NonDefault {
				list = append(list, a.Analyzer)
			}
		}
	}
	return list
}

// load type-checks the packages, their tests, and all that they import.
func load(dir, goos string, patterns []string) ([]*packages.Package, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	own := func(file string) bool { return strings.HasPrefix(file, root+string(filepath.Separator)) }
	list, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps |
			packages.NeedTypes | packages.NeedTypesSizes | packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedModule,
		Dir:   root,
		Env:   append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0"),
		Tests: true,
		ParseFile: func(fset *token.FileSet, name string, src []byte) (*ast.File, error) {
			file, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
			if file != nil && !own(name) && !terminates(name) {
				removeBodies(file)
			}
			return file, err
		},
	}, patterns...)
	if err != nil {
		return nil, err
	}
	// The main packages of tests are in the build cache, not ours.
	list = slices.DeleteFunc(list, func(p *packages.Package) bool { return !slices.ContainsFunc(p.CompiledGoFiles, own) })
	var broken []string
	packages.Visit(list, nil, func(p *packages.Package) {
		if !slices.ContainsFunc(p.CompiledGoFiles, own) {
			// Without bodies imports are unused, and init functions are wrong.
			p.Errors, p.IllTyped = nil, false
			return
		}
		p.IllTyped = false
		for _, e := range p.Errors {
			broken = append(broken, e.Error())
		}
	})
	if len(broken) > 0 {
		slices.Sort(broken)
		broken = slices.Compact(broken)
		return nil, fmt.Errorf("the packages do not compile:\n%s", strings.Join(broken, "\n"))
	}
	return list, nil
}

// terminates reports whether a file is of a package whose functions are known
// not to return, such as testing's Fatal: that is seen in their bodies.
func terminates(file string) bool {
	return slices.Contains([]string{"log", "os", "runtime", "testing"}, filepath.Base(filepath.Dir(file)))
}

func removeBodies(file *ast.File) {
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			f.Body = nil
		}
	}
}
