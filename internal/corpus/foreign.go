package main

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/source"
)

// repairs are overlays for documents that are wrong as they come, such as one with a
// reference to nothing: what somebody writes who does not own the document.
//
//go:embed repairs
var repairs embed.FS

const (
	overlayName  = "<annotations>"
	proposalName = "<proposal>"
	repairName   = "<repair>"
)

// foreign is a document of others with the overlays on it.
type foreign struct {
	name, router string
	texts        map[string][]byte // by name, also of the overlays
	repaired     bool
}

// openForeign reads a document, and what repairs it if there is something.
func openForeign(in settings, name string) (*foreign, error) {
	content, err := os.ReadFile(filepath.Join(in.dir, name))
	if err != nil {
		return nil, err
	}
	f := &foreign{name: name, router: in.router, texts: map[string][]byte{name: content}}
	if repair, err := repairs.ReadFile("repairs/" + name + ".yaml"); err == nil {
		f.texts[repairName], f.repaired = repair, true
	}
	return f, nil
}

func (f *foreign) read(name string) ([]byte, error) {
	text, ok := f.texts[name]
	if !ok {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	return text, nil
}

// overlays are the names of those in use, with the last one if it has a text.
func (f *foreign) overlays(last string) []string {
	var names []string
	if f.repaired {
		names = append(names, repairName)
	}
	if f.texts[last] != nil {
		names = append(names, last)
	}
	return names
}

// load reads the document as it is meant.
func (f *foreign) load() (*source.Document, diag.List) {
	return source.Load(f.name, f.read, f.overlays("")...)
}

// config is that of a package without some operations.
func (f *foreign) config(overlay string, excluded []string) *generator.Config {
	p := generator.Package{
		Spec: f.name, Router: f.router, Overlays: f.overlays(overlay), Output: generator.Output{Dir: ".", Package: "generated"},
		OapiCodegen: generator.OapiCodegen{Skip: true},
	}
	for _, id := range excluded {
		p.Operations.Exclude = append(p.Operations.Exclude, generator.Name{Text: id})
	}
	return &generator.Config{Version: 1, Packages: []generator.Package{p}}
}
