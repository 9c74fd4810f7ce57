package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/lint"
)

type lintFlags struct {
	choices
	format, failOn string
}

func newLint() *cobra.Command {
	var f lintFlags
	cmd := &cobra.Command{
		Use:   "lint [-]",
		Short: "Look for unwise policies and for operations without one",
		Long: `Lint applies the rules of docs/rules.md to the documents of idemgen.yaml, or to
the one that --spec or - (standard input) names. Findings go to standard output.

A finding that is right as it is, is taken back where it stands, with a reason:
x-idemgen-ignore: {IDM101: the gateway deduplicates} at an operation, a path item
or the root; a whole rule by lint.disable in idemgen.yaml.

Exit codes: 0 nothing that --fail-on counts, 1 findings, 2 could not run. With
--fail-on never, a document that has errors is still 2: its rules did not run.`,
		Example: `  idemgen lint
  idemgen lint --spec openapi.yaml --fail-on error
  idemgen lint --format sarif > idemgen.sarif`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := fromStdin(&f.choices, args); err != nil {
				return err
			}
			return runLint(cmd, f)
		},
	}
	f.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", "", "text, json, github or sarif (default: text; github where GITHUB_ACTIONS is true)")
	flags.StringVar(&f.failOn, "fail-on", "warning", "exit with 1 on a finding of this severity or worse: error, warning, info or never")
	return cmd
}

// failing maps the values of --fail-on to the severities that fail.
var failing = map[string][]diag.Severity{
	"error":   {diag.Error},
	"warning": {diag.Error, diag.Warning},
	"info":    {diag.Error, diag.Warning, diag.Info},
	"never":   nil,
}

func runLint(cmd *cobra.Command, f lintFlags) error {
	if err := oneOf("--fail-on", f.failOn, "error", "warning", "info", "never"); err != nil {
		return err
	}
	if f.format == "" {
		f.format = "text"
		if os.Getenv("GITHUB_ACTIONS") == "true" {
			f.format = "github"
		}
	}
	if err := oneOf("--format", f.format, "text", "json", "github", "sarif"); err != nil {
		return err
	}
	d := newDisk(cmd.InOrStdin())
	config, errs, err := configure(f.choices, d)
	if err != nil {
		return err
	}
	if err := report(cmd, errs, d); err != nil {
		return errTrouble // whatever is wrong with it, nothing could be judged
	}
	linted := generator.Lint(config, d.read)
	if err := writeLint(cmd, f.format, &linted, d); err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s; %s\n", summary(linted.Plans), counted(&linted.Report))
	if slices.ContainsFunc(failing[f.failOn], func(s diag.Severity) bool { return linted.Count(s) > 0 }) {
		if unreadable(linted.List()) {
			return errTrouble
		}
		return errFindings
	}
	if !linted.Complete {
		return errTrouble
	}
	return nil
}

func writeLint(cmd *cobra.Command, format string, r *generator.Linted, d *disk) error {
	w := cmd.OutOrStdout()
	switch format {
	case "json":
		return lint.WriteJSON(w, &r.Report, r.Complete)
	case "github":
		return lint.WriteGitHub(w, &r.Report)
	case "sarif":
		return lint.WriteSARIF(w, &r.Report, r.Complete, generator.Version)
	}
	return printFindings(cmd, w, r.List(), d)
}

// counted sums a report up.
func counted(r *lint.Report) string {
	parts := []string{
		count(r.Count(diag.Error), "error"), count(r.Count(diag.Warning), "warning"), fmt.Sprintf("%d info", r.Count(diag.Info)),
	}
	if r.Suppressed > 0 {
		parts = append(parts, fmt.Sprintf("%d suppressed", r.Suppressed))
	}
	return strings.Join(parts, ", ")
}
