package report

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/source"
)

const document = `openapi: 3.1.0
info: {title: 'Pets <b>', version: '1'}
security: [{key: []}]
components:
  securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}
  schemas:
    Pet: {type: object, required: [version], properties: {version: {type: integer}}}
paths:
  /pets:
    post:
      operationId: addPet
      summary: Add | <i>
      x-idempotency: {ttl: 36h, onCrash: hold, mode: lease}
      responses: {'204': {description: Done}}
  /pets/{id}:
    x-etag: true
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get:
      responses: {'200': {description: It, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}
    put:
      deprecated: true
      responses: {'200': {description: It, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}
  /search:
    post:
      x-idempotency: exempt
      responses: {'204': {description: Done}}
  /jobs:
    post:
      operationId: addJob
      responses: {'204': {description: Done}}
    delete:
      operationId: dropJobs
      responses: {'204': {description: Done}}
`

// input reads a document whose findings are given.
func input(t *testing.T, findings ...Finding) Input {
	t.Helper()
	doc, errs := source.Load("api.yaml", func(string) ([]byte, error) { return []byte(document), nil })
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	policies, errs := policy.Read(doc)
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	api, errs := plan.Build(doc, policies, plan.Target{Package: "api", Source: "api.yaml", Router: "std"})
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	return Input{doc.Node("/info/title").Text(), api, policies, findings}
}

func TestBuild_Rows(t *testing.T) {
	a := Build([]Input{input(t)}, "v1").APIs[0]
	var lines []string
	for _, r := range a.Rows {
		lines = append(lines, strings.Join([]string{
			r.Method, r.Path, r.Semantics, r.Keys.State, r.Keys.Text, strings.Join(r.Keys.More, ";"), r.Tags.State, r.Tags.Text, strings.Join(r.Stored, " "),
		}, ","))
	}
	got := strings.Join(lines, "\n")
	want := `DELETE,/jobs,idempotent,open,undecided,,none,,
POST,/jobs,not idempotent,open,undecided,,none,,
POST,/pets,not idempotent,on,required,Idempotency-Key;replays for 36 h;per tenant, operation;mode lease;held after a crash,none,,2XX 3XX 4XX
GET,/pets/{id},safe,none,,,on,ETag,
PUT,/pets/{id},idempotent,none,none,,on,If-Match,
POST,/search,not idempotent,off,exempt,,none,,`
	if got != want {
		t.Errorf("rows:\n%s\nwant:\n%s", got, want)
	}
	if a.Operations != 6 || a.Unsafe != 5 || a.Keyed != 1 || a.Guarded != 1 || a.Open != 2 {
		t.Errorf("%+v", a)
	}
	// Three of five in order, the DELETE counts half.
	if a.Score != 70 || a.Grade != "C" || len(a.Hazards) != 0 {
		t.Errorf("%s, %d %%, %d hazards", a.Grade, a.Score, len(a.Hazards))
	}
}

// finding is one of lint's.
func finding(s diag.Severity, operation string) Finding {
	return Finding{diag.Diagnostic{Pos: diag.Pos{File: "api.yaml", Line: 28, Col: 5}, Rule: "IDM111", Message: "doubtful <i>", Fix: "x-idempotency: required", Severity: s}, operation}
}

// A warning about an operation costs half of what its decision earns; a
// proposal, or a finding about many, costs nothing.
func TestBuild_Findings(t *testing.T) {
	for _, c := range []struct {
		finding Finding
		score   int
	}{
		{finding(diag.Warning, "POST /pets"), 60},
		{finding(diag.Info, "POST /pets"), 70},
		{finding(diag.Warning, "POST /jobs"), 70}, // earned nothing
		{finding(diag.Warning, ""), 70},
	} {
		a := Build([]Input{input(t, c.finding, finding(diag.Info, ""))}, "v1").APIs[0]
		if all := slices.Concat(a.Hazards, a.Notes); a.Score != c.score || len(all) != 2 || all[1].Number != 2 {
			t.Errorf("%s: %d %%, findings %v; want %d %%", c.finding.Operation, a.Score, all, c.score)
		}
		for _, r := range a.Rows {
			if about := r.Method + " " + r.Path; (len(r.Findings) > 0) != (about == c.finding.Operation) {
				t.Errorf("%s has findings %v", about, r.Findings)
			}
		}
	}
}

// What harms comes first, whatever the order of the document.
func TestBuild_HazardsFirst(t *testing.T) {
	a := Build([]Input{input(t, finding(diag.Info, ""), finding(diag.Warning, "POST /jobs"))}, "v1").APIs[0]
	if len(a.Hazards) != 1 || a.Hazards[0].Number != 1 || len(a.Notes) != 1 || a.Notes[0].Number != 2 {
		t.Errorf("hazards %v, notes %v", a.Hazards, a.Notes)
	}
}

func TestGrade(t *testing.T) {
	for _, c := range []struct {
		unsafe int
		points float64
		want   string
	}{{0, 0, "A"}, {1, 1, "A"}, {20, 19, "A"}, {20, 17, "B"}, {10, 7, "C"}, {2, 1, "D"}, {3, 1, "F"}, {1, 0, "F"}} {
		a := API{Unsafe: c.unsafe}
		if a.grade(c.points); a.Grade != c.want {
			t.Errorf("%v of %d is %s, want %s", c.points, c.unsafe, a.Grade, c.want)
		}
	}
	for points := range 101 {
		a := API{Unsafe: 100}
		if a.grade(float64(points)); a.Score != points {
			t.Errorf("%d of 100 are %d %%", points, a.Score)
		}
	}
}

// The page needs nothing else, escapes what it shows, and is the same every
// time.
func TestHTML(t *testing.T) {
	render := func() string {
		var b bytes.Buffer
		if err := Build([]Input{input(t, finding(diag.Info, ""), finding(diag.Warning, "POST /jobs"))}, "v1").HTML(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	text := render()
	if text != render() {
		t.Error("two pages of one document differ")
	}
	for _, bad := range []string{"<b>", "<i>", "<script", "http:", "https:", "url(", "@import", "ZgotmplZ"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	for _, want := range []string{"Pets &lt;b&gt;", `<div class="grade C"`, `id="finding-1"`, `href="#finding-1"`, `/<wbr>jobs<wbr>`, "x-idempotency: required", `class="old"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %s", want)
		}
	}
}

func TestMarkdown(t *testing.T) {
	var b bytes.Buffer
	if err := Build([]Input{input(t, finding(diag.Info, ""), finding(diag.Warning, "POST /jobs"))}, "v1").Markdown(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{
		"## Pets &lt;b>: retry safety C (70 %)\n", "| `POST /jobs` addJob | not idempotent | **undecided** |  |  | 1 |\n",
		"\n**1.** `api.yaml:28:5` IDM111 warning: doubtful &lt;i>\n", "```yaml\nx-idempotency: required",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// A path keeps to its cell.
func TestMarkdown_Path(t *testing.T) {
	var b strings.Builder
	(&API{Rows: []Row{{Method: "GET", Path: "/a|b`c", Semantics: safe}}}).markdown(&b)
	if want := "\n| `GET /a\\|b'c` | safe |  |  |  |  |\n"; !strings.Contains(b.String(), want) {
		t.Errorf("no %q in %q", want, b.String())
	}
}
