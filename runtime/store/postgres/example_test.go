package postgres_test

import (
	"context"
	"errors"
	"log"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/postgres"
)

func ExampleNew() {
	open := func(ctx context.Context, url string) (*postgres.Store, error) {
		db, err := pgxpool.New(ctx, url)
		if err != nil {
			return nil, err
		}
		// Or let goose apply the files of runtime/store/postgres/migrations.
		if err := postgres.Migrate(ctx, db); err != nil {
			return nil, err
		}
		store, err := postgres.New(ctx, db)
		if err != nil {
			return nil, err // it names the table or column that is missing
		}
		// Expired records go when somebody sweeps.
		go func() { log.Print((&idem.SweepRunner{Store: store}).Run(ctx)) }()
		return store, nil
	}

	// The service's tables are in the same database, so that a handler's writes
	// and its recorded answer are one commit.
	createOrder := func(ctx context.Context, item string) error {
		tx, ok := idem.Tx[pgx.Tx](ctx)
		if !ok {
			return errors.New("the store runs in lease mode")
		}
		_, err := tx.Exec(ctx, "INSERT INTO orders (item) VALUES ($1)", item)
		return err
	}
	_, _ = open, createOrder
}
