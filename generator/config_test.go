package generator

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/plan"
)

func TestParseConfig(t *testing.T) {
	c, errs := ParseConfig("../conf/idemgen.yaml", []byte(`
version: 1
packages:
  - spec: openapi.yaml
    output: {dir: internal/shop-api}
  - spec: ../other/openapi.json
    output: {dir: ., package: other, split: [models, tags]}
    router: chi
    overlays: [a.yaml, sub/b.json]
    operations: {include: [x], exclude: ['GET /y'], tags: [t], paths: [/z*], annotated: true}
    oapi-codegen: {skip-prune: true, resolve-type-name-collisions: true, always-prefix-enum-values: true, on-unsupported: skip}
`))
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	at := func(text string, line, col int) []Name {
		return []Name{{text, diag.Pos{File: "../conf/idemgen.yaml", Line: line, Col: col}}}
	}
	want := []Package{
		{Spec: "../conf/openapi.yaml", Output: Output{Dir: "../conf/internal/shop-api", Package: "shopapi"}, Router: "std"},
		{
			Spec: "../other/openapi.json", Output: Output{Dir: "../conf", Package: "other", Split: Split{true, true}}, Router: "chi",
			Overlays: []string{"../conf/a.yaml", "../conf/sub/b.json"},
			Operations: Operations{
				Include: at("x", 10, 28), Exclude: at("GET /y", 10, 42), Tags: at("t", 10, 60), Paths: at("/z*", 10, 72), Annotated: true,
			},
			OapiCodegen: OapiCodegen{SkipPrune: true, ResolveTypeNameCollisions: true, AlwaysPrefixEnumValues: true, Skip: true},
		},
	}
	if !reflect.DeepEqual(c.Packages, want) {
		t.Errorf("got  %+v\nwant %+v", c.Packages, want)
	}
}

// A file may be anywhere; only relative names begin at the configuration.
func TestParseConfig_Absolute(t *testing.T) {
	c, errs := ParseConfig("conf/idemgen.yaml", []byte(`
version: 1
packages: [{spec: /specs/a.yaml, overlays: ['C:/b.yaml', c.yaml], output: {dir: /out/api}}]
`))
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	want := []Package{{Spec: "/specs/a.yaml", Overlays: []string{"C:/b.yaml", "conf/c.yaml"}, Output: Output{Dir: "/out/api", Package: "api"}, Router: "std"}}
	if !reflect.DeepEqual(c.Packages, want) {
		t.Errorf("got  %+v\nwant %+v", c.Packages, want)
	}
}

// oapi is a configuration with settings of oapi-codegen, from column 55 of line 2.
func oapi(settings string) string {
	return "version: 1\npackages: [{spec: a, output: {dir: b}, oapi-codegen: {" + settings + "}}]"
}

// A setting is either passed on or refused, not both, and a refusal says what to do.
func TestRefusals(t *testing.T) {
	for name, r := range refusals {
		_, errs := ParseConfig("c.yaml", []byte(oapi(name+": true")))
		if errs.Errors() != 1 || !strings.Contains(errs[0].Message, r.reason) || errs[0].Fix == "" {
			t.Errorf("%s: %v", name, errs)
		}
	}
}

