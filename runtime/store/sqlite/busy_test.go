package sqlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/sqlite"
)

// These tests run in bubbles: time passes there only while everything waits, so
// that a budget is spent at once and never by a slow machine.

func TestBegin_BusyBeyondTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openTemp(t, sqlite.WithBusyTimeout(3*time.Second))
		tx := begin(t, s, claim(1))
		for verb, call := range map[string]func() error{
			"Begin":             func() error { _, _, err := s.Begin(t.Context(), claim(2)); return err },
			"Begin without key": func() error { _, _, err := s.Begin(t.Context(), nil); return err },
			"Claim":             func() error { _, err := s.Claim(t.Context(), *claim(2)); return err },
			"Release":           func() error { return s.Release(t.Context(), claim(2).ID, 1) },
			"Sweep":             func() error { _, err := s.Sweep(t.Context(), 1); return err },
		} {
			start := time.Now()
			if err := call(); !errors.Is(err, idem.ErrStoreBusy) {
				t.Errorf("%s while the writer is taken: error %v, want ErrStoreBusy", verb, err)
			}
			if waited := time.Since(start); waited != 3*time.Second {
				t.Errorf("%s waited for %v, want the budget", verb, waited)
			}
		}
		must(t, tx.Rollback(t.Context()))
		works(t, s, claim(2))
	})
}

func TestBegin_WaitsForTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openTemp(t)
		tx := begin(t, s, claim(1))
		time.AfterFunc(sqlite.DefaultBusyTimeout-time.Second, func() { must(t, tx.Complete(t.Context(), answer, true)) })
		works(t, s, claim(2))
	})
}

func TestBegin_WaitEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openTemp(t)
		tx := begin(t, s, claim(1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := s.Begin(ctx, claim(2)); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, idem.ErrStoreBusy) {
			t.Errorf("Begin: error %v, want the context's", err)
		}
		must(t, tx.Rollback(t.Context()))
		works(t, s, claim(2))
	})
}

// Somebody outside the store has the one connection.
func TestBegin_WaitsForOwnWritesOfTheService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openTemp(t)
		own, err := s.DB().BeginTx(t.Context(), nil)
		must(t, err)
		if _, _, err := s.Begin(t.Context(), claim(1)); !errors.Is(err, idem.ErrStoreBusy) {
			t.Errorf("Begin: error %v, want ErrStoreBusy", err)
		}
		must(t, own.Rollback())
		works(t, s, claim(1))
	})
}

// Two stores on one file are what two processes are: no gate between them.
func TestStore_TwoProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "idem.db")
		a, b := open(t, path), open(t, path)

		tx := begin(t, a, claim(1))
		if _, _, err := b.Begin(t.Context(), claim(1)); !errors.Is(err, idem.ErrStoreBusy) {
			t.Errorf("Begin beside another process: error %v, want ErrStoreBusy", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := b.Claim(ctx, *claim(2)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Claim beside another process: error %v, want the context's", err)
		}
		must(t, tx.Complete(t.Context(), answer, true))
		if _, got, err := b.Begin(t.Context(), claim(1)); err != nil || got.State != idem.ClaimDone {
			t.Errorf("Begin after another process: state %d, error %v", got.State, err)
		}
		works(t, b, claim(2))

		first := begin(t, a, claim(3))
		must(t, first.Rollback(t.Context()))
		owned, err := b.Claim(t.Context(), *claim(3))
		must(t, err)
		if got, err := a.Claim(t.Context(), *claim(3)); err != nil || got.State != idem.ClaimRunning || got.Record.Fence != owned.Fence {
			t.Errorf("Claim beside another process's: state %d, fence %d, error %v", got.State, got.Record.Fence, err)
		}
	})
}

func TestRetryableTx(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "idem.db")
		a, b := open(t, path), open(t, path)
		tx := begin(t, a, claim(1))
		_, err := b.DB().ExecContext(t.Context(), "DELETE FROM idem_keys")
		if !b.RetryableTx(err) {
			t.Errorf("RetryableTx(%v) = false", err)
		}
		if b.RetryableTx(errors.New("database is locked")) || b.RetryableTx(nil) {
			t.Error("RetryableTx guesses")
		}
		must(t, tx.Rollback(t.Context()))
	})
}
