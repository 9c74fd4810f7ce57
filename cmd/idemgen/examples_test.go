package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestExamples pastes the examples of every command, one after the other, into a
// project that has the files they name. What stands around idemgen on a line, other
// programs and redirections of output, is the shell's.
func TestExamples(t *testing.T) {
	petstore, err := filepath.Abs(filepath.Join("..", "..", "examples", "petstore", "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile(petstore)
	if err != nil {
		t.Fatal(err)
	}
	overlay := "overlay: 1.1.0\ninfo: {title: O, version: '1'}\nactions: [{target: $.info, update: {x-a: b}}]\n"
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		t.Run(cmd.Name(), func(t *testing.T) {
			t.Chdir(t.TempDir())
			t.Setenv("IDEMGEN_CONFIG", "")
			t.Setenv("GITHUB_ACTIONS", "")
			for name, content := range map[string]string{
				"go.mod": "module example.com/shop\n", "idem.yaml": overlay,
				"idemgen.yaml": "version: 1\npackages: [{spec: openapi.yaml, output: {dir: internal/api, package: api}}]\n",
			} {
				put(t, name, content)
			}
			for _, name := range []string{"openapi.yaml", "old.yaml"} {
				put(t, name, string(document))
			}
			for _, name := range []string{"vendor.json", "vendor-1.json", "vendor-2.json"} {
				put(t, name, `{"openapi": "3.1.0", "info": {"title": "V", "version": "1"}, "paths": {"/a": {"post": {"operationId": "a", "responses": {"204": {"description": "D"}}}}}}`)
			}
			if cmd.Name() == "generate" || cmd.Name() == "idemgen" {
				paste(t, "idemgen generate")
			}
			for line := range strings.Lines(cmd.Example) {
				paste(t, strings.TrimSpace(line))
			}
		})
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(newRoot(strings.NewReader(""), io.Discard, io.Discard))
}

func put(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// paste runs what a line says to idemgen.
func paste(t *testing.T, line string) {
	t.Helper()
	for part := range strings.SplitSeq(strings.NewReplacer("&&", "\n", "|", "\n").Replace(line), "\n") {
		words := strings.Fields(part)
		if len(words) == 0 || words[0] != "idemgen" {
			continue
		}
		var args []string
		var in []byte
		for i := 1; i < len(words); i++ {
			switch words[i] {
			case ">", ">>":
				i++
			case "<":
				var err error
				if in, err = os.ReadFile(words[i+1]); err != nil {
					t.Fatal(err)
				}
				i++
			default:
				args = append(args, words[i])
			}
		}
		var trouble bytes.Buffer
		if code := run(args, bytes.NewReader(in), io.Discard, &trouble); code != exitOK {
			t.Errorf("%s: exit code %d\n%s", line, code, &trouble)
		}
	}
}
