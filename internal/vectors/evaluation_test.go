package vectors

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/internal/vectors/evaluator"
	"github.com/idemgen/idemgen/internal/vectors/server"
)

// TestEvaluations makes every evaluation of the directory over HTTP, against a
// package that is generated for its policy, on every router.
func TestEvaluations(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	own := os.Getenv(Environment) == ""
	directory := Directory(root)
	if own {
		directory = filepath.Join(root, filepath.FromSlash(ownEvaluations))
	}
	files, err := LoadEvaluations(directory)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("no file in %s has evaluations", directory)
	}
	for _, router := range plan.RouterNames() {
		t.Run(router, func(t *testing.T) { evaluate(t, router, root, files, own) })
	}
}

func evaluate(t *testing.T, router, root string, files map[string][]*Evaluation, own bool) {
	packages := catalog{router: router}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for _, e := range files[name] {
			if e.unitLevel() == "" {
				packages.add(e)
			}
		}
	}
	process := packages.start(t, root)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		t.Run(name, func(t *testing.T) {
			for _, e := range files[name] {
				t.Run(e.ID, func(t *testing.T) {
					if why := e.unitLevel(); why != "" {
						t.Skipf("%s is for the unit level: %s", e.ID, why)
					}
					made := packages.of[e]
					if errors.Is(made.err, ErrNotAvailable) {
						if own {
							t.Errorf("%s would be skipped", e.ID)
						}
						t.Skipf("%s asks for what the generator refuses by name: %v", e.ID, made.err)
					}
					if made.err != nil {
						t.Fatal(made.err)
					}
					for _, fault := range made.run(e, process) {
						t.Error(fault)
					}
					if t.Failed() {
						t.Logf("%s: %s (rule: %s)", e.ID, e.Title, e.Rule)
					}
				})
			}
		})
	}
}

// catalog has the packages of evaluations, one per distinct document.
type catalog struct {
	router     string
	of         map[*Evaluation]made
	byDocument map[string]made
}

// made is a package, or why there is none.
type made struct {
	*Package
	err error
}

func (c *catalog) add(e *Evaluation) {
	if c.of == nil {
		c.of, c.byDocument = map[*Evaluation]made{}, map[string]made{}
	}
	doc, err := e.Build()
	if err != nil {
		c.of[e] = made{err: err}
		return
	}
	m, ok := c.byDocument[string(doc.Content)]
	if !ok {
		m.Package, m.err = generate(doc, c.router, evaluationAdapter)
		c.byDocument[string(doc.Content)] = m
	}
	c.of[e] = m
}