func TestParseConfig_Errors(t *testing.T) {
	for text, want := range map[string]string{
		``:                          "c.yaml:1:1: IDM002: the file is empty",
		`version: 1`:                `c.yaml:1:1: IDM050: the configuration lacks the member "packages"`,
		"version: 1\npackages: []":  "c.yaml:2:11: IDM050: packages must be a list with at least one package",
		"version: 1\npackages: [a]": "c.yaml:2:12: IDM050: a package must be an object, not a string",

		"version: '1'\npackages: [{spec: a, output: {dir: b}}]":                            "c.yaml:1:10: IDM050: version must be 1, the only format that idemgen " + Version + " knows",
		"version: 1\npackages: [{spec: 3, output: {dir: b}}]":                              "c.yaml:2:19: IDM050: spec must be a string that is not empty, not an integer",
		"version: 1\npackages: [{spec: a, output: {dirr: b}}]":                             `c.yaml:2:30: IDM050: output lacks the member "dir"`,
		"version: 1\npackages: [{spec: a, output: {dir: b, package: type}}]":               `c.yaml:2:30: IDM050: "type" cannot be the name of a Go package that others import`,
		"version: 1\nversion: 1\npackages: [{spec: a, output: {dir: b}}]":                  `c.yaml:2:1: IDM004: duplicate key "version"; the first is at c.yaml:1:1`,
		"version: 1\npackages: [{spec: a, output: {dir: b}, router: gorila}]":              `c.yaml:2:48: IDM050: router "gorila" is not offered; these are: std, chi, gorilla`,
		"version: 1\npackages: [{spec: a, output: {dir: b}, oapi-codegen: {prune: true}}]": `c.yaml:2:55: IDM050: oapi-codegen has no member "prune"; it has always-prefix-enum-values, disable-required-readonly-as-pointer, exclude-schemas, import-mapping, on-unsupported, prefer-skip-optional-pointer, prefer-skip-optional-pointer-on-container-types, resolve-type-name-collisions, skip-prune`,

		oapi("import-mapping: a"):                                                                           "c.yaml:2:71: IDM050: import-mapping must be an object of Go packages by file, not a string",
		oapi("import-mapping: {a.yaml: '-'}"):                                                               "c.yaml:2:80: IDM050: import-mapping: what no package is named for is generated into this one anyway",
		oapi("import-mapping: {'#/a': example.com/a}"):                                                      "c.yaml:2:72: IDM050: import-mapping: #/a is a place in the document, not a file",
		oapi("import-mapping: {a.yaml: ./common}"):                                                          `c.yaml:2:80: IDM050: import-mapping: "./common" is not the import path of a Go package`,
		oapi("import-mapping: {a.yaml: common example.com/a}"):                                              `c.yaml:2:80: IDM050: import-mapping: "common example.com/a" is not the import path of a Go package`,
		oapi("import-mapping: {a.yaml: 3}"):                                                                 "c.yaml:2:80: IDM050: a.yaml must be a string that is not empty, not an integer",
		oapi("import-mapping: {a.yaml: a, ./a.yaml: b}"):                                                    "c.yaml:2:83: IDM050: import-mapping: ./a.yaml is named twice",
		oapi("exclude-schemas: Pet"):                                                                        "c.yaml:2:72: IDM050: exclude-schemas must be a list, not a string",
		oapi("user-templates: {a: b}"):                                                                      "c.yaml:2:55: IDM050: oapi-codegen: user-templates is not passed on: the wiring is made for oapi-codegen's own templates",
		oapi("name-normalizer: ToCamelCaseWithInitialisms"):                                                 "c.yaml:2:55: IDM050: oapi-codegen: name-normalizer is not passed on: idemgen plans the names before oapi-codegen runs",
		oapi("output-options: {skip-prune: true}"):                                                          "c.yaml:2:55: IDM050: oapi-codegen: output-options is not passed on: its members stand under oapi-codegen",
		"version: 1\npackages: [{spec: a, output: {dir: b}}, {spec: c, output: {dir: b, package: x}}]":      "c.yaml:2:65: IDM050: the package at c.yaml:2:36 is generated into the same directory",
		"version: 1\npackages: [{spec: a, output: {dir: b}}]\nlint: {disable: [{rule: IDM101}]}":            `c.yaml:3:18: IDM050: a disabled rule lacks the member "reason"`,
		"version: 1\npackages: [{spec: a, output: {dir: b}}]\nlint: {disable: [{rule: IDM100, reason: r}]}": `c.yaml:3:25: IDM050: there is no rule "IDM100"`,
		"version: 1\npackages: [{spec: a, output: {dir: b}}]\nlint: {disable: IDM101}":                      "c.yaml:3:17: IDM050: disable must be a list, not a string",
		"version: 1\npackages: [{spec: a, overlays: b, output: {dir: b}}]":                                  "c.yaml:2:32: IDM050: overlays must be a list, not a string",
		"version: 1\npackages: [{spec: a, overlays: [b, ./b], output: {dir: b}}]":                           "c.yaml:2:36: IDM050: overlays: ./b is named twice",
		"version: 1\npackages: [{spec: a, operations: {tag: [b]}, output: {dir: b}}]":                       "c.yaml:2:35: IDM050: operations has no member \"tag\"; did you mean tags?",
		"version: 1\npackages: [{spec: a, operations: {tags: [3]}, output: {dir: b}}]":                      "c.yaml:2:42: IDM050: tags must have strings that are not empty, not an integer",
	} {
		c, errs := ParseConfig("c.yaml", []byte(text))
		if c != nil || errs.Errors() == 0 {
			t.Errorf("%q was accepted", text)
			continue
		}
		if got := errs[0].Error(); got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", text, got, want)
		}
	}
}

