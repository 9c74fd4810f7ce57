package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

//go:generate go test -vet=off . -run ^TestDocs -update

var update = flag.Bool("update", false, "write the generated pages of docs/ anew")

const (
	docsDir     = "../../docs"
	commandsDir = docsDir + "/commands"
)

// TestDocs_Commands: docs/commands has a page for every command, made of the
// command's own help, and no other page.
func TestDocs_Commands(t *testing.T) {
	root := newRoot(strings.NewReader(""), io.Discard, io.Discard)
	pages := map[string]string{"README.md": commandIndex(root)}
	for _, c := range commandsBelow(root) {
		pages[pageName(c)] = commandPage(c)
	}
	have, err := filepath.Glob(commandsDir + "/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range have {
		if _, ok := pages[filepath.Base(file)]; ok {
			continue
		}
		if !*update {
			t.Errorf("%s is the page of no command; run go generate ./cmd/idemgen", file)
		} else if err := os.Remove(file); err != nil {
			t.Error(err)
		}
	}
	for name, page := range pages {
		current(t, filepath.Join(commandsDir, name), page)
	}
}

// TestDocs_CommandsExplain: a command says what it does, and shows it.
func TestDocs_CommandsExplain(t *testing.T) {
	for _, c := range commandsBelow(newRoot(strings.NewReader(""), io.Discard, io.Discard)) {
		if c.Short == "" || c.Long == "" {
			t.Errorf("%s: Short and Long have to say what it does", c.CommandPath())
		}
		if c.Example == "" && !c.HasAvailableSubCommands() {
			t.Errorf("%s has no Example", c.CommandPath())
		}
		for line := range strings.Lines(c.Example) {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, c.Root().Name()+" ") && !strings.HasPrefix(line, c.CommandPath()) {
				t.Errorf("%s: the example %q is of another command", c.CommandPath(), line)
			}
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s: --%s has no explanation", c.CommandPath(), f.Name)
			}
		})
	}
}

// current compares a generated page with the file, or writes it.
func current(t *testing.T, file, page string) {
	t.Helper()
	have, err := os.ReadFile(file)
	if err == nil && string(bytes.ReplaceAll(have, []byte("\r\n"), []byte("\n"))) == page {
		return
	}
	if !*update {
		t.Errorf("%s is not up to date; run go generate ./cmd/idemgen", file)
		return
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
}

// commandsBelow lists the commands of this project in the order of their paths.
// What cobra adds by itself (help, completion) is not among them.
func commandsBelow(c *cobra.Command) (all []*cobra.Command) {
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			all = append(append(all, sub), commandsBelow(sub)...)
		}
	}
	slices.SortFunc(all, func(a, b *cobra.Command) int { return strings.Compare(a.CommandPath(), b.CommandPath()) })
	return all
}

// pageName is the file of a command: store-sql.md is that of "idemgen store sql".
func pageName(c *cobra.Command) string {
	_, path, _ := strings.Cut(c.CommandPath(), " ")
	return strings.ReplaceAll(path, " ", "-") + ".md"
}

const generatedNote = "<!-- Made by go generate ./cmd/idemgen of the command's own help. -->\n\n"

func commandIndex(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString(generatedNote)
	fmt.Fprintf(&b, "# The command %s\n\n%s.\n\n", root.Name(), prose(root.Short))
	b.WriteString("| command | |\n|---|---|\n")
	for _, c := range commandsBelow(root) {
		fmt.Fprintf(&b, "| [%s](%s) | %s |\n", c.CommandPath(), pageName(c), cell(c.Short))
	}
	if root.Long != "" {
		fmt.Fprintf(&b, "\n%s\n", paragraphs(root.Long))
	}
	fmt.Fprintf(&b, "\n`%[1]s help` and `--help` print the same in the terminal, and `%[1]s completion` prints a script that lets a\nshell complete commands and flags.\n", root.Name())
	return b.String()
}

func commandPage(c *cobra.Command) string {
	var b strings.Builder
	b.WriteString(generatedNote)
	fmt.Fprintf(&b, "# %s\n\n%s.\n\n%s\n", c.CommandPath(), prose(c.Short), paragraphs(c.Long))
	if c.Runnable() && !c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n```text\n%s\n```\n", c.UseLine())
	}
	if c.Example != "" {
		fmt.Fprintf(&b, "\n## Examples\n\n```sh\n%s\n```\n", unindented(c.Example))
	}
	if c.HasAvailableSubCommands() {
		b.WriteString("\n## Commands\n\n| command | |\n|---|---|\n")
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(&b, "| [%s](%s) | %s |\n", sub.CommandPath(), pageName(sub), cell(sub.Short))
			}
		}
	}
	if c.HasAvailableLocalFlags() {
		b.WriteString("\n## Flags\n\n| flag | | default |\n|---|---|---|\n")
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Hidden || f.Name == "help" {
				return
			}
			value, usage := pflag.UnquoteUsage(f)
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", flagForm(f, value), cell(usage), cell(flagDefault(f)))
		})
	}
	b.WriteString("\n[All commands](README.md)\n")
	return b.String()
}

// flagForm is how a flag is written: -o, --output string.
func flagForm(f *pflag.Flag, value string) string {
	form := "--" + f.Name
	if f.Shorthand != "" {
		form = "-" + f.Shorthand + ", " + form
	}
	if value != "" {
		form += " " + value
	}
	return form
}

func flagDefault(f *pflag.Flag) string {
	switch f.DefValue {
	case "", "false", "[]":
		return ""
	}
	return "`" + f.DefValue + "`"
}

// paragraphs is a help text as Markdown. A paragraph that indents is laid out
// by its spaces and stays as it is.
func paragraphs(text string) string {
	blocks := strings.Split(strings.TrimSpace(text), "\n\n")
	for i, block := range blocks {
		if strings.HasPrefix(block, " ") || strings.Contains(block, "\n ") {
			blocks[i] = "```text\n" + unindented(block) + "\n```"
		} else {
			blocks[i] = prose(block)
		}
	}
	return strings.Join(blocks, "\n\n")
}

// prose keeps the signs of a plain text from meaning something to Markdown.
func prose(text string) string {
	return strings.NewReplacer("*", `\*`, "_", `\_`, "<", `\<`, "#", `\#`).Replace(text)
}

// cell is a plain text in a table.
func cell(text string) string {
	if strings.HasPrefix(text, "`") {
		return strings.ReplaceAll(text, "|", `\|`)
	}
	return strings.ReplaceAll(prose(text), "|", `\|`)
}

// unindented takes away the indentation that all lines have in common.
func unindented(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	common := len(text)
	for _, line := range lines {
		if strings.TrimSpace(line) != "" {
			common = min(common, len(line)-len(strings.TrimLeft(line, " ")))
		}
	}
	for i, line := range lines {
		lines[i] = strings.TrimRight(line[min(common, len(line)):], " ")
	}
	return strings.Join(lines, "\n")
}
