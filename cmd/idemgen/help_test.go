package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestHelp: every command explains itself and shows a line that can be pasted.
func TestHelp(t *testing.T) {
	var visit func(path []string, cmd *cobra.Command)
	visit = func(path []string, cmd *cobra.Command) {
		if cmd.Short == "" || !strings.Contains(cmd.Example, "idemgen") {
			t.Errorf("%s: short text %q, example %q", cmd.CommandPath(), cmd.Short, cmd.Example)
		}
		var out, trouble strings.Builder
		if code := run(append(path, "--help"), strings.NewReader(""), &out, &trouble); code != exitOK || trouble.Len() > 0 {
			t.Errorf("%s --help: exit code %d, %s", cmd.CommandPath(), code, &trouble)
		}
		if text := out.String(); !strings.Contains(text, "Usage:") || !strings.Contains(text, "Examples:") {
			t.Errorf("%s --help:\n%s", cmd.CommandPath(), text)
		}
		for _, sub := range cmd.Commands() {
			visit(append(slices.Clip(path), sub.Name()), sub)
		}
	}
	visit(nil, newRoot(strings.NewReader(""), &strings.Builder{}, &strings.Builder{}))
}
