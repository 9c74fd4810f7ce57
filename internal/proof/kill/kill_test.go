package kill

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// killsVariable sets how often the worker on SQLite is killed.
const killsVariable = "IDEMGEN_KILLS"

// kills returns the number of kills, and false without the variable.
func kills(tb testing.TB) (int, bool) {
	tb.Helper()
	text := os.Getenv(killsVariable)
	if text == "" {
		const few = 30
		return few, false
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		tb.Fatalf("%s=%q: a number is needed", killsVariable, text)
	}
	return n, true
}

// every returns how many lives there are between two looks at the database,
// which take longer and longer.
func every(n int) int { return max(20, n/50) }

func TestKill(t *testing.T) {
	for _, name := range []string{"sqlite", "sqlite-group", "postgres", "postgres-sql", "mysql"} {
		t.Run(name, func(t *testing.T) {
			n, asked := kills(t)
			if name != "sqlite" {
				if !asked {
					t.Skipf("%s is not set: it is the number of kills, as in 1000", killsVariable)
				}
				n = max(1, n/5)
			}
			survive(t, newHarness(backends()[name].open(t)), n)
		})
	}
}

// survive kills workers and fails for every broken promise, and unless each
// stage was hit.
func survive(t *testing.T, h *harness, n int) {
	t.Helper()
	began := time.Now()
	err := h.storm(t.Context(), n, every(n), func() bool { return h.broken() })
	took := time.Since(began)
	h.verdict(t)
	if err != nil {
		t.Error(err)
	}
	t.Logf("%d kills in %v, %d orders, %d attempts; killed were\n%v", h.killed, took.Round(time.Millisecond), len(h.acked), h.attempts.Load(), &h.tally)
	for _, s := range between {
		if hit := h.tally[s]; h.killed >= 2*len(between) && hit.held+hit.free == 0 {
			t.Errorf("no request was killed %s: the test proves nothing", s)
		}
	}
}

// TestKill_SeparateCommits is the control: with claim, row and answer in commits
// of their own, the harness has to find a key with two rows.
func TestKill_SeparateCommits(t *testing.T) {
	h := newHarness(openSQLite("sqlite")(t))
	h.job.Separate = true
	const enough = 300
	err := h.storm(t.Context(), enough, 1, func() bool { return h.broken(duplicate) })
	if err != nil {
		t.Error(err)
	}
	for _, p := range h.problems {
		if p.kind == duplicate {
			t.Logf("after %d kills %s", h.killed, p.text)
			return
		}
	}
	t.Errorf("%d kills and no duplicate: the harness would not notice one", h.killed)
}
