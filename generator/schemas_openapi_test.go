package generator_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

// openAPI is a directory with the schemas of OpenAPI itself.
type openAPI string

func (dir openAPI) Load(url string) (any, error) {
	for _, version := range []string{"3.0", "3.1"} {
		f, err := os.Open(filepath.Join(string(dir), version+".json"))
		if err != nil {
			return nil, err
		}
		v, err := jsonschema.UnmarshalJSON(f)
		f.Close()
		if err != nil {
			return nil, err
		}
		if o := v.(map[string]any); o["$id"] == url || o["id"] == url {
			return v, nil
		}
	}
	return nil, fmt.Errorf("%s is another schema than that of tools/node", url)
}

// Together with the schemas of OpenAPI itself, ours accept every document that
// generates, and refuse what is wrong in either of them.
func TestSchemas_WithOpenAPI(t *testing.T) {
	dir := openAPI(os.Getenv("IDEMGEN_OPENAPI"))
	if dir == "" {
		t.Skip("set IDEMGEN_OPENAPI to a directory with OpenAPI's own schemas: make test-published")
	}
	schemas := map[string]*jsonschema.Schema{}
	for _, version := range []string{"3.0", "3.1"} {
		c := jsonschema.NewCompiler()
		c.UseLoader(dir)
		text, err := os.ReadFile("../schemas/openapi-" + version + ".schema.json")
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource("combined", v); err != nil {
			t.Fatal(err)
		}
		if schemas[version], err = c.Compile("combined"); err != nil {
			t.Fatal(err)
		}
	}
	validate := func(text string) error {
		decode := yaml.Unmarshal
		if json.Valid([]byte(text)) { // which YAML has other escapes for
			decode = json.Unmarshal
		}
		var v any
		if err := decode([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		document, ok := stringKeys(v).(map[string]any)
		if !ok {
			t.Fatalf("no document: %.80s", text)
		}
		s := schemas[fmt.Sprintf("%.3s", document["openapi"])]
		if s == nil {
			return nil // of a version that has no schema
		}
		return s.Validate(document)
	}
	for _, pattern := range []string{"../examples/*/openapi.yaml", "testdata/cases/*/openapi.yaml", "publish/testdata/*/openapi.*"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(name, "cases/bad-") {
				continue
			}
			if err := validate(string(text)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for _, version := range []string{"3.0.3", "3.1.0"} {
		good := "openapi: " + version + `
info: {title: T, version: '1'}
paths:
  /a:
    post:
      x-idempotency: {ttl: 24h}
      responses: {'200': {description: D}}
`
		if err := validate(good); err != nil {
			t.Fatal(err)
		}
		for from, to := range map[string]string{
			"ttl: 24h": "tttl: 24h", "{ttl: 24h}": "maybe", "x-idempotency: {ttl: 24h}": "x-etag: pet",
			"paths:": "x-etag: {role: read}\npaths:", "description": "remark", "title": "titel", "responses:": "response:",
		} {
			if validate(strings.Replace(good, from, to, 1)) == nil {
				t.Errorf("%s: %q is accepted", version, to)
			}
		}
	}
}

// stringKeys makes the keys of objects strings, as editors do: 200: is '200':.
func stringKeys(v any) any {
	switch v := v.(type) {
	case map[any]any:
		out := map[string]any{}
		for key, member := range v {
			out[fmt.Sprint(key)] = stringKeys(member)
		}
		return out
	case map[string]any:
		for key, member := range v {
			v[key] = stringKeys(member)
		}
	case []any:
		for i := range v {
			v[i] = stringKeys(v[i])
		}
	}
	return v
}
