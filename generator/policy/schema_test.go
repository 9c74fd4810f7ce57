package policy

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

// The schema of each member accepts what a message proposes to write, and its
// default, and says what an editor shows.
func TestSchema_AcceptsExamples(t *testing.T) {
	t.Run("x-idempotency", func(t *testing.T) { acceptsExamples(t, idempotencyTable) })
	t.Run("x-etag", func(t *testing.T) { acceptsExamples(t, etagTable) })
}

func acceptsExamples[P any](t *testing.T, all table[P]) {
	for _, m := range all.members {
		text, err := json.Marshal(m.documented())
		if err != nil {
			t.Fatal(err)
		}
		raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource("member", raw); err != nil {
			t.Fatal(err)
		}
		s, err := c.Compile("member")
		if err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		for _, value := range []string{m.example, m.Default} {
			var v any
			if err := yaml.Unmarshal([]byte(value), &v); err != nil {
				t.Fatal(err)
			}
			if err := s.Validate(v); value != "" && err != nil {
				t.Errorf("%s: %s is refused: %v", m.Name, value, err)
			}
		}
		if s.Description == "" || s.Validate(map[string]any{}) == nil {
			t.Errorf("%s: the schema has no description, or accepts anything: %s", m.Name, text)
		}
	}
}
