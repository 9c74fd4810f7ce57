package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/postgres"
)

var answer = &idem.Completion{Response: idem.Response{Status: 201, Body: []byte("{}")}, TTL: time.Hour}

func claim(n byte) *idem.Claim {
	return &idem.Claim{ID: idem.ID{n, 1: n}, Fingerprint: idem.Fingerprint{1, n}, Lease: time.Minute, TTL: time.Hour}
}

func begin(tb testing.TB, s *postgres.Store, c *idem.Claim) idem.StoreTx {
	tb.Helper()
	tx, got, err := s.Begin(context.Background(), c)
	if err != nil || got.State != idem.ClaimOwned {
		tb.Fatalf("Begin: state %d, error %v", got.State, err)
	}
	return tx
}

// works runs a whole request.
func works(tb testing.TB, s *postgres.Store, c *idem.Claim) {
	tb.Helper()
	must(tb, begin(tb, s, c).Complete(context.Background(), answer, true))
}

func isAbsent(tb testing.TB, s *postgres.Store, c *idem.Claim) {
	tb.Helper()
	if _, found, err := s.Lookup(context.Background(), c.ID); found || err != nil {
		tb.Errorf("Lookup: found %v, error %v, want no record", found, err)
	}
}

func isDone(tb testing.TB, s *postgres.Store, c *idem.Claim) {
	tb.Helper()
	if r, found, err := s.Lookup(context.Background(), c.ID); !found || r.State != idem.StateDone || err != nil {
		tb.Errorf("Lookup: found %v, state %d, error %v, want an answer", found, r.State, err)
	}
}

func rows(tb testing.TB, db *pgxpool.Pool) (n int) {
	tb.Helper()
	must(tb, db.QueryRow(context.Background(), "SELECT count(*) FROM probe").Scan(&n))
	return n
}

// exec executes a statement through what a handler gets.
func exec(tx any, text string, args ...any) (err error) {
	switch tx := tx.(type) {
	case pgx.Tx:
		_, err = tx.Exec(context.Background(), text, args...)
	case *sql.Tx:
		_, err = tx.Exec(text, args...)
	}
	return err
}

func TestBegin_DuplicateInAnotherProcess(t *testing.T) {
	eachForm(t, func(t *testing.T, db *pgxpool.Pool, f form) {
		a := f.open(t, db)
		elsewhere, err := pgxpool.NewWithConfig(t.Context(), db.Config())
		must(t, err)
		t.Cleanup(elsewhere.Close)
		b := f.open(t, elsewhere)

		tx := begin(t, a, claim(1))
		other := claim(1)
		other.Fingerprint = idem.Fingerprint{1, 99}
		for name, s := range map[string]*postgres.Store{"this": a, "another": b} {
			_, got, err := s.Begin(t.Context(), claim(1)) // the test ends when this waits
			if err != nil || got.State != idem.ClaimRunning || got.Record.LeaseLeft <= 0 {
				t.Errorf("Begin in %s process: state %d, lease %v, error %v, want running", name, got.State, got.Record.LeaseLeft, err)
			}
			if got.Record.Fingerprint != claim(1).Fingerprint {
				t.Errorf("Begin in %s process: a retry looks like another request", name)
			}
		}
		// Only the process that runs it knows the fingerprint.
		if _, got, _ := a.Begin(t.Context(), other); got.Record.Fingerprint != claim(1).Fingerprint {
			t.Error("Begin with another body in this process does not show the owner's fingerprint")
		}
		if got, err := a.Claim(t.Context(), *claim(1)); err != nil || got.State != idem.ClaimRunning {
			t.Errorf("Claim beside a transaction: state %d, error %v", got.State, err)
		}
		must(t, tx.Complete(t.Context(), answer, true))
		if _, got, err := b.Begin(t.Context(), claim(1)); err != nil || got.State != idem.ClaimDone {
			t.Errorf("Begin after the commit: state %d, error %v", got.State, err)
		}
	})
}

