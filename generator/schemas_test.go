package generator_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/idemgen/idemgen/generator"
)

// The committed schemas are what the tables of members say.
func TestSchemas_Current(t *testing.T) {
	for _, f := range schemas(t) {
		name := filepath.Join("..", filepath.FromSlash(f.Name))
		if *update {
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, f.Content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, f.Content) {
			t.Errorf("%s is not current: run go generate ./generator", f.Name)
		}
	}
}

// The README names the schemas of this release.
func TestSchemas_InReadme(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "/v"+generator.Version+"/schemas/openapi-3.1.schema.json") {
		t.Errorf("README.md does not name the schemas of release %s", generator.Version)
	}
}

func schemas(t *testing.T) []generator.File {
	t.Helper()
	files, err := generator.Schemas()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// OpenAPI's own schemas are not ours to test, and would be fetched.
type anything struct{}

func (anything) Load(string) (any, error) { return map[string]any{}, nil }

func compile(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.UseLoader(anything{})
	for _, f := range schemas(t) {
		if f.Name != "schemas/"+name+".schema.json" {
			continue
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(f.Content))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(name, v); err != nil {
			t.Fatal(err)
		}
		s, err := c.Compile(name)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	t.Fatalf("there is no schema %s", name)
	return nil
}

func parseYAML(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// Every document that generates is accepted, so that an editor never marks what
// is right.
func TestSchemas_AcceptGoldenCases(t *testing.T) {
	cases, err := filepath.Glob("testdata/cases/*/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	combined := compile(t, "openapi-3.1")
	accepted := 0
	for _, name := range cases {
		if strings.Contains(name, "bad-") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := combined.Validate(parseYAML(t, string(text))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		accepted++
	}
	if accepted < 5 {
		t.Errorf("only %d documents were validated", accepted)
	}
}

func TestSchemas(t *testing.T) {
	idempotency, etag, combined := compile(t, "x-idempotency"), compile(t, "x-etag"), compile(t, "openapi-3.0")
	for _, c := range []struct {
		schema *jsonschema.Schema
		text   string
		valid  bool
	}{
		{idempotency, "required", true},
		{idempotency, "true", true},
		{idempotency, "exempted", false},
		{idempotency, "{ttl: 24h, maxWait: 0, replay: {status: 200}, record: {statuses: [2xx, 409]}}", true},
		{idempotency, "{replay: {status: '200', maxResponse: 64KiB}, fingerprint: {maxBody: 4096}}", true},
		{idempotency, "{apply: [post]}", true},
		{idempotency, "{tttl: 24h}", false},
		{idempotency, "{ttl: 24}", false},
		{idempotency, "{ttl: one day}", false},
		{idempotency, "{key: {headre: X}}", false},
		{idempotency, "{key: {maxLength: 256}}", false},
		{idempotency, "{mismatchStatus: 418}", false},
		{idempotency, "{required: 'yes'}", false},
		{idempotency, "null", false},
		{etag, "Pet", true},
		{etag, "pet", false},
		{etag, "{field: /version, require: [ifMatch]}", true},
		{etag, "{require: ifMatch}", false},
		{etag, "{resources: {Pet: {field: /version}}}", true},
		{etag, "{resources: {Pet: {role: read}}}", false},
		{combined, "x-idempotency: {apply: [post]}\npaths: {/a: {x-etag: true, put: {x-idempotency: optional}}}", true},
		{combined, "x-idempotency: required", false},
		{combined, "x-etag: {role: read}", false},
		{combined, "paths: {/a: {x-idempotency: {apply: [post]}}}", false},
		{combined, "paths: {/a: {x-etag: {unsupported: ignore}}}", false},
		{combined, "paths: {/a: {put: {x-etag: {unsupported: ignore}}}}", true},
		{combined, "paths: {/a: {put: {x-idempotency: {tttl: 24h}}}}", false},
		{combined, "paths: {/a: {put: {x-idemgen-ignore: {IDM101: why}, x-idemgen-retry-window: 6h}}}", true},
		{combined, "paths: {/a: {put: {x-idemgen-ignore: {IDM101: ''}}}}", false},
		{combined, "x-idemgen-ignore: [{rule: IDM101}]", false},
	} {
		if err := c.schema.Validate(parseYAML(t, c.text)); (err == nil) != c.valid {
			t.Errorf("%s: valid %v, want %v: %v", c.text, err == nil, c.valid, err)
		}
	}
}
