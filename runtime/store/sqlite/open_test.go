package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/idemgen/idemgen/runtime/store/sqlite"
	"github.com/idemgen/idemgen/runtime/store/sqlite/migrations"
	"github.com/idemgen/idemgen/runtime/store/storetest"
)

// openDB opens a database as a caller might who knows nothing of the store: many
// connections, BEGIN not immediate.
func openDB(tb testing.TB, path string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("sqlite", path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_busy_timeout=60000")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

func TestStore_OnForeignDatabase(t *testing.T) {
	storetest.Run(t, func(tb testing.TB) storetest.Harness {
		clock := new(clock)
		db := openDB(tb, filepath.Join(tb.TempDir(), "idem.db"))
		if err := sqlite.Migrate(context.Background(), db, sqlite.WithTablePrefix("shop_")); err != nil {
			tb.Fatal(err)
		}
		if _, err := db.Exec("CREATE TABLE probe (name TEXT NOT NULL)"); err != nil {
			tb.Fatal(err)
		}
		s, err := sqlite.New(db, sqlite.WithTablePrefix("shop_"),
			sqlite.WithClockShift(clock.shift), sqlite.WithBusyTimeout(time.Minute))
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { _ = s.Close() })
		return storetest.Harness{
			Store:   s,
			Advance: clock.advance,
			Write: func(tx any, key string) error {
				_, err := tx.(*sql.Tx).Exec("INSERT INTO probe (name) VALUES (?)", key)
				return err
			},
			Count: func(key string) (n int, err error) {
				err = db.QueryRow("SELECT count(*) FROM probe WHERE name = ?", key).Scan(&n)
				return n, err
			},
		}
	})
}

func TestNew_SaysWhatIsMissing(t *testing.T) {
	for name, test := range map[string]struct {
		prepare string
		want    []string
	}{
		"table":  {"SELECT 1", []string{`table "idem_keys" is missing`, "sqlite.Migrate"}},
		"column": {"ALTER TABLE idem_keys DROP COLUMN operation", []string{`column "operation" of table "idem_keys" is missing`, "sqlite.Migrate"}},
		"WAL":    {"PRAGMA journal_mode=DELETE", []string{"journal_mode is delete", "PRAGMA journal_mode=WAL"}},
	} {
		t.Run(name, func(t *testing.T) {
			db := openDB(t, filepath.Join(t.TempDir(), "idem.db"))
			db.SetMaxOpenConns(1)
			if name != "table" {
				must(t, sqlite.Migrate(t.Context(), db))
			}
			mustExec(t, db, test.prepare)
			_, err := sqlite.New(db)
			if err == nil {
				t.Fatal("New: no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("New: %v\nwant: …%s…", err, want)
				}
			}
		})
	}
}

func TestMigrate_AgainAndAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "idem.db")
	must(t, openDB(t, path).Ping()) // creates the file, in WAL mode
	errs := make([]error, 8)
	var wait sync.WaitGroup
	for i := range errs {
		db := openDB(t, path)
		wait.Go(func() { errs[i] = sqlite.Migrate(context.Background(), db) })
	}
	wait.Wait()
	must(t, errors.Join(errs...))
	s := open(t, path)
	works(t, s, claim(1))
	must(t, sqlite.Migrate(t.Context(), s.DB()))
	if _, found, err := s.Lookup(t.Context(), claim(1).ID); !found || err != nil {
		t.Errorf("after another Migrate: found %v, error %v", found, err)
	}
}

