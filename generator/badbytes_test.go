package generator_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/policy"
)

const goodHead = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\n"

// TestBad_Bytes holds documents that an archive cannot: bytes that are no
// characters, other line ends, and what is too long to read.
func TestBad_Bytes(t *testing.T) {
	const bom = "\ufeff"
	laughs := "a0: &a0 {k0: 1, l0: 1}\n"
	for i := 1; i < 40; i++ {
		laughs += fmt.Sprintf("a%d: &a%d {<<: [*a%d, *a%d]}\n", i, i, i-1, i-1)
	}
	for _, c := range []struct{ name, text, want string }{
		{"empty.yaml", "", "IDM002 1:1"},
		{"empty.json", "", "IDM002 1:1"},
		{"blank.yaml", "\n\n  \n", "IDM002 1:1"},
		{"bom-only.yaml", bom, "IDM002 1:1"},
		{"nul.yaml", "\x00", "IDM002 1:1"},
		{"nul-inside.yaml", "openapi: 3.1.0\ninfo: \x00\n", "IDM002 2:7"},
		{"gzip.yaml", "\x1f\x8b\x08\x00\x00\x00\x00\x00", "IDM002 1:1"},
		{"zip.yaml", "PK\x03\x04\x14\x00", "IDM002 1:3"},
		{"png.yaml", "\x89PNG\r\n\x1a\n", "IDM002 1:1"},
		{"latin-1.yaml", "openapi: 3.1.0\ninfo: {title: Gr\xfc\xdfe}\n", "IDM002 2:17"},
		{"latin-1.json", "{\"openapi\": \"3.1.0\",\n \"x\": \"\xfc\"}", "IDM002 2:8"},
		{"utf-16-le.yaml", "\xff\xfeo\x00p\x00e\x00n\x00", "IDM002 1:1"},
		{"utf-16-be.json", "\xfe\xff\x00{\x00}", "IDM002 1:1"},
		{"cut-character.yaml", goodHead + "paths: {}\nx: \xe2\x82", "IDM002 4:4"},
		{"surrogate-bytes.yaml", goodHead + "x: \xed\xa0\x80\n", "IDM002 3:4"},
		{"escape-character.yaml", goodHead + "x: \x1b[31mred\n", "IDM002 3:4"},
		{"delete.yaml", goodHead + "x: \x7f\n", "IDM002 3:4"},
		{"c1.yaml", goodHead + "x: \u009b31m\n", "IDM002 3:4"},
		{"nonsense-after-bom.yaml", bom + "openapi: 3.1.0\npaths: [\n", "IDM002 3:1"},
		{"bom-inside.yaml", bom + "openapi: 4.0.0\n", "IDM003 1:13"},
		{"crlf.yaml", "openapi: 3.1.0\r\ninfo: {title: T, version: '1'}\r\npaths: 12\r\n", "IDM008 3:8"},
		{"crlf-duplicate.yaml", "openapi: 3.1.0\r\ninfo: {title: T, version: '1'}\r\npaths: {}\r\npaths: {}\r\n", "IDM004 4:1"},
		{"crlf.json", "{\r\n\"openapi\": \"3.1.0\",\r\n\"paths\": nul\r\n}", "IDM002 3:13"},
		{"cr.yaml", "openapi: 3.1.0\rinfo: {title: T, version: '1'}\rpaths: 12\r", "IDM008 1:54"},
		{"line-separator.yaml", goodHead + "# \u2028\npaths: 12\n", "IDM008 4:8"},
		{"next-line.yaml", goodHead + "x-a: 'b\u0085c'\npaths: 12\n", "IDM008 4:8"},
		{"tabs.yaml", "openapi: 3.1.0\n\tinfo: {}\n", "IDM002 2:1"},
		{"tabs.json", "{\n\t\"openapi\": \"3.1.0\",\n\t\"info\": {\"title\": \"T\", \"version\": \"1\"},\n\t\"paths\": 12\n}", "IDM008 4:11"},
		{"lone-surrogate.json", `{"openapi": "3.1.0", "info": {"title": "\ud83d", "version": "1"}, "paths": 12}`, "IDM008 1:76"},
		{"half-escape.json", `{"openapi": "3.1.0", "x": "\ud8"}`, "IDM002 1:32"},
		{"characters.yaml", "openapi: 3.1.0\ninfo: {title: 😀, version: '1', title: ä}\npaths: {}\n", "IDM004 2:35"},
		{"long-line.json", `{"openapi": "3.1.0", "x-a": "` + strings.Repeat("ä", 100_000) + `", "openapi": "3.1.0"}`, "IDM004 1:200033"},
		{"long-key.yaml", strings.Repeat("k", 2000) + ": 1\n", "IDM002 1:1"},
		{"long-name.yaml", goodHead + "paths: {}\nx-idempotency: {" + strings.Repeat("m", 900) + ": 1}\n", "IDM010 4:17"},
		{"deep-list.yaml", goodHead + "paths: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "\n", "IDM002 3:1008"},
		{"deep-object.json", strings.Repeat(`{"a":`, 3000) + "1" + strings.Repeat("}", 3000), "IDM002 1:5002"},
		{"deeper.json", strings.Repeat(`[`, 200_000), "IDM002 1:10001"},
		{"deeper.yaml", "a: " + strings.Repeat(`[`, 200_000), "IDM002 1:1"},
		{"laughs.yaml", laughs, "IDM002 13:6"},
		{"huge-number.yaml", goodHead + "paths: " + strings.Repeat("9", 5000) + "\n", "IDM008 3:8"},
		{"huge-exponent.yaml", goodHead + "paths: {}\nx-idempotency: {lease: 1e999999999}\n", "IDM011 4:24"},
		{"infinity.yaml", goodHead + "paths: {}\nx-idempotency: {mismatchStatus: .inf}\n", "IDM008 4:1, IDM011 4:33"},
		{"octal.yaml", goodHead + "paths: {}\nx-idempotency: {mismatchStatus: 0o622}\n", "IDM012 4:33"},
		{"date.yaml", goodHead + "paths: 2026-01-01\n", "IDM008 3:8"},
		{"binary-tag.yaml", goodHead + "paths: !!binary aGk=\n", "IDM002 3:8"},
		{"own-tag.yaml", goodHead + "paths: !thing {}\nopenapi: 3.1.0\n", "IDM002 3:8, IDM004 4:1"},
		{"set.yaml", goodHead + "paths: !!set {/a, /b}\n", "IDM002 3:8, IDM008 3:17, IDM008 3:21"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := places(judge(t, c.name, map[string][]byte{c.name: []byte(c.text)})); got != c.want {
				t.Errorf("errors %s, want %s", got, c.want)
			}
		})
	}
}

