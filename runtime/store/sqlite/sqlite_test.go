package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/sqlite"
	"github.com/idemgen/idemgen/runtime/store/storetest"
)

func TestStore(t *testing.T) { storetest.Run(t, newPlain) }

func BenchmarkStore(b *testing.B) { storetest.Bench(b, newPlain) }

func newPlain(tb testing.TB) storetest.Harness { return newHarness(tb) }

func newHarness(tb testing.TB, more ...sqlite.Option) storetest.Harness {
	clock := new(clock)
	path := filepath.Join(tb.TempDir(), "idem.db")
	opts := slices.Concat(more, []sqlite.Option{sqlite.WithClockShift(clock.shift), sqlite.WithBusyTimeout(time.Minute)})
	s := open(tb, path, opts...)
	if _, err := s.DB().Exec("CREATE TABLE probe (name TEXT NOT NULL)"); err != nil {
		tb.Fatal(err)
	}
	return storetest.Harness{
		Store:   s,
		Advance: clock.advance,
		Reopen: func() (idem.Store, error) {
			if err := s.Close(); err != nil {
				return nil, err
			}
			s = open(tb, path, opts...)
			return s, nil
		},
		Write: func(tx any, key string) error {
			_, err := tx.(*sql.Tx).Exec("INSERT INTO probe (name) VALUES (?)", key)
			return err
		},
		Count: func(key string) (n int, err error) {
			err = s.Reader().QueryRow("SELECT count(*) FROM probe WHERE name = ?", key).Scan(&n)
			return n, err
		},
	}
}

// open opens a store that is closed at the end of the test.
func open(tb testing.TB, path string, opts ...sqlite.Option) *sqlite.Store {
	tb.Helper()
	s, err := sqlite.Open(path, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// clock is a shift of the database's clock that tests move.
type clock struct{ since atomic.Int64 }

func (c *clock) shift() time.Duration    { return time.Duration(c.since.Load()) }
func (c *clock) advance(d time.Duration) { c.since.Add(int64(d)) }
