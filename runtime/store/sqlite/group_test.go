package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/sqlite"
	"github.com/idemgen/idemgen/runtime/store/storetest"
)

func TestStore_WithGroupCommit(t *testing.T) {
	storetest.Run(t, func(tb testing.TB) storetest.Harness { return newHarness(tb, sqlite.WithGroupCommit(8)) })
}

// A queue is requests that come one after the other while the first still has
// the writer, so that they get into one batch. It belongs in a bubble.
type queue struct {
	t     *testing.T
	s     *sqlite.Store
	turns []chan idem.StoreTx
	ended []chan error
}

func newQueue(t *testing.T, s *sqlite.Store, n int) *queue {
	q := &queue{t: t, s: s}
	for i := range n {
		turn, ended := make(chan idem.StoreTx, 1), make(chan error, 1)
		q.turns, q.ended = append(q.turns, turn), append(q.ended, ended)
		go func() {
			tx, got, err := s.Begin(t.Context(), claim(byte(i)))
			if err != nil || got.State != idem.ClaimOwned {
				t.Errorf("Begin %d: state %d, error %v", i, got.State, err)
			}
			turn <- tx
		}()
		synctest.Wait() // in this order
	}
	return q
}

// handle waits for the turn of request i and executes its handler.
func (q *queue) handle(i int, handler func(*sql.Tx)) idem.StoreTx {
	tx := <-q.turns[i]
	handler(tx.Tx().(*sql.Tx))
	return tx
}

// insert is a handler.
func (q *queue) insert(tx *sql.Tx) { mustExec(q.t, tx, "INSERT INTO probe VALUES ('a')") }

// run lets request i do its work and ask for the commit.
func (q *queue) run(i int, handler func(*sql.Tx)) {
	tx := q.handle(i, handler)
	go func() { q.ended[i] <- tx.Complete(q.t.Context(), answer, true) }()
	synctest.Wait()
}

// waits expects that request i has no answer yet.
func (q *queue) waits(i int) {
	q.t.Helper()
	select {
	case err := <-q.ended[i]:
		q.t.Errorf("request %d was answered before the batch's commit: error %v", i, err)
	default:
	}
	if _, found, err := q.s.Lookup(q.t.Context(), claim(byte(i)).ID); found || err != nil {
		q.t.Errorf("Lookup of %d before the commit: found %v, error %v", i, found, err)
	}
}

// settled expects the error of request i, and a record only without one.
func (q *queue) settled(i int, want error) {
	q.t.Helper()
	select {
	case err := <-q.ended[i]:
		if !errors.Is(err, want) {
			q.t.Errorf("request %d: error %v, want %v", i, err, want)
		}
	default:
		q.t.Errorf("request %d still waits", i)
	}
	if _, found, err := q.s.Lookup(q.t.Context(), claim(byte(i)).ID); found != (want == nil) || err != nil {
		q.t.Errorf("Lookup of %d: found %v, error %v", i, found, err)
	}
}

func (q *queue) rows(want int) {
	q.t.Helper()
	if n := rows(q.t, q.s); n != want {
		q.t.Errorf("%d rows, want %d", n, want)
	}
}

// grouped runs a test of a queue of n requests in a bubble.
func grouped(t *testing.T, n, most int, test func(t *testing.T, q *queue), opts ...sqlite.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		test(t, newQueue(t, openTemp(t, append(opts, sqlite.WithGroupCommit(most))...), n))
	})
}

func TestGroup_OneCommitForAll(t *testing.T) {
	grouped(t, 3, 8, func(t *testing.T, q *queue) {
		q.run(0, q.insert)
		q.run(1, q.insert)
		q.waits(0)
		q.waits(1)
		if _, got, err := q.s.Begin(t.Context(), claim(0)); err != nil || got.State != idem.ClaimRunning {
			t.Errorf("a duplicate before the commit: state %d, error %v", got.State, err)
		}
		q.rows(0)
		q.run(2, q.insert)
		for i := range 3 {
			q.settled(i, nil)
		}
		q.rows(3)
	})
}

func TestGroup_Full(t *testing.T) {
	grouped(t, 3, 2, func(t *testing.T, q *queue) {
		q.run(0, q.insert)
		q.waits(0)
		q.run(1, q.insert)
		q.settled(0, nil)
		q.settled(1, nil)
		q.run(2, q.insert)
		q.settled(2, nil)
		q.rows(3)
	})
}

