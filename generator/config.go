package generator

import (
	"go/token"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/lint"
	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/source"
)

// ConfigName is the name under which a configuration is looked for.
const ConfigName = "idemgen.yaml"

// Config is the content of idemgen.yaml. Names of files are slash-separated and
// relative to where the configuration was read from.
type Config struct {
	Version  int // of the format; only 1
	Packages []Package
	Lint     LintConfig
}

// LintConfig is what idemgen lint leaves out.
type LintConfig struct {
	Disable []DisabledRule
}

// DisabledRule is a rule that nobody wants to hear of, and why.
type DisabledRule struct {
	Rule   diag.Rule
	Reason string
}

// Package is one Go package to generate from one document.
type Package struct {
	Spec        string
	Overlays    []string // applied to Spec in this order
	Operations  Operations
	Output      Output
	Router      string // name of one of plan.Routers; "std" is net/http
	OapiCodegen OapiCodegen
}

// Operations selects operations of the document. The zero value selects all.
// Otherwise an operation is in when Include, Tags or Paths name it, unless Exclude
// does; only Annotated alone starts from all operations.
type Operations struct {
	Include, Exclude []Name // operationId, or "METHOD /path"
	Tags             []Name
	Paths            []Name // path templates; with * at the end, what begins so
	Annotated        bool   // only operations with x-idempotency or x-etag
}

// Name is a name in the configuration with its place.
type Name struct {
	Text string
	Pos  diag.Pos
}

// Output says where a package goes.
type Output struct {
	Dir     string
	Package string // Go name; by default the last element of Dir
	// ContractTest adds a package idemtest below Dir, with which an
	// implementation is tested.
	ContractTest bool
	Split        Split
}

// Split says what of a package comes apart.
type Split struct {
	Models bool // into a file of their own
	Tags   bool // into interfaces of their own, which Service embeds
}

// ParseConfig reads a configuration called name. It is nil when the list has an
// error.
func ParseConfig(name string, content []byte) (*Config, diag.List) {
	root, errs := source.ParseYAML(name, content)
	d := decoder{errs: &errs, dir: path.Dir(name)}
	var c Config
	if root.Exists() {
		d.object(root, "the configuration", members{
			"version":  func(n source.Node) { c.Version = d.version(n) },
			"packages": func(n source.Node) { d.packages(n, &c) },
			"lint":     func(n source.Node) { d.lint(n, &c.Lint) },
		}, "version", "packages")
		d.directories(&c)
	}
	errs.Sort()
	if errs.Errors() > 0 {
		return nil, errs
	}
	return &c, errs
}

// Finish fills in the defaults of a package that was not read from a file, and
// reports what is wrong with it at pos.
func (p *Package) Finish(pos diag.Pos) diag.List {
	var errs diag.List
	if p.Router == "" {
		p.Router = "std"
	}
	if p.Output.Dir == "" {
		p.Output.Dir = "."
	}
	if p.Output.Package == "" {
		p.Output.Package = packageName(p.Output.Dir)
	}
	if !token.IsIdentifier(p.Output.Package) || p.Output.Package == "_" || p.Output.Package == "main" {
		errs.Add(pos, diag.RuleConfig, "package: api", "%q cannot be the name of a Go package that others import", p.Output.Package)
	}
	return errs
}

