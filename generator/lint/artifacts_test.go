package lint_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/idemgen/idemgen/generator/lint"
)

var update = flag.Bool("update", false, "write the committed files that the rules are the source of")

// The committed files are what the table of rules says.
func TestArtifacts_Current(t *testing.T) {
	for name, want := range map[string][]byte{
		"docs/rules.md":                  lint.Markdown(),
		"rulesets/idemgen.spectral.yaml": lint.Spectral(),
	} {
		file := filepath.Join("..", "..", filepath.FromSlash(name))
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not current: run go generate ./generator/lint", name)
		}
	}
}
