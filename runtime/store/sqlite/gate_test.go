package sqlite

import (
	"context"
	"errors"
	"sync"
	"testing"
)

// A turn that comes while its receiver gives up must not get lost: whatever
// happens first, exactly one side has it.
func TestGate_TurnAndEndOfTheWaitTogether(t *testing.T) {
	for range 2000 {
		var g gate
		ctx, cancel := context.WithCancel(t.Context())
		if missed, err := g.enter(ctx); missed || err != nil {
			t.Fatalf("enter of an open gate: missed %v, error %v", missed, err)
		}
		var missed bool
		var err error
		var wait sync.WaitGroup
		wait.Go(func() { missed, err = g.enter(ctx) })
		wait.Go(cancel)
		given := g.handOver()
		wait.Wait()
		if got := err == nil || missed; got != given {
			t.Fatalf("turn given %v, received %v (missed %v, error %v)", given, got, missed, err)
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		g.leave()
		if missed, err := g.enter(t.Context()); missed || err != nil {
			t.Fatalf("enter after everyone: missed %v, error %v", missed, err)
		}
	}
}
