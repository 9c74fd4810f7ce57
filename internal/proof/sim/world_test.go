package sim

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/memory"
)

// world is one simulation.
type world struct {
	settings
	seed    uint64
	planted string // the bug to have; empty: none
	began   time.Time
	memory  *memory.Store
	store   idem.Store // memory, or memory with a bug
	serving sync.WaitGroup

	mu        sync.Mutex
	taken     map[time.Time]bool // instants at which something happens
	calm      bool               // nothing goes wrong any more
	jumped    time.Duration      // of the store's clock
	skew      time.Duration      // of the application's clock
	processes [2]*process
	events    []string
	wrong     []string // what clients, handlers and resources must not see
	refuted   []string // what a store must not answer
	tally     map[string]int
	acked     map[slot][]*acknowledged
	resource  map[slot]resource
	book
}

// event logs what happens now. The world is locked.
func (w *world) event(format string, args ...any) {
	at := time.Since(w.began)
	w.events = append(w.events, fmt.Sprintf("%14d ", at.Nanoseconds())+fmt.Sprintf(format, args...))
}

// violation notes a broken promise. The world is locked.
func (w *world) violation(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.wrong = append(w.wrong, text)
	w.event("WRONG: %s", text)
}

// refute notes an answer of the store that contradicts the book. The world is
// locked.
func (w *world) refute(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.refuted = append(w.refuted, text)
	w.event("REFUTED: %s", text)
}

// instant reserves a time about d from now for one event, so that the order of
// events never depends on the scheduler. It returns how far away that is.
func (w *world) instant(d time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	at := now.Add(max(d, 1))
	for w.taken[at] {
		at = at.Add(1)
	}
	w.taken[at] = true
	return at.Sub(now)
}

// sleep lets about d pass.
func (w *world) sleep(d time.Duration) { time.Sleep(w.instant(d)) }

// sleepWithin is sleep that the context ends.
func (w *world) sleepWithin(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(w.instant(d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// draw returns the random numbers of one thing that happens. They depend on its
// name alone.
func (w *world) draw(name string, numbers ...int) *rand.Rand {
	hash := fnv.New64a()
	fmt.Fprint(hash, name, numbers)
	return rand.New(rand.NewPCG(w.seed, hash.Sum64()))
}

// upTo is a time below d.
func upTo(r *rand.Rand, d time.Duration) time.Duration { return time.Duration(r.Int64N(int64(d))) }

// now is the time of the store's clock. The world is locked.
func (w *world) now() time.Duration { return time.Since(w.began) + w.jumped }

// storeClock is what the store asks.
func (w *world) storeClock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.jumped)
}

// clock is the application's: it may be set while it runs, and timers do not
// care.
type clock struct{ w *world }

func (c clock) Now() time.Time {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	return time.Now().Add(c.w.skew)
}

func (c clock) AfterFunc(d time.Duration, f func()) idem.Timer {
	return time.AfterFunc(c.w.instant(d), f)
}
