package storetest

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// A Candidate is one way to do a piece of work.
type Candidate struct {
	Name string       // of the metric: without spaces
	Do   func() error // once; called by several goroutines
}

// slice is how long a candidate works in each round.
const slice = 150 * time.Millisecond

// Compare measures how much of the floor's throughput other candidates reach
// with so many clients. Machines change their speed while they are measured, so
// every iteration of b is a round in which each candidate has its turn, in
// changing order, and what is reported is the median over the rounds of the
// ratio within a round, as in 0.83 tx/floor. The floor's own throughput is
// reported for orientation, in operations per second.
//
// Run it for a number of rounds, as in -benchtime 15x.
func Compare(b *testing.B, clients int, floor Candidate, others ...Candidate) {
	b.Helper()
	all := append([]Candidate{floor}, others...)
	for _, c := range all { // connections and statements are made outside the rounds
		if _, err := throughput(c.Do, clients, slice/10); err != nil {
			b.Fatalf("%s: %v", c.Name, err)
		}
	}
	rates := make([][]float64, len(all))
	for round := 0; b.Loop(); round++ {
		for i := range all {
			i = (i + round) % len(all)
			rate, err := throughput(all[i].Do, clients, slice)
			if err != nil {
				b.Fatalf("%s: %v", all[i].Name, err)
			}
			rates[i] = append(rates[i], rate)
		}
	}
	for i, c := range others {
		ratios := make([]float64, len(rates[0]))
		for round, base := range rates[0] {
			ratios[round] = rates[i+1][round] / base
		}
		b.ReportMetric(median(ratios), c.Name+"/"+floor.Name)
	}
	b.ReportMetric(median(rates[0]), floor.Name+"/s")
	b.ReportMetric(0, "ns/op") // the length of a round says nothing
}

// throughput lets clients work for so long and returns operations per second.
func throughput(do func() error, clients int, long time.Duration) (float64, error) {
	var (
		wait  sync.WaitGroup
		count atomic.Int64
		first atomic.Pointer[error]
	)
	start := time.Now()
	for range clients {
		wait.Go(func() {
			for first.Load() == nil {
				if err := do(); err != nil {
					first.CompareAndSwap(nil, &err)
					return
				}
				count.Add(1)
				if time.Since(start) >= long {
					return
				}
			}
		})
	}
	wait.Wait()
	passed := time.Since(start)
	if err := first.Load(); err != nil {
		return 0, *err
	}
	return float64(count.Load()) / passed.Seconds(), nil
}

func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	if n%2 == 1 {
		return values[n/2]
	}
	return (values[n/2-1] + values[n/2]) / 2
}

// BenchAnswer is the answer of the candidates: a body of 256 octets.
var BenchAnswer = idem.Response{
	Status:  201,
	Headers: []byte("content-type: application/json\r\nlocation: /orders/1\r\n"),
	Body:    []byte(`{"id":1,"note":"` + strings.Repeat("a", 238) + `"}`),
}

// numbers make the candidates' IDs, over all benchmarks of a process.
var numbers atomic.Uint64

// fresh is a claim that nobody has made. Its ID is as even as a hash.
func fresh() *idem.Claim {
	c := ask(numbered(numbers.Add(1)))
	binary.LittleEndian.PutUint64(c.ID[8:], uint64(time.Now().UnixNano()))
	return &c
}

// met says what is wrong with the answer to a claim.
func met(what string, got idem.Claimed, err error, want idem.ClaimState) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if got.State != want {
		return fmt.Errorf("%s: got %s, want %s", what, claimState(got.State), claimState(want))
	}
	return nil
}

// InTx is a first request in one transaction: claim, write, answer, one commit.
// The write gets what StoreTx.Tx returns.
func InTx(name string, s idem.TxStore, write func(tx any) error) Candidate {
	ctx := context.Background()
	done := &idem.Completion{Response: BenchAnswer, TTL: keep}
	return Candidate{Name: name, Do: func() error {
		tx, got, err := s.Begin(ctx, fresh())
		if err = met("Begin", got, err, idem.ClaimOwned); err != nil {
			return err
		}
		if err := write(tx.Tx()); err != nil {
			return err
		}
		return tx.Complete(ctx, done, true)
	}}
}

// Separate is a first request in separate commits: claim, write, answer. With a
// write that does nothing it is what the store adds in lease mode.
func Separate(name string, s idem.Store, write func() error) Candidate {
	ctx := context.Background()
	return Candidate{Name: name, Do: func() error {
		c := fresh()
		got, err := s.Claim(ctx, *c)
		if err = met("Claim", got, err, idem.ClaimOwned); err != nil {
			return err
		}
		if err := write(); err != nil {
			return err
		}
		return s.Complete(ctx, c.ID, got.Fence, BenchAnswer, keep)
	}}
}

// Replay is a duplicate of an answered request. It stores the answer at once and
// returns its ID, for a floor that reads the same one.
func Replay(b *testing.B, s idem.Store) (Candidate, idem.ID) {
	b.Helper()
	ctx := context.Background()
	c := fresh()
	got, err := s.Claim(ctx, *c)
	if err == nil {
		err = s.Complete(ctx, c.ID, got.Fence, BenchAnswer, keep)
	}
	if err != nil {
		b.Fatal(err)
	}
	claim := func() (idem.Claimed, error) { return s.Claim(ctx, *c) }
	if txs, ok := s.(idem.TxStore); ok {
		claim = func() (idem.Claimed, error) {
			_, got, err := txs.Begin(ctx, c)
			return got, err
		}
	}
	return Candidate{Name: "replay", Do: func() error {
		got, err := claim()
		return met("the duplicate", got, err, idem.ClaimDone)
	}}, c.ID
}
