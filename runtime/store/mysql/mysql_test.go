package mysql_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/idemgen/idemgen/internal/servertest"
	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/mysql"
	"github.com/idemgen/idemgen/runtime/store/storetest"
)

// servers are the variables that name the DSNs of the servers to test on. Each
// test has tables of its own there, and drops them.
var servers = []string{servertest.MySQL, servertest.MySQL8}

// onServers runs a test on each server that is there.
func onServers(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Helper()
	for _, name := range servers {
		t.Run(name, func(t *testing.T) { test(t, servertest.URL(t, name)) })
	}
}

// oneByOne is a parameter of a DSN that changes nothing on the server. It makes
// the tests' stores send each statement by itself, as to a MySQL.
const oneByOne = "connectionAttributes=program_name%3Aone-by-one"

// bothWays runs a test on each server, with blocks of statements where the server
// knows them, and one by one.
func bothWays(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Helper()
	onServers(t, func(t *testing.T, dsn string) {
		t.Run("blocks", func(t *testing.T) { test(t, dsn) })
		t.Run("one by one", func(t *testing.T) { test(t, with(dsn, oneByOne)) })
	})
}

func TestStore(t *testing.T) {
	bothWays(t, func(t *testing.T, dsn string) { storetest.Run(t, newHarness(t, dsn)) })
}

// TestStore_Parameters runs the suite under the parameters of a DSN that change
// what the driver sends and returns.
func TestStore_Parameters(t *testing.T) {
	onServers(t, func(t *testing.T, dsn string) {
		storetest.Run(t, newHarness(t, with(dsn, "clientFoundRows=true&interpolateParams=true&parseTime=true&loc=Local&multiStatements=true")))
	})
}

func BenchmarkStore(b *testing.B) {
	for _, name := range servers {
		b.Run(name, func(b *testing.B) { storetest.Bench(b, newHarness(b, servertest.URL(b, name))) })
	}
}

// with appends parameters to a DSN.
func with(dsn, parameters string) string {
	if strings.Contains(dsn, "?") {
		return dsn + "&" + parameters
	}
	return dsn + "?" + parameters
}

// newHarness makes tables, and returns a constructor that empties them.
func newHarness(tb testing.TB, dsn string) func(testing.TB) storetest.Harness {
	f := newFixture(tb, dsn)
	probe := f.probe(tb)
	return func(tb testing.TB) storetest.Harness {
		mustExec(tb, f.db, "DELETE FROM "+f.prefix+"keys")
		mustExec(tb, f.db, "DELETE FROM "+probe)
		db, s := f.open(tb)
		return storetest.Harness{
			Store:   s,
			Advance: func(d time.Duration) { f.advance(tb, d) },
			Reopen: func() (idem.Store, error) {
				if err := db.Close(); err != nil {
					return nil, err
				}
				db, s = f.open(tb)
				return s, nil
			},
			Write: func(tx any, key string) error {
				_, err := tx.(*sql.Tx).Exec("INSERT INTO "+probe+" (name) VALUES (?)", key)
				return err
			},
			Count: func(key string) (n int, err error) {
				err = f.db.QueryRow("SELECT COUNT(*) FROM "+probe+" WHERE name = ?", key).Scan(&n)
				return n, err
			},
		}
	}
}

// A fixture is migrated tables under a prefix of their own.
type fixture struct {
	dsn, prefix string
	db          *sql.DB
}

func newFixture(tb testing.TB, dsn string) *fixture {
	tb.Helper()
	f := &fixture{dsn: dsn, prefix: "t" + strings.ToLower(rand.Text()[:10]) + "_", db: openDB(tb, dsn)}
	tb.Cleanup(func() {
		mustExec(tb, f.db, fmt.Sprintf("DROP TABLE IF EXISTS %[1]skeys, %[1]sschema", f.prefix))
	})
	must(tb, mysql.Migrate(context.Background(), f.db, mysql.WithTablePrefix(f.prefix)))
	return f
}

// open returns a store with a pool of its own, as another process would have.
func (f *fixture) open(tb testing.TB, opts ...mysql.Option) (*sql.DB, *mysql.Store) {
	tb.Helper()
	db := openDB(tb, f.dsn)
	s, err := mysql.New(context.Background(), db, append(opts, mysql.WithTablePrefix(f.prefix))...)
	must(tb, err)
	if strings.Contains(f.dsn, oneByOne) {
		s.OneByOne()
	}
	tb.Cleanup(func() { _ = s.Close() })
	return db, s
}

// probe makes a table of the service's own, whose rows count effects.
func (f *fixture) probe(tb testing.TB) string {
	tb.Helper()
	name := f.prefix + "probe"
	mustExec(tb, f.db, "CREATE TABLE "+name+" (name VARCHAR(50) NOT NULL, KEY (name)) ENGINE = InnoDB")
	tb.Cleanup(func() { mustExec(tb, f.db, "DROP TABLE "+name) })
	return name
}

// rows counts the committed effects.
func (f *fixture) rows(tb testing.TB) int {
	tb.Helper()
	return f.rowsIn(tb, f.db)
}

// A rower is a database or a transaction.
type rower interface {
	QueryRow(query string, args ...any) *sql.Row
}

// rowsIn counts the effects that a transaction sees.
func (f *fixture) rowsIn(tb testing.TB, db rower) (n int) {
	tb.Helper()
	must(tb, db.QueryRow("SELECT COUNT(*) FROM "+f.prefix+"probe").Scan(&n))
	return n
}

// advance moves all stored instants back.
func (f *fixture) advance(tb testing.TB, d time.Duration) {
	tb.Helper()
	mustExec(tb, f.db, fmt.Sprintf(`UPDATE %skeys SET lease_until = lease_until - INTERVAL %[2]d MICROSECOND,
		expires_at = expires_at - INTERVAL %[2]d MICROSECOND, created_at = created_at - INTERVAL %[2]d MICROSECOND`, f.prefix, d.Microseconds()))
}

func openDB(tb testing.TB, dsn string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("mysql", dsn)
	must(tb, err)
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// An execer is a database or a transaction.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func mustExec(tb testing.TB, db execer, query string) {
	tb.Helper()
	if _, err := db.ExecContext(context.Background(), query); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
}

// readCommitted makes sessions of the DSN read committed by themselves.
func readCommitted(tb testing.TB, dsn string) string {
	tb.Helper()
	db := openDB(tb, dsn)
	name := "transaction_isolation"
	if _, err := db.Exec("SELECT @@SESSION." + name); err != nil {
		name = "tx_isolation"
	}
	return with(dsn, name+"=%27READ-COMMITTED%27")
}
