package storetest_test

import (
	"slices"
	"testing"
	"testing/synctest"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/storetest"
)

func TestRun_SoundStore(t *testing.T) {
	storetest.Run(t, func(testing.TB) storetest.Harness { return newModel("").harness() })
}

// A suite that passes what is broken proves nothing: each rule must find the
// stores that break it, and no other.
func TestRules_FindPlantedBugs(t *testing.T) {
	found := map[string]bool{}
	for _, p := range planted {
		for _, name := range p.breaks {
			found[name] = true
		}
		t.Run(p.bug, func(t *testing.T) {
			var got breaks
			synctest.Test(t, func(*testing.T) {
				for _, r := range storetest.Rules() {
					if r.Check(newModel(p.bug).harness()) != nil {
						got = append(got, r.Name)
					}
				}
			})
			if !slices.Equal(got, p.breaks) {
				t.Errorf("failed rules:\n%q\nwant:\n%q", got, p.breaks)
			}
		})
	}
	for _, r := range storetest.Rules() {
		if !found[r.Name] {
			t.Errorf("no planted bug breaks the rule %q", r.Name)
		}
	}
}

func TestRules_AreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range storetest.Rules() {
		if seen[r.Name] {
			t.Errorf("two rules are called %q", r.Name)
		}
		seen[r.Name] = true
	}
}

func TestRule_Missing(t *testing.T) {
	whole := newModel("").harness()
	leaseOnly := whole
	leaseOnly.Store = idem.LeaseOnly(whole.Store)
	bare := storetest.Harness{Store: struct{ idem.Store }{whole.Store}, Advance: whole.Advance}
	count := func(h storetest.Harness) (n int) {
		for _, r := range storetest.Rules() {
			if r.Missing(h) == "" {
				n++
			}
		}
		return n
	}
	all := len(storetest.Rules())
	if n := count(whole); n != all {
		t.Errorf("%d of %d rules apply to a store that can do everything", n, all)
	}
	if n, m := count(leaseOnly), count(bare); n >= all || m >= n || m == 0 {
		t.Errorf("%d rules apply to a whole store, %d without transactions, %d to a bare one; want less each time", all, n, m)
	}
}