// A lease does not know of the advisory lock. What it claimed during a
// transaction wins, and the transaction leaves nothing.
func TestComplete_RecordTakenMeanwhile(t *testing.T) {
	eachForm(t, func(t *testing.T, db *pgxpool.Pool, f form) {
		for name, prepare := range map[string]func(s *postgres.Store, c *idem.Claim){
			"absent before": func(*postgres.Store, *idem.Claim) {},
			"expired before": func(s *postgres.Store, c *idem.Claim) {
				works(t, s, c)
				advance(t, db, 2*time.Hour)
			},
		} {
			for _, keep := range []bool{true, false} {
				a, b := f.open(t, db), f.open(t, db)
				c := claim(byte(len(name)))
				if keep {
					c.ID[0]++
				}
				prepare(a, c)
				tx := begin(t, a, c)
				must(t, f.write(tx.Tx(), "a"))
				owned, err := b.Claim(t.Context(), *c)
				if err != nil || owned.State != idem.ClaimOwned {
					t.Fatalf("%s: Claim: state %d, error %v", name, owned.State, err)
				}
				if err := tx.Complete(t.Context(), answer, keep); !errors.Is(err, idem.ErrRetryTx) {
					t.Errorf("%s: Complete with keep %v: error %v, want ErrRetryTx", name, keep, err)
				}
				if n := rows(t, db); n != 0 {
					t.Errorf("%s: %d rows, want none", name, n)
				}
				if _, got, err := a.Begin(t.Context(), c); err != nil || got.State != idem.ClaimRunning || got.Record.Fence != owned.Fence {
					t.Errorf("%s: Begin again: state %d, error %v, want the lease", name, got.State, err)
				}
			}
		}
	})
}

// A lease that was released meanwhile has drawn a newer fence than the
// transaction; the record's must not fall.
func TestComplete_FenceDoesNotFall(t *testing.T) {
	eachForm(t, func(t *testing.T, db *pgxpool.Pool, f form) {
		a, b := f.open(t, db), f.open(t, db)
		first, err := b.Claim(t.Context(), *claim(1))
		must(t, err)
		must(t, b.Release(t.Context(), claim(1).ID, first.Fence))
		tx := begin(t, a, claim(1))
		owned, err := b.Claim(t.Context(), *claim(1))
		must(t, err)
		must(t, b.Release(t.Context(), claim(1).ID, owned.Fence))
		must(t, tx.Complete(t.Context(), answer, true))
		r, _, err := a.Lookup(t.Context(), claim(1).ID)
		if err != nil || r.Fence <= owned.Fence {
			t.Errorf("fence %d after fence %d, error %v", r.Fence, owned.Fence, err)
		}
	})
}

func TestComplete_HandlerEndedTheTransaction(t *testing.T) {
	eachForm(t, func(t *testing.T, db *pgxpool.Pool, f form) {
		for name, end := range map[string]func(tx any) error{
			"Commit":         func(tx any) error { return ended(tx, "Commit") },
			"Rollback":       func(tx any) error { return ended(tx, "Rollback") },
			"COMMIT":         func(tx any) error { return exec(tx, "COMMIT") },
			"ROLLBACK":       func(tx any) error { return exec(tx, "ROLLBACK") },
			"a second BEGIN": func(tx any) error { return errors.Join(exec(tx, "COMMIT"), exec(tx, "BEGIN")) },
			"a chain":        func(tx any) error { return exec(tx, "COMMIT AND CHAIN") },
		} {
			for _, keep := range []bool{true, false} {
				for _, c := range []*idem.Claim{claim(1), nil} {
					t.Run(name, func(t *testing.T) {
						s := f.open(t, db)
						tx := begin(t, s, c)
						must(t, end(tx.Tx()))
						if err := tx.Complete(t.Context(), answer, keep); !errors.Is(err, idem.ErrTxEnded) {
							t.Errorf("Complete with keep %v: error %v, want ErrTxEnded", keep, err)
						}
						isAbsent(t, s, claim(1))
						must(t, begin(t, s, claim(1)).Rollback(t.Context()))
					})
				}
			}
		}
	})
}

