package linear

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/idemgen/idemgen/internal/proof/stores"
	idem "github.com/idemgen/idemgen/runtime"
)

// histories is how many of them are checked per store and mode.
func histories(tb testing.TB, byDefault int) int {
	tb.Helper()
	text := os.Getenv("IDEMGEN_HISTORIES")
	if text == "" {
		return byDefault
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		tb.Fatalf("IDEMGEN_HISTORIES=%q: a number is needed", text)
	}
	return n
}

func TestLinearizable(t *testing.T) {
	for _, b := range stores.All() {
		t.Run(b.Name, func(t *testing.T) {
			modes := []mode{leaseMode}
			if _, ok := b.Open(t).Store.(idem.TxStore); ok {
				modes = append(modes, txMode, mixedMode)
			}
			n := histories(t, 60)
			for _, m := range modes {
				m.shares, m.draws = b.Shares, b.Draws
				t.Run(m.name, func(t *testing.T) {
					for from := 0; from < n; from += perStore {
						checkHistories(t, b, m, from, min(from+perStore, n))
					}
				})
			}
		})
	}
}

// perStore bounds the histories that one store sees: its clock goes on by weeks
// with each.
const perStore = 100

func checkHistories(t *testing.T, b stores.Backend, m mode, from, to int) {
	t.Run(fmt.Sprintf("%d to %d", from, to-1), func(t *testing.T) {
		store := b.Open(t)
		for seed := from; seed < to; seed++ {
			if err := run(t, store, m, uint64(seed)); err != nil {
				t.Fatalf("history %d: %v", seed, err)
			}
		}
	})
}
