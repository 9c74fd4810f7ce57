package faults_test

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/idemgen/idemgen/internal/proof/faults"
	idem "github.com/idemgen/idemgen/runtime"
)

// A bug is a real store that does one thing wrong after a fault.
type bug struct {
	idem.TxStore
	planted string
	w       *world
	entries map[idem.ID]bool
	written string
	left    []idem.StoreTx
}

const (
	acknowledges = "a lost completion is acknowledged"
	acceptsLost  = "a lost claim is acknowledged"
	leavesTx     = "a transaction stays open"
	leavesEntry  = "an entry stays in memory"
	repeats      = "an unclear commit is repeated"
	commitsTwice = "the answer has a commit of its own"
)

// bugs says what shows them.
var bugs = []struct {
	planted  string
	scenario string
	shown    string // part of what the sweep says
}{
	{acknowledges, "complete from running", "acknowledged, but the key is"},
	{acknowledges, "tx from absent", "acknowledged, but the key is"},
	{acceptsLost, "claim from absent", "acknowledged, but the key is"},
	{leavesTx, "tx from absent", "still active|not given back"},
	{leavesEntry, "tx from absent", "is said to be in flight"},
	{repeats, "tx from absent", "effects are there"},
	{commitsTwice, "tx from absent", "1 effects are there"},
}

// plant makes the faulty store of a world do one thing wrong.
func plant(tb testing.TB, w *world, planted string) {
	tb.Helper()
	b := &bug{planted: planted, w: w, entries: map[idem.ID]bool{}}
	write, restart := w.write, w.restart
	w.write = func(ctx context.Context, tx any, key string) error {
		b.written = key
		return write(ctx, tx, key)
	}
	b.TxStore, w.faulty = w.faulty, b
	if restart != nil {
		w.restart = func() error {
			err := restart()
			b.TxStore, w.faulty = w.faulty, b
			clear(b.entries) // which a process loses
			return err
		}
	}
	tb.Cleanup(func() {
		for _, tx := range b.left {
			_ = tx.Rollback(context.Background()) // its connection may be gone
		}
	})
}

func (b *bug) Claim(ctx context.Context, c idem.Claim) (idem.Claimed, error) {
	got, err := b.TxStore.Claim(ctx, c)
	if err != nil && b.planted == acceptsLost {
		return idem.Claimed{State: idem.ClaimOwned, Fence: idem.Fence(time.Now().UnixMicro()), Attempts: 1}, nil
	}
	return got, err
}

func (b *bug) Complete(ctx context.Context, id idem.ID, f idem.Fence, r idem.Response, ttl time.Duration) error {
	err := b.TxStore.Complete(ctx, id, f, r, ttl)
	if b.planted == acknowledges && !errors.Is(err, idem.ErrClaimLost) {
		return nil
	}
	return err
}

func (b *bug) Begin(ctx context.Context, c *idem.Claim) (idem.StoreTx, idem.Claimed, error) {
	if c == nil {
		return b.TxStore.Begin(ctx, nil)
	}
	if b.planted == leavesEntry {
		if b.entries[c.ID] {
			return nil, idem.Claimed{State: idem.ClaimRunning, Record: idem.Record{State: idem.StateRunning}}, nil
		}
		b.entries[c.ID] = true
	}
	tx, got, err := b.TxStore.Begin(ctx, c)
	if err != nil || tx == nil {
		return nil, got, err
	}
	delete(b.entries, c.ID)
	return &buggyTx{StoreTx: tx, b: b, claim: c}, got, nil
}

type buggyTx struct {
	idem.StoreTx
	b     *bug
	claim *idem.Claim
}

func (tx *buggyTx) Complete(ctx context.Context, done *idem.Completion, keep bool) error {
	store := tx.b.TxStore
	if tx.b.planted == commitsTwice {
		if err := tx.StoreTx.Complete(ctx, nil, keep); err != nil {
			return err
		}
		got, err := store.Claim(ctx, *tx.claim)
		if err != nil {
			return err
		}
		return store.Complete(ctx, tx.claim.ID, got.Fence, done.Response, done.TTL)
	}
	err := tx.StoreTx.Complete(ctx, done, keep)
	if err == nil || errors.Is(err, idem.ErrRetryTx) {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	switch tx.b.planted {
	case acknowledges:
		return nil
	case leavesTx:
		if another, _, err := store.Begin(ctx, nil); err == nil {
			tx.b.left = append(tx.b.left, another)
		}
	case repeats:
		another, _, err := store.Begin(ctx, nil)
		if err == nil {
			return errors.Join(tx.b.w.write(ctx, another.Tx(), tx.b.written), another.Complete(ctx, nil, true))
		}
	}
	return err
}

// TestSweep_Planted lets a store do one thing wrong at a time: some fault has to
// show it.
func TestSweep_Planted(t *testing.T) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			for _, bug := range bugs {
				t.Run(bug.planted+", "+bug.scenario, func(t *testing.T) {
					shown := regexp.MustCompile(bug.shown)
					for _, k := range faults.Kinds() {
						if findBug(t, b.open, bug.planted, bug.scenario, k, shown) {
							return
						}
					}
					t.Fatal("no fault shows it")
				})
			}
		})
	}
}

// findBug sweeps with one kind of fault until the bug shows.
func findBug(t *testing.T, open func(testing.TB) *world, planted, name string, k faults.Kind, shown *regexp.Regexp) bool {
	t.Helper()
	which := slices.IndexFunc(scenarios(), func(s scenario) bool { return s.String() == name })
	w := open(t)
	plant(t, w, planted)
	w.patience = 4 * budget // what was left behind does not go away
	for at := 0; ; at++ {
		fired, err := try(t.Context(), w, scenarios()[which], k, at)
		switch {
		case err != nil && shown.MatchString(err.Error()):
			t.Logf("shown by %v at %s: %.200v", k, fired, err)
			return true
		case err != nil: // on a slow machine, patience was over before
			t.Logf("not shown by %v at %s: %.200v", k, fired, err)
			w = open(t)
			plant(t, w, planted)
			w.patience = 4 * budget
		case fired == "":
			return false
		}
	}
}