// ended ends a transaction as a handler might, and expects pgx's to be refused.
func ended(tx any, method string) error {
	switch tx := tx.(type) {
	case *sql.Tx:
		return map[string]func() error{"Commit": tx.Commit, "Rollback": tx.Rollback}[method]()
	case pgx.Tx:
		end := map[string]func(context.Context) error{"Commit": tx.Commit, "Rollback": tx.Rollback}[method]
		if err := end(context.Background()); !errors.Is(err, idem.ErrTxEnded) {
			return errors.Join(errors.New(method+" was not refused"), err)
		}
	}
	return nil
}

func TestRollback_HandlerEndedTheTransaction(t *testing.T) {
	eachForm(t, func(t *testing.T, db *pgxpool.Pool, f form) {
		s := f.open(t, db)
		tx := begin(t, s, claim(1))
		must(t, f.write(tx.Tx(), "a"))
		must(t, ended(tx.Tx(), "Commit"))
		if err := tx.Rollback(t.Context()); !errors.Is(err, idem.ErrTxEnded) {
			t.Errorf("Rollback: error %v, want ErrTxEnded", err)
		}
		must(t, tx.Rollback(t.Context()))
		works(t, s, claim(1))
	})
}

// PostgreSQL fails every statement after the first one that failed, and makes a
// ROLLBACK of the COMMIT.
func TestComplete_StatementFailed(t *testing.T) {
	eachForm(t, func(t *testing.T, db *pgxpool.Pool, f form) {
		mustExec(t, db, "ALTER TABLE probe ADD UNIQUE (name)")
		mustExec(t, db, "INSERT INTO probe VALUES ('taken')")
		s := f.open(t, db)
		duplicate := func(tx idem.StoreTx) {
			t.Helper()
			must(t, f.write(tx.Tx(), "a"))
			if f.write(tx.Tx(), "taken") == nil {
				t.Fatal("a duplicate row: no error")
			}
		}
		for range 2 { // with statements that are not prepared yet, and are
			tx := begin(t, s, claim(1))
			duplicate(tx)
			must(t, tx.Complete(t.Context(), answer, false)) // as for 409
			isDone(t, s, claim(1))

			tx = begin(t, s, claim(2))
			duplicate(tx)
			err := tx.Complete(t.Context(), answer, true) // as for 201
			if !errors.Is(err, idem.ErrTxEnded) || !strings.Contains(err.Error(), "a statement of the handler failed") {
				t.Errorf("Complete: error %v, want one that says what the handler forgot", err)
			}
			isAbsent(t, s, claim(2))

			tx = begin(t, s, claim(2))
			duplicate(tx)
			must(t, tx.Rollback(t.Context()))
			if n := rows(t, db); n != 1 {
				t.Errorf("%d rows, want the one from before", n)
			}
			advance(t, db, 2*time.Hour)
		}
	})
}

