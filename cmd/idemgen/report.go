package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/lint"
	safety "github.com/idemgen/idemgen/generator/report"
)

type reportFlags struct {
	choices
	format, output string
}

func newReport() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:   "report [-]",
		Short: "Show on one page how safe the API is to retry",
		Long: `Report writes a page about the documents of idemgen.yaml: what the method of each
operation promises, which keys and entity tags it has, what is stored, what is
missing, and the YAML to write instead. The page is one file without script or
network; it can be read on a phone and printed. With - the document is read from
standard input.`,
		Example: `  idemgen report -o report.html
  idemgen report --format md >> "$GITHUB_STEP_SUMMARY"
  idemgen report --spec openapi.yaml -o report.html`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := fromStdin(&f.choices, args); err != nil {
				return err
			}
			return writeReport(cmd, f)
		},
	}
	f.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", "", "html or md (default: that of the name after -o, else html)")
	flags.StringVarP(&f.output, "output", "o", "-", "`file` to write; - is standard output")
	return cmd
}

func writeReport(cmd *cobra.Command, f reportFlags) error {
	if f.format == "" {
		f.format = "html"
		if strings.HasSuffix(f.output, ".md") {
			f.format = "md"
		}
	}
	if err := oneOf("--format", f.format, "html", "md"); err != nil {
		return err
	}
	d := newDisk(cmd.InOrStdin())
	packages, config, err := look(cmd, f.choices, d)
	if err != nil {
		return err
	}
	var inputs []safety.Input
	for _, p := range packages {
		inputs = append(inputs, safety.Input{
			Title: p.Document.Node("/info/title").Text(), Plan: p.Plan, Policies: p.Policies, Findings: findings(p, config),
		})
	}
	page := safety.Build(inputs, generator.Version)
	var out bytes.Buffer
	render := page.HTML
	if f.format == "md" {
		render = page.Markdown
	}
	if err := render(&out); err != nil {
		return err
	}
	if f.output == "-" {
		_, err := cmd.OutOrStdout().Write(out.Bytes())
		return err
	}
	changes, err := compare([]generator.File{{Name: filepath.ToSlash(f.output), Content: out.Bytes()}})
	if err != nil {
		return err
	}
	if err := d.spared(changes); err != nil {
		return err
	}
	if _, err := write(changes); err != nil {
		return err
	}
	for _, a := range page.APIs {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s (%d %%), %s\n", a.Source, a.Grade, a.Score, count(len(a.Hazards), "hazard"))
	}
	return nil
}

// findings are what lint says about a package: reasons in the document or in the
// configuration quieten it here, too.
func findings(p generator.Opened, config *generator.Config) []safety.Finding {
	in := lint.Input{Document: p.Document, Policies: p.Policies, API: p.Plan, Warnings: p.Warnings}
	for _, d := range config.Lint.Disable {
		in.Disabled = append(in.Disabled, d.Rule)
	}
	var all []safety.Finding
	for _, f := range lint.Run(in).Findings {
		if f.Rule != diag.RuleValidation { // says nothing of retries
			all = append(all, safety.Finding{Diagnostic: f.Diagnostic, Operation: f.Operation})
		}
	}
	return all
}
