package idemgen_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/idemgen/idemgen"

// importRule says what one package, or every package below a path that ends in
// "/...", may import. Paths of this module start with "./". The most specific
// rule of a package applies. Files of tests are free.
type importRule struct {
	pkg string
	// may lists what is imported directly: "std" is the standard library, a
	// path that ends in "/..." includes everything below it.
	may []string
	// not takes paths out of what may allows.
	not []string
	// reach, when set, lists what may be reached at all: through any number of
	// imports nothing else is linked.
	reach []string
	// never lists what may not be reached at all.
	never []string
}

const (
	kin      = "github.com/getkin/kin-openapi/..."
	jsonpath = "github.com/speakeasy-api/jsonpath/pkg/jsonpath"
	oapi     = "github.com/oapi-codegen/oapi-codegen/v2/..."
	oapiRun  = "github.com/oapi-codegen/runtime/..."
	jennifer = "github.com/dave/jennifer/jen"
	udiff    = "github.com/aymanbagabas/go-udiff/..."
	cobra    = "github.com/spf13/cobra"
	modfile  = "golang.org/x/mod/modfile"
	yaml     = "gopkg.in/yaml.v3"
	kinyaml  = "go.yaml.in/yaml/v4"
	sqlite   = "modernc.org/sqlite/..."
	mysql    = "github.com/go-sql-driver/mysql"
	goredis  = "github.com/redis/go-redis/v9"
	pgx      = "github.com/jackc/pgx/v5/..."
	chi      = "github.com/go-chi/chi/v5"
	gorilla  = "github.com/gorilla/mux"
)

var (
	// disk is what pure stages do not touch: they take bytes and return files.
	disk = []string{"os", "os/exec", "io/ioutil", "testing"}
	// generated is what generated code imports.
	generated = []string{"std", "./runtime", "./runtime/etag", oapiRun}
	// generatedTest is what a generated contract test imports.
	generatedTest = []string{"testing", "./runtime/contract", "./runtime/etag"}
	// unstable is what the runtime may not be built on: packages that only a
	// GOEXPERIMENT enables, and test support in production code.
	unstable = []string{"encoding/json/v2", "encoding/json/jsontext", "testing", "testing/..."}
)

