package generator

import (
	"path"
	"slices"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/goapi"
	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/source"
	"github.com/idemgen/idemgen/generator/wiring"
)

// Project is a configuration with its documents read, checked and planned. It
// is read-only and safe for concurrent use.
type Project struct {
	packages []planned
}

type planned struct {
	config   Package
	doc      *source.Document
	policies *policy.Document
	api      *plan.API
	options  goapi.Options
	warnings diag.List
}

// Opened is a package of a project with what the stages made of its document.
// It must not be changed.
type Opened struct {
	Config   Package
	Document *source.Document
	Policies *policy.Document
	Plan     *plan.API
	Warnings diag.List // sorted
}

// Open reads and plans every package of a configuration, to generate it. Read is
// given the names of the documents, of their overlays, and of the files that they
// refer to. The list has warnings too; the Project is nil when it has an error.
func Open(config *Config, read func(name string) ([]byte, error)) (*Project, diag.List) {
	packages, all := openAll(config, read, plan.Check)
	if all.Errors() > 0 {
		return nil, all
	}
	return &Project{packages}, all
}

// Look is [Open] for those who ask what the documents say, and generate nothing:
// that a name or a path is none for Go or the router does not stop them, and is not
// reported.
func Look(config *Config, read func(name string) ([]byte, error)) ([]Opened, diag.List) {
	packages, all := openAll(config, read, func(*plan.API) diag.List { return nil })
	if all.Errors() > 0 {
		return nil, all
	}
	return (&Project{packages}).Packages(), all
}

// openAll opens every package, and has each plan checked.
func openAll(config *Config, read func(name string) ([]byte, error), check func(*plan.API) diag.List) ([]planned, diag.List) {
	var packages []planned
	var all diag.List
	for _, c := range config.Packages {
		pkg, errs, more := open(c, read)
		errs = append(errs, more...)
		if pkg != nil {
			errs = append(errs, check(pkg.api)...)
		}
		errs.Sort()
		all = append(all, errs...)
		if pkg != nil {
			pkg.warnings = errs
			packages = append(packages, *pkg)
		}
	}
	all.Sort()
	return packages, all
}

// open runs the first three stages. The result is nil when nothing useful could
// be read; what reading the document and its policies found, and what planning
// found, come apart.
func open(c Package, read func(name string) ([]byte, error)) (pkg *planned, reading, planning diag.List) {
	doc, reading := source.Load(c.Spec, read, c.Overlays...)
	if doc == nil {
		return nil, reading, nil
	}
	policies, errs := policy.Read(doc)
	chosen, choosing := c.Operations.choice(doc)
	api, planning := plan.Build(doc, policies, plan.Target{
		Package: c.Output.Package, Source: path.Base(c.Spec), Router: c.Router, Select: chosen, ByTag: c.Output.Split.Tags,
	})
	options, unknown := c.OapiCodegen.options(doc)
	options.SplitModels = c.Output.Split.Models
	planning = append(slices.Concat(choosing, unknown), planning...)
	if len(api.Operations) == 0 && len(api.LeftOut) > 0 && reading.Errors()+errs.Errors()+planning.Errors() == 0 {
		planning.Add(diag.Pos{File: c.Spec}, diag.RuleConfig, "operations: {annotated: false}", "operations selects none of the %d operations", len(api.LeftOut))
	}
	// What the annotations' reader says of a name is what its author meant by it.
	reading = slices.DeleteFunc(reading, func(d diag.Diagnostic) bool {
		return d.Rule == diag.RuleValidation && slices.ContainsFunc(errs, func(e diag.Diagnostic) bool { return e.Rule == diag.RuleUnknownMember && e.Pos == d.Pos })
	})
	return &planned{config: c, doc: doc, policies: policies, api: api, options: options}, append(reading, errs...), planning
}

// Plans returns the plan of every package, in the order of the configuration.
// They must not be changed.
func (p *Project) Plans() []*plan.API {
	var list []*plan.API
	for _, pkg := range p.packages {
		list = append(list, pkg.api)
	}
	return list
}

// Packages returns every package, in the order of the configuration, with what was
// made of its document.
func (p *Project) Packages() []Opened {
	var list []Opened
	for _, pkg := range p.packages {
		list = append(list, Opened{pkg.config, pkg.doc, pkg.policies, pkg.api, pkg.warnings})
	}
	return list
}

// Generate writes the files of every package, in the order of the
// configuration. There are none when the list has an error. Equal projects give
// equal bytes.
func Generate(p *Project) ([]File, diag.List) {
	var files []File
	var all diag.List
	for _, pkg := range p.packages {
		list, errs := pkg.generate()
		files = append(files, list...)
		all = append(all, errs...)
	}
	all.Sort()
	if all.Errors() > 0 {
		return nil, all
	}
	return files, all
}

func (p *planned) generate() ([]File, diag.List) {
	api, code, errs := p.code()
	if errs.Errors() > 0 {
		return nil, errs
	}
	var files []File
	add := func(name string, content []byte) {
		if content != nil {
			files = append(files, File{path.Join(p.config.Output.Dir, name), content})
		}
	}
	add(modelsFile, code.Models)
	add(apiFile, code.Source)
	if !goapi.Serves(p.doc, api) {
		return files, errs
	}
	glue, more := wiring.Generate(api, code, Version, p.schema)
	errs = append(errs, more...)
	if errs.Errors() > 0 {
		return nil, errs
	}
	add(wiringFile, glue)
	if p.config.Output.ContractTest {
		test, err := wiring.Contract(api, Version)
		if err != nil {
			errs.Add(diag.Pos{File: p.config.Spec}, diag.RuleName, "report this to the authors of idemgen", "the contract test does not format: %v", err)
			return nil, errs
		}
		if test == nil {
			errs.Add(diag.Pos{File: p.config.Spec}, diag.RuleConfig, "leave out contract-test", "contract-test: no resource of the document is both read and written under x-etag")
			return nil, errs
		}
		add(contractFile, test)
	}
	return files, errs
}

// schema returns the place of the component schema with a Go name.
func (p *planned) schema(goName string) diag.Pos {
	for _, s := range p.doc.Files[0].Root.Get("components").Get("schemas").Entries() {
		if plan.GoName(s.Key()) == goName {
			return s.KeyPos()
		}
	}
	return diag.Pos{}
}