// What is in the file while a batch is open is nobody's answer.
func TestGroup_KilledBeforeCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, crashed := t.TempDir(), t.TempDir()
		s := open(t, filepath.Join(dir, "idem.db"), sqlite.WithGroupCommit(8))
		mustExec(t, s.DB(), "CREATE TABLE probe (name TEXT NOT NULL)")
		q := newQueue(t, s, 3)
		q.run(0, q.insert)
		q.run(1, q.insert)
		q.run(2, func(*sql.Tx) {
			for _, name := range []string{"idem.db", "idem.db-wal"} {
				content, err := os.ReadFile(filepath.Join(dir, name))
				must(t, err)
				must(t, os.WriteFile(filepath.Join(crashed, name), content, 0o600))
			}
			after := open(t, filepath.Join(crashed, "idem.db"))
			if n := rows(t, after); n != 0 {
				t.Errorf("%d rows of a batch without a commit", n)
			}
			for i := range 3 {
				works(t, after, claim(byte(i)))
			}
		})
		for i := range 3 {
			q.settled(i, nil)
		}
	})
}

func TestGroup_RollbackIsOnesOwn(t *testing.T) {
	for name, end := range map[string]func(tx idem.StoreTx) error{
		"Rollback": func(tx idem.StoreTx) error { return tx.Rollback(context.Background()) },
		"Complete without keep": func(tx idem.StoreTx) error {
			return tx.Complete(context.Background(), nil, false)
		},
		"Complete after the request": func(tx idem.StoreTx) error {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if err := tx.Complete(ctx, answer, true); !errors.Is(err, context.Canceled) {
				return fmt.Errorf("error %w, want the context's", err)
			}
			return nil
		},
		"the handler's Commit": func(tx idem.StoreTx) error {
			if err := tx.Tx().(*sql.Tx).Commit(); !errors.Is(err, idem.ErrTxEnded) {
				return fmt.Errorf("error %w, want ErrTxEnded", err)
			}
			if err := tx.Complete(context.Background(), answer, true); !errors.Is(err, idem.ErrTxEnded) {
				return fmt.Errorf("error %w, want ErrTxEnded", err)
			}
			return nil
		},
		"the handler's Rollback": func(tx idem.StoreTx) error {
			if err := tx.Tx().(*sql.Tx).Rollback(); err != nil {
				return err
			}
			if err := tx.Rollback(context.Background()); !errors.Is(err, idem.ErrTxEnded) {
				return fmt.Errorf("error %w, want ErrTxEnded", err)
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			grouped(t, 3, 8, func(t *testing.T, q *queue) {
				q.run(0, q.insert)
				tx := q.handle(1, q.insert)
				go func() { q.ended[1] <- end(tx) }()
				synctest.Wait()
				q.waits(0)
				q.run(2, q.insert)
				must(t, <-q.ended[1])
				q.settled(0, nil)
				q.settled(2, nil)
				q.rows(2)
				works(t, q.s, claim(1))
			})
		})
	}
}

// An answer may rest on what others of the batch have written.
func TestGroup_RollbackWaitsForWhatItRead(t *testing.T) {
	grouped(t, 3, 8, func(t *testing.T, q *queue) {
		q.run(0, q.insert)
		tx := q.handle(1, func(tx *sql.Tx) {
			var n int
			must(t, tx.QueryRow("SELECT count(*) FROM probe").Scan(&n))
			if n != 1 {
				t.Errorf("%d rows, want the one of the batch", n)
			}
		})
		go func() { q.ended[1] <- tx.Rollback(t.Context()) }()
		synctest.Wait()
		q.waits(1)
		tx = q.handle(2, func(tx *sql.Tx) { mustExec(t, tx, "ROLLBACK") })
		if err := tx.Rollback(t.Context()); !errors.Is(err, idem.ErrTxEnded) {
			t.Errorf("Rollback after ROLLBACK: error %v, want ErrTxEnded", err)
		}
		synctest.Wait()
		q.settled(0, idem.ErrRetryTx)
		q.settled(1, idem.ErrRetryTx)
	})
}

