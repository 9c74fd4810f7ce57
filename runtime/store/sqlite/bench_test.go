package sqlite_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/sqlite"
	"github.com/idemgen/idemgen/runtime/store/storetest"
)

// BenchmarkRatio sets what a request costs with its key against the same work
// without one: a transaction with one insert, a SELECT by primary key.
func BenchmarkRatio(b *testing.B) {
	for _, sync := range []string{"full", "normal"} {
		for _, clients := range []int{1, 32} {
			b.Run(fmt.Sprintf("first/%s/clients=%d", sync, clients), func(b *testing.B) {
				var opts []sqlite.Option
				if sync == "normal" {
					opts = append(opts, sqlite.WithSynchronousNormal())
				}
				s := openBench(b, opts...)
				group := openBench(b, append(opts, sqlite.WithGroupCommit(64))...)
				plain := func() error { return plainTx(s.DB()) }
				var number atomic.Uint64
				record := func() error { return plainTx(s.DB(), number.Add(1)) }
				storetest.Compare(b, clients,
					storetest.Candidate{Name: "floor", Do: plain},
					storetest.Candidate{Name: "record", Do: record},
					storetest.InTx("tx", s, insert),
					storetest.InTx("group", group, insert),
					storetest.Separate("separate", s, plain),
				)
			})
		}
	}
	for _, clients := range []int{1, 32} {
		b.Run(fmt.Sprintf("replay/clients=%d", clients), func(b *testing.B) {
			s := openBench(b)
			replay, id := storetest.Replay(b, s)
			bare, err := s.Reader().Prepare("SELECT fp, status, headers, body FROM idem_keys WHERE k = ?")
			if err != nil {
				b.Fatal(err)
			}
			storetest.Compare(b, clients,
				storetest.Candidate{Name: "select", Do: func() error { return selectAnswer(bare, id) }},
				replay,
			)
		})
	}
}

func openBench(b *testing.B, opts ...sqlite.Option) *sqlite.Store {
	b.Helper()
	s := open(b, filepath.Join(b.TempDir(), "idem.db"), opts...)
	if _, err := s.DB().Exec("CREATE TABLE probe (id INTEGER PRIMARY KEY, name TEXT NOT NULL)"); err != nil {
		b.Fatal(err)
	}
	return s
}

func insert(tx any) error {
	_, err := tx.(*sql.Tx).Exec("INSERT INTO probe (name) VALUES ('a pet')")
	return err
}

// plainTx is BEGIN IMMEDIATE, INSERT, COMMIT through the store's own pool. With a
// number it also inserts a row like a record, which is what any way of keeping
// answers has to write.
func plainTx(db *sql.DB, numbers ...uint64) error {
	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	if err := insert(tx); err != nil {
		return err
	}
	for _, n := range numbers {
		key := sha256.Sum256(binary.BigEndian.AppendUint64(nil, n))
		r := &storetest.BenchAnswer
		const text = `INSERT INTO idem_keys (k, fp, state, fence, expires_at, status, headers, body, created_at)
			VALUES (?, ?, 2, 1, 9e15, ?, ?, ?, 1)`
		if _, err := tx.Exec(text, key[:], key[:], r.Status, r.Headers, r.Body); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func selectAnswer(stmt *sql.Stmt, id idem.ID) error {
	var (
		fp, headers, body []byte
		status            int
	)
	return stmt.QueryRow(id[:]).Scan(&fp, &status, &headers, &body)
}
