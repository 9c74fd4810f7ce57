package generator_test

import (
	"testing"

	"github.com/idemgen/idemgen/generator"
)

// FuzzParseConfig reads any text as a configuration: it is one, or each fault has
// its place.
func FuzzParseConfig(f *testing.F) {
	for _, text := range []string{
		"", "version: 1\npackages:\n  - spec: a.yaml\n    overlays: [b.yaml, ../c.yaml]\n    output: {dir: api, package: api, contract-test: true}\n",
		"version: 1\npackages: [{spec: a, router: std, operations: {annotated: true, paths: ['/a*'], tags: [x], include: [a], exclude: [b]}, output: {dir: .}}]\n",
		"version: 1\npackages: [{spec: a, oapi-codegen: {skip-prune: true, on-unsupported: skip}, output: {dir: \"a\\u0000b\"}}]\nlint: {disable: [{rule: IDM101, reason: r}]}\n",
		"{\"version\": 1, \"packages\": []}", "version: &a 1\npackages: *a\n", "<<: {version: 1}\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		const name = "dir/idemgen.yaml"
		files := map[string][]byte{name: []byte(text)}
		config, list := generator.ParseConfig(name, files[name])
		fit(t, list, files)
		if (config == nil) != (list.Errors() > 0) {
			t.Errorf("configuration %v and %d errors", config, list.Errors())
		}
		if config == nil {
			return
		}
		for _, p := range config.Packages {
			if p.Spec == "" || p.Output.Dir == "" || p.Output.Package == "" || p.Router == "" {
				t.Errorf("a package that is not complete: %+v", p)
			}
		}
	})
}
