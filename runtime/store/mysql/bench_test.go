package mysql_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/idemgen/idemgen/internal/servertest"
	"github.com/idemgen/idemgen/runtime/store/mysql"
	"github.com/idemgen/idemgen/runtime/store/storetest"
)

// BenchmarkRatio sets what a request costs with its key against the same work
// without one, through the same pool: a transaction with one insert, a SELECT by
// primary key. The server flushes each commit. One by one is how statements go
// to a server that knows no blocks.
func BenchmarkRatio(b *testing.B) {
	for _, name := range servers {
		b.Run(name, func(b *testing.B) {
			dsn := servertest.URL(b, name)
			for _, isolation := range []struct{ name, dsn string }{{"session", dsn}, {"read-committed", readCommitted(b, dsn)}} {
				for _, clients := range []int{1, 8, 32} {
					b.Run(fmt.Sprintf("%s/clients=%d", isolation.name, clients), func(b *testing.B) { benchRatio(b, isolation.dsn, clients) })
				}
			}
		})
	}
}

func benchRatio(b *testing.B, dsn string, clients int) {
	f := newFixture(b, dsn)
	probe := f.probe(b)
	db, s := f.open(b)
	single, err := mysql.New(b.Context(), db, mysql.WithTablePrefix(f.prefix))
	must(b, err)
	single.OneByOne()
	db.SetMaxIdleConns(clients)
	insert := func(tx any) error {
		_, err := tx.(*sql.Tx).Exec("INSERT INTO " + probe + " (name) VALUES ('a pet')")
		return err
	}
	plain := func() error {
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		if err := insert(tx); err != nil {
			return err
		}
		return tx.Commit()
	}
	b.Run("first", func(b *testing.B) {
		storetest.Compare(b, clients,
			storetest.Candidate{Name: "floor", Do: plain},
			storetest.InTx("tx", s, insert),
			storetest.InTx("one-by-one", single, insert),
			storetest.Separate("separate", s, plain),
		)
	})
	b.Run("replay", func(b *testing.B) {
		replay, id := storetest.Replay(b, s)
		read, err := db.PrepareContext(context.Background(), "SELECT fp, status, headers, body FROM "+f.prefix+"keys WHERE k = ?")
		must(b, err)
		storetest.Compare(b, clients,
			storetest.Candidate{Name: "select", Do: func() error {
				var (
					fp, headers, body []byte
					status            int
				)
				return read.QueryRow(id[:]).Scan(&fp, &status, &headers, &body)
			}},
			replay,
		)
	})
}
