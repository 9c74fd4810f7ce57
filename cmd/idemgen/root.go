package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/idemgen/idemgen/generator/diag"
)

// Exit codes.
const (
	exitOK       = 0
	exitFindings = 1 // the input has errors, or the output is not up to date
	exitTrouble  = 2 // idemgen could not do its work
)

// errFindings ends a command whose findings have been printed.
var errFindings = errors.New("findings")

// errTrouble ends a command whose reason not to run has been printed.
var errTrouble = errors.New("trouble")

// run executes the command line and returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot(stdin, stdout, stderr)
	root.SetArgs(args)
	err := root.Execute()
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFindings):
		return exitFindings
	case errors.Is(err, errTrouble):
		return exitTrouble
	}
	fmt.Fprintf(stderr, "idemgen: %v\n", err)
	return exitTrouble
}

func newRoot(stdin io.Reader, stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "idemgen",
		Short: "Generate retry-safe Go servers from annotated OpenAPI documents",
		Long: `Idemgen turns an annotated OpenAPI document into a Go server that is safe to
retry: x-idempotency and x-etag become policies that the generated handler
enforces.

The configuration idemgen.yaml is looked for in the working directory and above;
--config or the variable IDEMGEN_CONFIG names another one. Exit codes: 0 in order,
1 findings or drift, 2 could not run. Standard output carries data only;
everything else goes to standard error. Findings have colours on a terminal,
unless --color never or the variable NO_COLOR says otherwise.`,
		Example: `  idemgen init
  idemgen generate --check`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := withValues(cmd); err != nil {
				return err
			}
			return oneOf("--color", colorFlag(cmd), "auto", "always", "never")
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(suggest)
	addColor(root)
	root.AddCommand(newBreaking(), newExplain(), newGenerate(), newInit(), newLint(), newReport(), newSpec(), newStore(), newVersion())
	return root
}

// report prints diagnostics with excerpts of the files that disk has read, and
// returns the error that ends the command, if one of them is an error.
func report(cmd *cobra.Command, list diag.List, d *disk) error {
	if err := printFindings(cmd, cmd.ErrOrStderr(), list, d); err != nil {
		return err
	}
	if list.Errors() == 0 {
		return nil
	}
	if unreadable(list) {
		return errTrouble
	}
	return errFindings
}

// unreadable reports whether there was no configuration or no document to
// judge. A file that a document refers to is a finding in that document.
func unreadable(list diag.List) bool {
	for _, item := range list {
		missing := item.Rule == diag.RuleMissingFile && !item.Pos.IsValid()
		if item.Severity == diag.Error && (item.Rule == diag.RuleConfig || missing) {
			return true
		}
	}
	return false
}
