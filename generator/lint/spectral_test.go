package lint_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator/lint"
)

// The ruleset finds in Spectral itself what Run finds, rule by rule and operation
// by operation, as far as annotations stand where Spectral sees them.
func TestSpectral_Agrees(t *testing.T) {
	spectral, err := exec.LookPath("spectral")
	if err != nil {
		t.Skip("needs Spectral in PATH: make test-spectral")
	}
	ruleset, err := filepath.Abs("../../rulesets/idemgen.spectral.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(ruleset)
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for name := range strings.SplitSeq(string(text), "\n") {
		if id, ok := strings.CutPrefix(name, "  IDM"); ok {
			there["IDM"+strings.TrimSuffix(id, ":")] = true
		}
	}
	if len(there) < 9 {
		t.Fatalf("the ruleset has only %v", there)
	}
	fixture, err := os.ReadFile("testdata/spectral.yaml")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"spectral.yaml": string(fixture)}
	for _, r := range lint.Rules() {
		// A suppression is ours alone.
		if there[string(r.ID)] {
			texts[string(r.ID)+"-bad.yaml"], texts[string(r.ID)+"-good.yaml"] = wrap(r.Bad), wrap(r.Good)
		}
	}
	if published, ok := corpus(); ok {
		for _, name := range []string{"spotify.yml", "azure-privatedns.json", "adyen-checkout.json", "conjur.json"} {
			if text, err := os.ReadFile(filepath.Join(published, name)); err == nil {
				texts[name] = string(text)
			}
		}
	}
	var more []string // what Spectral adds because it cannot see the GET of the path
	dir, want, args := t.TempDir(), []string{}, []string{"lint", "-q", "--fail-severity", "error", "-f", "json", "-r", ruleset}
	for name, text := range texts {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
		report := lint.Run(read(t, name, text))
		for _, f := range report.Findings {
			if f.Rule == lint.RuleTagWithoutGuard {
				more = append(more, name+": "+string(lint.RuleUndecidedRetry)+" "+f.Operation, name+": "+string(lint.RuleUndecidedOverwrite)+" "+f.Operation)
			}
			if there[string(f.Rule)] {
				want = append(want, name+": "+string(f.Rule)+" "+f.Operation)
			}
		}
	}
	got := runSpectral(t, spectral, args)
	// Two headers of one operation are two findings of ours and one of Spectral's.
	slices.Sort(got)
	slices.Sort(want)
	got, want = slices.Compact(got), slices.Compact(want)
	for _, f := range got {
		if !slices.Contains(want, f) && !slices.Contains(more, f) {
			t.Errorf("only Spectral has %s", f)
		}
	}
	for _, f := range want {
		if !slices.Contains(got, f) {
			t.Errorf("only lint has %s", f)
		}
	}
	if len(want) < 20 {
		t.Errorf("there are only %d findings to agree on", len(want))
	}
}

// runSpectral returns "file: rule METHOD /path" for each finding.
func runSpectral(t *testing.T, spectral string, args []string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), spectral, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	var findings []struct {
		Code, Source string
		Path         []any
	}
	if err := json.NewDecoder(bytes.NewReader(out)).Decode(&findings); err != nil {
		t.Fatalf("spectral: %v\n%s%s", err, out, &stderr)
	}
	var all []string
	for _, f := range findings {
		operation := ""
		if len(f.Path) > 2 && f.Path[0] == "paths" && f.Path[2] != "x-idempotency" {
			operation = strings.ToUpper(f.Path[2].(string)) + " " + f.Path[1].(string)
		}
		all = append(all, filepath.Base(f.Source)+": "+f.Code+" "+operation)
	}
	return all
}
