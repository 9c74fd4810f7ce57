package generator_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/idemgen/idemgen/generator"
)

// TestGenerate_RealSpecs annotates the unsafe operations of published
// descriptions, generates a server from each, and compiles them all. The
// directory is named by IDEMGEN_CORPUS; without it, and without a shared
// checkout beside the module, there is nothing to read.
func TestGenerate_RealSpecs(t *testing.T) {
	dir := os.Getenv("IDEMGEN_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "specs")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("set IDEMGEN_CORPUS to a directory of OpenAPI documents to generate from them")
	}
	names := []string{
		"oai-petstore.yaml", "oai-petstore-expanded.yaml", "oai-tictactoe.yaml", "oai-callback-example.yaml",
		"swagger-petstore.yaml", "adyen-recurring.json", "paypal-payouts-v1.json",
	}
	overlay := map[string]string{}
	build := []string{"build", "-overlay", filepath.Join(t.TempDir(), "overlay.json")}
	keyed := 0
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		annotated, n := annotate(t, name, data)
		keyed += n
		pkg := strings.NewReplacer("-", "", ".json", "", ".yaml", "").Replace(name)
		config := &generator.Config{Version: 1, Packages: []generator.Package{{
			Spec: pkg + ".yaml", Output: generator.Output{Dir: pkg, Package: pkg}, Router: "std",
		}}}
		project, list := generator.Open(config, func(string) ([]byte, error) { return annotated, nil })
		if project == nil {
			t.Errorf("%s: %v", name, list)
			continue
		}
		files, list := generator.Generate(project)
		if list.Errors() > 0 {
			t.Errorf("%s: %v", name, list)
			continue
		}
		for i, f := range files {
			file := filepath.Join(t.TempDir(), filepath.Base(f.Name))
			if err := os.WriteFile(file, f.Content, 0o600); err != nil {
				t.Fatal(err)
			}
			shown, err := filepath.Abs(filepath.Join("testdata", "specs", pkg, filepath.Base(files[i].Name)))
			if err != nil {
				t.Fatal(err)
			}
			overlay[shown] = file
		}
		build = append(build, "./testdata/specs/"+pkg)
	}
	if built := len(build) - 3; built < 5 || keyed == 0 {
		t.Fatalf("%d documents with %d annotated operations, want at least 5", built, keyed)
	}
	config, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(build[2], config, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", build...).CombinedOutput(); err != nil {
		t.Errorf("go build: %v\n%s", err, out)
	}
}

// annotate puts x-idempotency on every POST, PUT, PATCH and DELETE and returns
// how many there are. Operations that nobody must authenticate for are public.
func annotate(t *testing.T, name string, data []byte) ([]byte, int) {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	secured := member(doc.Content[0], "security") != nil
	keyed := 0
	paths := member(doc.Content[0], "paths")
	for i := 1; i < len(paths.Content); i += 2 {
		item := paths.Content[i]
		for j := 0; j+1 < len(item.Content); j += 2 {
			if !slices.Contains([]string{"post", "put", "patch", "delete"}, item.Content[j].Value) {
				continue
			}
			op := item.Content[j+1]
			text := "x-idempotency: {public: true}"
			if security := member(op, "security"); security == nil && secured || security != nil && len(security.Content) > 0 {
				text = "x-idempotency: required"
			}
			var extension yaml.Node
			if err := yaml.Unmarshal([]byte(text), &extension); err != nil {
				t.Fatal(err)
			}
			op.Content = append(op.Content, extension.Content[0].Content...)
			op.Style = 0
			keyed++
		}
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	if err := encoder.Encode(&doc); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return out.Bytes(), keyed
}

// member returns the value of a key in a mapping node, or nil.
func member(node *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}
