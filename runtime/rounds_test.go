package runtime_test

import (
	goruntime "runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// way is one of several ways to serve the same requests. Prepare makes it anew
// for a round, outside the time that is measured, and returns what serves the
// i-th request of it.
type way struct {
	name    string
	prepare func() func(i int)
}

// A way serves turn requests turns times in a round, prepared anew each time. In
// one turn some ways fill the memory after which Go collects garbage for the first
// time and others just do not; in several, all pay for what they leave.
const (
	turn  = 4096
	turns = 4
)

// nanoseconds measures the ways in rounds and returns what a request took, by
// way and round. Machines change their speed while they are measured, so every
// iteration of b is a round in which each way has its turn, in changing order,
// and only what was measured in one round is compared.
func nanoseconds(b *testing.B, ways ...way) [][]float64 {
	b.Helper()
	took := make([][]float64, len(ways))
	for round := 0; b.Loop(); round++ {
		for i := range ways {
			i = (i + round) % len(ways)
			goruntime.GC() // nobody pays for what another one left
			var all time.Duration
			for range turns {
				do := ways[i].prepare()
				start := time.Now()
				for n := range turn {
					do(n)
				}
				all += time.Since(start)
			}
			took[i] = append(took[i], float64(all.Nanoseconds())/(turns*turn))
		}
	}
	for i, w := range ways {
		b.ReportMetric(median(took[i]), w.name+"-ns")
	}
	b.ReportMetric(0, "ns/op") // the length of a round says nothing
	return took
}

// ratio is the median over the rounds of what a took by what b took.
func ratio(a, b []float64) float64 {
	r := make([]float64, len(a))
	for i := range a {
		r[i] = a[i] / b[i]
	}
	return median(r)
}

// above is what a took longer than bare, by round.
func above(a, bare []float64) []float64 {
	own := slices.Clone(a)
	for i := range own {
		own[i] -= bare[i]
	}
	return own
}

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// scaling measures how much more often several processors do something than one.
// Start makes what one of them does. Every iteration of b is a burst of each, and
// the best bursts are compared: in the others a processor was away.
func scaling(b *testing.B, processors int, start func() func()) float64 {
	b.Helper()
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(0))
	perSecond := func(processors int) float64 {
		goruntime.GOMAXPROCS(processors)
		var wait sync.WaitGroup
		begin := time.Now()
		for range processors {
			do := start()
			wait.Go(func() {
				for range 2 * turn {
					do()
				}
			})
		}
		wait.Wait()
		return float64(processors) / time.Since(begin).Seconds()
	}
	var one, several float64
	for b.Loop() {
		one, several = max(one, perSecond(1)), max(several, perSecond(processors))
	}
	b.ReportMetric(0, "ns/op")
	return several / one
}
