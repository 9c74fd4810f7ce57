package vectors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/idemgen/idemgen/internal/vectors/server"
)

// Runner has everything that vectors run with. It is safe for concurrent use.
type Runner struct {
	ledger  *Ledger
	binary  string
	process *Process // shared by the vectors that neither kill nor need several

	worlds atomic.Int64
}

// NewRunner starts a linked server. Close the runner.
func NewRunner(binary string) (*Runner, error) {
	ledger, err := NewLedger()
	if err != nil {
		return nil, err
	}
	p, err := Start(binary)
	if err != nil {
		return nil, errors.Join(err, ledger.Close())
	}
	return &Runner{ledger: ledger, binary: binary, process: p}, nil
}

// Close ends the server and the ledger.
func (r *Runner) Close() error { return errors.Join(r.process.Stop(), r.ledger.Close()) }

// Case is a vector with the packages that serve it: the first one, and one per
// step that redeploys.
type Case struct {
	File   *File
	Vector *Vector
	First  *Package
	Later  map[int]*Package // by step
	Err    error            // why there are none
}

// Catalog generates the packages of vectors, each document once for a router. It
// is safe for concurrent use.
type Catalog struct {
	mu       sync.Mutex
	packages map[string]*Package // by router and document
}

// Case prepares a vector for a router.
func (c *Catalog) Case(f *File, v *Vector, router string) *Case {
	one := &Case{File: f, Vector: v, Later: map[int]*Package{}}
	one.First, one.Err = c.find(f, v, router, v.Policy, v.ETag)
	for i := range v.Steps {
		if raw := v.Steps[i].Redeploy; raw != nil && one.Err == nil {
			policy, etag := redeployed(raw)
			one.Later[i], one.Err = c.find(f, v, router, policy, etag)
		}
	}
	return one
}

// redeployed reads the value of redeploy: a policy, or an object that has one
// and the other.
func redeployed(raw json.RawMessage) (policy, etag json.RawMessage) {
	var both map[string]json.RawMessage
	if json.Unmarshal(raw, &both) != nil || len(both) == 0 {
		return raw, nil
	}
	for name := range both {
		if name != "policy" && name != "etag" {
			return raw, nil
		}
	}
	return both["policy"], both["etag"]
}

// find generates a package for the whole fixture; where that holds operations
// that are not available yet, for those that the vector names.
func (c *Catalog) find(f *File, v *Vector, router string, policy, etag json.RawMessage) (*Package, error) {
	named := v.named(f.Fixture)
	p, err := c.generate(f.Fixture, router, policy, etag, named, false)
	if errors.Is(err, ErrNotAvailable) {
		p, err = c.generate(f.Fixture, router, policy, etag, named, true)
	}
	return p, err
}

func (c *Catalog) generate(fixture []Operation, router string, policy, etag json.RawMessage, named map[string]bool, only bool) (*Package, error) {
	doc, err := Build(fixture, policy, etag, named, only)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key := router + string(doc.Content)
	if p := c.packages[key]; p != nil {
		return p, nil
	}
	p, err := Generate(doc, router)
	if err != nil {
		return nil, err
	}
	if c.packages == nil {
		c.packages = map[string]*Package{}
	}
	c.packages[key] = p
	return p, nil
}

