package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/postgres"
)

// isUnclear expects an error that promises nothing: neither that the run may be
// repeated nor that it was the handler's fault.
func isUnclear(t *testing.T, err error) {
	t.Helper()
	if err == nil || errors.Is(err, idem.ErrRetryTx) || errors.Is(err, idem.ErrTxEnded) {
		t.Errorf("Complete: error %v, want one that leaves the outcome open", err)
	}
}

// nothingHeld expects all connections to be back. The pool closes those that
// were lost in goroutines of its own.
func nothingHeld(t *testing.T, db *pgxpool.Pool) {
	t.Helper()
	for range 10000 {
		if db.Stat().AcquiredConns() == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d connections are still taken", db.Stat().AcquiredConns())
}

// The last round trips of a run are cut, one after the other.
func TestComplete_ConnectionLost(t *testing.T) {
	for name, test := range map[string]struct {
		form   string
		faults []fault
		done   bool
	}{
		"COMMIT does not arrive":                  {"pgx", []fault{cut}, false},
		"the answer of COMMIT is lost":            {"pgx", []fault{mute}, true},
		"the check does not arrive, sql":          {"sql", []fault{cut}, false},
		"the answer of the check, sql":            {"sql", []fault{mute}, false},
		"COMMIT does not arrive, sql":             {"sql", []fault{pass, cut}, false},
		"the answer of COMMIT is lost, sql":       {"sql", []fault{pass, mute}, true},
		"the answer is lost, nobody can look":     {"pgx", []fault{mute, cut, cut, cut, cut}, true},
		"COMMIT does not arrive, nobody can look": {"pgx", []fault{cut, cut, cut, cut, cut}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := &wire{}
			db := newSchema(t)
			over := wired(t, db, w)
			s := forms[test.form].open(t, over)
			works(t, s, claim(1)) // warms a connection
			tx := begin(t, s, claim(2))
			must(t, forms[test.form].write(tx.Tx(), "a"))
			w.plan(test.faults...)
			isUnclear(t, tx.Complete(t.Context(), answer, true))
			w.plan()
			must(t, tx.Rollback(t.Context()))
			want := 0
			if test.done {
				want = 1
				isDone(t, s, claim(2))
			} else {
				isAbsent(t, s, claim(2))
			}
			if n := rows(t, db); n != want {
				t.Errorf("%d rows, want %d", n, want)
			}
			nothingHeld(t, over)
			works(t, s, claim(3))
		})
	}
}

// The server still works on a COMMIT that nobody waits for. What a look-up says
// after Complete is final.
func TestComplete_ConnectionLostDuringCommit(t *testing.T) {
	db := newSchema(t)
	mustExec(t, db, `CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN FOR i IN 1..20 LOOP
			BEGIN PERFORM pg_sleep(0.01); EXCEPTION WHEN query_canceled THEN NULL; END;
		END LOOP; RETURN NULL; END $$`)
	mustExec(t, db, `CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON probe DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION slowly()`)
	w := &wire{}
	s := forms["pgx"].open(t, wired(t, db, w))
	works(t, s, claim(1))
	tx := begin(t, s, claim(2))
	must(t, exec(tx.Tx(), insert, "a"))
	w.plan(blind)
	isUnclear(t, tx.Complete(t.Context(), answer, true))
	_, done, err := s.Lookup(t.Context(), claim(2).ID)
	must(t, err)
	if n := rows(t, db); (n == 1) != done {
		t.Errorf("%d rows, and found is %v", n, done)
	}
	if !done {
		works(t, s, claim(2)) // at once: nobody has the lock any more
	}
}

func TestComplete_ConnectionLostWhileHandlerRan(t *testing.T) {
	eachForm(t, func(t *testing.T, db *pgxpool.Pool, f form) {
		s := f.open(t, db)
		for _, keep := range []bool{true, false} {
			for _, noticed := range []bool{true, false} {
				tx := begin(t, s, claim(1))
				must(t, f.write(tx.Tx(), "a"))
				mustExec(t, db, `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
					WHERE state = 'idle in transaction' AND query LIKE '%probe%' AND pid IN
						(SELECT pid FROM pg_locks WHERE relation = 'probe'::regclass)`)
				if noticed && f.write(tx.Tx(), "b") == nil {
					t.Error("a write over a lost connection: no error")
				}
				isUnclear(t, tx.Complete(t.Context(), answer, keep))
				isAbsent(t, s, claim(1))
			}
		}
		if n := rows(t, db); n != 0 {
			t.Errorf("%d rows, want none", n)
		}
		nothingHeld(t, db)
		works(t, s, claim(1))
	})
}

// A lost connection that nobody has noticed is found by whoever begins next.
func TestBegin_ConnectionLost(t *testing.T) {
	for _, f := range []fault{cut, mute} {
		w := &wire{}
		over := wired(t, newSchema(t), w)
		s := forms["pgx"].open(t, over)
		works(t, s, claim(1))
		w.plan(f)
		if tx, _, err := s.Begin(t.Context(), claim(2)); err == nil || tx != nil {
			t.Errorf("Begin: transaction %v, error %v, want only an error", tx, err)
		}
		nothingHeld(t, over)
		works(t, s, claim(2))
	}
}

