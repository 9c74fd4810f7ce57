package postgres_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/idemgen/idemgen/runtime/store/postgres"
	"github.com/idemgen/idemgen/runtime/store/storetest"
)

// BenchmarkRatio sets what a request costs with its key against the same work
// without one, through the same pool: a transaction with one insert, a SELECT by
// primary key. The server flushes each commit.
func BenchmarkRatio(b *testing.B) {
	for _, clients := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("first/pgx/clients=%d", clients), func(b *testing.B) {
			db := newBenchSchema(b)
			s, err := postgres.New(b.Context(), db)
			must(b, err)
			plain := func() error { return plainTx(db) }
			storetest.Compare(b, clients,
				storetest.Candidate{Name: "floor", Do: plain},
				storetest.InTx("tx", s, func(tx any) error { return forms["pgx"].write(tx, "a pet") }),
				storetest.Separate("separate", s, plain),
			)
		})
		b.Run(fmt.Sprintf("first/sql/clients=%d", clients), func(b *testing.B) {
			db := openSQL(b, newBenchSchema(b))
			s, err := postgres.NewSQL(b.Context(), db)
			must(b, err)
			storetest.Compare(b, clients,
				storetest.Candidate{Name: "floor", Do: func() error { return plainSQL(db) }},
				storetest.InTx("tx", s, func(tx any) error { return forms["sql"].write(tx, "a pet") }),
			)
		})
		b.Run(fmt.Sprintf("replay/pgx/clients=%d", clients), func(b *testing.B) {
			db := newBenchSchema(b)
			s, err := postgres.New(b.Context(), db)
			must(b, err)
			replay, id := storetest.Replay(b, s)
			storetest.Compare(b, clients,
				storetest.Candidate{Name: "select", Do: func() error {
					var (
						fp, headers, body []byte
						status            int
					)
					return db.QueryRow(context.Background(), "SELECT fp, status, headers, body FROM idem_keys WHERE k = $1", id[:]).
						Scan(&fp, &status, &headers, &body)
				}},
				replay,
			)
		})
	}
}

// newBenchSchema is newSchema with a connection for each client and commits that
// are on disk.
func newBenchSchema(b *testing.B) *pgxpool.Pool {
	b.Helper()
	config := newSchema(b).Config()
	delete(config.ConnConfig.RuntimeParams, "synchronous_commit")
	config.MaxConns = 32
	db, err := pgxpool.NewWithConfig(context.Background(), config)
	must(b, err)
	b.Cleanup(db.Close)
	return db
}

// plainTx is BEGIN, INSERT, COMMIT in three round trips.
func plainTx(db *pgxpool.Pool) error {
	return pgx.BeginFunc(context.Background(), db, func(tx pgx.Tx) error {
		return forms["pgx"].write(tx, "a pet")
	})
}

func plainSQL(db *sql.DB) error {
	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	if err := forms["sql"].write(tx, "a pet"); err != nil {
		return err
	}
	return tx.Commit()
}
