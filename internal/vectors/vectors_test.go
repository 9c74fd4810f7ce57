package vectors

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/internal/servertest"
)

// race builds the server with the race detector, as this test was.
var race = false

// notYet are the project's own vectors that ask for what the generator refuses by
// name. Of other sets any may.
var notYet = map[string]bool{}

// TestVectors runs every sequence of every file of the directory, on every
// store and in every mode that the sequence is for.
func TestVectors(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	files, err := Load(Directory(root))
	if err != nil {
		t.Fatal(err)
	}
	var catalog Catalog
	cases := catalog.cases(files)
	if os.Getenv(Environment) == "" {
		checkNotYet(t, cases[standard])
	}
	runner := newRunner(t, root, &catalog)
	for _, f := range files {
		t.Run(f.Name, func(t *testing.T) {
			if len(f.Sequences) == 0 {
				t.Skip("this file has no sequences")
			}
			for _, setup := range Setups {
				t.Run(setup.String(), func(t *testing.T) {
					site := openSite(t, setup)
					for _, c := range cases[setup.Router][f] {
						if setup.Runs(c.Vector) {
							t.Run(c.Vector.TestName(), func(t *testing.T) { runCase(t, runner, c, site) })
						}
					}
				})
			}
		})
	}
}

// cases prepares every sequence for every router that a setup runs it on.
func (c *Catalog) cases(files []*File) map[string]map[*File][]*Case {
	all := map[string]map[*File][]*Case{}
	for _, router := range plan.RouterNames() {
		all[router] = map[*File][]*Case{}
		for _, f := range files {
			for i := range f.Sequences {
				v := &f.Sequences[i]
				if slices.ContainsFunc(Setups, func(s Setup) bool { return s.Router == router && s.Runs(v) }) {
					all[router][f] = append(all[router][f], c.Case(f, v, router))
				}
			}
		}
	}
	return all
}

// checkNotYet keeps a vector from being skipped by mistake, and from staying on
// the list when its time has come.
func checkNotYet(t *testing.T, cases map[*File][]*Case) {
	t.Helper()
	for _, list := range cases {
		for _, c := range list {
			refused := errors.Is(c.Err, ErrNotAvailable)
			switch {
			case refused && !notYet[c.Vector.ID] && slices.ContainsFunc(Setups, func(s Setup) bool { return s.Lacks(c.Vector) == "" }):
				t.Errorf("%s would be skipped: %v", c.Vector.ID, c.Err)
			case !refused && notYet[c.Vector.ID]:
				t.Errorf("%s can run now: remove it from notYet", c.Vector.ID)
			}
		}
	}
}

func runCase(t *testing.T, r *Runner, c *Case, site *Site) {
	t.Parallel()
	v := c.Vector
	if need := site.Lacks(v); need != "" {
		t.Skipf("%s needs %s", v.ID, need)
	}
	if errors.Is(c.Err, ErrNotAvailable) {
		t.Skipf("%s asks for what the generator refuses by name: %v", v.ID, c.Err)
	}
	if c.Err != nil {
		t.Fatal(c.Err)
	}
	for _, fault := range r.Run(c, site) {
		t.Error(fault)
	}
	if t.Failed() {
		t.Logf("%s, %s: %s (rule: %s)", v.ID, v.Area, v.Title, v.Rule)
	}
}

// openSite opens a site for a test, or skips the test when it has no server.
func openSite(t *testing.T, setup Setup) *Site {
	t.Helper()
	var address string
	if setup.Variable != "" {
		address = servertest.URL(t, setup.Variable)
	}
	site, err := setup.Open(t.TempDir(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := site.Close(); err != nil {
			t.Error(err)
		}
	})
	return site
}

// newRunner links the packages of a catalog into a server and starts it.
func newRunner(t *testing.T, root string, catalog *Catalog) *Runner {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	binary, err := Link(ctx, root, t.TempDir(), catalog.Packages(), race)
	if err != nil {
		t.Fatal(err)
	}
	runner, err := NewRunner(binary)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := runner.Close(); err != nil {
			t.Error(err)
		}
	})
	return runner
}
