//go:build unix

// Command genbench compares what generating costs with what oapi-codegen's own
// default run costs, for the same document and the same outputs: models, net/http
// server and strict server, read from and written to the disk, formatted as its
// command does it.
//
//	IDEMGEN_CORPUS=../shared/specs go run ./internal/genbench [-rounds n] [document ...]
//
// Each run is a child process, of which the system says how much time and memory it
// took; the candidates take turns. Without names it takes the two largest documents
// that both generate whole by themselves, and says why it passed over larger ones.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	rounds := flag.Int("rounds", 5, "how often each candidate runs")
	candidate := flag.String("candidate", "", "what a child runs")
	flag.Parse()
	var err error
	if *candidate != "" {
		err = child(os.Stdout, *candidate, flag.Arg(0), flag.Arg(1))
	} else {
		err = compare(os.Stdout, cmp.Or(os.Getenv("IDEMGEN_CORPUS"), "../shared/specs"), flag.Args(), *rounds)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "genbench:", err)
		os.Exit(1)
	}
}

// documents is how many are measured unless some are named.
const documents = 2

func compare(out io.Writer, dir string, names []string, rounds int) error {
	work, err := os.MkdirTemp("", "genbench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if len(names) == 0 {
		if names, err = largest(out, dir, work); err != nil {
			return err
		}
	}
	for _, name := range names {
		if err := measure(out, filepath.Join(dir, name), work, rounds); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// largest returns the largest documents that both generators generate.
func largest(out io.Writer, dir, work string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("%w; name a directory of OpenAPI documents by IDEMGEN_CORPUS", err)
	}
	size := map[string]int64{}
	var names, found []string
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		if slices.Contains([]string{".json", ".yaml", ".yml"}, filepath.Ext(e.Name())) {
			names, size[e.Name()] = append(names, e.Name()), info.Size()
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(size[b], size[a]) })
	for _, name := range names {
		if len(found) == documents {
			break
		}
		passed := ""
		for _, candidate := range []string{theirs, checked, ours} {
			if _, err := run(candidate, filepath.Join(dir, name), work); err != nil {
				passed = fmt.Sprintf("%s: %v", candidate, err)
				break
			}
		}
		if passed != "" {
			fmt.Fprintf(out, "passed over %s: %s\n", name, passed)
			continue
		}
		found = append(found, name)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s has no document that both generate", dir)
	}
	return found, nil
}

// measure prints the table of one document.
func measure(out io.Writer, document, work string, rounds int) error {
	costs := map[string][]*cost{}
	order := []string{theirs, ours, bare}
	for round := range rounds {
		for i := range order {
			candidate := order[(i+round)%len(order)]
			c, err := run(candidate, document, work)
			if err != nil {
				return err
			}
			costs[candidate] = append(costs[candidate], c)
		}
	}
	fmt.Fprintf(out, "\n%s, median of %d rounds\n\n| | wall s | CPU s | peak MiB | × wall | × CPU | × peak |\n|---|--:|--:|--:|--:|--:|--:|\n", filepath.Base(document), rounds)
	for _, candidate := range order {
		list := costs[candidate]
		fmt.Fprintf(out, "| %s | %.2f | %.2f | %.0f | %.2f | %.2f | %.2f |\n", candidate,
			median(list, wall), median(list, cpu), median(list, peak)/(1<<20),
			ratio(list, costs[theirs], wall), ratio(list, costs[theirs], cpu), ratio(list, costs[theirs], peak))
	}
	total := func(c *cost) float64 {
		return c.Stages["load"] + c.Stages["plan"] + c.Stages["goapi"] + c.Stages["wiring"]
	}
	fmt.Fprintf(out, "\n| stage of %s | share of the processor time |\n|---|--:|\n", ours)
	for _, stage := range []string{"load", "plan", "goapi", "wiring"} {
		fmt.Fprintf(out, "| %s | %.0f %% |\n", stage, 100*median(costs[ours], func(c *cost) float64 { return c.Stages[stage] / total(c) }))
	}
	// What remains when the same work of oapi-codegen is taken away, as it is measured
	// without us: writing code, and formatting that code once.
	remains := func(stages ...string) float64 {
		var all []*cost
		for i, c := range costs[ours] {
			without := 0.0
			for _, stage := range stages {
				without += costs[bare][i].Stages[stage]
			}
			rest := total(c) - c.Stages["load"] - min(without, c.Stages["goapi"])
			all = append(all, &cost{Stages: map[string]float64{"rest": rest / total(c)}})
		}
		return 100 * median(all, func(c *cost) float64 { return c.Stages["rest"] })
	}
	fmt.Fprintf(out, "| all but loading and writing code as oapi-codegen does | %.0f %% |\n", remains("generate"))
	fmt.Fprintf(out, "| all but loading, writing that code and formatting it with go/format | %.0f %% |\n", remains("generate", "format"))
	return nil
}
