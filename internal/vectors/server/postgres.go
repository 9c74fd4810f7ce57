package server

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"
	"github.com/idemgen/idemgen/runtime/store/postgres"
)

// configure leads to a schema of a PostgreSQL server. Whoever looks at the
// server's sessions sees whose they are.
func configure(server, schema string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(server)
	if err != nil {
		return nil, err
	}
	config.MaxConns = maxConns
	parameters := config.ConnConfig.RuntimeParams
	parameters["search_path"], parameters["application_name"] = schema, schema
	parameters["client_min_messages"] = "warning"
	parameters["synchronous_commit"] = "off" // the machine does not fail, the process does
	return config, nil
}

// openPostgres opens a store whose handlers have a pgx.Tx.
func (w *World) openPostgres(ctx context.Context, c *Command) error {
	config, err := configure(c.Database, c.Place)
	if err != nil {
		return err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	w.closers = append(w.closers, func() error { pool.Close(); return nil })
	if err := postgres.Migrate(ctx, pool); err != nil {
		return err
	}
	w.tables = &tables{
		dialect: etag.Postgres,
		reads:   pgxSession{pool},
		writes:  pgxSession{pool},
		tx: func(ctx context.Context) (session, bool) {
			tx, ok := idem.Tx[pgx.Tx](ctx)
			return pgxSession{tx}, ok
		},
	}
	w.store, err = postgres.New(ctx, pool, postgres.WithAcquireTimeout(generous))
	return err
}

// openPostgresSQL opens a store whose handlers have a *sql.Tx.
func (w *World) openPostgresSQL(ctx context.Context, c *Command) error {
	config, err := configure(c.Database, c.Place)
	if err != nil {
		return err
	}
	db := stdlib.OpenDB(*config.ConnConfig)
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	w.closers = append(w.closers, db.Close)
	if err := postgres.MigrateSQL(ctx, db); err != nil {
		return err
	}
	w.tables = newSQLTables(etag.Postgres, db, db)
	w.store, err = postgres.NewSQL(ctx, db, postgres.WithAcquireTimeout(generous))
	return err
}
