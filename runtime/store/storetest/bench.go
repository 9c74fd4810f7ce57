package storetest

import (
	"encoding/binary"
	"testing"

	idem "github.com/idemgen/idemgen/runtime"
)

// Bench measures what a store does for a first request, a replay and a
// conflict, and for a first request in a transaction if it has those. The
// answer is small.
func Bench(b *testing.B, newStore func(tb testing.TB) Harness) {
	b.Run("claim+complete", func(b *testing.B) {
		s := newStore(b).Store
		ctx := b.Context()
		b.ReportAllocs()
		for n := uint64(0); b.Loop(); n++ {
			c := ask(numbered(n))
			got, err := s.Claim(ctx, c)
			if err == nil {
				err = s.Complete(ctx, c.ID, got.Fence, answer, keep)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("replay", func(b *testing.B) { benchDuplicate(b, newStore(b).Store, idem.ClaimDone) })
	b.Run("conflict", func(b *testing.B) { benchDuplicate(b, newStore(b).Store, idem.ClaimRunning) })
	b.Run("tx", func(b *testing.B) {
		s, ok := newStore(b).Store.(idem.TxStore)
		if !ok {
			b.Skip("the store has no transactions")
		}
		ctx := b.Context()
		b.ReportAllocs()
		for n := uint64(0); b.Loop(); n++ {
			c := ask(numbered(n))
			tx, _, err := s.Begin(ctx, &c)
			if err == nil {
				err = tx.Complete(ctx, completion(), true)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// benchDuplicate lets all cores ask for one record at the same time.
func benchDuplicate(b *testing.B, s idem.Store, want idem.ClaimState) {
	ctx := b.Context()
	c := ask(newID("hot"))
	got, err := s.Claim(ctx, c)
	if err == nil && want == idem.ClaimDone {
		err = s.Complete(ctx, c.ID, got.Fence, answer, keep)
	}
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if got, err := s.Claim(ctx, c); err != nil || got.State != want {
				b.Errorf("Claim: %s, %v", claimState(got.State), err)
				return
			}
		}
	})
}

// numbered is an ID as even as a hash.
func numbered(n uint64) (id idem.ID) {
	binary.LittleEndian.PutUint64(id[:], n*0x9e3779b97f4a7c15)
	return id
}