// Packages returns what has been generated, by name.
func (c *Catalog) Packages() []*Package {
	return slices.SortedFunc(maps.Values(c.packages), func(a, b *Package) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
}

// Run runs a vector in a world of its own and returns everything that was not
// as expected, one sentence each.
func (r *Runner) Run(c *Case, site *Site) []string {
	site.room <- struct{}{}
	defer func() { <-site.room }()
	world := strconv.FormatInt(r.worlds.Add(1), 10)
	p := &play{
		runner: r, c: c, v: c.Vector, site: site,
		world: world, place: site.place(world),
		pkg:     c.First,
		pending: map[string]*pending{},
		replies: make([]*Reply, len(c.Vector.Steps)),
	}
	p.perform()
	log := p.end()
	if len(p.faults) > 0 && log != "" {
		p.faults = append(p.faults, "the server's log:\n"+log)
	}
	return p.faults
}

// play is one run of one vector.
type play struct {
	runner  *Runner
	c       *Case
	v       *Vector
	site    *Site
	world   string
	place   place
	account *account
	pkg     *Package

	processes []*Process
	addresses []string // of the package, one per process
	own       bool     // the processes belong to this play
	offset    int64    // of the store's clock, nanoseconds
	appOffset int64    // of the application's clock
	fault     string
	tokens    int

	pending map[string]*pending // by gate
	replies []*Reply            // by step; nil: it has none
	faults  []string
}

func (p *play) failf(format string, args ...any) {
	p.faults = append(p.faults, fmt.Sprintf(format, args...))
}

// perform takes one step after the other. It stops where the harness could not
// go on; what was merely answered wrongly does not stop it.
func (p *play) perform() {
	if err := p.begin(); err != nil {
		p.failf("%v", err)
		return
	}
	for i := range p.v.Steps {
		kind, err := p.v.Steps[i].Kind()
		if err == nil {
			err = p.step(i, kind)
		}
		if err != nil {
			p.failf("step %d: %s: %v", i, kind, err)
			return
		}
	}
	if err := p.settle(); err != nil {
		p.failf("in the end: %v", err)
	}
}

// begin opens the world and deploys the first package.
func (p *play) begin() error {
	initial := Resource{}
	for _, r := range []*Resource{p.c.File.Initial, p.v.Initial, p.v.Resource} {
		if r != nil {
			initial = *r
		}
	}
	p.account = p.runner.ledger.open(p.world, p.c.File.Fixture, p.v.Script, initial)
	if err := p.place.enter(context.Background()); err != nil {
		return err
	}
	needs := p.v.needs()
	p.own = slices.Contains(needs, "kill") || slices.Contains(needs, "sharedStore")
	process := p.runner.process
	if p.own {
		var err error
		if process, err = Start(p.runner.binary); err != nil {
			return err
		}
	}
	p.processes = []*Process{process}
	p.addresses = []string{""}
	if err := p.enter(0); err != nil {
		return err
	}
	return p.set(initial)
}

// enter opens the world in a process and serves the present package there.
func (p *play) enter(i int) error {
	_, err := p.processes[i].Do(server.Command{
		Do: server.Open, World: p.world, Store: p.site.Store, Lease: p.site.Mode == "lease",
		Database: p.site.address, Place: p.place.name(), Ledger: p.runner.ledger.address, Duration: p.offset,
	})
	if err != nil {
		return err
	}
	if err := p.tell(p.processes[i], server.Command{Do: server.AppClock, Duration: p.appOffset}); err != nil {
		return err
	}
	if err := p.tell(p.processes[i], server.Command{Do: server.Fault, Fault: p.fault}); err != nil {
		return err
	}
	return p.deploy(i)
}

func (p *play) deploy(i int) error {
	result, err := p.processes[i].Do(server.Command{Do: server.Deploy, World: p.world, Package: p.pkg.Name})
	p.addresses[i] = result.Address
	return err
}

func (p *play) tell(process *Process, c server.Command) error {
	c.World = p.world
	_, err := process.Do(c)
	return err
}

// all tells every process.
func (p *play) all(c server.Command) error {
	for _, process := range p.processes {
		if err := p.tell(process, c); err != nil {
			return err
		}
	}
	return nil
}

// end opens every gate, closes the world and returns its log.
func (p *play) end() (log string) {
	for _, one := range p.pending {
		one.open()
		one.request.conn.Close()
	}
	for i, process := range p.processes {
		if p.addresses[i] != "" {
			result, err := process.Do(server.Command{Do: server.Close, World: p.world})
			if err != nil {
				p.failf("%v", err)
			}
			log += result.Log
		}
		if p.own {
			if err := process.Stop(); err != nil {
				p.failf("%v", err)
			}
		}
	}
	if err := p.place.leave(context.Background()); err != nil {
		p.failf("%v", err)
	}
	p.runner.ledger.close(p.world)
	return log
}
