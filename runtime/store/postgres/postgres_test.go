package postgres_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/idemgen/idemgen/internal/servertest"
	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/postgres"
	"github.com/idemgen/idemgen/runtime/store/storetest"
)

func TestStore(t *testing.T) { storetest.Run(t, newHarness(forms["pgx"])) }

func TestStore_SQL(t *testing.T) { storetest.Run(t, newHarness(forms["sql"])) }

func BenchmarkStore(b *testing.B) { storetest.Bench(b, newHarness(forms["pgx"])) }

func BenchmarkStore_SQL(b *testing.B) { storetest.Bench(b, newHarness(forms["sql"])) }

// A form is one way to make a store on a pool.
type form struct {
	make  func(tb testing.TB, db *pgxpool.Pool, opts ...postgres.Option) (*postgres.Store, error)
	write func(tx any, key string) error
}

const insert = "INSERT INTO probe (name) VALUES ($1)"

var forms = map[string]form{
	"pgx": {
		make: func(_ testing.TB, db *pgxpool.Pool, opts ...postgres.Option) (*postgres.Store, error) {
			return postgres.New(context.Background(), db, opts...)
		},
		write: func(tx any, key string) error {
			_, err := tx.(pgx.Tx).Exec(context.Background(), insert, key)
			return err
		},
	},
	"sql": {
		make: func(tb testing.TB, db *pgxpool.Pool, opts ...postgres.Option) (*postgres.Store, error) {
			return postgres.NewSQL(context.Background(), openSQL(tb, db), opts...)
		},
		write: func(tx any, key string) error {
			_, err := tx.(*sql.Tx).Exec(insert, key)
			return err
		},
	},
}

func (f form) open(tb testing.TB, db *pgxpool.Pool, opts ...postgres.Option) *postgres.Store {
	tb.Helper()
	s, err := f.make(tb, db, opts...)
	must(tb, err)
	return s
}

// eachForm runs a test in both forms, each in a schema of its own.
func eachForm(t *testing.T, test func(t *testing.T, db *pgxpool.Pool, f form)) {
	for name, f := range forms {
		t.Run(name, func(t *testing.T) { test(t, newSchema(t), f) })
	}
}

func newHarness(f form) func(tb testing.TB) storetest.Harness {
	return func(tb testing.TB) storetest.Harness {
		db := newSchema(tb)
		return storetest.Harness{
			Store:   f.open(tb, db),
			Advance: func(d time.Duration) { advance(tb, db, d) },
			Reopen: func() (idem.Store, error) {
				config := db.Config()
				db.Close()
				again, err := pgxpool.NewWithConfig(context.Background(), config)
				if err != nil {
					return nil, err
				}
				db = again
				tb.Cleanup(again.Close)
				return f.open(tb, again), nil
			},
			Write: f.write,
			Count: func(key string) (n int, err error) {
				err = db.QueryRow(context.Background(), "SELECT count(*) FROM probe WHERE name = $1", key).Scan(&n)
				return n, err
			},
		}
	}
}

// advance moves what is stored back in time.
func advance(tb testing.TB, db *pgxpool.Pool, d time.Duration) {
	tb.Helper()
	mustExec(tb, db, `UPDATE idem_keys SET lease_until = lease_until - $1::interval,
		expires_at = expires_at - $1::interval, created_at = created_at - $1::interval`, d)
}

var schemas atomic.Int64

// newSchema returns a pool whose connections work in a schema of their own, with
// the store's tables and a table probe.
func newSchema(tb testing.TB) *pgxpool.Pool {
	tb.Helper()
	db := emptySchema(tb)
	must(tb, postgres.Migrate(context.Background(), db))
	mustExec(tb, db, "CREATE TABLE probe (name text NOT NULL)")
	return db
}

// emptySchema is newSchema without tables.
func emptySchema(tb testing.TB) *pgxpool.Pool {
	tb.Helper()
	schema := fmt.Sprintf("idem_test_%d_%d_%d", os.Getpid(), time.Now().UnixNano(), schemas.Add(1))
	config := serverConfig(tb)
	config.ConnConfig.RuntimeParams["search_path"] = schema
	config.ConnConfig.RuntimeParams["synchronous_commit"] = "off" // nobody pulls the plug
	db, err := pgxpool.NewWithConfig(context.Background(), config)
	must(tb, err)
	mustExec(tb, db, "CREATE SCHEMA "+schema)
	tb.Cleanup(func() {
		db.Close()
		last, err := pgx.ConnectConfig(context.Background(), config.ConnConfig)
		must(tb, err)
		_, err = last.Exec(context.Background(), "SET client_min_messages = warning; DROP SCHEMA "+schema+" CASCADE", pgx.QueryExecModeSimpleProtocol)
		must(tb, err)
		must(tb, last.Close(context.Background()))
	})
	return db
}

func serverConfig(tb testing.TB) *pgxpool.Config {
	tb.Helper()
	config, err := pgxpool.ParseConfig(servertest.URL(tb, servertest.Postgres))
	must(tb, err)
	config.MaxConns = 8
	config.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false } // trips are counted
	return config
}

// openSQL opens what a pool leads to with database/sql.
func openSQL(tb testing.TB, db *pgxpool.Pool) *sql.DB {
	sdb := stdlib.OpenDB(*db.Config().ConnConfig,
		stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false }))
	sdb.SetMaxOpenConns(int(db.Config().MaxConns))
	sdb.SetMaxIdleConns(int(db.Config().MaxConns))
	tb.Cleanup(func() { must(tb, sdb.Close()) })
	return sdb
}

func mustExec(tb testing.TB, db interface {
	Exec(ctx context.Context, text string, args ...any) (pgconn.CommandTag, error)
}, text string, args ...any,
) {
	tb.Helper()
	if _, err := db.Exec(context.Background(), text, args...); err != nil {
		tb.Fatalf("%s: %v", strings.TrimSpace(text), err)
	}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