// TestBad_Members gives every member of both annotations a value of each wrong
// kind, at each place where the annotation may stand.
func TestBad_Members(t *testing.T) {
	places := map[string]string{
		"root":      goodHead + "%s\npaths: {/a: {post: {operationId: a, responses: {'204': {description: D}}}}}\n",
		"path":      goodHead + "paths:\n  /a:\n    %s\n    post: {operationId: a, responses: {'204': {description: D}}}\n",
		"operation": goodHead + "paths:\n  /a:\n    post:\n      operationId: a\n      %s\n      responses: {'204': {description: D}}\n",
	}
	for place, document := range places {
		for annotation, members := range map[string][]policy.Member{"x-idempotency": policy.IdempotencyMembers(), "x-etag": policy.ETagMembers()} {
			for _, m := range members {
				for _, value := range []string{"null", "", "[[]]", "{no: 1}", "[null]", "-1", "1e3", "!!binary aGk=", "{<<: {a: 1}}", "[{}]"} {
					text := value
					for _, name := range reversed(strings.Split(m.Name, ".")) {
						text = "{" + name + ": " + text + "}"
					}
					name := place + ".yaml"
					list := judge(t, name, map[string][]byte{name: fmt.Appendf(nil, document, annotation+": "+text)})
					if t.Failed() {
						t.Fatalf("%s %s: %s: %v", place, annotation, text, list)
					}
				}
			}
		}
	}
}

func reversed(names []string) []string {
	var all []string
	for i := range names {
		all = append(all, names[len(names)-1-i])
	}
	return all
}

// TestBad_Config: a configuration is refused with places too.
func TestBad_Config(t *testing.T) {
	const good = "version: 1\npackages:\n  - spec: a.yaml\n    output: {dir: api}\n"
	for name, text := range map[string]string{
		"empty": "", "binary": "\x00\x01", "utf-16": "\xff\xfev\x00", "list": "- 1\n", "text": "text\n", "null": "null\n", "unclosed": "version: [\n",
		"no-version": "packages: []\n", "version-text": "version: one\n", "version-null": "version:\n", "version-huge": "version: 99999999999999999999\n",
		"no-packages": "version: 1\n", "packages-null": "version: 1\npackages:\n", "packages-empty": "version: 1\npackages: []\n",
		"packages-object": "version: 1\npackages: {spec: a.yaml}\n", "package-null": "version: 1\npackages: [null]\n", "package-text": "version: 1\npackages: [a.yaml]\n",
		"duplicate": good + "version: 1\n", "unknown": good + "colour: red\n", "documents": good + "---\n" + good, "same-directory": good + "  - spec: b.yaml\n    output: {dir: api}\n",
		"same-directory-spelt": good + "  - spec: b.yaml\n    output: {dir: ./x/../api}\n",
		"spec-empty":           "version: 1\npackages:\n  - spec: ''\n    output: {dir: api}\n",
		"spec-list":            "version: 1\npackages:\n  - spec: [a]\n    output: {dir: api}\n",
		"output-text":          "version: 1\npackages:\n  - spec: a\n    output: api\n",
		"output-empty":         "version: 1\npackages:\n  - spec: a\n    output: {}\n",
		"dir-number":           "version: 1\npackages:\n  - spec: a\n    output: {dir: 1}\n",
		"package-keyword":      "version: 1\npackages:\n  - spec: a\n    output: {dir: api, package: func}\n",
		"package-control":      "version: 1\npackages:\n  - spec: a\n    output: {dir: api, package: \"a\\eb\"}\n",
		"router":               "version: 1\npackages:\n  - spec: a\n    output: {dir: api}\n    router: \"\\u001b\"\n",
		"oapi-list":            "version: 1\npackages:\n  - spec: a\n    output: {dir: api}\n    oapi-codegen: []\n",
		"oapi-unknown":         "version: 1\npackages:\n  - spec: a\n    output: {dir: api}\n    oapi-codegen: {skipPrune: true}\n",
		"contract-text":        "version: 1\npackages:\n  - spec: a\n    output: {dir: api, contract-test: 'true'}\n",
		"anchor-circle":        "version: &a [*a]\n",
	} {
		t.Run(name, func(t *testing.T) {
			config, list := generator.ParseConfig("idemgen.yaml", []byte(text))
			if config != nil || list.Errors() == 0 {
				t.Errorf("config %v, %d errors", config, list.Errors())
			}
			fit(t, list, map[string][]byte{"idemgen.yaml": []byte(text)})
		})
	}
}
