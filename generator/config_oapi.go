package generator

import (
	"regexp"
	"slices"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/goapi"
	"github.com/idemgen/idemgen/generator/source"
)

// OapiCodegen are the settings of oapi-codegen that a package may have, under
// oapi-codegen's names.
type OapiCodegen struct {
	SkipPrune                 bool // keep components that nothing refers to
	ResolveTypeNameCollisions bool // rename types that would clash
	AlwaysPrefixEnumValues    bool // put the type in front of every enum constant

	PreferSkipOptionalPointer                 bool // optional members are no pointers
	PreferSkipOptionalPointerOnContainerTypes bool // optional lists and maps are no pointers
	DisableRequiredReadOnlyAsPointer          bool // members that are required and readOnly are no pointers

	ExcludeSchemas []Name   // schemas whose Go types are written by hand
	ImportMapping  []Import // files whose schemas have Go types elsewhere
	Skip           bool     // leave out operations that it cannot generate
}

// Import says that the schemas of a file have Go types in a package.
type Import struct {
	File    Name   // as it is read: relative to where the configuration was
	Package string // import path
}

func (d *decoder) oapiCodegen(n source.Node, o *OapiCodegen) {
	flag := func(set *bool) func(source.Node) { return func(n source.Node) { *set = d.flag(n) } }
	d.object(n, "oapi-codegen", members{
		"skip-prune":                   flag(&o.SkipPrune),
		"resolve-type-name-collisions": flag(&o.ResolveTypeNameCollisions),
		"always-prefix-enum-values":    flag(&o.AlwaysPrefixEnumValues),

		"prefer-skip-optional-pointer":                    flag(&o.PreferSkipOptionalPointer),
		"prefer-skip-optional-pointer-on-container-types": flag(&o.PreferSkipOptionalPointerOnContainerTypes),
		"disable-required-readonly-as-pointer":            flag(&o.DisableRequiredReadOnlyAsPointer),

		"exclude-schemas": func(n source.Node) { o.ExcludeSchemas = d.names(n, "exclude-schemas: [Pet]") },
		"import-mapping":  func(n source.Node) { o.ImportMapping = d.importMapping(n) },
		"on-unsupported":  func(n source.Node) { o.Skip = d.onUnsupported(n) },
	})
}

func (d *decoder) onUnsupported(n source.Node) bool {
	text := d.text(n)
	if text != "error" && text != "skip" && text != "" {
		d.wrong(n, "on-unsupported: skip", "on-unsupported must be error or skip, not %q", text)
	}
	return text == "skip"
}

// importPath is what Go takes between the quotes of an import, without what is
// relative to a directory.
var importPath = regexp.MustCompile(`^[\pL\pN_~-][\pL\pN_~.+@-]*(/[\pL\pN_~.+@-]+)*$`)

func (d *decoder) importMapping(n source.Node) []Import {
	const example = "import-mapping: {common.yaml: example.com/shop/common}"
	if n.Kind() != source.Map {
		d.wrong(n, example, "import-mapping must be an object of Go packages by file, not %s", n.Kind())
		return nil
	}
	var all []Import
	for _, e := range n.Entries() {
		switch pkg := d.text(e); {
		case pkg == "":
		case pkg == "-":
			d.wrong(e, "remove the line", "import-mapping: what no package is named for is generated into this one anyway")
		case strings.HasPrefix(e.Key(), "#"):
			d.errs.Add(e.KeyPos(), diag.RuleConfig, example, "import-mapping: %s is a place in the document, not a file", e.Key())
		case !importPath.MatchString(pkg):
			d.wrong(e, e.Key()+": example.com/shop/common", "import-mapping: %q is not the import path of a Go package", pkg)
		case slices.ContainsFunc(all, func(i Import) bool { return i.File.Text == d.path(e.Key()) }):
			d.errs.Add(e.KeyPos(), diag.RuleConfig, "remove one of the two", "import-mapping: %s is named twice", e.Key())
		default:
			all = append(all, Import{Name{d.path(e.Key()), e.KeyPos()}, pkg})
		}
	}
	return all
}