func TestGroup_HandlerEndedTheTransaction(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *sql.Tx){
		"COMMIT": func(t *testing.T, tx *sql.Tx) { mustFail(t, tx, "COMMIT") },
		"COMMIT and a write": func(t *testing.T, tx *sql.Tx) {
			mustFail(t, tx, "COMMIT")
			mustFail(t, tx, "INSERT INTO probe VALUES ('b')")
		},
		"ROLLBACK":            func(t *testing.T, tx *sql.Tx) { mustExec(t, tx, "ROLLBACK") },
		"ROLLBACK and BEGIN":  func(t *testing.T, tx *sql.Tx) { mustExec(t, tx, "ROLLBACK"); mustExec(t, tx, "BEGIN IMMEDIATE") },
		"ROLLBACK by a rule":  func(t *testing.T, tx *sql.Tx) { mustFail(t, tx, "INSERT OR ROLLBACK INTO probe VALUES (NULL)") },
		"RELEASE":             func(t *testing.T, tx *sql.Tx) { mustExec(t, tx, "RELEASE idem_handler") },
		"a forged savepoint":  func(t *testing.T, tx *sql.Tx) { forge(t, tx, "BEGIN IMMEDIATE") },
		"and forged outright": func(t *testing.T, tx *sql.Tx) { forge(t, tx) },
	} {
		for _, keep := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, keep %v", name, keep), func(t *testing.T) {
				grouped(t, 3, 8, func(t *testing.T, q *queue) {
					q.run(0, q.insert)
					tx := q.handle(1, func(tx *sql.Tx) {
						q.insert(tx)
						end(t, tx)
					})
					if err := tx.Complete(t.Context(), answer, keep); !errors.Is(err, idem.ErrTxEnded) {
						t.Errorf("Complete: error %v, want ErrTxEnded", err)
					}
					synctest.Wait()
					q.settled(0, idem.ErrRetryTx)
					q.rows(0)
					q.run(2, q.insert) // in a batch of its own
					q.settled(2, nil)
					works(t, q.s, claim(0))
					works(t, q.s, claim(1))
					q.rows(1)
				})
			})
		}
	}
}

// forge is what a handler would have to do to hide the end of the transaction.
func forge(t *testing.T, tx *sql.Tx, more ...string) {
	t.Helper()
	for _, query := range append(append([]string{"ROLLBACK"}, more...), "SAVEPOINT idem_handler") {
		mustExec(t, tx, query)
	}
}

func TestGroup_HandlerWasInterrupted(t *testing.T) {
	registerInterrupt()
	grouped(t, 2, 8, func(t *testing.T, q *queue) {
		q.run(0, q.insert)
		tx := q.handle(1, func(tx *sql.Tx) {
			ctx, cancel := context.WithCancel(t.Context())
			interrupt.Store(&cancel)
			const endless = `INSERT INTO probe
				WITH RECURSIVE n(i) AS (SELECT interrupt() UNION ALL SELECT i+1 FROM n) SELECT i FROM n`
			if _, err := tx.ExecContext(ctx, endless); err == nil {
				t.Fatal("an endless statement has ended")
			}
		})
		if err := tx.Complete(t.Context(), answer, true); !errors.Is(err, idem.ErrTxEnded) {
			t.Errorf("Complete: error %v, want ErrTxEnded", err)
		}
		synctest.Wait()
		q.settled(0, idem.ErrRetryTx)
		works(t, q.s, claim(0))
	})
}

func TestGroup_HandlerUsesItsTransactionLater(t *testing.T) {
	grouped(t, 2, 8, func(t *testing.T, q *queue) {
		var late *sql.Tx
		q.run(0, func(tx *sql.Tx) { late = tx })
		q.run(1, func(*sql.Tx) {
			if _, err := late.Exec("INSERT INTO probe VALUES ('late')"); !errors.Is(err, sql.ErrTxDone) {
				t.Errorf("a write after the request: error %v, want ErrTxDone", err)
			}
		})
		q.settled(0, nil)
		q.rows(0)
	})
}

