package vectors

import (
	"fmt"
	"slices"
	"testing"

	"github.com/idemgen/idemgen/generator/explain"
	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/source"
)

// TestExplained: whatever a sequence has an operation refuse with, explain lists
// among the answers of its policy, with the status and the member retry that the
// servers are held to.
func TestExplained(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	files, err := Load(Directory(root))
	if err != nil {
		t.Fatal(err)
	}
	var catalog Catalog
	reports := map[*Package]*explain.Report{}
	checked := 0
	for _, f := range files {
		for i := range f.Sequences {
			c := catalog.Case(f, &f.Sequences[i], standard)
			if c.Err != nil {
				continue // TestVectors reports it
			}
			now := c.First
			for j := range c.Vector.Steps {
				if later := c.Later[j]; later != nil {
					now = later
				}
				if reports[now] == nil {
					reports[now] = explained(t, now)
				}
				step := &c.Vector.Steps[j]
				for _, send := range step.requests() {
					for _, e := range step.expectations() {
						n, complaint := unexplained(reports[now], f, send, e)
						checked += n
						if complaint != "" {
							t.Errorf("%s, step %d: %s", c.Vector.TestName(), j+1, complaint)
						}
					}
				}
			}
		}
	}
	if checked < 50 {
		t.Errorf("only %d refusals were compared", checked)
	}
}

// explained explains the operations of a package.
func explained(t *testing.T, p *Package) *explain.Report {
	t.Helper()
	doc, errs := source.Load("openapi.json", func(string) ([]byte, error) { return p.Content, nil })
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	policies, errs := policy.Read(doc)
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	api, errs := plan.Build(doc, policies, plan.Target{Package: "api", Source: "openapi.json", Router: "std"})
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	return explain.Build(api, policies, "")
}

// unexplained says what is missing of an expected refusal, and counts those that
// were compared.
func unexplained(r *explain.Report, f *File, send Send, e Expect) (compared int, complaint string) {
	op := find(f.Fixture, send.Method, send.Path)
	if op == nil || e.Problem == nil || len(e.Problem.Types) == 0 || e.Status == nil {
		return 0, ""
	}
	i := slices.IndexFunc(r.Operations, func(o explain.Operation) bool { return o.ID == op.OperationID })
	if i < 0 {
		return 0, ""
	}
	fits := func(a explain.Answer) bool {
		retry, told := e.Problem.Members["retry"]
		return slices.Contains(e.Problem.Types, a.Problem) && a.Status == *e.Status && (!told || retry == a.Retry)
	}
	if !slices.ContainsFunc(r.Operations[i].Answers, fits) {
		return 1, fmt.Sprintf("%s may answer %d %v %v, which is not explained", op.OperationID, *e.Status, e.Problem.Types, e.Problem.Members)
	}
	return 1, ""
}
