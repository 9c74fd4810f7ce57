package lint_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/lint"
)

// What is proposed is right when it is written where it says.
func TestTagFix(t *testing.T) {
	const file = `/files/{id}:
  # here
  parameters: [{name: id, in: path, required: true, schema: {type: string}}]
  get:
    responses: {'200': {description: File, headers: {ETag: {schema: {type: string}}}, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}
/files/{id}/content:
  # at the path item
  parameters: [{name: id, in: path, required: true, schema: {type: string}}]
  get:
    responses: {'200': {description: Content, content: {text/plain: {schema: {type: string}}}}}
  put:
    # at the operation
    parameters: [{name: If-Match, in: header, schema: {type: string}}]
    responses: {'204': {description: Replaced}, default: {description: Error}}
`
	const flag = `/flags/{name}:
  # at the path item
  parameters: [{name: name, in: path, required: true, schema: {type: string}}]
  get:
    responses: {'200': {description: Flag, content: {application/json: {schema: {type: object, required: [rev], properties: {rev: {type: integer}}}}}}}
  put:
    # at the operation
    parameters: []
    responses: {'204': {description: Replaced}, default: {description: Error}}
`
	const ifMatch = "parameters: [{name: If-Match, in: header, schema: {type: string}}]"
	const json = "application/json: {schema: {$ref: '#/components/schemas/Pet'}}"
	without := strings.Replace(file, ifMatch, "parameters: []", 1)
	with := strings.Replace(flag, "parameters: []", ifMatch, 1)
	unread := strings.Replace(flag, "  get:", "  post:", 1)
	loose := strings.Replace(flag, "required: [rev], ", "", 1)
	tagged := func(text string) string { return strings.Replace(text, "# here", "x-etag: true", 1) }
	for _, c := range []struct {
		text, fix string
		rule      diag.Rule
	}{
		{tagged(file), "x-etag: Pet # at the operation", lint.RulePrecondition},
		{file, "x-etag: Pet # at the operation, and x-etag: true at /files/{id}", lint.RulePrecondition},
		{tagged(without), "x-etag: Pet # at the operation; or x-idempotency: exempt", lint.RuleUndecidedOverwrite},
		// Another item may have a tag of its own, and a list is not its items. A name
		// that is taken is not proposed.
		{strings.ReplaceAll(tagged(file), "content:\n  #", "{part}:\n  #"), "x-etag: {resource: Files, strategy: handler} # at the path item", lint.RulePrecondition},
		{strings.Replace(tagged(file), "text/plain: {schema: {type: string}}", json, 1), "x-etag: {resource: Content, strategy: handler} # at the path item", lint.RulePrecondition},
		// No schema names the resource, and none shows its version.
		{flag, "x-etag: {resource: Flags, field: /rev} # at the path item; or x-idempotency: exempt", lint.RuleUndecidedOverwrite},
		{with, "x-etag: {resource: Flags, field: /rev} # at the path item", lint.RulePrecondition},
		{with, "x-etag: {resource: Flags, field: /rev} # at the path item", lint.RuleGuardWithoutTag},
		{loose, "x-etag: {resource: Flags, strategy: handler} # at the path item; or x-idempotency: exempt", lint.RuleUndecidedOverwrite},
		{strings.Replace(loose, "description: Flag,", "description: Flag, headers: {ETag: {schema: {type: string}}},", 1), "x-etag: {resource: Flags, strategy: handler} # at the path item", lint.RuleTagWithoutGuard},
		// There is nothing to read.
		{unread, "x-idempotency: exempt # or: required", lint.RuleUndecidedOverwrite},
		{strings.Replace(with, "  get:", "  post:", 1), "x-idemgen-ignore: {IDM120: the handler checks it}", lint.RulePrecondition},
	} {
		report := lint.Run(read(t, "api.yaml", wrap(c.text)))
		i := slices.IndexFunc(report.Findings, func(f lint.Finding) bool { return f.Rule == c.rule })
		if i < 0 || report.Findings[i].Fix != c.fix {
			t.Errorf("%s: no fix %q in %q\n%s", c.rule, c.fix, report.Findings, c.text)
			continue
		}
		annotation, where, _ := strings.Cut(c.fix, " # ")
		place := "# at the operation"
		if strings.HasPrefix(where, "at the path item") {
			place = "# at the path item"
		}
		fixed := strings.Replace(c.text, place, annotation, 1)
		if strings.Contains(where, "x-etag: true at /files/{id}") {
			fixed = tagged(fixed)
		}
		if left := findings(read(t, "api.yaml", wrap(fixed)), c.rule); len(left) > 0 {
			t.Errorf("%s: still %q\n%s", c.rule, left, fixed)
		}
	}
}
