package generator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/scaffold"
)

const (
	casesPath      = "github.com/idemgen/idemgen/generator/testdata/cases/"
	guardedPath    = casesPath + "guarded/want"
	conditionsPath = casesPath + "conditions/want"
	swapPath       = casesPath + "swap/want"
)

// checker type-checks snippets that use a golden package, as the compiler
// would.
type checker struct {
	fset     *token.FileSet
	importer types.Importer
}

func newChecker(t *testing.T, packages ...string) *checker {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}"}, packages...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		files[path] = file
	}
	fset := token.NewFileSet()
	return &checker{fset, importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		if files[path] == "" {
			return nil, fmt.Errorf("no package %s", path)
		}
		return os.Open(files[path])
	})}
}

// check returns the first error of a file.
func (c *checker) check(t *testing.T, src string) error {
	t.Helper()
	f, err := parser.ParseFile(c.fset, "snippet.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	config := types.Config{Importer: c.importer}
	_, err = config.Check("snippet", c.fset, []*ast.File{f}, nil)
	return err
}

// What the types of a guarded operation promise: a lost update that the
// compiler can see does not compile.
func TestGenerated_DoesNotCompile(t *testing.T) {
	c := newChecker(t, guardedPath)
	const head = `package snippet

import (
	"context"

	api "` + guardedPath + `"
	"github.com/idemgen/idemgen/runtime/etag"
)

var _ context.Context
var _ etag.ETag

`
	for _, s := range []struct{ name, code, want string }{
		{"a right implementation", `
func edit(expect etag.Match[api.DocumentVersion]) (api.EditDocumentResult, error) {
	if expect.Any() { return nil, expect.NoMatch() }
	return api.EditDocument200(expect.Applied(2), api.Document{}), nil
}`, ""},
		{"a guarded operation without the expectation", `
type service struct{ api.Service }
func (service) EditDocument(ctx context.Context, req api.EditDocumentRequestObject) (api.EditDocumentResult, error) { return nil, nil }
var _ api.Service = service{}`, "wrong type for method EditDocument"},
		{"a success without a witness", `
func edit() (api.EditDocumentResult, error) { return api.EditDocument200JSONResponse{}, nil }`, "missing method editDocumentResult"},
		{"a version in place of the witness", `
func edit() (api.EditDocumentResult, error) { return api.EditDocument200(api.DocumentVersion(2), api.Document{}), nil }`, "cannot use"},
		{"a witness made by hand", `
func edit() etag.Applied[api.DocumentVersion] { return etag.Applied[api.DocumentVersion]{Version: 2} }`, "unknown field"},
		{"the version of another resource", `
type OtherVersion int64
func edit(expect etag.Match[OtherVersion]) (api.EditDocumentResult, error) { return api.EditDocument200(expect.Applied(2), api.Document{}), nil }`, "cannot use"},
		{"a read without a version", `
func get() (api.GetDocumentResult, error) { return api.GetDocument200JSONResponse{}, nil }`, "missing method getDocumentResult"},
		{"the result of another operation", `
func get(expect etag.Match[api.DocumentVersion]) (api.GetDocumentResult, error) { return api.EditDocument200(expect.Applied(2), api.Document{}), nil }`, "cannot use"},
	} {
		err := c.check(t, head+s.code)
		switch {
		case s.want == "" && err != nil:
			t.Errorf("%s: %v", s.name, err)
		case s.want != "" && (err == nil || !strings.Contains(err.Error(), s.want)):
			t.Errorf("%s: got %v, want an error with %q", s.name, err, s.want)
		}
	}
}

// The same for every other form of an expectation.
func TestGenerated_Conditions_DoNotCompile(t *testing.T) {
	c := newChecker(t, conditionsPath)
	const head = `package snippet

import (
	"context"
	"time"

	api "` + conditionsPath + `"
	"github.com/idemgen/idemgen/runtime/etag"
)

var _ context.Context
var _ time.Time
var _ etag.ETag

type service struct{ api.Service }

`
	method := func(name, argument string) string {
		if argument != "" {
			argument = ", expect " + argument
		}
		return "func (service) " + name + "(ctx context.Context, req api." + name + "RequestObject" + argument + ") (api." + name +
			"Result, error) { return nil, nil }\nvar _ api.Service = service{}\n"
	}
	type snippet struct{ name, code, want string }
	var all []snippet
	for name, argument := range map[string]string{
		"PutSlot": "etag.MatchOrAbsent[api.%sVersion]", "DropSlot": "etag.MaybeMatch[api.%sVersion]",
		"CreateLabel": "etag.Absent[api.%sVersion]", "EditNote": "etag.Unmodified[api.%sVersion]",
		"PutNote": "etag.MaybeMatchOrAbsent[api.%sVersion]", "DropNote": "etag.Match[api.%sVersion]",
	} {
		own, other := "Note", "Slot"
		for _, resource := range []string{"Slot", "Label"} {
			if strings.HasSuffix(name, resource) {
				own, other = resource, "Note"
			}
		}
		wrong := "wrong type for method " + name
		all = append(all,
			snippet{name + ", right", method(name, fmt.Sprintf(argument, own)), ""},
			snippet{name + " without the expectation", method(name, ""), wrong},
			snippet{name + " of another resource", method(name, fmt.Sprintf(argument, other)), wrong},
		)
	}
	all = append(all, []snippet{
		{"a read without its date", `func get() api.GetNoteResult { return api.GetNote200(1, api.Note{}) }`, "not enough arguments"},
		{"a creation without a version", `func add() (api.AddNoteResult, error) { return api.AddNote201JSONResponse{}, nil }`, "missing method addNoteResult"},
		{"a creation of another resource", `func add(v api.SlotVersion) api.AddNoteResult { return api.AddNote201(v, api.Note{}) }`, "cannot use"},
		{"a success without a witness", `func put() (api.PutSlotResult, error) { return api.PutSlot200JSONResponse{}, nil }`, "missing method putSlotResult"},
		{"a version in place of the witness", `func put() api.PutSlotResult { return api.PutSlot201(api.SlotVersion(1), api.Slot{}) }`, "cannot use"},
		{"an upsert that forgets creation", `
func put(e etag.MatchOrAbsent[api.SlotVersion]) (api.PutSlotResult, error) {
	return etag.SwitchUpsert(e, func(m etag.Match[api.SlotVersion]) (api.PutSlotResult, error) { return nil, m.NoMatch() })
}`, "not enough arguments"},
		{"an unguarded write that forgets the condition", `
func drop(m etag.MaybeMatch[api.SlotVersion]) (api.DropSlotResult, error) {
	return etag.Switch(m, func(u etag.Unconditional[api.SlotVersion]) (api.DropSlotResult, error) { return nil, u.NotFound() })
}`, "not enough arguments"},
		{"a witness without a look at the expectation", `
func drop(m etag.MaybeMatch[api.SlotVersion]) api.DropSlotResult { return api.DropSlot204(m.Applied(1)) }`, "m.Applied undefined"},
		{"an upsert's witness without a look at the expectation", `
func put(m etag.MatchOrAbsent[api.SlotVersion]) api.PutSlotResult { return api.PutSlot201(m.Applied(1), api.Slot{}) }`, "m.Applied undefined"},
		{"no condition, made by hand", `
func drop() api.DropSlotResult { return api.DropSlot204(etag.Unconditional[api.SlotVersion]{}.Applied(1)) }`, ""}, // a 500 at run time
		{"absence, made by hand", `func put() { _ = etag.Absent[api.SlotVersion]{Used: nil} }`, "unknown field"},
	}...)
	for _, s := range all {
		err := c.check(t, head+s.code)
		switch {
		case s.want == "" && err != nil:
			t.Errorf("%s: %v", s.name, err)
		case s.want != "" && (err == nil || !strings.Contains(err.Error(), s.want)):
			t.Errorf("%s: got %v, want an error with %q", s.name, err, s.want)
		}
	}
}

// A store that does not hand back the proof does not compile either, nor does a
// change that answers with success itself.
func TestGenerated_Swap_DoesNotCompile(t *testing.T) {
	c := newChecker(t, swapPath)
	const head = `package snippet

import (
	"context"

	api "` + swapPath + `"
	"github.com/idemgen/idemgen/runtime/etag"
)

type service struct{ api.Service }
var _ context.Context
var _ etag.ETag
`
	for _, s := range []struct{ name, code, want string }{
		{"right", `
func (service) StoreList(ctx context.Context, key api.ListKey, expect etag.Match[api.ListVersion], changed api.List) (api.List, etag.Applied[api.ListVersion], error) {
	return changed, expect.Applied(2), nil
}
var _ api.Service = service{}`, ""},
		{"a store without the expectation", `
func (service) StoreList(ctx context.Context, key api.ListKey, changed api.List) (api.List, etag.Applied[api.ListVersion], error) {
	return changed, etag.Applied[api.ListVersion]{}, nil
}
var _ api.Service = service{}`, "wrong type for method StoreList"},
		{"a store with a version in place of the proof", `
func (service) StoreList(ctx context.Context, key api.ListKey, expect etag.Match[api.ListVersion], changed api.List) (api.List, api.ListVersion, error) {
	return changed, 2, nil
}
var _ api.Service = service{}`, "wrong type for method StoreList"},
		{"a change that succeeds by itself", `
func (service) MutateAddItem(old api.List, req api.AddItemRequestObject) (api.List, api.AddItemResult) {
	return old, api.AddItem200JSONResponse(old)
}`, "missing method addItemResult"},
	} {
		err := c.check(t, head+s.code)
		switch {
		case s.want == "" && err != nil:
			t.Errorf("%s: %v", s.name, err)
		case s.want != "" && (err == nil || !strings.Contains(err.Error(), s.want)):
			t.Errorf("%s: got %v, want an error with %q", s.name, err, s.want)
		}
	}
}

// What idemgen init writes implements every method that there is.
func TestScaffold_Compiles(t *testing.T) {
	plans := map[string]*plan.API{} // by import path
	for _, name := range cases(t) {
		// init writes the configuration, too, and none with types of other packages.
		if isBad(name) || len(config(name).Packages[0].OapiCodegen.ImportMapping) > 0 {
			continue
		}
		project, errs := generator.Open(config(name), reader(name))
		if errs.Errors() > 0 {
			t.Fatalf("%s: %v", name, errs[0])
		}
		for _, pkg := range project.Packages() {
			plans[casesPath+name+"/"+pkg.Config.Output.Dir] = pkg.Plan
		}
	}
	c := newChecker(t, slices.Sorted(maps.Keys(plans))...)
	for path, api := range plans {
		src, err := scaffold.Service(scaffold.Project{Package: api.Package, Import: path}, api)
		if err != nil {
			t.Fatal(err)
		}
		// It is a part of a program, whose main stands in another file.
		if err := c.check(t, string(src)+"\nfunc main() {}\n"); err != nil {
			t.Errorf("%s: %v in\n%s", path, err, src)
		}
	}
}

// The handshake constant is what ties generated code to a runtime that can
// serve it: without it the package does not compile, and the error names it.
func TestGenerated_NeedsTheHandshake(t *testing.T) {
	version, err := filepath.Abs("../runtime/version.go")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	older := filepath.Join(dir, "version.go")
	if err := os.WriteFile(older, []byte("package runtime\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{version: older}})
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(config, overlay, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "build", "-overlay", config, guardedPath).CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("undefined: idem.SupportsGeneratedV1")) {
		t.Errorf("an older runtime: %v\n%s", err, out)
	}
}