func TestMigrations_DownUndoesUp(t *testing.T) {
	db := openDB(t, filepath.Join(t.TempDir(), "idem.db"))
	files, err := fs.Glob(migrations.FS, "*.sql")
	must(t, err)
	var undo []string
	for _, name := range files {
		text, err := migrations.FS.ReadFile(name)
		must(t, err)
		up, down, found := strings.Cut(string(text), "-- +goose Down\n")
		if !found || !strings.HasPrefix(up, "-- +goose Up\n") {
			t.Fatalf("%s: no goose annotations", name)
		}
		mustExec(t, db, up)
		undo = append(undo, down)
	}
	_, err = sqlite.New(db) // what goose has applied is what the store wants
	must(t, err)
	for _, down := range slices.Backward(undo) {
		mustExec(t, db, down)
	}
	var left int
	must(t, db.QueryRow("SELECT count(*) FROM sqlite_schema").Scan(&left))
	if left != 0 {
		t.Errorf("%d tables or indexes are left", left)
	}
}

func TestOpen_TwoPrefixesInOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "idem.db")
	works(t, open(t, path), claim(1))
	works(t, open(t, path, sqlite.WithTablePrefix("other_")), claim(1))
}

func TestOpen_Refuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "idem.db")
	for name, err := range map[string]error{
		"nothing":       second(sqlite.Open("")),
		"memory":        second(sqlite.Open(":memory:")),
		"a DSN":         second(sqlite.Open("file:" + path)),
		"a bad prefix":  second(sqlite.Open(path, sqlite.WithTablePrefix("x; DROP TABLE y"))),
		"no prefix":     second(sqlite.Open(path, sqlite.WithTablePrefix(""))),
		"no reader":     second(sqlite.Open(path, sqlite.WithReaders(0))),
		"no directory":  second(sqlite.Open(filepath.Join(path, "missing", "idem.db"))),
		"a bad PRAGMA":  second(sqlite.Open(path, sqlite.WithPragma("not a pragma", "1"))),
		"a group of -1": second(sqlite.Open(path, sqlite.WithGroupCommit(-1))),
		"New and group": second(sqlite.New(nil, sqlite.WithGroupCommit(8))),
		"New and digit": second(sqlite.New(nil, sqlite.WithTablePrefix("1x"))),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "sqlite: ") {
			t.Errorf("%s: error %v, want one that begins with sqlite:", name, err)
		}
	}
}

func second(_ *sqlite.Store, err error) error { return err }

func TestOpen_AnyFileName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c#d%20e&f.db")
	works(t, open(t, path), claim(1))
	if _, found, err := open(t, path).Lookup(t.Context(), claim(1).ID); !found || err != nil {
		t.Errorf("opened again: found %v, error %v", found, err)
	}
	if matches, err := filepath.Glob(filepath.Join(filepath.Dir(path), "a b*.db")); err != nil || len(matches) != 1 {
		t.Errorf("files %q, error %v, want the one that was named", matches, err)
	}
}

func TestOpen_Settings(t *testing.T) {
	value := func(db *sql.DB, pragma string) (v string) {
		must(t, db.QueryRow("PRAGMA "+pragma).Scan(&v))
		return v
	}
	s := openTemp(t, sqlite.WithPragma("foreign_keys", "ON"))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
		if got := value(s.DB(), pragma); got != want {
			t.Errorf("%s of the writer is %s, want %s", pragma, got, want)
		}
	}
	if _, err := s.Reader().Exec("DELETE FROM idem_keys"); err == nil {
		t.Error("the reader writes")
	}
	fast := openTemp(t, sqlite.WithSynchronousNormal())
	if got := value(fast.DB(), "synchronous"); got != "1" {
		t.Errorf("synchronous is %s, want 1", got)
	}
}

func TestSweep_ManyBatches(t *testing.T) {
	clock := new(clock)
	s := openTemp(t, sqlite.WithClockShift(clock.shift))
	mustExec(t, s.DB(), `INSERT INTO idem_keys (k, fp, state, fence, expires_at, created_at)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 1200)
		SELECT CAST(i AS BLOB), x'00', 2, 1, 1, 1 FROM n`)
	works(t, s, claim(1))
	for _, want := range []int{1000, 200, 0} {
		if n, err := s.Sweep(t.Context(), 1000); err != nil || n != want {
			t.Errorf("Sweep removed %d with error %v, want %d", n, err, want)
		}
	}
}
