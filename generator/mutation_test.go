package generator_test

import (
	"bytes"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/diag"
)

// TestMutations damages good documents in one place at a time: a node is
// deleted, given twice, renamed or replaced by another kind of value. Whatever
// is left either generates or is refused with places, and so does every other
// command. Plain runs take a sample; IDEMGEN_MUTATIONS=all takes all of them.
func TestMutations(t *testing.T) {
	for name, files := range goodDocuments(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mutated(t, "openapi.yaml", files, routerOf(name))
		})
	}
}

// TestMutations_Overlay damages the overlay of a document.
func TestMutations_Overlay(t *testing.T) {
	mutated(t, "overlay.yaml", goodDocuments(t)["overlay"], routerOf("overlay"))
}

// TestMutations_Config damages a configuration.
func TestMutations_Config(t *testing.T) {
	const name = generator.ConfigName
	const content = `version: 1
packages:
  - spec: openapi.yaml
    overlays: [overlay.yaml]
    router: std
    operations: {annotated: true, include: [createInvoice], exclude: [deleteInvoice], paths: [/invoices*]}
    oapi-codegen: {skip-prune: true, resolve-type-name-collisions: false, always-prefix-enum-values: true, on-unsupported: skip}
    output: {dir: api, package: api, contract-test: false}
lint:
  disable: [{rule: IDM101, reason: the gateway deduplicates}]
`
	files := goodDocuments(t)["overlay"]
	if config, list := generator.ParseConfig(name, []byte(content)); config == nil {
		t.Fatal(list)
	}
	for _, m := range sampled(t, []byte(content)) {
		t.Run(m.what, func(t *testing.T) {
			files[name] = m.content(t)
			config, list := generator.ParseConfig(name, files[name])
			if config == nil && list.Errors() == 0 {
				t.Error("neither a configuration nor errors")
			}
			fit(t, list, files)
			if config == nil || list.Errors() > 0 {
				return
			}
			_, list = generator.Open(config, reading(files))
			list = slices.DeleteFunc(list, func(d diag.Diagnostic) bool { return d.Rule == diag.RuleMissingFile }) // its place is its name
			fit(t, list, files)
		})
	}
}

// goodDocuments are the files of the golden cases and of the example, by name.
func goodDocuments(t *testing.T) map[string]map[string][]byte {
	t.Helper()
	documents, err := filepath.Glob(filepath.Join(casesDir, "[^b]*", "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	documents = append(documents, filepath.Join("..", "examples", "petstore", "openapi.yaml"))
	all := map[string]map[string][]byte{}
	for _, document := range documents {
		dir := filepath.Dir(document)
		files := map[string][]byte{}
		for _, pattern := range []string{"*.yaml", "parts/*.yaml"} {
			names, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				if files[filepath.ToSlash(strings.TrimPrefix(name, dir+string(filepath.Separator)))], err = os.ReadFile(name); err != nil {
					t.Fatal(err)
				}
			}
		}
		all[filepath.Base(dir)] = files
	}
	return all
}

func reading(files map[string][]byte) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if content, ok := files[name]; ok {
			return content, nil
		}
		return nil, fs.ErrNotExist
	}
}

// mutated damages one of the files, and judges what every stage makes of it.
func mutated(t *testing.T, name string, files map[string][]byte, router string) {
	t.Helper()
	config := &generator.Config{Version: 1, Packages: []generator.Package{{
		Spec: "openapi.yaml", Router: router, Output: generator.Output{Dir: "out", Package: "out"},
	}}}
	if _, ok := files["overlay.yaml"]; ok {
		config.Packages[0].Overlays = []string{"overlay.yaml"}
	}
	before := maps.Clone(files)
	project, list := generator.Open(config, reading(before))
	if list.Errors() > 0 {
		t.Fatal(list)
	}
	policies := project.Packages()[0].Policies
	for _, m := range sampled(t, before[name]) {
		t.Run(m.what, func(t *testing.T) {
			files[name] = m.content(t)
			generated(t, config, files)
			surfaces(t, config, files, policies)
		})
	}
}

// generated judges the generation of a package.
func generated(t *testing.T, config *generator.Config, files map[string][]byte) {
	t.Helper()
	project, list := generator.Open(config, reading(files))
	var out []generator.File
	if project != nil {
		var more []generator.File
		more, found := generator.Generate(project)
		out, list = more, append(list, found...)
		list.Sort()
	}
	if len(out) == 0 && list.Errors() == 0 {
		t.Error("neither files nor errors")
	}
	if len(out) > 0 && list.Errors() > 0 {
		t.Errorf("%d files beside %d errors", len(out), list.Errors())
	}
	fit(t, list, files)
	for _, f := range out {
		if _, err := parser.ParseFile(token.NewFileSet(), f.Name, f.Content, parser.SkipObjectResolution); err != nil {
			t.Error(err)
		}
	}
}

// mutation is one damage to a document.
type mutation struct {
	what    string
	content func(*testing.T) []byte
}

// replacements are one value of each kind.
var replacements = []string{"null", "true", "12", "1.5", "text", "''", "[]", "{}", "[{}]", "{text: 1}", "-1"}

// sampled lists the damages of a document that this run is to try.
func sampled(t *testing.T, content []byte) []mutation {
	t.Helper()
	all := mutations(t, content)
	if os.Getenv("IDEMGEN_MUTATIONS") == "all" {
		return all
	}
	random := rand.New(rand.NewPCG(1, uint64(len(content))))
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(25, len(all))]
}

// mutations lists every damage to a document. Each is done when its content is
// asked for, and undone again.
func mutations(t *testing.T, content []byte) []mutation {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(content, &doc); err != nil {
		t.Fatal(err)
	}
	var all []mutation
	add := func(what string, damage func() (undo func())) {
		all = append(all, mutation{what, func(t *testing.T) []byte {
			t.Helper()
			defer damage()()
			var b bytes.Buffer
			if err := yaml.NewEncoder(&b).Encode(&doc); err != nil {
				t.Fatal(err)
			}
			return b.Bytes()
		}})
	}
	var walk func(at string, n *yaml.Node)
	walk = func(at string, n *yaml.Node) {
		step := 1
		if n.Kind == yaml.MappingNode {
			step = 2
		}
		before := n.Content
		with := func(content []*yaml.Node) func() func() {
			return func() func() {
				n.Content = content
				return func() { n.Content = before }
			}
		}
		for i := 0; i < len(before); i += step {
			name := fmt.Sprint(i)
			if step == 2 {
				name = before[i].Value
			}
			here := at + "/" + name
			add(here+" deleted", with(append(append([]*yaml.Node{}, before[:i]...), before[i+step:]...)))
			add(here+" twice", with(append(append([]*yaml.Node{}, before[:i+step]...), before[i:]...)))
			if step == 2 {
				key := before[i].Value
				add(here+" renamed", func() func() {
					before[i].Value = key + "é x"
					return func() { before[i].Value = key }
				})
			}
			value := before[i+step-1]
			for _, text := range replacements {
				var other yaml.Node
				if err := yaml.Unmarshal([]byte(text), &other); err != nil {
					t.Fatal(err)
				}
				add(here+" is "+text, func() func() {
					before[i+step-1] = other.Content[0]
					return func() { before[i+step-1] = value }
				})
			}
			walk(here, value)
		}
	}
	walk("", doc.Content[0])
	return all
}