// importRules is the architecture. A package that fails here is a design
// question, not a reason to widen its row; ARCHITECTURE.md explains the rows.
var importRules = []importRule{
	{pkg: ".", may: nil}, // holds these tests only

	// The runtime's core is linked into every user's server: standard library.
	{pkg: "./runtime/internal/expect", may: []string{"std"}, not: unstable, reach: []string{"std"}},
	{pkg: "./runtime/etag", may: []string{"std", "./runtime/internal/expect"}, not: unstable, reach: []string{"std", "./runtime/..."}},
	{pkg: "./runtime", may: []string{"std", "./runtime/etag", "./runtime/internal/..."}, not: unstable, reach: []string{"std", "./runtime/..."}},

	// A store brings its own driver and nothing else.
	{pkg: "./runtime/store/memory", may: []string{"std", "./runtime"}, not: unstable, reach: []string{"std", "./runtime/..."}},
	{pkg: "./runtime/store/storetest", may: []string{"std", "./runtime"}, reach: []string{"std", "./runtime/..."}},
	{pkg: "./runtime/contract", may: []string{"std", "./runtime", "./runtime/etag"}, reach: []string{"std", "./runtime/..."}},
	{pkg: "./runtime/otelidem", may: []string{"std", "./runtime", "go.opentelemetry.io/otel/..."}, not: unstable},
	{pkg: "./runtime/store/sqlite", may: []string{"std", "./runtime", "./runtime/store/sqlite/migrations", sqlite}, not: unstable},
	{pkg: "./runtime/store/sqlite/migrations", may: []string{"std"}, not: unstable, reach: []string{"std"}},
	{pkg: "./runtime/store/mysql", may: []string{"std", "./runtime", "./runtime/store/mysql/migrations", mysql}, not: unstable},
	{pkg: "./runtime/store/mysql/migrations", may: []string{"std"}, not: unstable, reach: []string{"std"}},
	{pkg: "./runtime/store/redis", may: []string{"std", "./runtime", goredis}, not: unstable},
	{pkg: "./runtime/store/postgres", may: []string{"std", "./runtime", "./runtime/store/postgres/migrations", pgx}, not: unstable},
	{pkg: "./runtime/store/postgres/migrations", may: []string{"std"}, not: unstable, reach: []string{"std"}},

	// The pipeline: one direction, plain data between the stages. Only source
	// reads OpenAPI, only goapi knows oapi-codegen, only wiring knows jennifer.
	{pkg: "./generator/diag", may: []string{"std"}, not: disk},
	{pkg: "./generator/source", may: []string{"std", "./generator/diag", kin, kinyaml, yaml, jsonpath}, not: disk},
	{pkg: "./generator/policy", may: []string{"std", "./generator/diag", "./generator/source"}, not: disk},
	// Plan tries the routes of an API on the routers that it can be generated for.
	{pkg: "./generator/plan", may: []string{"std", "./generator/diag", "./generator/policy", "./generator/source", chi, gorilla}, not: disk},
	{pkg: "./generator/publish", may: []string{"std", "./generator/diag", "./generator/plan", "./generator/source"}, not: disk},
	{pkg: "./generator/lint", may: []string{"std", "./generator/diag", "./generator/plan", "./generator/policy", "./generator/propose", "./generator/source"}, not: disk},
	{pkg: "./generator/goapi", may: []string{"std", "./generator/diag", "./generator/plan", "./generator/source", kin, oapi}, not: disk},
	{pkg: "./generator/wiring", may: []string{"std", "./generator/diag", "./generator/plan", "./generator/goapi", jennifer}, not: disk},
	{pkg: "./generator/scaffold", may: []string{"std", "./generator/plan", "./templates"}, not: disk},
	// Those who look at a project without generating from it.
	{pkg: "./generator/breaking", may: []string{"std", "./generator/diag", "./generator/policy"}, not: disk},
	{pkg: "./generator/report", may: []string{"std", "./generator/diag", "./generator/plan", "./generator/policy"}, not: disk},
	{pkg: "./generator/propose", may: []string{"std", "./generator/diag", "./generator/policy", "./generator/source"}, not: disk},
	{pkg: "./generator/explain", may: []string{"std", "./generator/diag", "./generator/plan", "./generator/policy"}, not: disk},
	{pkg: "./generator", may: []string{"std", "./generator/...", "./templates", yaml}, not: disk, never: []string{"./runtime/...", sqlite}},
	{pkg: "./templates", may: []string{"std"}, not: disk},

	// The command prints the stores' migrations, without their drivers.
	{
		pkg:   "./cmd/idemgen",
		may:   []string{"std", "./generator/...", "./runtime/store/sqlite/migrations", "./runtime/store/mysql/migrations", "./runtime/store/postgres/migrations", cobra, udiff, modfile},
		never: []string{"./runtime", sqlite, mysql, pgx},
	},

	// Generated code: what its users' modules require.
	{pkg: "./generator/testdata/cases/...", may: generated},
	{pkg: "./generator/testdata/cases/routers/want/chi", may: append(slices.Clone(generated), chi)},
	{pkg: "./generator/testdata/cases/routers/want/gorilla", may: append(slices.Clone(generated), gorilla)},
	{pkg: "./generator/testdata/cases/guarded/want/idemtest", may: generatedTest},
	{pkg: "./generator/testdata/cases/imports/want", may: slices.Concat(generated, []string{"./generator/testdata/cases/imports/want/common"})},
	{pkg: "./examples/petstore/api", may: generated},
	{pkg: "./examples/petstore/api/idemtest", may: generatedTest},
	{pkg: "./examples/profiles/api", may: generated},
	{pkg: "./examples/profiles/api/idemtest", may: generatedTest},

	// The example is a user; its demonstration also generates.
	{pkg: "./examples/petstore", may: []string{"std", "./examples/petstore/api", "./runtime/...", sqlite, pgx}},
	{pkg: "./examples/profiles", may: []string{"std", "./examples/profiles/api", "./runtime/...", sqlite}},
	{pkg: "./examples/petstore/demo", may: []string{"std", "./generator/...", sqlite}},

	// A table of what becomes of documents that others wrote.
	{pkg: "./internal/genbench", may: []string{"std", "./generator/...", "./generator", oapi}},
	{pkg: "./internal/corpus", may: []string{"std", "./generator", "./generator/diag", "./generator/plan", "./generator/policy", "./generator/propose", "./generator/source"}},

	// Children of tests are killed in the middle of their work.
	{pkg: "./internal/child", may: []string{"std"}},

	// The vectors' runner generates servers and looks into their databases; what
	// is linked into them does not generate.
	{pkg: "./internal/vectors", may: []string{"std", "./generator/...", "./internal/child", "./internal/servertest", "./internal/vectors/evaluator", "./internal/vectors/server", sqlite, pgx, mysql, goredis}},
	{pkg: "./internal/vectors/evaluator", may: []string{"std", "./internal/child", "./runtime/..."}, never: []string{"./generator/...", sqlite}},
	{pkg: "./internal/vectors/server", may: []string{"std", "./internal/child", "./runtime/...", sqlite, pgx, mysql, goredis}, never: []string{"./generator/..."}},

	// The proofs are tests; what they share makes stores.
	{pkg: "./internal/proof/stores", may: []string{"std", "./runtime/...", "./internal/servertest", pgx, mysql, goredis}},
	{pkg: "./internal/proof/linear", may: nil},
	{pkg: "./internal/proof/kill", may: nil},
	{pkg: "./internal/proof/kill/payments", may: generated},
	{pkg: "./internal/proof/misuse", may: nil},
	{pkg: "./internal/proof/sim", may: nil},
	{pkg: "./internal/proof/faults", may: []string{"std"}}, // below the drivers, without knowing them

	// Where the servers of tests are.
	{pkg: "./internal/servertest", may: []string{"std"}},
	{pkg: "./internal/servertest/ping", may: []string{"std", "./internal/servertest", pgx, mysql, goredis}},
}

