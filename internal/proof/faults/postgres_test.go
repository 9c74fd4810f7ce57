package faults_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/idemgen/idemgen/internal/proof/faults"
	"github.com/idemgen/idemgen/internal/proof/stores"
	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/postgres"
)

// openPostgres is the pgx form, which has to get over everything without a
// restart.
func openPostgres(tb testing.TB) *world {
	ctx := context.Background()
	w, config := newPostgres(tb)
	w.write = func(ctx context.Context, tx any, key string) error {
		_, err := tx.(pgx.Tx).Exec(ctx, "INSERT INTO effects (name) VALUES ($1)", key)
		return err
	}
	db, err := pgxpool.NewWithConfig(ctx, config)
	must(tb, err)
	tb.Cleanup(db.Close)
	must(tb, eventually(patience, func() (err error) {
		w.faulty, err = postgres.New(ctx, db, postgres.WithAcquireTimeout(budget))
		return err
	}))
	w.inUse = func() int { return int(db.Stat().AcquiredConns()) }
	w.cool = db.Reset
	return w
}

func openPostgresSQL(tb testing.TB) *world {
	w, config := newPostgres(tb)
	w.write = func(ctx context.Context, tx any, key string) error {
		_, err := tx.(*sql.Tx).ExecContext(ctx, "INSERT INTO effects (name) VALUES ($1)", key)
		return err
	}
	w.restart = func() (err error) {
		db := stdlib.OpenDB(*config.ConnConfig)
		db.SetMaxOpenConns(2)
		db.SetMaxIdleConns(2)
		w.faulty, err = postgres.NewSQL(context.Background(), db, postgres.WithAcquireTimeout(budget))
		w.inUse = func() int { return db.Stats().InUse }
		w.cool = func() { closeIdle(db, 2) }
		return err
	}
	must(tb, eventually(patience, w.restart))
	return w
}

// newPostgres makes tables, and returns what both forms share and a
// configuration of connections that fail.
func newPostgres(tb testing.TB) (*world, *pgxpool.Config) {
	ctx := context.Background()
	config := stores.Schema(tb)
	plain, err := pgxpool.NewWithConfig(ctx, config)
	must(tb, err)
	tb.Cleanup(plain.Close)
	must(tb, postgres.Migrate(ctx, plain))
	_, err = plain.Exec(ctx, "CREATE TABLE effects (name text NOT NULL)")
	must(tb, err)
	clean, err := postgres.New(ctx, plain)
	must(tb, err)

	plan := new(faults.Plan)
	tb.Cleanup(func() { plan.Forget()() })
	failing := config.Copy()
	failing.MaxConns = 2
	failing.ConnConfig.TLSConfig, failing.ConnConfig.Fallbacks = nil, nil
	failing.ConnConfig.DialFunc = faults.Wire{Plan: plan, Dial: failing.ConnConfig.DialFunc}.DialContext
	name := failing.ConnConfig.RuntimeParams["search_path"] + " failing"
	failing.ConnConfig.RuntimeParams["application_name"] = name
	return &world{
		plan: plan, clean: clean, patience: patience,
		advance: func(id idem.ID, d time.Duration) error {
			_, err := plain.Exec(ctx, `UPDATE idem_keys SET
				lease_until = lease_until - $2::interval, expires_at = expires_at - $2::interval WHERE k = $1`, id[:], d)
			return err
		},
		count: func(key string) (n int, err error) {
			err = plain.QueryRow(ctx, "SELECT count(*) FROM effects WHERE name = $1", key).Scan(&n)
			return n, err
		},
		open: func() (n int, err error) {
			err = plain.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity
				WHERE application_name = $1 AND state <> 'idle'`, name).Scan(&n)
			return n, err
		},
	}, failing
}
