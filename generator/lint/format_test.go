package lint_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/lint"
)

func sample() lint.Report {
	var r lint.Report
	r.AddList(diag.List{
		{Pos: diag.Pos{File: "<stdin>", Line: 3, Col: 7}, Rule: lint.RuleLongTTL, Message: "too long", Fix: "ttl: 24h", Severity: diag.Warning},
		{Pos: diag.Pos{File: "../a b.yaml", Line: 2}, Rule: lint.RuleStatus, Message: "one: two, 100%\nthree", Severity: diag.Info},
		{Pos: diag.Pos{File: "/abs/missing.yaml"}, Rule: diag.RuleMissingFile, Message: "cannot read"},
	})
	return r
}

func TestWriteGitHub(t *testing.T) {
	r := sample()
	var b bytes.Buffer
	if err := lint.WriteGitHub(&b, &r); err != nil {
		t.Fatal(err)
	}
	want := `::notice file=../a b.yaml,line=2,title=IDM130::one: two, 100%25%0Athree
::error file=/abs/missing.yaml,title=IDM001::cannot read
::warning file=<stdin>,line=3,col=7,title=IDM111::too long%0Afix: ttl: 24h
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &b, want)
	}
}

// sarif is the JSON Schema of SARIF 2.1.0, which code scanning validates with.
func sarif(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func writeSARIF(t *testing.T, r *lint.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := lint.WriteSARIF(&b, r, true, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWriteSARIF(t *testing.T) {
	schema := sarif(t)
	valid := func(text []byte) error {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(v)
	}
	r := sample()
	text := writeSARIF(t, &r)
	reports := []lint.Report{{}, r}
	for _, rule := range lint.Rules() {
		reports = append(reports, lint.Run(read(t, "api.yaml", wrap(rule.Bad))))
	}
	for _, r := range reports {
		if err := valid(writeSARIF(t, &r)); err != nil {
			t.Error(err)
		}
	}
	for _, part := range []string{
		`"uri": "%3Cstdin%3E"`, `"uri": "../a%20b.yaml"`, `"uri": "file:///abs/missing.yaml"`, `"semanticVersion": "1.2.3"`,
		`"ruleIndex": 2,`, `"level": "note"`, `"startLine": 3`, `"version": "2.1.0"`,
	} {
		if !bytes.Contains(text, []byte(part)) {
			t.Errorf("no %s in\n%s", part, text)
		}
	}
	// The schema refuses what a careless change would write.
	for from, to := range map[string]string{
		`"startLine": 3`: `"startLine": 0`, `"level": "note"`: `"level": "info"`, `"ruleIndex": 2`: `"ruleIndex": -2`,
		`"version": "2.1.0"`: `"version": "2.2"`, `"driver"`: `"drivers"`,
	} {
		if valid(bytes.Replace(text, []byte(from), []byte(to), 1)) == nil {
			t.Errorf("%s is accepted", to)
		}
	}
}

func TestWriteJSON(t *testing.T) {
	r := sample()
	var b bytes.Buffer
	if err := lint.WriteJSON(&b, &r, false); err != nil {
		t.Fatal(err)
	}
	var out struct {
		Version  int
		Complete *bool
		Findings []struct {
			Rule, Severity, File, Message, Fix string
			Line, Column                       int
		}
	}
	if err := json.Unmarshal(b.Bytes(), &out); err != nil {
		t.Fatal(err)
	}
	if out.Version != lint.JSONVersion || out.Complete == nil || *out.Complete || len(out.Findings) != 3 {
		t.Fatalf("%s", &b)
	}
	if f := out.Findings[2]; f.Rule != "IDM111" || f.Severity != "warning" || f.File != "<stdin>" || f.Line != 3 || f.Column != 7 || f.Fix != "ttl: 24h" {
		t.Errorf("%+v", f)
	}
}
