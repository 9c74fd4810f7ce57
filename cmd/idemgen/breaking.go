package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/breaking"
	"github.com/idemgen/idemgen/generator/lint"
	"github.com/idemgen/idemgen/generator/policy"
)

type breakingFlags struct {
	format   string
	old, new []string // overlays
}

func newBreaking() *cobra.Command {
	var f breakingFlags
	cmd := &cobra.Command{
		Use:   "breaking OLD NEW",
		Short: "List changes of policy that clients notice",
		Long: `Breaking compares the policies of two versions of a document, operation by
operation: what was accepted and is refused now, what a retry meets after the
deploy, which keys are forgotten. Changes of paths, parameters and schemas are
not its subject.

It exits with 1 when a change is breaking: a request that was right is refused, a
status means something else, or a retry has its effect again. Risky changes and
notes are printed only. The format is github where GITHUB_ACTIONS is true.

The configuration is not read: each document has the overlays that its flag names.`,
		Example: `  git show main:openapi.yaml > old.yaml && idemgen breaking old.yaml openapi.yaml
  idemgen breaking old.yaml openapi.yaml --format json
  idemgen breaking vendor-1.json vendor-2.json --old-overlay idem.yaml --new-overlay idem.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("compare two documents: idemgen breaking OLD NEW; there is %s", count(len(args), "name"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.format == "" {
				f.format = "text"
				if os.Getenv("GITHUB_ACTIONS") == "true" {
					f.format = "github"
				}
			}
			return compareDocuments(cmd, choices{spec: args[0], overlays: f.old}, choices{spec: args[1], overlays: f.new}, f.format)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.old, "old-overlay", nil, "OpenAPI overlay `file` for OLD; repeat it for several")
	flags.StringArrayVar(&f.new, "new-overlay", nil, "OpenAPI overlay `file` for NEW; repeat it for several")
	flags.StringVar(&f.format, "format", "", "text, json or github (default text)")
	return cmd
}

func compareDocuments(cmd *cobra.Command, before, after choices, format string) error {
	if err := oneOf("--format", format, "text", "json", "github"); err != nil {
		return err
	}
	if before.spec == "-" && after.spec == "-" {
		return errors.New("only one document can be read from standard input")
	}
	then, err := policies(cmd, before)
	now, alsoErr := policies(cmd, after)
	if err := errors.Join(err, alsoErr); err != nil {
		return err
	}
	changes := breaking.Compare(then, now)
	if err := printChanges(cmd.OutOrStdout(), changes, format); err != nil {
		return err
	}
	n := breaking.Count(changes, breaking.Breaking)
	fmt.Fprintf(cmd.ErrOrStderr(), "%s: %d breaking, %d risky\n", count(len(changes), "change"), n, breaking.Count(changes, breaking.Risky))
	if n > 0 {
		return errFindings
	}
	return nil
}

// policies reads a document. One that cannot be read or is wrong cannot be
// compared, which is not the same as a change.
func policies(cmd *cobra.Command, c choices) (*policy.Document, error) {
	d := newDisk(cmd.InOrStdin())
	config, errs, err := alone(c)
	if err != nil {
		return nil, err
	}
	packages, more := generator.Look(config, d.read)
	errs = append(errs, more...)
	if err := report(cmd, errs, d); errors.Is(err, errFindings) {
		return nil, errTrouble
	} else if err != nil {
		return nil, err
	}
	return packages[0].Policies, nil
}

// jsonChange is the stable form of a change.
type jsonChange struct {
	Severity   breaking.Severity `json:"severity"`
	Pos        string            `json:"pos"`
	Operations []string          `json:"operations"`
	Member     string            `json:"member"`
	Old        string            `json:"old,omitempty"`
	New        string            `json:"new,omitempty"`
	Reason     string            `json:"reason"`
}

func printChanges(w io.Writer, changes []breaking.Change, format string) error {
	switch format {
	case "json":
		out := struct {
			Format  int          `json:"format"`
			Changes []jsonChange `json:"changes"`
		}{1, []jsonChange{}}
		for _, c := range changes {
			out.Changes = append(out.Changes, jsonChange{c.Severity, c.Pos.String(), c.Operations, c.Member, c.Old, c.New, c.Reason})
		}
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(out)
	case "github":
		kinds := map[breaking.Severity]string{breaking.Breaking: "error", breaking.Risky: "warning", breaking.Note: "notice"}
		for _, c := range changes {
			message := strings.TrimPrefix(c.Error(), c.Pos.String()+": ")
			if _, err := fmt.Fprintln(w, lint.Annotation(kinds[c.Severity], c.Pos, c.What(), message)); err != nil {
				return err
			}
		}
		return nil
	}
	for _, c := range changes {
		if _, err := fmt.Fprintln(w, c.Error()); err != nil {
			return err
		}
	}
	return nil
}
