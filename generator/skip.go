package generator

import (
	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/goapi"
	"github.com/idemgen/idemgen/generator/plan"
)

// code has oapi-codegen write its part. With skip, operations that it cannot
// generate are left out of the plan that is returned, each with a warning; one
// error may hide the next, so that it is tried until it works.
func (p *planned) code() (*plan.API, *goapi.Result, diag.List) {
	trial := goapi.NewTrial(p.doc, p.options, Version)
	api, skipped := p.api, diag.List{}
	for look := 0; ; look++ {
		code, errs := trial.Generate(api)
		if errs.Errors() == 0 || !p.config.OapiCodegen.Skip || look == maxLooks {
			return api, code, append(skipped, errs...)
		}
		smaller, warnings := without(api, trial.Faults(api, errs))
		if len(warnings) == 0 || len(smaller.Operations) == 0 {
			return api, nil, append(skipped, errs...)
		}
		api, skipped = smaller, append(skipped, warnings...)
	}
}

// maxLooks bounds how often faults are looked for. One look finds all faults that
// something has on its own, and one of those that operations have together only.
const maxLooks = 64

// without returns the plan without the operations that have a fault.
func without(api *plan.API, faults []goapi.Fault) (*plan.API, diag.List) {
	var warnings diag.List
	dropped := map[*plan.Operation]bool{}
	for _, f := range faults {
		for _, o := range f.Operations {
			if dropped[o] {
				continue
			}
			dropped[o] = true
			what := "it"
			if f.Component != "" {
				what = f.Component + " (" + f.Pos.String() + "), which it uses"
			}
			warnings.Warn(o.Pos.Pos, diag.RuleOapiCodegen, f.Fix, "%s is left out: oapi-codegen cannot generate %s: %s", o.ID, what, f.Message)
		}
	}
	return api.Only(func(o *plan.Operation) bool { return !dropped[o] }), warnings
}
