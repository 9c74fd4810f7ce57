package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// compiledPages are the pages whose Go has to compile. The tutorial's is built
// and run by TestTutorial.
var compiledPages = []string{"../../README.md", docsDir + "/adopting.md", docsDir + "/annotations.md"}

// theBlock is the line of a frame in testdata/docs that a block of a page takes
// the place of.
const theBlock = "// the block\n"

var compiled = regexp.MustCompile("(?ms)^(<!-- compiles: ([a-z]+) -->\n)?```go\n(.*?)^```$")

// TestGoOfPages: every Go block of these pages compiles in the frame that the
// comment above it names.
func TestGoOfPages(t *testing.T) {
	c := newChecker(t)
	used := map[string]bool{}
	for _, file := range compiledPages {
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range compiled.FindAllStringSubmatch(strings.ReplaceAll(string(page), "\r\n", "\n"), -1) {
			name, block := m[2], m[3]
			if name == "" {
				t.Errorf("%s: no comment <!-- compiles: frame --> above\n%s", file, block)
				continue
			}
			used[name] = true
			if err := c.check(frame(t, name), block); err != nil {
				t.Errorf("%s: %s: %v\n%s", file, name, err, block)
			}
		}
	}
	frames, err := filepath.Glob("testdata/docs/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range frames {
		if name := strings.TrimSuffix(filepath.Base(file), ".txt"); !used[name] {
			t.Errorf("%s is the frame of no block", file)
		}
	}
	if c.check(frame(t, "sweep"), "sweeper := idem.SweepRunner{Stores: store}\n_ = sweeper\n") == nil {
		t.Error("a mistake in a block would not be noticed")
	}
}

func frame(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile("testdata/docs/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(content), "\r\n", "\n")
	if strings.Count(text, theBlock) != 1 {
		t.Fatalf("the frame %s has no line %q", name, theBlock)
	}
	return text
}

// checker type-checks files against the packages of this module, as the compiler
// would.
type checker struct {
	fset    *token.FileSet
	imports types.Importer
}

func newChecker(t *testing.T) *checker {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}",
		"./examples/petstore/api", "./examples/petstore/api/idemtest", "./runtime/store/postgres", "./runtime/otelidem", "log", "log/slog", "bytes", "database/sql", "sync",
		"github.com/go-chi/chi/v5", "github.com/go-chi/chi/v5/middleware")
	cmd.Dir = "../.."
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		exports[path] = file
	}
	fset := token.NewFileSet()
	return &checker{fset, importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("%s is not among the packages of this test", path)
		}
		return os.Open(exports[path])
	})}
}

// check returns what is wrong with a block in its frame.
func (c *checker) check(frame, block string) error {
	file, err := parser.ParseFile(c.fset, "block.go", strings.Replace(frame, theBlock, block, 1), parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	var all []error
	config := types.Config{Importer: c.imports, Error: func(err error) { all = append(all, err) }}
	_, _ = config.Check("p", c.fset, []*ast.File{file}, nil) // every error has been collected
	return errors.Join(all...)
}
