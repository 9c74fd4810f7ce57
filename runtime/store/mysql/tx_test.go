package mysql_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"
	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/mysql"
)

var answer = &idem.Completion{Response: idem.Response{Status: 201, Body: []byte("{}")}, TTL: time.Hour}

func claim(n byte) *idem.Claim {
	return &idem.Claim{ID: idem.ID{n}, Fingerprint: idem.Fingerprint{1, n}, Lease: time.Minute, TTL: time.Hour}
}

func begin(tb testing.TB, s *mysql.Store, c *idem.Claim) idem.StoreTx {
	tb.Helper()
	tx, got, err := s.Begin(context.Background(), c)
	if err != nil || got.State != idem.ClaimOwned {
		tb.Fatalf("Begin: state %d, error %v", got.State, err)
	}
	return tx
}

// works runs a whole request, which needs a connection and the ID.
func works(tb testing.TB, s *mysql.Store, c *idem.Claim) {
	tb.Helper()
	must(tb, begin(tb, s, c).Complete(context.Background(), answer, true))
}

// handlerOf is what a handler finds.
func handlerOf(tx idem.StoreTx) *sql.Tx { return tx.Tx().(*sql.Tx) }

func TestBegin_DuplicateShowsWhoRuns(t *testing.T) {
	bothWays(t, func(t *testing.T, dsn string) {
		f := newFixture(t, dsn)
		_, here := f.open(t)
		_, elsewhere := f.open(t)
		tx := begin(t, here, claim(1))
		other := claim(1)
		other.Fingerprint = idem.Fingerprint{1, 99}

		got := notBegun(t, here, other, idem.ClaimRunning).Record
		if got.Fingerprint != claim(1).Fingerprint || got.Fence == 0 || got.Attempts != 1 || got.LeaseLeft <= 0 {
			t.Errorf("in the same process: record %+v does not show the owner", got)
		}
		// What another process runs cannot be seen: it passes for the same request.
		got = notBegun(t, elsewhere, other, idem.ClaimRunning).Record
		if got.Fingerprint != other.Fingerprint || got.State != idem.StateRunning || got.LeaseLeft <= 0 {
			t.Errorf("in another process: record %+v is not of a run in flight", got)
		}
		if got, err := here.Claim(t.Context(), *other); err != nil || got.State != idem.ClaimRunning {
			t.Errorf("Claim beside a transaction: state %d, error %v", got.State, err)
		}
		must(t, tx.Rollback(t.Context()))
		works(t, elsewhere, other)
		notBegun(t, here, other, idem.ClaimDone)
	})
}

func notBegun(t *testing.T, s *mysql.Store, c *idem.Claim, want idem.ClaimState) idem.Claimed {
	t.Helper()
	tx, got, err := s.Begin(t.Context(), c)
	if err != nil || got.State != want || tx != nil {
		t.Fatalf("Begin: state %d, transaction %v, error %v, want state %d", got.State, tx, err, want)
	}
	return got
}

func TestBegin_ReplayWhileTheLockIsHeld(t *testing.T) {
	bothWays(t, func(t *testing.T, dsn string) {
		f := newFixture(t, dsn)
		_, s := f.open(t)
		tx := begin(t, s, claim(1)) // has the user lock until the end
		mustExec(t, f.db, "INSERT INTO "+f.prefix+`keys (k, fp, state, fence, expires_at, created_at) VALUES
			(RPAD(x'01', 32, x'00'), RPAD(x'0101', 33, x'00'), 2, 1, UTC_TIMESTAMP(6) + INTERVAL 1 HOUR, UTC_TIMESTAMP(6))`)
		_, other := f.open(t)
		notBegun(t, other, claim(1), idem.ClaimDone)
		must(t, tx.Rollback(t.Context()))
	})
}

func TestComplete_KeyTakenMeanwhile(t *testing.T) {
	bothWays(t, func(t *testing.T, dsn string) {
		for name, prepare := range map[string]func(*fixture, *mysql.Store){
			"no row before": func(*fixture, *mysql.Store) {},
			"a row before": func(f *fixture, s *mysql.Store) {
				works(t, s, claim(1))
				f.advance(t, 2*time.Hour)
			},
		} {
			t.Run(name, func(t *testing.T) {
				f := newFixture(t, dsn)
				_, s := f.open(t)
				_, elsewhere := f.open(t) // a server that user locks do not reach
				prepare(f, s)
				tx := begin(t, s, claim(1))
				owned, err := elsewhere.Claim(t.Context(), *claim(1))
				if err != nil || owned.State != idem.ClaimOwned {
					t.Fatalf("Claim: state %d, error %v", owned.State, err)
				}
				if err := tx.Complete(t.Context(), answer, true); !errors.Is(err, idem.ErrRetryTx) {
					t.Errorf("Complete: error %v, want ErrRetryTx", err)
				}
				if got := notBegun(t, s, claim(1), idem.ClaimRunning); got.Record.Fence != owned.Fence {
					t.Errorf("the record's fence is %d, want the other owner's %d", got.Record.Fence, owned.Fence)
				}
				must(t, elsewhere.Complete(t.Context(), claim(1).ID, owned.Fence, answer.Response, time.Hour))
			})
		}
	})
}

