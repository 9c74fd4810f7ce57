package memory_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/idemgen/idemgen/runtime/store/memory"
	"github.com/idemgen/idemgen/runtime/store/storetest"
)

func TestStore(t *testing.T) { storetest.Run(t, newHarness) }

func BenchmarkStore(b *testing.B) { storetest.Bench(b, newHarness) }

func newHarness(testing.TB) storetest.Harness {
	clock := new(clock)
	return storetest.Harness{
		Store:   memory.New(memory.WithClock(clock.now), memory.WithMaxBytes(1<<40)),
		Advance: clock.advance,
	}
}

// clock is a clock that tests move.
type clock struct{ since atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.since.Load()) }
func (c *clock) advance(d time.Duration) { c.since.Add(int64(d)) }
