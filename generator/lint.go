package generator

import (
	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/lint"
	"github.com/idemgen/idemgen/generator/plan"
)

// Linted is what Lint has to say about the packages of a configuration.
type Linted struct {
	lint.Report
	Plans []*plan.API // of the packages that were judged
	// Complete reports whether the rules judged every package. They judge none
	// whose document or annotations have an error; the report has it. Names and
	// routes that clash in Go do not stop them.
	Complete bool
}

// Lint reads every package of a configuration and applies the rules of
// generator/lint. Warnings of the stages are findings as well.
func Lint(config *Config, read func(name string) ([]byte, error)) Linted {
	out := Linted{Complete: true}
	var disabled []diag.Rule
	for _, d := range config.Lint.Disable {
		disabled = append(disabled, d.Rule)
	}
	for _, c := range config.Packages {
		pkg, reading, planning := open(c, read)
		if reading.Errors() > 0 {
			out.AddList(append(reading, planning...))
			out.Complete = false
			continue
		}
		in := lint.Input{Document: pkg.doc, Policies: pkg.policies, API: pkg.api, Warnings: reading, Disabled: disabled}
		out.AddList(append(planning, plan.Check(pkg.api)...))
		out.Add(lint.Run(in))
		out.Plans = append(out.Plans, pkg.api)
	}
	return out
}