func TestComplete_HandlerEndedTheTransaction(t *testing.T) {
	bothWays(t, func(t *testing.T, dsn string) {
		f := newFixture(t, dsn)
		probe := f.probe(t)
		for name, end := range map[string]func(*testing.T, *sql.Tx){
			"Commit":         func(t *testing.T, tx *sql.Tx) { must(t, tx.Commit()) },
			"Rollback":       func(t *testing.T, tx *sql.Tx) { must(t, tx.Rollback()) },
			"COMMIT":         func(t *testing.T, tx *sql.Tx) { mustExec(t, tx, "COMMIT") },
			"ROLLBACK":       func(t *testing.T, tx *sql.Tx) { mustExec(t, tx, "ROLLBACK") },
			"a second BEGIN": func(t *testing.T, tx *sql.Tx) { mustExec(t, tx, "BEGIN") },
			"DDL":            func(t *testing.T, tx *sql.Tx) { mustExec(t, tx, "ALTER TABLE "+probe+" COMMENT = 'x'") },
		} {
			for _, keep := range []bool{true, false} {
				t.Run(name, func(t *testing.T) {
					_, s := f.open(t)
					tx := begin(t, s, claim(1))
					mustExec(t, handlerOf(tx), "INSERT INTO "+probe+" VALUES ('a')")
					end(t, handlerOf(tx))
					if err := tx.Complete(t.Context(), answer, keep); !errors.Is(err, idem.ErrTxEnded) {
						t.Errorf("Complete: error %v, want ErrTxEnded", err)
					}
					if _, found, err := s.Lookup(t.Context(), claim(1).ID); found || err != nil {
						t.Errorf("Lookup: found %v, error %v: nothing may be recorded", found, err)
					}
					must(t, begin(t, s, claim(1)).Rollback(t.Context()))
				})
			}
		}
	})
}

func TestRollback_HandlerEndedTheTransaction(t *testing.T) {
	bothWays(t, func(t *testing.T, dsn string) {
		_, s := newFixture(t, dsn).open(t)
		tx := begin(t, s, claim(1))
		must(t, handlerOf(tx).Commit())
		if err := tx.Rollback(t.Context()); !errors.Is(err, idem.ErrTxEnded) {
			t.Errorf("Rollback: error %v, want ErrTxEnded", err)
		}
		must(t, tx.Rollback(t.Context()))
		works(t, s, claim(1))
	})
}

func TestComplete_HandlerLeftRowsOpen(t *testing.T) {
	bothWays(t, func(t *testing.T, dsn string) {
		f := newFixture(t, dsn)
		probe := f.probe(t)
		_, s := f.open(t)
		mustExec(t, f.db, "INSERT INTO "+probe+" VALUES ('a'), ('b')")
		tx := begin(t, s, claim(1))
		mustExec(t, handlerOf(tx), "INSERT INTO "+probe+" VALUES ('c')")
		open, err := handlerOf(tx).Query("SELECT name FROM " + probe) //nolint:sqlclosecheck // the mistake under test
		if err != nil || !open.Next() {
			t.Fatal(err, open.Err())
		}
		err = tx.Complete(t.Context(), answer, true)
		if err == nil || !strings.Contains(err.Error(), "close each *sql.Rows") {
			t.Errorf("Complete: error %v, want one that names the fix", err)
		}
		if n := f.rows(t); n != 2 {
			t.Errorf("%d rows, want the 2 from before", n)
		}
		works(t, s, claim(1))
	})
}

func TestComplete_CancelledBefore(t *testing.T) {
	bothWays(t, func(t *testing.T, dsn string) {
		f := newFixture(t, dsn)
		probe := f.probe(t)
		_, s := f.open(t)
		tx := begin(t, s, claim(1))
		mustExec(t, handlerOf(tx), "INSERT INTO "+probe+" VALUES ('a')")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := tx.Complete(ctx, answer, true); !errors.Is(err, context.Canceled) {
			t.Errorf("Complete: error %v, want context.Canceled", err)
		}
		if n := f.rows(t); n != 0 {
			t.Errorf("%d rows, want none", n)
		}
		if err := tx.Complete(t.Context(), answer, true); err == nil {
			t.Error("a second Complete: no error")
		}
		works(t, s, claim(1))
	})
}

