package sqlite_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/sqlite"
	driver "modernc.org/sqlite"
)

var answer = &idem.Completion{Response: idem.Response{Status: 201, Body: []byte("{}")}, TTL: time.Hour}

func claim(n byte) *idem.Claim {
	return &idem.Claim{ID: idem.ID{n}, Fingerprint: idem.Fingerprint{1, n}, Lease: time.Minute, TTL: time.Hour}
}

func openTemp(t *testing.T, opts ...sqlite.Option) *sqlite.Store {
	t.Helper()
	s := open(t, filepath.Join(t.TempDir(), "idem.db"), opts...)
	mustExec(t, s.DB(), "CREATE TABLE probe (name TEXT NOT NULL)")
	return s
}

// An execer is a *sql.DB or *sql.Tx.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func mustExec(t *testing.T, db execer, query string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func begin(t *testing.T, s *sqlite.Store, c *idem.Claim) idem.StoreTx {
	t.Helper()
	tx, got, err := s.Begin(t.Context(), c)
	if err != nil || got.State != idem.ClaimOwned {
		t.Fatalf("Begin: state %d, error %v", got.State, err)
	}
	return tx
}

// works runs a whole request, which needs the writer and the ID.
func works(t *testing.T, s *sqlite.Store, c *idem.Claim) {
	t.Helper()
	if err := begin(t, s, c).Complete(t.Context(), answer, true); err != nil {
		t.Fatal(err)
	}
}

