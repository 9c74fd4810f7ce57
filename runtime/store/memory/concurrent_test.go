package memory_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/memory"
)

// Claims, answers, expiry, sweeps and growing tables at the same time, few IDs
// and many: at any time at most one claim of an ID may own it, and an answer
// belongs to the claim that stored it.
func TestStore_EverythingAtOnce(t *testing.T) {
	clock := new(clock)
	s := memory.New(memory.WithClock(clock.now))
	const ids = 3000
	var owners [ids]atomic.Int32
	ctx := t.Context()

	worker := func(seed uint64) {
		random := rand.New(rand.NewPCG(seed, 0))
		for range 4000 {
			n := random.IntN(ids)
			if random.IntN(2) == 0 {
				n %= 5
			}
			c := claim(n)
			c.Lease = 1000 * time.Hour // none lapses while its owner is at it
			got, err := s.Claim(ctx, c)
			if err != nil {
				t.Errorf("Claim: %v", err)
				return
			}
			switch got.State {
			case idem.ClaimDone:
				if r := got.Record.Response; r.Status != n || len(r.Body) != n%7 {
					t.Errorf("ID %d has the answer of %d with %d octets", n, r.Status, len(r.Body))
				}
			case idem.ClaimOwned:
				if owners[n].Add(1) != 1 {
					t.Errorf("ID %d has two owners", n)
				}
				owners[n].Add(-1)
				if random.IntN(3) == 0 {
					err = s.Release(ctx, c.ID, got.Fence)
				} else {
					err = s.Complete(ctx, c.ID, got.Fence, idem.Response{Status: n, Body: make([]byte, n%7)}, 10*time.Second)
				}
				if err != nil {
					t.Errorf("the end of an owned claim: %v", err)
				}
			}
			switch random.IntN(100) {
			case 0:
				clock.advance(time.Second)
			case 1:
				if _, err := s.Sweep(ctx, 50); err != nil {
					t.Errorf("Sweep: %v", err)
				}
			}
		}
	}
	var wait sync.WaitGroup
	for seed := range uint64(8) {
		wait.Go(func() { worker(seed) })
	}
	wait.Wait()
}

// A record that nobody touches is found all the time while its table grows and
// its neighbours come and go.
func TestLookup_WhileTheTableChanges(t *testing.T) {
	s := memory.New()
	if err := answer(t, s, claim(0), 1); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	var stop atomic.Bool
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			id := claim(0).ID
			for !stop.Load() {
				if _, found, err := s.Lookup(ctx, id); !found || err != nil {
					t.Errorf("Lookup: found %v, error %v", found, err)
					return
				}
			}
		})
	}
	for n := 1; n < 20_000; n++ {
		c := claim(n)
		got, err := s.Claim(ctx, c)
		if err == nil && n%3 != 0 {
			err = s.Release(ctx, c.ID, got.Fence)
		}
		if err != nil {
			t.Error(err)
			break
		}
	}
	stop.Store(true)
	wait.Wait()
}