// Serialization failures come from databases whose other clients use stricter
// isolation, and from triggers like this one; deadlocks from anybody.
func TestComplete_SerializationFailure(t *testing.T) {
	eachForm(t, func(t *testing.T, db *pgxpool.Pool, f form) {
		mustExec(t, db, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN RAISE EXCEPTION 'concurrent update' USING ERRCODE = 'serialization_failure'; END $$`)
		mustExec(t, db, `CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON probe DEFERRABLE INITIALLY DEFERRED
			FOR EACH ROW WHEN (NEW.name = 'conflict') EXECUTE FUNCTION refuse()`)
		s := f.open(t, db)
		for _, c := range []*idem.Claim{claim(1), nil} {
			tx := begin(t, s, c)
			must(t, f.write(tx.Tx(), "conflict"))
			if err := tx.Complete(t.Context(), answer, true); !errors.Is(err, idem.ErrRetryTx) {
				t.Errorf("Complete: error %v, want ErrRetryTx", err)
			}
		}
		isAbsent(t, s, claim(1))
		works(t, s, claim(1))
	})
}

func TestRetryableTx_Deadlock(t *testing.T) {
	eachForm(t, func(t *testing.T, db *pgxpool.Pool, f form) {
		mustExec(t, db, "INSERT INTO probe VALUES ('a'), ('b')")
		s := f.open(t, db)
		const update = "UPDATE probe SET name = name WHERE name = $1"
		x, y := begin(t, s, claim(1)), begin(t, s, claim(2))
		must(t, exec(x.Tx(), update, "a"))
		must(t, exec(y.Tx(), update, "b"))
		crossed := make(chan error, 1)
		go func() { crossed <- exec(x.Tx(), update, "b") }()
		err := exec(y.Tx(), update, "a")
		other := y // goes on when the victim is gone
		if err == nil {
			must(t, y.Rollback(t.Context()))
			err = <-crossed
			other = nil
		}
		if !s.RetryableTx(err) {
			t.Errorf("RetryableTx(%v) = false", err)
		}
		if other != nil {
			must(t, other.Rollback(t.Context()))
			must(t, <-crossed)
		}
		must(t, x.Rollback(t.Context()))
		works(t, s, claim(1))
		works(t, s, claim(2))
		if s.RetryableTx(errors.New("deadlock detected")) || s.RetryableTx(nil) {
			t.Error("RetryableTx guesses")
		}
	})
}

// A handler may lead later statements to other tables.
func TestComplete_HandlerChangedTheSession(t *testing.T) {
	eachForm(t, func(t *testing.T, db *pgxpool.Pool, f form) {
		s := f.open(t, db)
		for _, keep := range []bool{true, false} {
			tx := begin(t, s, claim(1))
			must(t, exec(tx.Tx(), "SET LOCAL search_path = pg_catalog"))
			must(t, tx.Complete(t.Context(), answer, keep))
			isDone(t, s, claim(1))
			advance(t, db, 2*time.Hour)
		}
	})
}

func TestComplete_CancelledBefore(t *testing.T) {
	eachForm(t, func(t *testing.T, db *pgxpool.Pool, f form) {
		s := f.open(t, db)
		tx := begin(t, s, claim(1))
		must(t, f.write(tx.Tx(), "a"))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := tx.Complete(ctx, answer, true); !errors.Is(err, context.Canceled) {
			t.Errorf("Complete: error %v, want context.Canceled", err)
		}
		if n := rows(t, db); n != 0 {
			t.Errorf("%d rows, want none", n)
		}
		if err := tx.Complete(t.Context(), answer, true); err == nil {
			t.Error("a second Complete: no error")
		}
		works(t, s, claim(1))
	})
}

// Without READ COMMITTED a claim that waited would not see what it waited for.
func TestStore_StricterDefaultIsolation(t *testing.T) {
	for _, level := range []string{"repeatable read", "serializable"} {
		eachForm(t, func(t *testing.T, db *pgxpool.Pool, f form) {
			config := db.Config()
			config.ConnConfig.RuntimeParams["default_transaction_isolation"] = level
			strict, err := pgxpool.NewWithConfig(t.Context(), config)
			must(t, err)
			t.Cleanup(strict.Close)
			s := f.open(t, strict)
			var got string
			tx := begin(t, s, claim(1))
			switch tx := tx.Tx().(type) {
			case pgx.Tx:
				must(t, tx.QueryRow(t.Context(), "SHOW transaction_isolation").Scan(&got))
			case *sql.Tx:
				must(t, tx.QueryRow("SHOW transaction_isolation").Scan(&got))
			}
			must(t, tx.Complete(t.Context(), answer, true))
			if got != "read committed" {
				t.Errorf("%s: the handler's transaction is %s", level, got)
			}

			const claimers = 16
			states := make(chan idem.ClaimState, claimers)
			for range claimers {
				go func() {
					got, err := s.Claim(context.Background(), *claim(2))
					if err != nil {
						t.Error(err)
					}
					states <- got.State
				}()
			}
			owned := 0
			for range claimers {
				if <-states == idem.ClaimOwned {
					owned++
				}
			}
			if owned != 1 {
				t.Errorf("%s: %d of %d claims are owned", level, owned, claimers)
			}
		})
	}
}
