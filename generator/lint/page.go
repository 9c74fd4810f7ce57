package lint

//go:generate go test -run ^TestArtifacts_Current$ -update .

import (
	"fmt"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
)

// Markdown writes docs/rules.md: a section for each rule, and the rules of the
// generator's stages.
func Markdown() []byte {
	var b strings.Builder
	b.WriteString("<!-- Generated from the rules of idemgen lint by `go generate ./generator/lint`; do not edit. -->\n" + `# Rules

` + "`idemgen lint`" + ` applies the rules from IDM101 on to an annotated document, and reports warnings of the generator as well.
Nothing is inferred from the name of a header: a correlation id is never taken for a key.

A finding that is right as it is, is taken back with a reason, at an operation, a path item or the root:

` + "```yaml" + `
x-idemgen-ignore:
  IDM101: the gateway in front recognizes repetitions
` + "```" + `

A reason that is missing, and a suppression that suppresses nothing, are findings themselves. A rule that does not suit a
whole project is disabled in idemgen.yaml, with its reason:

` + "```yaml" + `
lint:
  disable:
    - {rule: IDM102, reason: every resource has one writer}
` + "```" + `

` + "`--format`" + ` is text, json, github (the default where GITHUB_ACTIONS is true) or sarif. ` + "`--fail-on`" + ` (default: warning) names the
least severity that makes the exit code 1; with 2 idemgen could not judge. ` + "`rulesets/idemgen.spectral.yaml`" + ` has the rules
that Spectral can express; it sees annotations where they are written, not merged.

| rule | severity | what is wrong | Spectral |
|---|---|---|---|
`)
	for _, r := range table {
		there := ""
		if r.spectral != nil {
			there = "yes"
		}
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s | %s |\n", r.ID, strings.ToLower(string(r.ID)), r.Severity, r.Title, there)
	}
	for _, r := range table {
		fmt.Fprintf(&b, "\n## %s\n%s: %s.\n\n%s\n\n**Fix.** %s\n", r.ID, capital(r.Severity.String()), r.Title, r.Why, r.Fix)
		fmt.Fprintf(&b, "\n```yaml\n# found\n%s```\n\n```yaml\n# quiet\n%s```\n", r.Bad, r.Good)
	}
	b.WriteString(`
## Errors of the generator
These stop ` + "`generate`" + ` and cannot be suppressed; each comes with its place and what to write instead. Warnings among
them can be suppressed at the root.

| rule | what is wrong |
|---|---|
`)
	for _, id := range diag.Rules() {
		fmt.Fprintf(&b, "| <a id=%q></a>%s | %s |\n", strings.ToLower(string(id)), id, id.About())
	}
	return []byte(b.String())
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
