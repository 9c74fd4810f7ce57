package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/source"
)

const configHead = `# idemgen.yaml

The configuration is looked for in the working directory and above; ` + "`--config`" + ` or the variable ` + "`IDEMGEN_CONFIG`" + `
names another one. A flag overrides it, for one package. Names of files are relative to it. A member that it does not
know is an error, with the nearest one: nothing is ignored.

` + "```yaml" + `
# yaml-language-server: $schema=https://raw.githubusercontent.com/idemgen/idemgen/v` + generator.Version + `/generator/idemgen.schema.json
version: 1
packages:
  - spec: openapi.yaml
    overlays: [idem.overlay.yaml]
    operations: {tags: [orders], exclude: [exportOrders]}
    output: {dir: internal/api, package: api, split: [models, tags]}
    oapi-codegen:
      import-mapping: {shared/common.yaml: example.com/shop/common}
lint:
  disable:
    - {rule: IDM111, reason: clients retry for days}
` + "```" + `

This page is written from [the schema](../generator/idemgen.schema.json) that editors use.

| member | value | default | about |
|---|---|---|---|
`

const configTail = `
Settings of oapi-codegen that would break the wiring, or have their place elsewhere, are refused with what to write
instead.

A package that no longer has a file, because ` + "`split` or `contract-test`" + ` changed, loses it: ` + "`idemgen generate`" + ` removes
what idemgen wrote under that name, and ` + "`--check`" + ` calls it drift. A file that no generator wrote is neither removed nor
replaced. A directory that is configured no more is not looked at; remove it yourself.
`

// TestDocs_Config: docs/configuration.md has every member, as the schema says it.
func TestDocs_Config(t *testing.T) {
	text, err := os.ReadFile("../../generator/idemgen.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	root, errs := source.ParseYAML("idemgen.schema.json", text)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	page := configHead + strings.Join(memberRows("", root), "") + configTail
	current(t, docsDir+"/configuration.md", page)
	_, example, _ := strings.Cut(page, "```yaml\n")
	example, _, _ = strings.Cut(example, "```\n")
	if c, errs := generator.ParseConfig("idemgen.yaml", []byte(example)); c == nil {
		t.Errorf("the example is wrong: %v", errs)
	}
}

// memberRows are a line for each member of a schema and what is in it.
func memberRows(prefix string, schema source.Node) []string {
	var all []string
	for _, m := range schema.Get("properties").Entries() {
		name := prefix + m.Key()
		all = append(all, fmt.Sprintf("| `%s` | %s | %s | %s |\n", name, value(m), literal(m.Get("default")), m.Get("description").Text()))
		all = append(all, memberRows(name+".", m)...)
		all = append(all, memberRows(name+"[].", m.Get("items"))...)
	}
	return all
}

func value(schema source.Node) string {
	switch kind := schema.Get("type").Text(); {
	case schema.Get("const").Exists():
		return literal(schema.Get("const"))
	case schema.Get("enum").Exists():
		var words []string
		for _, v := range schema.Get("enum").Items() {
			words = append(words, literal(v))
		}
		return strings.Join(words, ", ")
	case kind == "array" && !schema.Get("items").Get("properties").Exists():
		return "list of " + value(schema.Get("items"))
	case kind == "object" && schema.Get("additionalProperties").Kind() == source.Map:
		return "object of " + value(schema.Get("additionalProperties")) + "s"
	case kind == "array":
		return "list of objects"
	case kind == "boolean":
		return "`true`, `false`"
	default:
		return kind
	}
}

func literal(n source.Node) string {
	if !n.Exists() {
		return ""
	}
	return "`" + n.Text() + "`"
}
