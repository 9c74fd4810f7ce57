package generator_test

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aymanbagabas/go-udiff"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/diag"
)

var update = flag.Bool("update", false, "write the golden files anew")

const casesDir = "testdata/cases"

// A case is a directory with a document and what it must give: want/*.go, with
// warnings.txt when there are some, or stderr.txt when the document has errors.
func cases(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir(casesDir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func isBad(name string) bool {
	_, err := os.Stat(filepath.Join(casesDir, name, "stderr.txt"))
	return err == nil
}

// config is that of a case, with names relative to its directory: its idemgen.yaml,
// or what most cases have.
func config(name string) *generator.Config {
	if text, err := os.ReadFile(filepath.Join(casesDir, name, generator.ConfigName)); err == nil {
		c, errs := generator.ParseConfig(generator.ConfigName, text)
		if errs.Errors() > 0 {
			panic(errs)
		}
		return c
	}
	var overlays []string
	if _, err := os.Stat(filepath.Join(casesDir, name, "overlay.yaml")); err == nil {
		overlays = []string{"overlay.yaml"}
	}
	pkg := generator.Package{
		Spec: "openapi.yaml", Overlays: overlays, Router: "std",
		Output: generator.Output{
			Dir: "want", Package: strings.ReplaceAll(name, "-", ""),
			ContractTest: name == "guarded",
		},
	}
	return &generator.Config{Version: 1, Packages: []generator.Package{pkg}}
}

// routerOf is the router of the first package of a case, which routes its document.
func routerOf(name string) string { return config(name).Packages[0].Router }

func reader(name string) func(string) ([]byte, error) {
	return func(file string) ([]byte, error) {
		return os.ReadFile(filepath.Join(casesDir, name, filepath.FromSlash(file)))
	}
}

// generate runs all stages on a case.
func generate(name string) ([]generator.File, diag.List) {
	project, errs := generator.Open(config(name), reader(name))
	if errs.Errors() > 0 {
		return nil, errs
	}
	files, more := generator.Generate(project)
	return files, append(errs, more...)
}

func TestGenerate_Golden(t *testing.T) {
	for _, name := range cases(t) {
		if isBad(name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files, errs := generate(name)
			warnings := filepath.Join(casesDir, name, "warnings.txt")
			if _, err := os.Stat(warnings); err == nil && errs.Errors() == 0 {
				golden(t, warnings, []byte(text(t, name, errs)))
			} else if len(errs) > 0 {
				t.Fatalf("unexpected findings:\n%s", text(t, name, errs))
			}
			again, _ := generate(name)
			for i, f := range files {
				if !bytes.Equal(f.Content, again[i].Content) {
					t.Errorf("two generations of %s differ:\n%s", f.Name, udiff.Unified("first", "second", string(f.Content), string(again[i].Content)))
				}
				golden(t, filepath.Join(casesDir, name, filepath.FromSlash(f.Name)), f.Content)
			}
		})
	}
}

func TestGenerate_BadInput(t *testing.T) {
	for _, name := range cases(t) {
		if !isBad(name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files, errs := generate(name)
			if len(files) > 0 || errs.Errors() == 0 {
				t.Errorf("got %d files and %d errors, want errors only", len(files), errs.Errors())
			}
			golden(t, filepath.Join(casesDir, name, "stderr.txt"), []byte(text(t, name, errs)))
		})
	}
}

// text prints findings as the command line does.
func text(t *testing.T, name string, errs diag.List) string {
	t.Helper()
	var b bytes.Buffer
	read := reader(name)
	err := diag.Print(&b, errs, func(file string) []byte {
		content, _ := read(path.Clean(file))
		return content
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// golden compares got with a file, or writes the file.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, got, 0o644)); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%s does not exist; run go test ./generator -update and read it", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; if that is right, run go test ./generator -update\n%s", name, udiff.Unified("want", "got", string(want), string(got)))
	}
}