func TestImports(t *testing.T) {
	for _, problem := range checkImports(importRules, listPackages(t)) {
		t.Error(problem)
	}
}

// TestImports_Planted breaks each kind of rule once.
func TestImports_Planted(t *testing.T) {
	std := func(path string) goPackage { return goPackage{ImportPath: path, Standard: true} }
	own := func(path string, imports ...string) goPackage {
		return goPackage{ImportPath: module + strings.TrimPrefix(path, "."), Imports: imports}
	}
	rules := []importRule{
		{pkg: "./core", may: []string{"std", "./core/..."}, not: []string{"os"}, reach: []string{"std", "./core/..."}},
		{pkg: "./core/...", may: []string{"std", "example.com/driver/..."}},
		{pkg: "./tool", may: []string{"std", "./core"}, never: []string{"example.com/driver"}},
	}
	base := []goPackage{std("fmt"), std("os"), {ImportPath: "example.com/driver"}, own("./core/a", "fmt"), own("./tool", "fmt")}
	tests := []struct {
		name string
		add  []goPackage
		want string // part of the only problem; empty: none
	}{
		{"allowed", []goPackage{own("./core", "fmt", module+"/core/a")}, ""},
		{"neither listed nor foreign", []goPackage{own("./core", "unsafe", "C")}, ""},
		{"foreign import", []goPackage{own("./core"), own("./core/c", "example.com/other"), {ImportPath: "example.com/other"}}, "./core/c imports example.com/other"},
		{"excluded import", []goPackage{own("./core", "os")}, "./core imports os"},
		{"reached", []goPackage{own("./core", module+"/core/b"), own("./core/b", "example.com/driver")}, "./core reaches example.com/driver through ./core -> ./core/b -> example.com/driver"},
		{"never reached", []goPackage{own("./core", module+"/core/a"), own("./core/a", "example.com/driver"), own("./tool", module+"/core")}, "./tool reaches example.com/driver through ./tool -> ./core -> ./core/a -> example.com/driver"},
		{"no rule", []goPackage{own("./core"), own("./stray")}, "./stray has no rule"},
		{"no package", nil, "rule ./core matches no package"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var packages []goPackage
			for _, p := range append(slices.Clone(base), test.add...) { // later ones replace earlier ones
				packages = slices.DeleteFunc(packages, func(q goPackage) bool { return q.ImportPath == p.ImportPath })
				packages = append(packages, p)
			}
			got := checkImports(rules, packages)
			got = slices.DeleteFunc(got, func(s string) bool {
				// The rows that a case says nothing about are not its subject.
				return test.name == "never reached" && strings.HasPrefix(s, "./core reaches")
			})
			switch {
			case test.want == "" && len(got) > 0:
				t.Errorf("got %q, want no problem", got)
			case test.want != "" && (len(got) != 1 || !strings.Contains(got[0], test.want)):
				t.Errorf("got %q, want one problem with %q", got, test.want)
			}
		})
	}
}

