// Package stores is the table of the stores that the proofs run on. Memory and
// SQLite need nothing; the others are skipped by name unless a variable of the
// environment says where their server is.
package stores

import (
	"context"
	"database/sql"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/memory"
	"github.com/idemgen/idemgen/runtime/store/sqlite"
	"github.com/idemgen/idemgen/runtime/store/storetest"
)

// A Backend makes stores without records.
type Backend struct {
	Name string
	// Shares: requests may share a commit. What one of them has done, a
	// transaction of the same commit meets before the others can see it.
	Shares bool
	// Draws: the fence of a new record is drawn before its claim waits for a
	// statement on the old one.
	Draws bool
	open  func(tb testing.TB) storetest.Harness
}

// All returns every backend, those without a server included.
func All() []Backend {
	return []Backend{
		{Name: "memory", open: openMemory},
		{Name: "sqlite", open: openSQLite()},
		{Name: "sqlite-group", Shares: true, open: openSQLite(sqlite.WithGroupCommit(8))},
		{Name: "postgres", Draws: true, open: openPostgres},
		{Name: "postgres-sql", Draws: true, open: openPostgresSQL},
		{Name: "mysql", Draws: true, open: openMySQL},
		{Name: "redis", open: openRedis},
	}
}

// Open returns a store without records, or skips the test and says which
// variable would enable it. The store may be used concurrently with its Advance.
// It is closed at the end of the test.
func (b Backend) Open(tb testing.TB) storetest.Harness {
	tb.Helper()
	return b.open(tb)
}

// shift is what a store's clock is ahead of its own. Advance moves it.
type shift struct{ by atomic.Int64 }

func (s *shift) now() time.Duration      { return time.Duration(s.by.Load()) }
func (s *shift) advance(d time.Duration) { s.by.Add(int64(d)) }

func openMemory(testing.TB) storetest.Harness {
	clock := new(shift)
	return storetest.Harness{
		Store:   memory.New(memory.WithClock(func() time.Time { return time.Now().Add(clock.now()) })),
		Advance: clock.advance,
	}
}

func openSQLite(options ...sqlite.Option) func(tb testing.TB) storetest.Harness {
	return func(tb testing.TB) storetest.Harness {
		tb.Helper()
		clock := new(shift)
		return newSQLite(tb, clock.advance, append(options,
			sqlite.WithClockShift(clock.now),
			sqlite.WithBusyTimeout(time.Minute), // a slow machine is not busy
			sqlite.WithSynchronousNormal(),      // the machine does not fail
		))
	}
}

func newSQLite(tb testing.TB, advance func(time.Duration), options []sqlite.Option) storetest.Harness {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "idem.db")
	open := func() (*sqlite.Store, error) { return sqlite.Open(path, options...) }
	s, err := open()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	if _, err := s.DB().ExecContext(tb.Context(), "CREATE TABLE effects (name TEXT NOT NULL)"); err != nil {
		tb.Fatal(err)
	}
	return storetest.Harness{
		Store:   s,
		Advance: advance,
		Reopen: func() (idem.Store, error) {
			if err := s.Close(); err != nil {
				return nil, err
			}
			if s, err = open(); err != nil {
				return nil, err
			}
			return s, nil
		},
		Write: func(tx any, key string) error {
			_, err := tx.(*sql.Tx).ExecContext(context.Background(), "INSERT INTO effects (name) VALUES (?)", key)
			return err
		},
		Count: func(key string) (n int, err error) {
			err = s.Reader().QueryRowContext(context.Background(), "SELECT count(*) FROM effects WHERE name = ?", key).Scan(&n)
			return n, err
		},
	}
}
