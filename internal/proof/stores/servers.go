package stores

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/idemgen/idemgen/internal/servertest"
	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/mysql"
	"github.com/idemgen/idemgen/runtime/store/postgres"
	"github.com/idemgen/idemgen/runtime/store/storetest"
)

// maxConns is enough for every test's clients, and one to look at them.
const maxConns = 12

// Schema makes a schema in the PostgreSQL server and returns a configuration
// that leads to it. It is dropped at the end of the test.
func Schema(tb testing.TB) *pgxpool.Config {
	tb.Helper()
	config, err := pgxpool.ParseConfig(servertest.URL(tb, servertest.Postgres))
	must(tb, err)
	schema := "proof_" + strings.ToLower(rand.Text())
	config.MaxConns = maxConns
	config.ConnConfig.RuntimeParams["search_path"] = schema
	config.ConnConfig.RuntimeParams["client_min_messages"] = "warning"
	config.ConnConfig.RuntimeParams["synchronous_commit"] = "off" // the machine does not fail
	once := func(statement string) {
		conn, err := pgx.ConnectConfig(context.Background(), config.ConnConfig)
		must(tb, err)
		_, err = conn.Exec(context.Background(), statement)
		must(tb, err)
		must(tb, conn.Close(context.Background()))
	}
	once("CREATE SCHEMA " + schema)
	tb.Cleanup(func() { once("DROP SCHEMA " + schema + " CASCADE") })
	return config
}

func openPostgres(tb testing.TB) storetest.Harness {
	tb.Helper()
	h, db := newPostgres(tb)
	open := func() (_ idem.Store, err error) { return postgres.New(context.Background(), db) }
	h.Write = func(tx any, key string) error {
		_, err := tx.(pgx.Tx).Exec(context.Background(), "INSERT INTO effects (name) VALUES ($1)", key)
		return err
	}
	return reopenable(tb, h, open)
}

func openPostgresSQL(tb testing.TB) storetest.Harness {
	tb.Helper()
	h, db := newPostgres(tb)
	pool := stdlib.OpenDB(*db.Config().ConnConfig)
	pool.SetMaxOpenConns(maxConns)
	pool.SetMaxIdleConns(maxConns)
	tb.Cleanup(func() { must(tb, pool.Close()) })
	open := func() (idem.Store, error) { return postgres.NewSQL(context.Background(), pool) }
	h.Write = func(tx any, key string) error {
		_, err := tx.(*sql.Tx).ExecContext(context.Background(), "INSERT INTO effects (name) VALUES ($1)", key)
		return err
	}
	return reopenable(tb, h, open)
}

// newPostgres makes tables and returns what both forms share.
func newPostgres(tb testing.TB) (storetest.Harness, *pgxpool.Pool) {
	tb.Helper()
	ctx := context.Background()
	db, err := pgxpool.NewWithConfig(ctx, Schema(tb))
	must(tb, err)
	tb.Cleanup(db.Close)
	must(tb, postgres.Migrate(ctx, db))
	_, err = db.Exec(ctx, "CREATE TABLE effects (name text NOT NULL)")
	must(tb, err)
	return storetest.Harness{
		Advance: func(d time.Duration) {
			_, err := db.Exec(ctx, `UPDATE idem_keys SET
				lease_until = lease_until - $1::interval, expires_at = expires_at - $1::interval`, d)
			if err != nil {
				tb.Errorf("advance: %v", err)
			}
		},
		Count: func(key string) (n int, err error) {
			err = db.QueryRow(ctx, "SELECT count(*) FROM effects WHERE name = $1", key).Scan(&n)
			return n, err
		},
	}, db
}

// Tables makes tables of their own in a MySQL or MariaDB server, and returns
// their prefix. They are dropped at the end of the test.
func Tables(tb testing.TB, db *sql.DB) (prefix string) {
	tb.Helper()
	ctx := context.Background()
	prefix = "proof_" + strings.ToLower(rand.Text()[:10]) + "_"
	tb.Cleanup(func() {
		_, err := db.ExecContext(ctx, fmt.Sprintf("DROP TABLE IF EXISTS %[1]skeys, %[1]sschema, %[1]seffects", prefix))
		must(tb, err)
	})
	must(tb, mysql.Migrate(ctx, db, mysql.WithTablePrefix(prefix)))
	_, err := db.ExecContext(ctx, "CREATE TABLE "+prefix+"effects (name VARCHAR(100) NOT NULL) ENGINE = InnoDB")
	must(tb, err)
	return prefix
}

const (
	deadlock = 1213 // the server's number for it
	attempts = 100  // until a deadlock with a sweeper counts as a fault
)

func openMySQL(tb testing.TB) storetest.Harness {
	tb.Helper()
	ctx := context.Background()
	db, err := sql.Open("mysql", servertest.URL(tb, servertest.MySQL))
	must(tb, err)
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	tb.Cleanup(func() { must(tb, db.Close()) })
	prefix := Tables(tb, db)
	h := storetest.Harness{
		Advance: func(d time.Duration) {
			statement := fmt.Sprintf(`UPDATE %skeys SET lease_until = lease_until - INTERVAL %[2]d SECOND,
				expires_at = expires_at - INTERVAL %[2]d SECOND`, prefix, int64(d.Seconds()))
			for range attempts {
				_, err := db.ExecContext(ctx, statement)
				var refused *driver.MySQLError
				if errors.As(err, &refused) && refused.Number == deadlock {
					continue // with a sweeper; the other one goes on
				}
				if err != nil {
					tb.Errorf("advance: %v", err)
				}
				return
			}
			tb.Errorf("advance: %d deadlocks one after the other", attempts)
		},
		Write: func(tx any, key string) error {
			_, err := tx.(*sql.Tx).ExecContext(context.Background(), "INSERT INTO "+prefix+"effects (name) VALUES (?)", key)
			return err
		},
		Count: func(key string) (n int, err error) {
			err = db.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+prefix+"effects WHERE name = ?", key).Scan(&n)
			return n, err
		},
	}
	return reopenable(tb, h, func() (idem.Store, error) {
		s, err := mysql.New(ctx, db, mysql.WithTablePrefix(prefix))
		if err != nil {
			return nil, err
		}
		tb.Cleanup(func() { must(tb, s.Close()) })
		return s, nil
	})
}

// reopenable completes a harness whose store forgets all that is not in its
// tables when it is made anew.
func reopenable(tb testing.TB, h storetest.Harness, open func() (idem.Store, error)) storetest.Harness {
	tb.Helper()
	var err error
	h.Store, err = open()
	must(tb, err)
	h.Reopen = open
	return h
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
