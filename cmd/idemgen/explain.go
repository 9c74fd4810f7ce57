package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/explain"
	"github.com/idemgen/idemgen/generator/lint"
)

type explainFlags struct {
	choices
	format string
}

func newExplain() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain [operation | rule]",
		Short: "Show what holds for an operation, and which line says so",
		Long: `Explain prints, for one operation or for all, every effective value of
x-idempotency and x-etag with the line that set it, the order of checks with the
place of your middleware, and every answer that the policy can give in place of
the operation's own.

An operation is named by its operationId, or as "POST /orders". The name of a
rule, such as IDM021, prints what the rule is about.`,
		Example: `  idemgen explain placeOrder
  idemgen explain placeOrder --format mermaid > order.mmd
  idemgen explain --spec openapi.yaml --format json
  idemgen explain IDM021`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			what := ""
			if len(args) == 1 {
				what = args[0]
			}
			return explainIt(cmd, f, what)
		},
	}
	f.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", "text", "text, json or mermaid")
	return cmd
}

func explainIt(cmd *cobra.Command, f explainFlags, what string) error {
	if err := oneOf("--format", f.format, "text", "json", "mermaid"); err != nil {
		return err
	}
	if f.format == "mermaid" && what == "" {
		return errors.New("--format mermaid draws one operation; name it")
	}
	if rule, ok := asRule(what); ok {
		return explainRule(cmd, rule)
	}
	packages, _, err := look(cmd, f.choices, newDisk(cmd.InOrStdin()))
	if err != nil {
		return err
	}
	all := &explain.Report{Format: explain.Format, Operations: []explain.Operation{}}
	var ids []string
	for _, p := range packages {
		all.Operations = append(all.Operations, explain.Build(p.Plan, p.Policies, what).Operations...)
		ids = append(ids, explain.IDs(p.Plan)...)
	}
	if what != "" && len(all.Operations) == 0 {
		if near, ok := diag.Nearest(what, ids); ok {
			return fmt.Errorf("no operation %q; did you mean %s?", what, near)
		}
		return fmt.Errorf("no operation %q; idemgen explain without a name lists them all", what)
	}
	switch f.format {
	case "json":
		return all.JSON(cmd.OutOrStdout())
	case "mermaid":
		return all.Mermaid(cmd.OutOrStdout())
	}
	return all.Text(cmd.OutOrStdout())
}

// look reads and plans what the flags choose, and prints what is wrong with it.
func look(cmd *cobra.Command, c choices, d *disk) ([]generator.Opened, *generator.Config, error) {
	config, errs, err := configure(c, d)
	if err != nil {
		return nil, nil, err
	}
	if err := report(cmd, errs, d); err != nil {
		return nil, nil, err
	}
	packages, errs := generator.Look(config, d.read)
	return packages, config, report(cmd, errs, d)
}

// asRule reports whether a word has the form of a rule's name.
func asRule(word string) (diag.Rule, bool) {
	name := strings.ToUpper(word)
	digits := strings.TrimPrefix(name, "IDM")
	return diag.Rule(name), digits != name && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// explainRule prints what a rule is about; one of lint's also why it is one, and
// what to write instead.
func explainRule(cmd *cobra.Command, rule diag.Rule) error {
	about := lint.About(rule)
	if about == "" {
		return fmt.Errorf("no rule %s; there are %s", rule, strings.Join(lint.IDs(), ", "))
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s\n", rule, about)
	for _, r := range lint.Rules() {
		if r.ID == rule {
			fmt.Fprintf(&text, "\n%s\n\n%s\n\nFound in:\n\n%s\nNot in:\n\n%s\n%s\n", r.Why, r.Fix, indent(r.Bad), indent(r.Good), lint.Page(rule))
		}
	}
	_, err := io.WriteString(cmd.OutOrStdout(), text.String())
	return err
}

// indent makes an example of YAML.
func indent(s string) string {
	return "    " + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n    ") + "\n"
}

// oneOf refuses a flag's value that is not one of a few words.
func oneOf(flag, value string, words ...string) error {
	if slices.Contains(words, value) {
		return nil
	}
	message := fmt.Sprintf("%s takes %s, not %q", flag, strings.Join(words, ", "), value)
	if near, ok := diag.Nearest(value, words); ok {
		message += "; did you mean " + near + "?"
	}
	return errors.New(message)
}