func TestGroup_DeferredForeignKey(t *testing.T) {
	grouped(t, 3, 8, func(t *testing.T, q *queue) {
		q.run(0, func(tx *sql.Tx) {
			mustExec(t, tx, "CREATE TABLE parent (id INTEGER PRIMARY KEY)")
			mustExec(t, tx, "CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")
		})
		tx := q.handle(1, func(tx *sql.Tx) { mustExec(t, tx, "INSERT INTO child VALUES (7)") })
		if err := tx.Complete(t.Context(), answer, true); err == nil {
			t.Error("Complete with a violated foreign key: no error")
		}
		q.run(2, func(tx *sql.Tx) {
			mustExec(t, tx, "INSERT INTO child VALUES (8)")
			mustExec(t, tx, "INSERT INTO parent VALUES (8)")
		})
		q.settled(0, nil)
		q.settled(2, nil)
	}, sqlite.WithPragma("foreign_keys", "ON"))
}

// Who gives up waiting leaves the batch to those who finished before.
func TestGroup_TheLastOneGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openTemp(t, sqlite.WithGroupCommit(8), sqlite.WithBusyTimeout(time.Second))
		q := newQueue(t, s, 1)
		gone := make(chan error, 1)
		go func() {
			_, err := s.Claim(t.Context(), *claim(9))
			gone <- err
		}()
		tx := <-q.turns[0]
		if err := <-gone; !errors.Is(err, idem.ErrStoreBusy) {
			t.Errorf("Claim beside a long handler: error %v, want ErrStoreBusy", err)
		}
		must(t, tx.Complete(t.Context(), answer, true))
	})
}

// Leases share the commit too, and the service's own writes wait for it.
func TestGroup_LeasesAndOwnWrites(t *testing.T) {
	grouped(t, 1, 8, func(t *testing.T, q *queue) {
		claimed, own := make(chan error, 2), make(chan error, 1)
		for n := range byte(2) {
			go func() {
				_, err := q.s.Claim(t.Context(), *claim(10 + n))
				claimed <- err
			}()
		}
		go func() {
			_, err := q.s.DB().ExecContext(t.Context(), "INSERT INTO probe VALUES ('own')")
			own <- err
		}()
		synctest.Wait()
		q.rows(0)
		q.run(0, q.insert)
		q.settled(0, nil)
		for range 2 {
			must(t, <-claimed)
		}
		must(t, <-own)
		q.rows(2)
	})
}

// Many clients at once, some of whom undo everyone's work: what was answered is
// there once, and nothing else is.
func TestGroup_ManyClients(t *testing.T) {
	s := openTemp(t, sqlite.WithGroupCommit(4), sqlite.WithSynchronousNormal(), sqlite.WithBusyTimeout(time.Minute))
	const clients, each = 8, 25
	var wait sync.WaitGroup
	for client := range clients {
		wait.Go(func() {
			for n := range each {
				c := &idem.Claim{ID: idem.ID{byte(client), byte(n), 1}, Lease: time.Minute, TTL: time.Hour}
				if err := persist(s, c, n); err != nil {
					t.Errorf("client %d, request %d: %v", client, n, err)
					return
				}
			}
		})
	}
	wait.Wait()
	want := 0
	for n := range each {
		if n%5 != 0 {
			want += clients
		}
	}
	if n := rows(t, s); n != want {
		t.Errorf("%d rows, want %d", n, want)
	}
}

// persist makes request n until it is answered, as the runtime would. Every
// fifth one breaks the batch and is not repeated.
func persist(s *sqlite.Store, c *idem.Claim, n int) error {
	ctx := context.Background()
	for {
		tx, got, err := s.Begin(ctx, c)
		if errors.Is(err, idem.ErrRetryTx) {
			continue
		}
		if err != nil || got.State != idem.ClaimOwned {
			return fmt.Errorf("Begin: state %d, error %w", got.State, err)
		}
		handler := tx.Tx().(*sql.Tx)
		if _, err := handler.ExecContext(ctx, "INSERT INTO probe VALUES ('a')"); err != nil {
			return err
		}
		if n%5 == 0 {
			if _, err := handler.ExecContext(ctx, "COMMIT"); err == nil {
				return errors.New("COMMIT in a handler: no error")
			}
			if err := tx.Complete(ctx, answer, true); !errors.Is(err, idem.ErrTxEnded) {
				return fmt.Errorf("error %w, want ErrTxEnded", err)
			}
			return nil
		}
		if err := tx.Complete(ctx, answer, true); !errors.Is(err, idem.ErrRetryTx) {
			return err
		}
	}
}
