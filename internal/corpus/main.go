// Command corpus generates a server from every OpenAPI document of a directory,
// compiles it, and prints a table. The documents belong to others and are as they
// come, but for an overlay that repairs what is wrong in two of them; another puts
// x-idempotency on every operation that may have it. What init --overlay proposes for
// each is generated as well.
//
//	IDEMGEN_CORPUS=../shared/specs go run ./internal/corpus [-compile=false] [-router=chi] [name ...]
//
// With -annotate it writes the overlays into a directory, and generates nothing.
//
// It is no test, because the documents are not part of this repository and the
// largest take minutes to compile.
package main

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	compile := flag.Bool("compile", true, "compile what is generated")
	to := flag.String("annotate", "", "write an overlay and an idemgen.yaml for each document below this directory, and do nothing else")
	router := flag.String("router", "std", "generate for this router")
	flag.Parse()
	in := settings{dir: cmp.Or(os.Getenv("IDEMGEN_CORPUS"), "../shared/specs"), router: *router, compile: *compile}
	if err := run(os.Stdout, in, flag.Args(), *to); err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(1)
	}
}

// run prints the table of the documents in the directory, or of those that are named.
func run(out io.Writer, in settings, names []string, to string) error {
	if len(names) == 0 {
		entries, err := os.ReadDir(in.dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if ext := filepath.Ext(e.Name()); slices.Contains([]string{".json", ".yaml", ".yml"}, ext) {
				names = append(names, e.Name())
			}
		}
	}
	if to != "" {
		for _, name := range names {
			if err := annotate(in.dir, name, to); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	}
	work, err := os.MkdirTemp("", "idemgen-corpus")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	fmt.Fprintln(out, "| document | operations | annotated | left out | generated | compiled | proposal applies |")
	fmt.Fprintln(out, "| --- | --: | --: | --- | --- | --- | --- |")
	for i, name := range names {
		o, err := try(in, name, filepath.Join(work, fmt.Sprint(i)))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Fprintf(out, "| %s | %d | %d | %s | %s | %s | %s |\n", name, o.operations, o.annotated, cmp.Or(o.leftOut(), "-"), o.generated, o.compiled, o.proposal)
	}
	return nil
}

// build compiles a package that is in no module by laying its files over a
// directory of this one.
func build(files map[string][]byte, work string) (string, error) {
	if err := os.MkdirAll(work, 0o700); err != nil {
		return "", err
	}
	place, err := filepath.Abs("internal/corpus/generated")
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for name, content := range files {
		file := filepath.Join(work, name)
		if err := os.WriteFile(file, content, 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(place, name)] = file
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	config := filepath.Join(work, "overlay.json")
	if err := os.WriteFile(config, overlay, 0o600); err != nil {
		return "", err
	}
	text, err := exec.Command("go", "build", "-p", "1", "-overlay", config, "./internal/corpus/generated").CombinedOutput()
	if err == nil {
		return "yes", nil
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			return "no: " + cell(line), nil
		}
	}
	return "no: " + cell(err.Error()), nil
}

// cell makes a text fit for a table.
func cell(s string) string {
	s = strings.Join(strings.Fields(strings.ReplaceAll(s, "|", `\|`)), " ")
	if runes := []rune(s); len(runes) > 240 {
		s = string(runes[:240]) + "…"
	}
	return s
}