// The schema that editors use has the members that ParseConfig reads, and no
// others.
func TestConfigSchema_AgreesWithParseConfig(t *testing.T) {
	text, err := os.ReadFile("idemgen.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type object struct {
		ID         string `json:"$id"`
		Properties map[string]json.RawMessage
		Enum       []string
		Items      *struct{ Properties map[string]json.RawMessage }
	}
	var root object
	parse := func(raw []byte) (o object) {
		if err := json.Unmarshal(raw, &o); err != nil {
			t.Fatal(err)
		}
		if o.Items != nil {
			o.Properties = o.Items.Properties
		}
		return o
	}
	root = parse(text)
	if !strings.Contains(root.ID, "/v"+Version+"/") {
		t.Errorf("$id %s is not of release %s", root.ID, Version)
	}
	check := func(what string, o object, template string) {
		_, errs := ParseConfig("c.yaml", []byte(strings.ReplaceAll(template, "MEMBER", "zzzz: 0")))
		_, list, found := strings.Cut(errs[0].Message, "it has ")
		var want []string
		for name := range o.Properties {
			want = append(want, name)
		}
		slices.Sort(want)
		if !found || list != strings.Join(want, ", ") {
			t.Errorf("%s: ParseConfig has %q, the schema %v", what, errs[0].Message, want)
		}
	}
	check("configuration", root, "MEMBER\nversion: 1\npackages: [{spec: a, output: {dir: b}}]")
	pkg := parse(root.Properties["packages"])
	settings := parse(root.Properties["lint"])
	check("lint", settings, "version: 1\npackages: [{spec: a, output: {dir: b}}]\nlint: {MEMBER}")
	check("a disabled rule", parse(settings.Properties["disable"]), "version: 1\npackages: [{spec: a, output: {dir: b}}]\nlint: {disable: [{MEMBER, rule: IDM101, reason: r}]}")
	check("package", pkg, "version: 1\npackages: [{MEMBER, spec: a, output: {dir: b}}]")
	check("output", parse(pkg.Properties["output"]), "version: 1\npackages: [{spec: a, output: {MEMBER, dir: b}}]")
	check("operations", parse(pkg.Properties["operations"]), "version: 1\npackages: [{spec: a, output: {dir: b}, operations: {MEMBER}}]")
	check("oapi-codegen", parse(pkg.Properties["oapi-codegen"]), "version: 1\npackages: [{spec: a, output: {dir: b}, oapi-codegen: {MEMBER}}]")
	if routers := parse(pkg.Properties["router"]).Enum; !slices.Equal(routers, plan.RouterNames()) {
		t.Errorf("router: the schema has %v, %v are offered", routers, plan.RouterNames())
	}
}
