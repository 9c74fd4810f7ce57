package faults_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	modernc "modernc.org/sqlite"

	"github.com/idemgen/idemgen/internal/proof/faults"
	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/sqlite"
)

func openSQLite(lock string) func(testing.TB) *world {
	return func(tb testing.TB) *world {
		path := filepath.Join(tb.TempDir(), "idem.db")
		var shift atomic.Int64
		clock := sqlite.WithClockShift(func() time.Duration { return time.Duration(shift.Load()) })
		clean, err := sqlite.Open(path, clock, sqlite.WithBusyTimeout(time.Minute), sqlite.WithPragma("synchronous", "OFF"))
		must(tb, err)
		tb.Cleanup(func() { must(tb, clean.Close()) })
		_, err = clean.DB().ExecContext(tb.Context(), "CREATE TABLE effects (name TEXT NOT NULL)")
		must(tb, err)

		plan := new(faults.Plan)
		open := func(parameters string, most int) *sql.DB {
			dsn := "file:" + filepath.ToSlash(path) + "?_busy_timeout=10000&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&" + parameters
			connector, err := modernc.NewConnector(dsn)
			must(tb, err)
			db := sql.OpenDB(faults.Connector{Connector: connector, Plan: plan, CommitCleans: true})
			db.SetMaxOpenConns(most)
			return db
		}
		w := &world{
			plan: plan, clean: clean, patience: patience,
			advance: func(_ idem.ID, d time.Duration) error { shift.Add(int64(d)); return nil },
			write: func(ctx context.Context, tx any, key string) error {
				_, err := tx.(*sql.Tx).ExecContext(ctx, "INSERT INTO effects (name) VALUES (?)", key)
				return err
			},
			count: func(key string) (n int, err error) {
				err = clean.Reader().QueryRow("SELECT count(*) FROM effects WHERE name = ?", key).Scan(&n)
				return n, err
			},
		}
		w.restart = func() (err error) {
			shift.Add(int64(time.Millisecond)) // a process takes longer to start
			writer, reader := open(lock, 1), open("_query_only=1", 2)
			w.faulty, err = sqlite.New(writer, clock, sqlite.WithReaderDB(reader), sqlite.WithBusyTimeout(budget))
			w.inUse = func() int { return writer.Stats().InUse + reader.Stats().InUse }
			w.cool = func() { closeIdle(writer, 1); closeIdle(reader, 2) }
			return err
		}
		must(tb, w.restart())
		tb.Cleanup(func() { plan.Forget()() })
		return w
	}
}
