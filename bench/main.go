// Command bench compares the runtime with other idempotency middleware, at the
// same work and in one process, and prints a table. It is a module of its own,
// so that nobody who uses the runtime gets its peers in their module graph.
//
//	go run -C bench . [-rounds n]
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A server is one implementation, ready to be asked in the process. Ask sends a
// request and returns the status of its answer.
type server struct {
	name string
	body string // whether the request's body is compared
	bare func(key, body string) (status int)
	ask  func(key, body string) (status int)
}

// turn is how many requests a server answers in a round.
const turn = 4096

// request and other are bodies of 256 octets.
var (
	request = `{"item":"kibble","note":"` + strings.Repeat("n", 256-41) + `","quantity":2}`
	other   = strings.Replace(request, "kibble", "litter", 1)
)

// cost is what a request took, by round.
type cost struct{ ns, allocs []float64 }

// measure lets a server answer a turn of requests.
func (c *cost) measure(do func(i int) int, want int) error {
	var before, after runtime.MemStats
	runtime.GC() // nobody pays for what another one left
	runtime.ReadMemStats(&before)
	start := time.Now()
	for i := range turn {
		if status := do(i); status != want {
			return fmt.Errorf("status %d, want %d", status, want)
		}
	}
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	c.ns = append(c.ns, float64(took.Nanoseconds())/turn)
	c.allocs = append(c.allocs, float64(after.Mallocs-before.Mallocs)/turn)
	return nil
}

// above is c without what the bare handler costs, round by round.
func (c *cost) above(bare *cost) *cost {
	own := &cost{slices.Clone(c.ns), slices.Clone(c.allocs)}
	for i := range own.ns {
		own.ns[i] -= bare.ns[i]
		own.allocs[i] -= bare.allocs[i]
	}
	return own
}

// times is the median over the rounds of what c took by what base took.
func (c *cost) times(base *cost) float64 {
	ratios := slices.Clone(c.ns)
	for i := range ratios {
		ratios[i] /= base.ns[i]
	}
	return median(ratios)
}

func (c *cost) text(base *cost) string {
	return fmt.Sprintf("%.2f (%.0f ns, %.0f allocs)", c.times(base), median(c.ns), median(c.allocs))
}

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// result are the costs of one server.
type result struct{ bare, first, second, replay, reused cost }

// round measures all that s does. Keys are new in every round, and the stores
// keep those of all rounds.
func (r *result) round(s *server, round int) error {
	keys := make([]string, turn)
	for i := range keys {
		keys[i] = uuid(round*turn + i)
	}
	reused := 409
	if s.body == "no" {
		reused = 201
	}
	for _, step := range []struct {
		name string
		c    *cost
		do   func(i int) int
		want int
	}{
		{"bare", &r.bare, func(i int) int { return s.bare(keys[i], request) }, 201},
		{"first", &r.first, func(i int) int { return s.ask(keys[i], request) }, 201},
		{"second", &r.second, func(i int) int { return s.ask(keys[i], request) }, 201},
		{"replay", &r.replay, func(int) int { return s.ask(keys[0], request) }, 201},
		{"reused", &r.reused, func(int) int { return s.ask(keys[0], other) }, reused},
	} {
		if err := step.c.measure(step.do, step.want); err != nil {
			return fmt.Errorf("%s: %s: %w", s.name, step.name, err)
		}
	}
	return nil
}

func main() {
	rounds := flag.Int("rounds", 25, "how often each server has its turn")
	flag.Parse()
	servers := []*server{fiberServer(), idemServer()}
	results := make([]result, len(servers))
	for round := range *rounds {
		for i := range servers {
			i = (i + round) % len(servers) // in changing order
			if err := results[i].round(servers[i], round); err != nil {
				log.Fatal(err)
			}
		}
	}
	fmt.Fprintln(os.Stdout, "| implementation | compares the body | first, above its bare handler | second | replay | other body |")
	fmt.Fprintln(os.Stdout, "|---|---|---|---|---|---|")
	base := &results[0]
	own := base.first.above(&base.bare)
	for i, s := range servers {
		r := &results[i]
		fmt.Fprintf(os.Stdout, "| %s | %s | %s | %s | %s | %s |\n", s.name, s.body,
			r.first.above(&r.bare).text(own), r.second.text(&base.second), r.replay.text(&base.replay), r.reused.text(&base.reused))
	}
}