// start links the packages into a server and starts it.
func (c *catalog) start(t *testing.T, root string) *Process {
	t.Helper()
	var packages []*Package
	for _, content := range slices.Sorted(maps.Keys(c.byDocument)) {
		if m := c.byDocument[content]; m.err == nil {
			packages = append(packages, m.Package)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	binary, err := link(ctx, root, t.TempDir(), packages, evaluatorMain, race)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Start(binary)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// command sends one to the evaluations' server.
func command(p *Process, c evaluator.Command) (evaluator.Result, error) {
	var result evaluator.Result
	body, err := json.Marshal(c)
	if err != nil {
		return result, err
	}
	resp, err := p.client.Post("http://"+p.address, "application/json", bytes.NewReader(body))
	if err != nil {
		return result, fmt.Errorf("%w %s", err, p.child.Complaints())
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&result); err != nil {
		return result, err
	}
	if result.Error != "" {
		return result, errors.New(result.Error)
	}
	return result, nil
}

// run makes the request in a world of its own, and returns everything that is not
// as expected.
func (m *made) run(e *Evaluation, p *Process) []string {
	state := evaluator.State{Exists: e.Resource.Exists}
	if e.Resource.LastModified != nil {
		state.Modified = *e.Resource.LastModified
	}
	var err error
	if state.Version, _, err = e.tag(); err != nil {
		return []string{err.Error()}
	}
	opened, err := command(p, evaluator.Command{Package: m.Name, State: state})
	if err != nil {
		return []string{err.Error()}
	}
	reply, err := e.send(p.address, opened.World)
	if err != nil {
		return []string{err.Error()}
	}
	ended, err := command(p, evaluator.Command{World: opened.World})
	if err != nil {
		return []string{err.Error()}
	}
	faults := e.Expect.mismatches(e.Method, reply)
	writes := 0
	if e.Expect.Performed && slices.Contains([]string{"PUT", "PATCH", "POST", "DELETE"}, e.Method) {
		writes = 1
	}
	if ended.Writes != writes {
		faults = append(faults, fmt.Sprintf("the handlers wrote %d times, want %d", ended.Writes, writes))
	}
	if writes == 0 && (ended.State.Exists != state.Exists || !bytes.Equal(ended.State.Version, state.Version)) {
		faults = append(faults, fmt.Sprintf("the state has changed from %+v to %+v", state, ended.State))
	}
	return faults
}

// send makes the request, octet by octet.
func (e *Evaluation) send(address, world string) (*Reply, error) {
	s := Send{Method: e.Method, Path: e.path(), Headers: append(slices.Clone(e.Headers), [2]string{evaluator.Field, world})}
	wire, err := s.wire("", "", 0)
	if err != nil {
		return nil, err
	}
	conn, err := dial(context.Background(), address)
	if err != nil {
		return nil, err
	}
	return send(conn, wire, e.Method, "").wait()
}

// mismatches says where an answer is not what was expected. One to HEAD has no
// body to look at.
func (e *Evaluated) mismatches(method string, r *Reply) []string {
	want := Expect{Status: &e.Status, Headers: e.Headers, Absent: e.Absent}
	own := e.Status == http.StatusNotFound && string(r.Body) == evaluator.OwnNotFound
	if e.Problem != "" && !own && method != "HEAD" {
		want.Problem = &Problem{Types: []string{e.Problem}, Members: map[string]any{}}
		for name, value := range map[string]string{"reason": e.Reason, "field": e.Field} {
			if value != "" {
				want.Problem.Members[name] = value
			}
		}
	}
	c := compared{reply: r, expect: &want}
	all := c.mismatches()
	if method == "HEAD" {
		all = slices.DeleteFunc(all, func(miss string) bool { return strings.HasPrefix(miss, "the problem ") })
	}
	if e.Status == http.StatusNotModified && len(r.Body) > 0 {
		all = append(all, fmt.Sprintf("304 has a body: %q", r.Body))
	}
	return all
}

// What a wrong answer looks like must be noticed.
func TestEvaluated_Mismatches(t *testing.T) {
	problem := &Reply{
		Status: 412, Header: http.Header{"Content-Type": {problemType}, "Cache-Control": {"no-store"}},
		Body: []byte(`{"type":"` + server.ProblemBase + `precondition-failed","title":"t","status":412,"reason":"stale","field":"If-Match"}`),
	}
	plain := &Reply{Status: 304, Header: http.Header{"Etag": {`"v1"`}}, Body: []byte("x")}
	for _, test := range []struct {
		reply *Reply
		want  Evaluated
		text  string // of the mismatch; empty: none
	}{
		{problem, Evaluated{Status: 412, Problem: "precondition-failed", Reason: "stale", Field: "If-Match"}, ""},
		{problem, Evaluated{Status: 428, Problem: "precondition-failed"}, "status is 412"},
		{problem, Evaluated{Status: 412, Problem: "precondition-required"}, "problem type"},
		{problem, Evaluated{Status: 412, Problem: "precondition-failed", Reason: "weak-tag"}, "member reason"},
		{problem, Evaluated{Status: 412, Problem: "precondition-failed", Field: "If-None-Match"}, "member field"},
		{plain, Evaluated{Status: 304}, "304 has a body"},
		{plain, Evaluated{Status: 304, Headers: map[string]string{"ETag": `"v2"`}}, "ETag is"},
		{plain, Evaluated{Status: 304, Absent: []string{"ETag"}}, "ETag is"},
	} {
		got := strings.Join(test.want.mismatches("GET", test.reply), "\n")
		if (got == "") != (test.text == "") || !strings.Contains(got, test.text) {
			t.Errorf("%+v: %q, want one with %q", test.want, got, test.text)
		}
	}
}