func rows(t *testing.T, s *sqlite.Store) (n int) {
	t.Helper()
	if err := s.Reader().QueryRow("SELECT count(*) FROM probe").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestBegin_DuplicateShowsWhoRuns(t *testing.T) {
	s := openTemp(t)
	tx := begin(t, s, claim(1))
	other := claim(1)
	other.Fingerprint = idem.Fingerprint{1, 99}
	_, got, err := s.Begin(t.Context(), other)
	if err != nil || got.State != idem.ClaimRunning {
		t.Fatalf("Begin: state %d, error %v", got.State, err)
	}
	r := got.Record
	if r.Fingerprint != claim(1).Fingerprint || r.LeaseLeft <= 0 || r.State != idem.StateRunning || r.Fence == 0 || r.Attempts != 1 {
		t.Errorf("record %+v does not show the owner", r)
	}
	if got, err := s.Claim(t.Context(), *other); err != nil || got.State != idem.ClaimRunning {
		t.Errorf("Claim beside a transaction: state %d, error %v", got.State, err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	works(t, s, other)
}

func TestBegin_ReplayNeedsNoWriter(t *testing.T) {
	s := openTemp(t)
	works(t, s, claim(1))
	tx := begin(t, s, claim(2)) // has the writer until the end
	_, got, err := s.Begin(t.Context(), claim(1))
	if err != nil || got.State != idem.ClaimDone {
		t.Errorf("Begin of a replay: state %d, error %v", got.State, err)
	}
	if got, err := s.Claim(t.Context(), *claim(1)); err != nil || got.State != idem.ClaimDone {
		t.Errorf("Claim of a replay: state %d, error %v", got.State, err)
	}
	if _, ok, err := s.Lookup(t.Context(), claim(1).ID); err != nil || !ok {
		t.Errorf("Lookup of a replay: found %v, error %v", ok, err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestComplete_HandlerEndedTheTransaction(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *sql.Tx){
		"Commit":             func(t *testing.T, tx *sql.Tx) { must(t, tx.Commit()) },
		"Rollback":           func(t *testing.T, tx *sql.Tx) { must(t, tx.Rollback()) },
		"COMMIT":             func(t *testing.T, tx *sql.Tx) { mustExec(t, tx, "COMMIT") },
		"ROLLBACK":           func(t *testing.T, tx *sql.Tx) { mustExec(t, tx, "ROLLBACK") },
		"a second BEGIN":     func(t *testing.T, tx *sql.Tx) { mustExec(t, tx, "COMMIT"); mustExec(t, tx, "BEGIN IMMEDIATE") },
		"ROLLBACK by a rule": func(t *testing.T, tx *sql.Tx) { mustFail(t, tx, "INSERT OR ROLLBACK INTO probe VALUES (NULL)") },
	} {
		for _, keep := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				s := openTemp(t)
				tx := begin(t, s, claim(1))
				end(t, tx.Tx().(*sql.Tx))
				if err := tx.Complete(t.Context(), answer, keep); !errors.Is(err, idem.ErrTxEnded) {
					t.Errorf("Complete: error %v, want ErrTxEnded", err)
				}
				if _, found, err := s.Lookup(t.Context(), claim(1).ID); found || err != nil {
					t.Errorf("Lookup: found %v, error %v: nothing may be recorded", found, err)
				}
				works(t, s, claim(1))
			})
		}
	}
}

func TestRollback_HandlerEndedTheTransaction(t *testing.T) {
	s := openTemp(t)
	tx := begin(t, s, claim(1))
	must(t, tx.Tx().(*sql.Tx).Commit())
	if err := tx.Rollback(t.Context()); !errors.Is(err, idem.ErrTxEnded) {
		t.Errorf("Rollback: error %v, want ErrTxEnded", err)
	}
	must(t, tx.Rollback(t.Context()))
	works(t, s, claim(1))
}

func TestComplete_HandlerLeftRowsOpen(t *testing.T) {
	for _, keep := range []bool{true, false} {
		s := openTemp(t)
		mustExec(t, s.DB(), "INSERT INTO probe VALUES ('a'), ('b')")
		tx := begin(t, s, claim(1))
		open, err := tx.Tx().(*sql.Tx).Query("SELECT name FROM probe") // never closed: the mistake under test
		if err != nil || !open.Next() {
			t.Fatal(err, open.Err())
		}
		mustExec(t, tx.Tx().(*sql.Tx), "INSERT INTO probe VALUES ('c')")
		must(t, tx.Complete(t.Context(), answer, keep))
		want := 2
		if keep {
			want = 3
		}
		if n := rows(t, s); n != want {
			t.Errorf("%d rows with keep %v, want %d", n, keep, want)
		}
		works(t, s, claim(2))
	}
}

// interrupt is called by the SQL function of the same name.
var interrupt atomic.Pointer[context.CancelFunc]

var registerInterrupt = sync.OnceFunc(func() {
	driver.MustRegisterScalarFunction("interrupt", 0, func(*driver.FunctionContext, []sqldriver.Value) (sqldriver.Value, error) {
		(*interrupt.Load())()
		return int64(0), nil
	})
})

// An interrupted write makes SQLite undo the whole transaction.
func TestComplete_HandlerWasInterrupted(t *testing.T) {
	registerInterrupt()
	s := openTemp(t)
	tx := begin(t, s, claim(1))
	handler := tx.Tx().(*sql.Tx)
	mustExec(t, handler, "INSERT INTO probe VALUES ('a')")
	ctx, cancel := context.WithCancel(t.Context())
	interrupt.Store(&cancel)
	const endless = `INSERT INTO probe
		WITH RECURSIVE n(i) AS (SELECT interrupt() UNION ALL SELECT i+1 FROM n) SELECT i FROM n`
	if _, err := handler.ExecContext(ctx, endless); err == nil {
		t.Fatal("an endless statement has ended")
	}
	if err := tx.Complete(t.Context(), answer, true); err == nil {
		t.Error("Complete of a transaction that was undone: no error")
	}
	if n := rows(t, s); n != 0 {
		t.Errorf("%d rows, want none", n)
	}
	works(t, s, claim(1))
}

func TestComplete_CancelledBefore(t *testing.T) {
	s := openTemp(t)
	tx := begin(t, s, claim(1))
	mustExec(t, tx.Tx().(*sql.Tx), "INSERT INTO probe VALUES ('a')")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tx.Complete(ctx, answer, true); !errors.Is(err, context.Canceled) {
		t.Errorf("Complete: error %v, want context.Canceled", err)
	}
	if n := rows(t, s); n != 0 {
		t.Errorf("%d rows, want none", n)
	}
	if err := tx.Complete(t.Context(), answer, true); err == nil {
		t.Error("a second Complete: no error")
	}
	works(t, s, claim(1))
}

// A panic on the way must leave neither the writer nor the ID taken.
func TestBegin_Panic(t *testing.T) {
	for at := 1; at <= 3; at++ { // the look-up, the decision, the answer
		calls := -1000
		s := openTemp(t, sqlite.WithClockShift(func() time.Duration {
			if calls++; calls == at {
				panic("broken clock")
			}
			return 0
		}))
		calls = 0
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("call %d of the clock did not happen", at)
				}
			}()
			works(t, s, claim(1))
		}()
		works(t, s, claim(1))
	}
}

// What a killed process leaves behind is the file and its log as they are.
func TestBegin_KilledBeforeCommit(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "idem.db"))
	mustExec(t, s.DB(), "CREATE TABLE probe (name TEXT NOT NULL)")
	works(t, s, claim(1))
	tx := begin(t, s, claim(2))
	mustExec(t, tx.Tx().(*sql.Tx), "INSERT INTO probe VALUES ('a')")

	crashed := t.TempDir()
	for _, name := range []string{"idem.db", "idem.db-wal"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(crashed, name), content, 0o600))
	}
	after := open(t, filepath.Join(crashed, "idem.db"))
	if _, found, err := after.Lookup(t.Context(), claim(1).ID); !found || err != nil {
		t.Errorf("the committed answer: found %v, error %v", found, err)
	}
	if _, found, err := after.Lookup(t.Context(), claim(2).ID); found || err != nil {
		t.Errorf("the record of the killed run: found %v, error %v", found, err)
	}
	if n := rows(t, after); n != 0 {
		t.Errorf("%d rows of the killed run", n)
	}
	works(t, after, claim(2))
	must(t, tx.Rollback(t.Context()))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustFail(t *testing.T, tx *sql.Tx, query string) {
	t.Helper()
	if _, err := tx.Exec(query); err == nil {
		t.Fatalf("%s: no error", query)
	}
}