// packageName derives a Go package name from a directory.
func packageName(dir string) string {
	name := strings.Map(func(r rune) rune {
		if r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(path.Base(dir)))
	if !token.IsIdentifier(name) {
		return "api"
	}
	return name
}

// members maps the names of an object's members to what reads them.
type members map[string]func(source.Node)

func (m members) names() []string { return slices.Sorted(maps.Keys(m)) }

// decoder reads the configuration and collects what is wrong with it.
type decoder struct {
	errs *diag.List
	dir  string
	dirs []source.Node // output.dir of each package
}

// object reads a mapping. Unknown members are errors: a misspelt one would
// otherwise be a setting that does nothing.
func (d *decoder) object(n source.Node, what string, known members, required ...string) {
	if n.Kind() != source.Map {
		d.wrong(n, "", "%s must be an object, not %s", what, n.Kind())
		return
	}
	for _, e := range n.Entries() {
		read, ok := known[e.Key()]
		if r, refused := refusals[e.Key()]; !ok && refused && what == "oapi-codegen" {
			d.errs.Add(e.KeyPos(), diag.RuleConfig, r.fix, "oapi-codegen: %s is not passed on: %s", e.Key(), r.reason)
			continue
		}
		if !ok {
			message, fix := "%s has no member %q; it has "+strings.Join(known.names(), ", "), ""
			if near, found := diag.Nearest(e.Key(), known.names()); found {
				message, fix = "%s has no member %q; did you mean "+near+"?", examples[near]
			}
			d.errs.Add(e.KeyPos(), diag.RuleConfig, fix, message, what, e.Key())
			continue
		}
		read(e)
	}
	for _, name := range required {
		if !n.Get(name).Exists() {
			d.errs.Add(n.Pos(), diag.RuleConfig, examples[name], "%s lacks the member %q", what, name)
		}
	}
}

// examples are what to write for a missing or misspelt member.
var examples = map[string]string{
	"version":  "version: 1",
	"packages": "packages:\n  - spec: openapi.yaml\n    output: {dir: internal/api, package: api}",
	"spec":     "spec: openapi.yaml",
	"output":   "output: {dir: internal/api, package: api}",
	"dir":      "dir: internal/api",
	"package":  "package: api",
	"router":   "router: std",

	"overlays":      "overlays: [idem.overlay.yaml]",
	"operations":    "operations: {annotated: true}",
	"contract-test": "contract-test: true",
	"split":         "split: [models, tags]",

	"lint":    "lint: {disable: [{rule: IDM101, reason: why it does not apply here}]}",
	"disable": "disable: [{rule: IDM101, reason: why it does not apply here}]",
	"rule":    "rule: IDM101",
	"reason":  "reason: why it does not apply here",
}

func (d *decoder) wrong(n source.Node, fix, format string, args ...any) {
	d.errs.Add(n.Pos(), diag.RuleConfig, fix, format, args...)
}

func (d *decoder) version(n source.Node) int {
	if n.Kind() != source.Int || n.Text() != "1" {
		d.wrong(n, "version: 1", "version must be 1, the only format that idemgen %s knows", Version)
		return 0
	}
	return 1
}

func (d *decoder) packages(n source.Node, c *Config) {
	if n.Kind() != source.List || len(n.Items()) == 0 {
		d.wrong(n, examples["packages"], "packages must be a list with at least one package")
		return
	}
	for _, item := range n.Items() {
		p := Package{Router: "std"}
		var dir source.Node
		d.object(item, "a package", members{
			"spec":         func(n source.Node) { p.Spec = d.path(d.text(n)) },
			"overlays":     func(n source.Node) { d.overlays(n, &p) },
			"operations":   func(n source.Node) { d.operations(n, &p.Operations) },
			"output":       func(n source.Node) { dir = d.output(n, &p.Output) },
			"router":       func(n source.Node) { p.Router = d.router(n) },
			"oapi-codegen": func(n source.Node) { d.oapiCodegen(n, &p.OapiCodegen) },
		}, "spec", "output")
		*d.errs = append(*d.errs, p.Finish(item.Get("output").Pos())...)
		c.Packages = append(c.Packages, p)
		d.dirs = append(d.dirs, dir)
	}
}

// overlays reads names of files. One that stands twice would be applied twice.
func (d *decoder) overlays(n source.Node, p *Package) {
	for _, name := range d.names(n, "overlays: [idem.overlay.yaml]") {
		file := d.path(name.Text)
		if slices.Contains(p.Overlays, file) {
			d.errs.Add(name.Pos, diag.RuleConfig, "", "overlays: %s is named twice", name.Text)
		}
		p.Overlays = append(p.Overlays, file)
	}
}

func (d *decoder) operations(n source.Node, o *Operations) {
	d.object(n, "operations", members{
		"include":   func(n source.Node) { o.Include = d.names(n, "include: [createOrder]") },
		"exclude":   func(n source.Node) { o.Exclude = d.names(n, "exclude: [createOrder]") },
		"tags":      func(n source.Node) { o.Tags = d.names(n, "tags: [orders]") },
		"paths":     func(n source.Node) { o.Paths = d.names(n, "paths: [/orders*]") },
		"annotated": func(n source.Node) { o.Annotated = d.flag(n) },
	})
}

// names reads a list of strings.
func (d *decoder) names(n source.Node, example string) []Name {
	if n.Kind() != source.List {
		d.wrong(n, example, "%s must be a list, not %s", n.Key(), n.Kind())
		return nil
	}
	var all []Name
	for _, item := range n.Items() {
		if item.Kind() != source.String || item.Text() == "" {
			d.wrong(item, example, "%s must have strings that are not empty, not %s", n.Key(), item.Kind())
			continue
		}
		all = append(all, Name{item.Text(), item.Pos()})
	}
	return all
}

func (d *decoder) output(n source.Node, o *Output) source.Node {
	d.object(n, "output", members{
		"dir":     func(n source.Node) { o.Dir = d.path(d.text(n)) },
		"package": func(n source.Node) { o.Package = d.text(n) },

		"contract-test": func(n source.Node) { o.ContractTest = d.flag(n) },
		"split":         func(n source.Node) { o.Split = d.split(n) },
	}, "dir")
	return n.Get("dir")
}

func (d *decoder) split(n source.Node) Split {
	var s Split
	for _, name := range d.names(n, examples["split"]) {
		switch name.Text {
		case "models":
			s.Models = true
		case "tags":
			s.Tags = true
		default:
			d.errs.Add(name.Pos, diag.RuleConfig, examples["split"], "split takes models and tags, not %q", name.Text)
		}
	}
	return s
}

func (d *decoder) router(n source.Node) string {
	router, offered := d.text(n), plan.RouterNames()
	if router != "" && !slices.Contains(offered, router) {
		fix := examples["router"]
		if near, ok := diag.Nearest(router, offered); ok {
			fix = "router: " + near
		}
		d.wrong(n, fix, "router %q is not offered; these are: %s", router, strings.Join(offered, ", "))
	}
	return router
}

func (d *decoder) lint(n source.Node, c *LintConfig) {
	d.object(n, "lint", members{"disable": func(n source.Node) {
		if n.Kind() != source.List {
			d.wrong(n, examples["disable"], "disable must be a list, not %s", n.Kind())
			return
		}
		for _, item := range n.Items() {
			var r DisabledRule
			d.object(item, "a disabled rule", members{
				"rule":   func(n source.Node) { r.Rule = d.rule(n) },
				"reason": func(n source.Node) { r.Reason = d.text(n) },
			}, "rule", "reason")
			c.Disable = append(c.Disable, r)
		}
	}})
}

func (d *decoder) rule(n source.Node) diag.Rule {
	name := d.text(n)
	if name != "" && !lint.Known(diag.Rule(name)) {
		fix := examples["rule"]
		if near, ok := diag.Nearest(name, lint.IDs()); ok {
			fix = "rule: " + near
		}
		d.wrong(n, fix, "there is no rule %q", name)
	}
	return diag.Rule(name)
}

// absolute matches the names that say themselves where a file is, on Windows too.
var absolute = regexp.MustCompile(`^(/|[A-Za-z]:[/\\])`)

// path is a name of the file as the program understands it: relative ones are
// relative to the directory of the configuration.
func (d *decoder) path(name string) string {
	if absolute.MatchString(name) {
		return path.Clean(name)
	}
	return path.Join(d.dir, name)
}

func (d *decoder) text(n source.Node) string {
	if n.Kind() != source.String || n.Text() == "" {
		d.wrong(n, "", "%s must be a string that is not empty, not %s", n.Key(), n.Kind())
		return ""
	}
	return n.Text()
}

func (d *decoder) flag(n source.Node) bool {
	if n.Kind() != source.Bool {
		d.wrong(n, n.Key()+": true", "%s must be true or false, not %s", n.Key(), n.Kind())
	}
	return n.True()
}

// directories reports packages that would overwrite each other.
func (d *decoder) directories(c *Config) {
	first := map[string]source.Node{}
	for i, p := range c.Packages {
		if other, taken := first[p.Output.Dir]; taken {
			d.wrong(d.dirs[i], "give each package a directory of its own", "the package at %s is generated into the same directory", other.Pos())
			continue
		}
		first[p.Output.Dir] = d.dirs[i]
	}
}
