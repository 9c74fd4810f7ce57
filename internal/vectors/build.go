package vectors

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"text/template"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/diag"
)

// Package is a generated package, or the reason why there is none.
type Package struct {
	*Document
	Name  string // by content, so that the compiler's cache knows it again
	files map[string][]byte
}

// ErrNotAvailable is wrapped by the error of a document that asks for something
// that idemgen refuses by name because it is not built yet.
var ErrNotAvailable = errors.New("not available yet")

// Generate makes a package of a document on a router, for the sequences' server.
func Generate(doc *Document, router string) (*Package, error) {
	return generate(doc, router, func(name string, files [][]byte) ([]byte, error) { return Adapter(name, doc.Stores, files) })
}

// generate makes a package of a document, with a file that makes it serve.
func generate(doc *Document, router string, adapt func(name string, files [][]byte) ([]byte, error)) (*Package, error) {
	sum := sha256.Sum256(doc.Content)
	name := router + hex.EncodeToString(sum[:6])
	config := &generator.Config{Version: 1, Packages: []generator.Package{{
		Spec: "openapi.json", Router: router, Output: generator.Output{Dir: ".", Package: name},
	}}}
	project, list := generator.Open(config, func(string) ([]byte, error) { return doc.Content, nil })
	if err := failure(list); err != nil {
		return nil, err
	}
	files, list := generator.Generate(project)
	if err := failure(list); err != nil {
		return nil, err
	}
	p := &Package{Document: doc, Name: name, files: map[string][]byte{}}
	var sources [][]byte
	for _, f := range files {
		p.files[filepath.Base(f.Name)] = f.Content
		sources = append(sources, f.Content)
	}
	adapter, err := adapt(name, sources)
	if err != nil {
		return nil, err
	}
	p.files["vectors.go"] = adapter
	return p, nil
}

// failure makes one error of the errors in a list. Where all of them say that
// something is not available yet, so does it.
func failure(list diag.List) error {
	var errs []error
	available := false
	for _, d := range list {
		if d.Severity != diag.Error {
			continue
		}
		errs = append(errs, fmt.Errorf("%v: %s: %s", d.Pos, d.Rule, d.Message))
		available = available || d.Rule != diag.RuleNotAvailable
	}
	if errs != nil && !available {
		errs = append(errs, ErrNotAvailable)
	}
	return errors.Join(errs...)
}

// linked is where the packages and their main stand, by way of an overlay:
// within the module, so that its requirements are theirs, and never on disk.
const linked = "internal/vectors/linked"

// Link compiles packages into one server of sequences.
func Link(ctx context.Context, root, directory string, packages []*Package, race bool) (binary string, err error) {
	return link(ctx, root, directory, packages, mainTemplate, race)
}

// link compiles packages into one server. The template writes its main from the
// packages' names.
func link(ctx context.Context, root, directory string, packages []*Package, main *template.Template, race bool) (binary string, err error) {
	overlay := map[string]string{}
	put := func(name string, content []byte) error {
		file := filepath.Join(directory, filepath.FromSlash(name))
		overlay[filepath.Join(root, filepath.FromSlash(linked), filepath.FromSlash(name))] = file
		return errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, content, 0o644))
	}
	names := map[string]bool{}
	for _, p := range packages {
		names[p.Name] = true
		for name, content := range p.files {
			err = errors.Join(err, put(p.Name+"/"+name, content))
		}
	}
	var source bytes.Buffer
	err = errors.Join(err, main.Execute(&source, slices.Sorted(maps.Keys(names))), put("main.go", source.Bytes()))
	if err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		return "", err
	}
	config := filepath.Join(directory, "overlay.json")
	if err := os.WriteFile(config, replace, 0o644); err != nil {
		return "", err
	}
	binary = filepath.Join(directory, "server.exe")                                  // a name that every system runs
	args := []string{"build", "-overlay", config, "-o", binary, "-ldflags", "-s -w"} // symbols take half of the linking
	if race {
		args = append(args, "-race")
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+linked)...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build of the generated packages: %w\n%s", err, out)
	}
	return binary, nil
}
