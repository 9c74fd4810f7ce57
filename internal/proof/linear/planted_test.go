package linear

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/idemgen/idemgen/internal/proof/stores"
	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/storetest"
)

// A planted bug: a real store with one rule broken.
type bug struct {
	idem.Store
	planted string
}

func (b *bug) Claim(ctx context.Context, c idem.Claim) (idem.Claimed, error) {
	absent := false
	if b.planted == "a gap between look and claim" {
		_, found, err := b.Store.Lookup(ctx, c.ID)
		absent = !found && err == nil
		runtime.Gosched()
	}
	got, err := b.Store.Claim(ctx, c)
	if err != nil || got.State == idem.ClaimOwned {
		return got, err
	}
	seen := got.Record
	switch {
	case absent && got.State == idem.ClaimRunning:
		return idem.Claimed{State: idem.ClaimOwned, Fence: seen.Fence, Attempts: seen.Attempts}, nil
	case b.planted == "two owners" && seen.LeaseLeft > 0 && seen.Fingerprint == c.Fingerprint,
		b.planted == "hold is ignored" && seen.Hold && got.State == idem.ClaimRunning && seen.LeaseLeft == 0:
		if err := b.Release(ctx, c.ID, seen.Fence); err != nil {
			return got, nil //nolint:nilerr // somebody was faster: no bug this time
		}
		return b.Store.Claim(ctx, c)
	case b.planted == "another fingerprint takes over" && got.State == idem.ClaimRunning && seen.LeaseLeft == 0 && !seen.Hold:
		c.Fingerprint = seen.Fingerprint
		return b.Store.Claim(ctx, c)
	case b.planted == "one answer for all fingerprints" && got.State == idem.ClaimDone:
		got.Record.Fingerprint = c.Fingerprint
	}
	return got, nil
}

func (b *bug) Lookup(ctx context.Context, id idem.ID) (idem.Record, bool, error) {
	got, ok, err := b.Store.Lookup(ctx, id)
	if b.planted == "a lapsed lease is not shown" && ok && got.State == idem.StateRunning && got.LeaseLeft == 0 {
		return idem.Record{}, false, nil
	}
	return got, ok, err
}

func (b *bug) Heartbeat(ctx context.Context, id idem.ID, f idem.Fence, lease time.Duration) error {
	err := b.Store.Heartbeat(ctx, id, f, lease)
	if b.planted == "a lost heartbeat is not noticed" && errors.Is(err, idem.ErrClaimLost) {
		return nil
	}
	return err
}

func (b *bug) Complete(ctx context.Context, id idem.ID, f idem.Fence, r idem.Response, ttl time.Duration) error {
	switch b.planted {
	case "an answer is acknowledged and dropped":
		return b.Store.Heartbeat(ctx, id, f, leaseHalves*half)
	case "only a valid lease completes":
		seen, ok, err := b.Store.Lookup(ctx, id)
		if err == nil && ok && seen.State == idem.StateRunning && seen.LeaseLeft == 0 {
			return idem.ErrClaimLost
		}
	}
	err := b.Store.Complete(ctx, id, f, r, ttl)
	if b.planted != "a stale fence completes" || !errors.Is(err, idem.ErrClaimLost) {
		return err
	}
	seen, ok, lookup := b.Store.Lookup(ctx, id)
	if lookup != nil || !ok || seen.State != idem.StateRunning {
		return err
	}
	return b.Store.Complete(ctx, id, seen.Fence, r, ttl)
}

func (b *bug) Abandon(ctx context.Context, id idem.ID, f idem.Fence) error {
	if b.planted == "an abandoned claim is released" {
		return b.Release(ctx, id, f)
	}
	return b.Store.Abandon(ctx, id, f)
}

// txBug is a bug in a store with transactions.
type txBug struct{ bug }

func (b *txBug) Begin(ctx context.Context, c *idem.Claim) (idem.StoreTx, idem.Claimed, error) {
	tx, got, err := b.Store.(idem.TxStore).Begin(ctx, c)
	if err == nil && tx == nil && b.planted == "a finished key runs again" && got.State == idem.ClaimDone {
		if tx, _, err = b.Store.(idem.TxStore).Begin(ctx, nil); err != nil {
			return nil, idem.Claimed{}, err
		}
		got = idem.Claimed{State: idem.ClaimOwned, Attempts: 1}
	}
	if tx == nil {
		return nil, got, err
	}
	return &buggyTx{tx, b}, got, err
}

type buggyTx struct {
	idem.StoreTx
	b *txBug
}

func (tx *buggyTx) Complete(ctx context.Context, done *idem.Completion, keep bool) error {
	switch tx.b.planted {
	case "a commit without its answer":
		return tx.StoreTx.Complete(ctx, nil, keep)
	case "a commit is acknowledged and undone":
		return tx.Rollback(ctx)
	case "undone writes are kept":
		keep = true
	}
	return tx.StoreTx.Complete(ctx, done, keep)
}

func (tx *buggyTx) Rollback(ctx context.Context) error {
	if tx.b.planted == "a rollback commits" {
		return tx.StoreTx.Complete(ctx, nil, true)
	}
	return tx.StoreTx.Rollback(ctx)
}

// plant breaks the stores that open makes.
func plant(open func(testing.TB) storetest.Harness, planted string) func(testing.TB) storetest.Harness {
	return func(tb testing.TB) storetest.Harness {
		h := open(tb)
		b := bug{Store: h.Store, planted: planted}
		if _, ok := h.Store.(idem.TxStore); ok {
			h.Store = &txBug{b}
		} else {
			h.Store = &b
		}
		return h
	}
}

// TestLinearizable_Planted breaks one rule of a store at a time: some history
// has to show it.
func TestLinearizable_Planted(t *testing.T) {
	leaseBugs := []string{
		"a stale fence completes",
		"two owners",
		"a gap between look and claim",
		"another fingerprint takes over",
		"hold is ignored",
		"one answer for all fingerprints",
		"a lapsed lease is not shown",
		"a lost heartbeat is not noticed",
		"an answer is acknowledged and dropped",
		"only a valid lease completes",
		"an abandoned claim is released",
	}
	txBugs := []string{
		"a finished key runs again",
		"a commit without its answer",
		"a commit is acknowledged and undone",
		"undone writes are kept",
		"a rollback commits",
	}
	for _, b := range stores.All() {
		t.Run(b.Name, func(t *testing.T) {
			_, tx := b.Open(t).Store.(idem.TxStore)
			find := func(planted string, m mode) {
				t.Run(planted, func(t *testing.T) {
					const limit = 400
					store := plant(b.Open, planted)(t)
					for seed := range uint64(limit) {
						if err := run(t, store, m, seed); err != nil {
							t.Logf("history %d shows it", seed)
							return
						}
					}
					t.Errorf("none of %d histories shows it", limit)
				})
			}
			for _, planted := range leaseBugs {
				find(planted, leaseMode)
			}
			if tx {
				for _, planted := range txBugs {
					find(planted, txMode)
				}
			}
		})
	}
}