// options returns what oapi-codegen is told, and reports names that a document
// does not have: a name that does nothing is a misspelt one.
func (o OapiCodegen) options(doc *source.Document) (goapi.Options, diag.List) {
	var errs diag.List
	options := goapi.Options{
		SkipPrune:                                 o.SkipPrune,
		ResolveTypeNameCollisions:                 o.ResolveTypeNameCollisions,
		AlwaysPrefixEnumValues:                    o.AlwaysPrefixEnumValues,
		PreferSkipOptionalPointer:                 o.PreferSkipOptionalPointer,
		PreferSkipOptionalPointerOnContainerTypes: o.PreferSkipOptionalPointerOnContainerTypes,
		DisableRequiredReadOnlyAsPointer:          o.DisableRequiredReadOnlyAsPointer,
		Imports:                                   map[string]string{},
	}
	schemas := keys(doc.Node("/components/schemas"))
	for _, n := range o.ExcludeSchemas {
		if !slices.Contains(schemas, n.Text) {
			fix := "remove the name"
			if near, ok := diag.Nearest(n.Text, schemas); ok {
				fix = "exclude-schemas: [" + near + "]"
			}
			errs.Add(n.Pos, diag.RuleConfig, fix, "exclude-schemas: the document has no schema %s", n.Text)
		}
		options.ExcludeSchemas = append(options.ExcludeSchemas, n.Text)
	}
	var files []string
	for _, f := range doc.Files[1:] {
		files = append(files, f.Name)
	}
	for _, i := range o.ImportMapping {
		if !slices.Contains(files, i.File.Text) {
			fix := "remove the line"
			if near, ok := diag.Nearest(i.File.Text, files); ok {
				fix = near + ": " + i.Package
			}
			errs.Add(i.File.Pos, diag.RuleConfig, fix, "import-mapping: the document refers to no file %s", i.File.Text)
		}
		options.Imports[i.File.Text] = i.Package
	}
	return options, errs
}

func keys(n source.Node) []string {
	var all []string
	for _, e := range n.Entries() {
		all = append(all, e.Key())
	}
	return all
}

// refusal says why a setting of oapi-codegen is not passed on.
type refusal struct{ reason, fix string }

// refusals are oapi-codegen's other settings, by name. Some would break the
// wiring, some have their place elsewhere.
var refusals = map[string]refusal{
	"additional-imports":          {"what an x-go-type needs is imported by x-go-type-import", "x-go-type-import: {path: example.com/money}"},
	"additional-initialisms":      {"idemgen plans the names before oapi-codegen runs", "x-go-name: UserID # at the schema"},
	"allow-remote-refs-from":      {"generation reads local files only", "store the file beside the document"},
	"client":                      {"idemgen generates servers", "generate the client with oapi-codegen, into a package of its own"},
	"compatibility":               {"its members stand under oapi-codegen", "always-prefix-enum-values: true"},
	"compatibility-options":       {"its members stand under oapi-codegen", "always-prefix-enum-values: true"},
	"embedded-spec":               {"idem.SpecHandler serves the document that idemgen spec writes", "remove the line"},
	"exclude-operation-ids":       {"operations are selected for both", "operations: {exclude: [createOrder]}"},
	"exclude-tags":                {"operations are selected for both", "operations: {exclude: [createOrder]}"},
	"generate":                    {"models, router and strict server belong together", "remove the line"},
	"headers-implicitly-required": {"the runtime sets ETag, and a required header that nobody sets is sent empty", "required: true # at the header"},
	"include-operation-ids":       {"operations are selected for both", "operations: {include: [createOrder]}"},
	"include-tags":                {"operations are selected for both", "operations: {tags: [orders]}"},
	"name-normalizer":             {"idemgen plans the names before oapi-codegen runs", "x-go-name: UserID # at the schema"},
	"nullable-type":               {"its types are in a module that idemgen does not require, so that no test compiles them", "x-go-type, with x-go-type-import, at the schema"},
	"output":                      {"the package says where it goes", "output: {dir: internal/api, package: api}"},
	"output-options":              {"its members stand under oapi-codegen", "skip-prune: true"},
	"overlay":                     {"overlays are applied before policies are read", "overlays: [idem.overlay.yaml]"},
	"package":                     {"the package says where it goes", "output: {dir: internal/api, package: api}"},
	"response-type-suffix":        {"the wiring knows responses by their suffix", "remove the line"},
	"skip-fmt":                    {"generated code is formatted", "remove the line"},
	"streaming-content-types":     {"an answer that is recorded cannot be streamed", "remove the line"},
	"type-mapping":                {"types are named where they are used", "x-go-type: uuid.UUID"},
	"user-templates":              {"the wiring is made for oapi-codegen's own templates", "remove the line"},
}