func TestBegin_CancelledClient(t *testing.T) {
	eachForm(t, func(t *testing.T, db *pgxpool.Pool, f form) {
		w := &wire{}
		over := wired(t, db, w)
		s := f.open(t, over)
		works(t, s, claim(1))
		for n := byte(2); n < 8; n++ { // more than there are connections
			ctx, cancel := context.WithCancel(t.Context())
			tx, _, err := s.Begin(ctx, claim(n))
			must(t, err)
			cancel()
			must(t, f.write(tx.Tx(), "a"))
			must(t, tx.Rollback(ctx))

			held := begin(t, s, claim(n))
			ctx, cancel = context.WithCancel(t.Context())
			time.AfterFunc(time.Millisecond, cancel) // somewhere in what follows
			for ctx.Err() == nil {
				if tx, _, err := s.Begin(ctx, claim(n+100)); err == nil {
					must(t, tx.Rollback(ctx))
				} else if ctx.Err() == nil {
					t.Errorf("Begin: %v", err)
				}
			}
			must(t, held.Rollback(ctx))
		}
		nothingHeld(t, over)
		works(t, s, claim(9))
	})
}

func TestBegin_BusyBeyondTheBudget(t *testing.T) {
	eachForm(t, func(t *testing.T, db *pgxpool.Pool, f form) {
		over := wired(t, db, &wire{}) // two connections
		// The budget is spent on making connections, too.
		var s *postgres.Store
		for s == nil {
			var err error
			if s, err = f.make(t, over, postgres.WithAcquireTimeout(100*time.Millisecond)); err != nil && !errors.Is(err, idem.ErrStoreBusy) {
				t.Fatal(err)
			}
		}
		var held []idem.StoreTx
		for len(held) < 2 {
			tx, _, err := s.Begin(t.Context(), claim(byte(len(held))))
			switch {
			case err == nil:
				held = append(held, tx)
			case !errors.Is(err, idem.ErrStoreBusy):
				t.Fatal(err)
			}
		}
		for what, err := range map[string]error{
			"Begin":     third(s.Begin(t.Context(), claim(3))),
			"unkeyed":   third(s.Begin(t.Context(), nil)),
			"Claim":     second(s.Claim(t.Context(), *claim(3))),
			"Heartbeat": s.Heartbeat(t.Context(), claim(3).ID, 1, time.Minute),
			"Sweep":     second(s.Sweep(t.Context(), 1)),
		} {
			if !errors.Is(err, idem.ErrStoreBusy) {
				t.Errorf("%s without a free connection: error %v, want ErrStoreBusy", what, err)
			}
		}
		for _, tx := range held {
			must(t, tx.Rollback(t.Context()))
		}
	})
}

func TestBegin_WaitEndsWithTheContext(t *testing.T) {
	eachForm(t, func(t *testing.T, db *pgxpool.Pool, f form) {
		s := f.open(t, wired(t, db, &wire{}), postgres.WithAcquireTimeout(time.Hour))
		a, b := begin(t, s, claim(1)), begin(t, s, claim(2)) // all connections
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, _, err := s.Begin(ctx, claim(3)); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, idem.ErrStoreBusy) {
			t.Errorf("Begin: error %v, want the context's", err)
		}
		must(t, a.Rollback(t.Context()))
		must(t, b.Rollback(t.Context()))
		works(t, s, claim(3))
	})
}

func third[A, B any](_ A, _ B, err error) error { return err }

// Rollback comes when the run is over for whatever reason: also its context's.
func TestRollback_AfterTheContext(t *testing.T) {
	eachForm(t, func(t *testing.T, db *pgxpool.Pool, f form) {
		s := f.open(t, db)
		ctx, cancel := context.WithCancel(t.Context())
		tx, _, err := s.Begin(ctx, claim(1))
		must(t, err)
		must(t, f.write(tx.Tx(), "a"))
		cancel()
		must(t, tx.Rollback(ctx))
		nothingHeld(t, db)
		works(t, s, claim(1))
		if n := rows(t, db); n != 0 {
			t.Errorf("%d rows, want none", n)
		}
	})
}

// A handler's statement that is cancelled closes pgx's connection.
func TestComplete_HandlerWasInterrupted(t *testing.T) {
	eachForm(t, func(t *testing.T, db *pgxpool.Pool, f form) {
		s := f.open(t, db)
		tx := begin(t, s, claim(1))
		must(t, f.write(tx.Tx(), "a"))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		var err error
		given := tx.Tx()
		if tx, ok := given.(pgx.Tx); ok {
			_, err = tx.Exec(ctx, "SELECT pg_sleep(600)")
		} else {
			_, err = given.(*sql.Tx).ExecContext(ctx, "SELECT pg_sleep(600)")
		}
		if err == nil {
			t.Fatal("a long statement has ended")
		}
		isUnclear(t, tx.Complete(t.Context(), answer, true))
		isAbsent(t, s, claim(1))
		nothingHeld(t, db)
		works(t, s, claim(1))
	})
}
