package sqlite_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/memory"
	"github.com/idemgen/idemgen/runtime/store/sqlite"
)

// The two stores have nothing in common but the contract: whatever happens to
// them, they must say the same. The clock moves in hours, so that the time the
// test itself takes decides nothing.
func TestStore_AgreesWithMemory(t *testing.T) {
	clock := new(clock)
	epoch := time.Now()
	d := differential{
		Rand:   rand.New(rand.NewPCG(1, 2)),
		memory: memory.New(memory.WithClock(func() time.Time { return epoch.Add(clock.shift()) })),
		sqlite: openTemp(t, sqlite.WithClockShift(clock.shift), sqlite.WithSynchronousNormal()),
	}
	for step := range 3000 {
		if d.IntN(4) == 0 {
			clock.advance(time.Duration(d.IntN(4)) * time.Hour)
		}
		what, a, b := d.step(t)
		if a != b {
			t.Fatalf("step %d: %s\nmemory: %s\nsqlite: %s", step, what, a, b)
		}
	}
}

type differential struct {
	*rand.Rand
	memory, sqlite idem.Store
	fences         [4][]fences // of each ID, in the order of its claims
}

// fences of one claim differ from store to store.
type fences struct{ memory, sqlite idem.Fence }

// step does the same to both stores and returns what they said.
func (d *differential) step(t *testing.T) (what, a, b string) {
	n := d.IntN(len(d.fences))
	id := idem.ID{byte(n)}
	f := fences{1, 1}
	if known := d.fences[n]; len(known) > 0 {
		f = known[max(len(known)-1-d.IntN(2), 0)] // the owner's, or the one before
	}
	hours := time.Duration(1+d.IntN(5)) * time.Hour
	ctx := t.Context()
	both := func(verb string, do func(idem.Store, idem.Fence) string) (what, a, b string) {
		return fmt.Sprint(verb, " of ID ", n), do(d.memory, f.memory), do(d.sqlite, f.sqlite)
	}
	outcome := func(err error) string {
		if err != nil && !errors.Is(err, idem.ErrClaimLost) {
			t.Fatal(err)
		}
		return fmt.Sprint("lost: ", err != nil)
	}
	switch d.IntN(8) {
	case 0, 1, 2:
		c := idem.Claim{ID: id, Fingerprint: idem.Fingerprint{byte(d.IntN(2))}, Lease: hours, TTL: hours * 2, Hold: d.IntN(4) == 0}
		var got [2]idem.Claimed
		what, a, b = both("Claim", func(s idem.Store, _ idem.Fence) string {
			claimed, err := s.Claim(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			got[0], got[1] = got[1], claimed
			return fmt.Sprint("state ", claimed.State, ", attempt ", claimed.Attempts, ", ", describe(claimed.Record))
		})
		if got[0].State == idem.ClaimOwned {
			d.fences[n] = append(d.fences[n], fences{got[0].Fence, got[1].Fence})
		}
		return what, a, b
	case 3:
		return both("Lookup", func(s idem.Store, _ idem.Fence) string {
			r, found, err := s.Lookup(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(found, ", ", describe(r))
		})
	case 4:
		r := idem.Response{Status: 200 + d.IntN(10), Body: [][]byte{nil, {}, []byte("x")}[d.IntN(3)]}
		return both("Complete", func(s idem.Store, f idem.Fence) string { return outcome(s.Complete(ctx, id, f, r, hours)) })
	case 5:
		return both("Heartbeat", func(s idem.Store, f idem.Fence) string { return outcome(s.Heartbeat(ctx, id, f, hours)) })
	case 6:
		return both("Abandon", func(s idem.Store, f idem.Fence) string { return outcome(s.Abandon(ctx, id, f)) })
	default:
		if d.IntN(2) == 0 {
			return both("Release", func(s idem.Store, f idem.Fence) string { return outcome(s.Release(ctx, id, f)) })
		}
		// Only SQLite keeps released IDs, so the numbers differ; answers may not.
		return both("Sweep", func(s idem.Store, _ idem.Fence) string {
			_, err := s.(idem.Sweeper).Sweep(ctx, 100)
			return outcome(err)
		})
	}
}

// describe leaves out the fence and what passes within a minute.
func describe(r idem.Record) string {
	return fmt.Sprintf("record %d of %d, hold %v, attempt %d, lease %v, expires %v, %d %#v",
		r.State, r.Fingerprint[0], r.Hold, r.Attempts, r.LeaseLeft.Round(time.Hour), r.ExpiresIn.Round(time.Hour),
		r.Response.Status, r.Response.Body)
}
