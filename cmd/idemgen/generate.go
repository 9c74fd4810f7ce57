package main

import (
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/plan"
)

type generateFlags struct {
	choices
	output                  string
	check, dryRun, dumpPlan bool
}

func newGenerate() *cobra.Command {
	var f generateFlags
	cmd := &cobra.Command{
		Use:   "generate [-]",
		Short: "Write the packages of idemgen.yaml",
		Long: `Generate writes the Go packages that idemgen.yaml lists: api.gen.go with the
models and routes, idem.gen.go with the policies; output.split makes more of them.
With - the document is read from standard input.

A file that idemgen wrote for another layout of the package is removed; one that
no generator wrote is neither removed nor replaced.

With -o - the files go to standard output as one txtar archive.`,
		Example: `  idemgen generate
  idemgen generate --check
  idemgen generate --spec openapi.yaml --dir internal/api
  idemgen generate --dump-plan - < openapi.yaml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := fromStdin(&f.choices, args); err != nil {
				return err
			}
			return generate(cmd, f)
		},
	}
	f.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.dir, "dir", "", "output `directory`, instead of the configured one")
	flags.StringVar(&f.pkg, "package", "", "Go package `name`, instead of the configured one")
	flags.StringVarP(&f.output, "output", "o", "", "- writes the files to standard output")
	flags.BoolVar(&f.check, "check", false, "write nothing; print a diff and exit with 1 when a file is not up to date")
	flags.BoolVar(&f.dryRun, "dry-run", false, "write nothing; print the names of the files that would change")
	flags.BoolVar(&f.dumpPlan, "dump-plan", false, "write nothing; print the plan of each package as JSON")
	cmd.MarkFlagsMutuallyExclusive("check", "dry-run", "dump-plan", "output")
	return cmd
}

func generate(cmd *cobra.Command, f generateFlags) error {
	if f.output != "" && f.output != "-" {
		return fmt.Errorf("-o takes only -; choose a directory with --dir")
	}
	d := newDisk(cmd.InOrStdin())
	config, errs, err := configure(f.choices, d)
	if err != nil {
		return err
	}
	if err := report(cmd, errs, d); err != nil {
		return err
	}
	project, errs := generator.Open(config, d.read)
	if err := report(cmd, errs, d); err != nil {
		return err
	}
	if f.dumpPlan {
		return dumpPlans(cmd.OutOrStdout(), project)
	}
	files, errs := generator.Generate(project)
	if err := report(cmd, errs, d); err != nil {
		return err
	}
	if f.output == "-" {
		return archive(cmd.OutOrStdout(), files)
	}
	changes, err := compare(files)
	if err != nil {
		return err
	}
	if err := handWritten(changes); err != nil {
		return err
	}
	stale, err := leftover(generator.Stale(project, files))
	if err != nil {
		return err
	}
	changes = append(changes, stale...)
	switch {
	case f.check:
		return check(cmd, changes, "idemgen generate")
	case f.dryRun:
		for _, c := range changes {
			if !c.same() {
				fmt.Fprintln(cmd.OutOrStdout(), c.Name)
			}
		}
		return nil
	}
	n, err := write(changes)
	if err != nil {
		return err
	}
	text := written(n-len(stale), len(files))
	if len(stale) > 0 {
		text += ", removed " + count(len(stale), "file")
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s; %s\n", summary(project.Plans()), text)
	return nil
}

func dumpPlans(out io.Writer, p *generator.Project) error {
	for _, api := range p.Plans() {
		text, err := api.JSON()
		if err != nil {
			return err
		}
		if _, err := out.Write(text); err != nil {
			return err
		}
	}
	return nil
}

// archive writes the files in the txtar format.
func archive(out io.Writer, files []generator.File) error {
	for _, f := range files {
		if _, err := fmt.Fprintf(out, "-- %s --\n%s", path.Clean(f.Name), f.Content); err != nil {
			return err
		}
	}
	return nil
}

// summary counts what the plans protect.
func summary(apis []*plan.API) string {
	var operations, keyed, guarded int
	for _, api := range apis {
		operations += len(api.Operations)
		for _, o := range api.Operations {
			if o.Idempotency != nil {
				keyed++
			}
			if o.Precondition != nil && len(o.Precondition.Require) > 0 {
				guarded++
			}
		}
	}
	return fmt.Sprintf("%s: %d keyed, %d guarded%s", count(operations, "operation"), keyed, guarded, leftOut(apis))
}

// leftOut counts the operations that are not generated, by reason.
func leftOut(apis []*plan.API) string {
	all, reasons := 0, map[string]int{}
	for _, api := range apis {
		all += len(api.LeftOut)
		for _, o := range api.LeftOut {
			reasons[o.Reason]++
		}
	}
	if all == 0 {
		return ""
	}
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		parts = append(parts, fmt.Sprintf("%d %s", reasons[reason], reason))
	}
	return fmt.Sprintf("; %d left out (%s)", all, strings.Join(parts, ", "))
}

func written(n, all int) string {
	if n == 0 {
		return count(all, "file") + " up to date"
	}
	return "wrote " + count(n, "file")
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %s", n, strings.TrimSuffix(noun, "s")+"s")
}