func TestTx_IsReadCommitted(t *testing.T) {
	bothWays(t, func(t *testing.T, dsn string) {
		f := newFixture(t, dsn)
		probe := f.probe(t)
		for name, dsn := range map[string]string{"by the store": dsn, "by the DSN": readCommitted(t, dsn)} {
			f.dsn = dsn
			_, s := f.open(t)
			for _, c := range []*idem.Claim{claim(1), nil} {
				tx := begin(t, s, c)
				before := f.rowsIn(t, handlerOf(tx))
				mustExec(t, f.db, "INSERT INTO "+probe+" VALUES ('a')")
				if after := f.rowsIn(t, handlerOf(tx)); after != before+1 {
					t.Errorf("%s: %d rows after somebody else's commit, want %d", name, after, before+1)
				}
				must(t, tx.Rollback(t.Context()))
			}
		}
	})
}

// A deadlock undoes the run of one of two requests, which then works.
func TestRetryableTx_Deadlock(t *testing.T) {
	bothWays(t, func(t *testing.T, dsn string) {
		f := newFixture(t, dsn)
		probe := f.probe(t)
		_, s := f.open(t)
		mustExec(t, f.db, "INSERT INTO "+probe+" VALUES ('a'), ('b')")
		txs := []idem.StoreTx{begin(t, s, claim(1)), begin(t, s, claim(2))}
		update := func(i int, name string) error {
			_, err := handlerOf(txs[i]).Exec("UPDATE " + probe + " SET name = CONCAT(name, '') WHERE name = '" + name + "'")
			return err
		}
		must(t, update(0, "a"))
		must(t, update(1, "b"))
		first := make(chan error, 1)
		go func() { first <- update(0, "b") }()
		errs := []error{nil, update(1, "a")}
		errs[0] = <-first
		victim := 0
		if errs[1] != nil {
			victim = 1
		}
		if errs[1-victim] != nil || !s.RetryableTx(errs[victim]) {
			t.Fatalf("errors %v, want one deadlock", errs)
		}
		must(t, txs[victim].Rollback(t.Context()))
		must(t, txs[1-victim].Complete(t.Context(), answer, true))
		works(t, s, claim(byte(victim+1)))
	})
}

// A handler that does not mind that its transaction is gone must not be believed.
func TestComplete_HandlerIgnoredADeadlock(t *testing.T) {
	bothWays(t, func(t *testing.T, dsn string) {
		f := newFixture(t, dsn)
		_, s := f.open(t)
		tx := begin(t, s, claim(1))
		// What a deadlock does, without a second session.
		mustExec(t, handlerOf(tx), "ROLLBACK")
		err := tx.Complete(t.Context(), answer, true)
		if !errors.Is(err, idem.ErrTxEnded) || !strings.Contains(err.Error(), "deadlock") {
			t.Errorf("Complete: error %v, want ErrTxEnded that mentions deadlocks", err)
		}
	})
}

func TestRetryableTx(t *testing.T) {
	s := new(mysql.Store)
	for _, number := range []uint16{1020, 1205, 1213, 3101} {
		if err := (&driver.MySQLError{Number: number}); !s.RetryableTx(errors.Join(err)) {
			t.Errorf("RetryableTx of error %d is false", number)
		}
	}
	for _, err := range []error{nil, errors.New("Error 1213"), &driver.MySQLError{Number: 1062}, driver.ErrInvalidConn} {
		if s.RetryableTx(err) {
			t.Errorf("RetryableTx(%v) is true", err)
		}
	}
}

// What is prepared on a connection survives a change of the table.
func TestBegin_AfterTheTableChanged(t *testing.T) {
	bothWays(t, func(t *testing.T, dsn string) {
		f := newFixture(t, dsn)
		db, s := f.open(t)
		db.SetMaxOpenConns(1)
		for i, change := range []string{"ADD COLUMN note INT NULL FIRST", "FORCE", "DROP COLUMN note", "MODIFY operation VARCHAR(300) NOT NULL DEFAULT ''"} {
			c := claim(byte(i + 1))
			must(t, begin(t, s, c).Rollback(t.Context()))
			mustExec(t, f.db, "ALTER TABLE "+f.prefix+"keys "+change)
			works(t, s, c)
			if got := notBegun(t, s, c, idem.ClaimDone).Record; got.Response.Status != answer.Response.Status || string(got.Response.Body) != string(answer.Response.Body) {
				t.Errorf("after %s: answer %+v", change, got.Response)
			}
			_, other := f.open(t)
			notBegun(t, other, c, idem.ClaimDone)
		}
	})
}
