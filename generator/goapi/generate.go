package goapi

import (
	"fmt"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/source"
)

// Options are oapi-codegen's own settings. The zero value is its default.
type Options struct {
	SkipPrune                 bool
	ResolveTypeNameCollisions bool
	AlwaysPrefixEnumValues    bool

	PreferSkipOptionalPointer                 bool
	PreferSkipOptionalPointerOnContainerTypes bool
	DisableRequiredReadOnlyAsPointer          bool

	ExcludeSchemas []string
	SplitModels    bool // models become a file of their own
	// Imports are the Go packages of files, by the names of the files: their schemas
	// have types there.
	Imports map[string]string
}

// mu guards oapi-codegen, which keeps its configuration in package variables.
var mu sync.Mutex

// Generate writes the oapi-codegen part of the package. Version names idemgen's
// release in the header. What oapi-codegen cannot do is reported under its
// name, at the operation or schema that its message mentions. A component whose Go
// name it gives to something else, too, gets another one, and a warning says so. It is safe for
// concurrent use.
func Generate(doc *source.Document, api *plan.API, opts Options, version string) (*Result, diag.List) {
	return NewTrial(doc, opts, version).Generate(api)
}

// Serves reports whether there is something to serve. A document without
// operations, which others take schemas from, becomes models only.
func Serves(doc *source.Document, api *plan.API) bool {
	return len(api.Operations)+len(doc.Webhooks) > 0
}

// servers are what oapi-codegen writes for a router, and the name of the package
// that the code then uses.
var servers = map[string]struct {
	codegen.GenerateOptions
	name string
}{
	"std":     {codegen.GenerateOptions{StdHTTPServer: true}, ""},
	"chi":     {codegen.GenerateOptions{ChiServer: true}, "chi"},
	"gorilla": {codegen.GenerateOptions{GorillaServer: true}, "mux"},
}

// configuration is what oapi-codegen shall do with d.
func (t *Trial) configuration(d *openapi3.T, api *plan.API) codegen.Configuration {
	opts, serves := t.opts, Serves(t.doc, api)
	var server codegen.GenerateOptions
	if serves {
		server = servers[api.Router].GenerateOptions
	}
	server.Models, server.Strict = true, serves
	return codegen.Configuration{
		PackageName:   api.Package,
		ImportMapping: importMapping(d, opts.Imports),
		Generate:      server,
		Compatibility: codegen.CompatibilityOptions{
			AlwaysPrefixEnumValues:           opts.AlwaysPrefixEnumValues,
			DisableRequiredReadOnlyAsPointer: opts.DisableRequiredReadOnlyAsPointer,
			// As everywhere, the first middleware is the outermost.
			ApplyChiMiddlewareFirstToLast:     true,
			ApplyGorillaMiddlewareFirstToLast: true,
		},
		OutputOptions: codegen.OutputOptions{
			SkipFmt: true, ResolveTypeNameCollisions: opts.ResolveTypeNameCollisions,
			ExcludeSchemas:                            opts.ExcludeSchemas,
			PreferSkipOptionalPointer:                 opts.PreferSkipOptionalPointer,
			PreferSkipOptionalPointerOnContainerTypes: opts.PreferSkipOptionalPointerOnContainerTypes,
			// Pruning would drop what only webhooks refer to, though the code
			// of their receivers names it.
			SkipPrune: opts.SkipPrune || len(t.doc.Webhooks) > 0 || !serves,
		},
	}
}

// generate calls oapi-codegen, which changes t.
func generate(t *openapi3.T, config codegen.Configuration) (code string, err error) {
	mu.Lock()
	defer mu.Unlock()
	// What oapi-codegen remembers of the document would be kept while its code is
	// parsed and printed, when most memory is needed.
	defer codegen.SetGlobalStateSpec(nil)
	err = guard(func() error {
		if code, err = run(t, config); duplicateType.MatchString(fmt.Sprint(err)) {
			err = allDuplicates(t, config, err)
		}
		return err
	})
	return code, err
}

// run calls oapi-codegen under the mutex.
func run(t *openapi3.T, config codegen.Configuration) (string, error) {
	// The header of its own is replaced; a fixed version keeps the output from
	// depending on how this program was built.
	fixed := "v2"
	config.NoVCSVersionOverride = &fixed
	if err := config.Validate(); err != nil {
		return "", err
	}
	return codegen.Generate(t, config)
}

// guard turns a panic of oapi-codegen into an error: a document must not be able
// to end the process.
func guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("internal error: %v", v)
		}
	}()
	return f()
}
