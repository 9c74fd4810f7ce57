package sim

import (
	"flag"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var oneSeed = flag.Uint64("seed", 0, "run this seed only, and log its events")

// seeds is how many of them are run.
func seeds(tb testing.TB, byDefault int) int {
	tb.Helper()
	text := os.Getenv("IDEMGEN_SEEDS")
	if text == "" {
		return byDefault
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		tb.Fatalf("IDEMGEN_SEEDS=%q: a number is needed", text)
	}
	return n
}

func TestSimulation(t *testing.T) {
	if *oneSeed != 0 {
		w := simulate(t, *oneSeed, "")
		t.Logf("%v\n%s", &w.settings, strings.Join(w.events, "\n"))
		report(t, w)
		return
	}
	seen := map[string]int{}
	for seed := range uint64(seeds(t, 200)) {
		w := simulate(t, seed+1, "")
		for outcome, n := range w.tally {
			seen[outcome] += n
		}
		report(t, w)
	}
	t.Logf("outcomes: %v", seen)
	for _, outcome := range []string{"executed", "not_recorded", "replayed", "in_flight", "mismatch", "unknown", "unprotected", "store_error"} {
		if seen[outcome] == 0 {
			t.Errorf("no request had the outcome %s: the simulation does not reach it", outcome)
		}
	}
}

// report fails the test for what went wrong, and says how to see it again.
func report(t *testing.T, w *world) {
	t.Helper()
	wrong := slices.Concat(w.refuted, w.wrong)
	if len(wrong) == 0 {
		return
	}
	t.Fatalf("seed %d (%v):\n  %s\nits log: go test ./internal/proof/sim -run 'Simulation$' -seed %d -v",
		w.seed, &w.settings, strings.Join(wrong, "\n  "), w.seed)
}

// A seed is a sequence of events, however goroutines are scheduled.
func TestSimulation_Reproducible(t *testing.T) {
	for seed := range uint64(30) {
		first := simulate(t, seed+1, "").events
		for range 2 {
			again := simulate(t, seed+1, "").events
			if slices.Equal(first, again) {
				continue
			}
			for i := range min(len(first), len(again)) {
				if first[i] != again[i] {
					t.Fatalf("seed %d, event %d of %d:\n  %s\nthe second time:\n  %s", seed+1, i, len(first), first[i], again[i])
				}
			}
			t.Fatalf("seed %d: %d events, the second time %d", seed+1, len(first), len(again))
		}
	}
}