// goPackage is what is used of a package that `go list -json` prints.
type goPackage struct {
	ImportPath string
	Standard   bool
	Imports    []string
}

// listPackages returns the packages of this module, golden ones included, and
// all that they are linked with, without tests.
func listPackages(t *testing.T) []goPackage {
	t.Helper()
	trackSources(t)
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Standard,Imports", "./...", "./generator/testdata/cases/...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var packages []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		packages = append(packages, p)
	}
}

// trackSources reads every directory, because `go test` takes a cached result
// unless a file or directory changed that the test itself opened, and what go
// list opens does not count.
func trackSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != "." && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkImports returns a sentence for every violation, in the order of the
// packages.
func checkImports(rules []importRule, packages []goPackage) []string {
	index := make(map[string]goPackage, len(packages))
	for _, p := range packages {
		index[p.ImportPath] = p
	}
	var problems []string
	used := make(map[string]bool)
	for _, p := range packages {
		name, own := relative(p.ImportPath)
		if !own {
			continue
		}
		rule, ok := ruleOf(rules, name)
		if !ok {
			problems = append(problems, name+" has no rule: say in importRules what it may import")
			continue
		}
		used[rule.pkg] = true
		for _, path := range p.Imports {
			if !matches(rule.may, index, path) || matches(rule.not, index, path) {
				to, _ := relative(path)
				problems = append(problems, fmt.Sprintf("%s imports %s: its rule allows %q without %q", name, to, rule.may, rule.not))
			}
		}
		problems = append(problems, checkReach(rule, index, p)...)
	}
	for _, rule := range rules {
		if !used[rule.pkg] {
			problems = append(problems, "rule "+rule.pkg+" matches no package: remove it")
		}
	}
	return problems
}

// checkReach walks the import graph below p, breadth first, so that the chain
// it names is a shortest one. A chain is not followed beyond its violation.
func checkReach(rule importRule, index map[string]goPackage, p goPackage) []string {
	if rule.reach == nil && rule.never == nil {
		return nil
	}
	var problems []string
	from := map[string]string{p.ImportPath: ""}
	for queue := []string{p.ImportPath}; len(queue) > 0; queue = queue[1:] {
		for _, path := range index[queue[0]].Imports {
			if _, seen := from[path]; seen {
				continue
			}
			from[path] = queue[0]
			if rule.reach != nil && !matches(rule.reach, index, path) || matches(rule.never, index, path) {
				problems = append(problems, describeReach(from, path))
				continue
			}
			if !isStandard(index, path) {
				queue = append(queue, path)
			}
		}
	}
	return problems
}

func describeReach(from map[string]string, path string) string {
	var chain []string
	for at := path; at != ""; at = from[at] {
		name, _ := relative(at)
		chain = append(chain, name)
	}
	slices.Reverse(chain)
	return fmt.Sprintf("%s reaches %s through %s", chain[0], chain[len(chain)-1], strings.Join(chain, " -> "))
}

// ruleOf returns the most specific rule of a package of this module.
func ruleOf(rules []importRule, name string) (importRule, bool) {
	var best importRule
	found := false
	for _, rule := range rules {
		if matchPath(rule.pkg, name) && (!found || len(strings.TrimSuffix(rule.pkg, "/...")) > len(strings.TrimSuffix(best.pkg, "/...")) || rule.pkg == name) {
			best, found = rule, true
		}
	}
	return best, found
}

// matches reports whether one of the patterns covers an import path.
func matches(patterns []string, index map[string]goPackage, path string) bool {
	name, _ := relative(path)
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		return pattern == "std" && isStandard(index, path) || matchPath(pattern, name)
	})
}

func isStandard(index map[string]goPackage, path string) bool {
	return path == "C" || path == "unsafe" || index[path].Standard
}

func matchPath(pattern, name string) bool {
	base, below := strings.CutSuffix(pattern, "/...")
	return name == base || below && strings.HasPrefix(name, base+"/")
}

// relative writes an import path as the rules do and reports whether it is of
// this module.
func relative(path string) (string, bool) {
	if path == module {
		return ".", true
	}
	if below, own := strings.CutPrefix(path, module+"/"); own {
		return "./" + below, true
	}
	return path, false
}
