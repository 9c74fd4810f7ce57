package faults_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/idemgen/idemgen/internal/proof/faults"
	idem "github.com/idemgen/idemgen/runtime"
)

// world is a store whose database fails as the plan says, and a second store on
// the same database that sees what another process sees.
type world struct {
	plan     *faults.Plan
	patience time.Duration // bounds what is waited for after a fault
	faulty   idem.TxStore
	clean    idem.TxStore
	advance  func(id idem.ID, d time.Duration) error // of that key's clock, at least
	write    func(ctx context.Context, tx any, key string) error
	count    func(key string) (int, error)
	restart  func() error        // makes the faulty store anew, as a process that starts again; nil: it has to go on
	cool     func()              // closes the connections that nobody has
	inUse    func() int          // connections of the faulty store that somebody has
	open     func() (int, error) // connections that the server still works for; nil: there is no server
}

// budget is how long the faulty store waits for what does not come. It may be
// too short on a slow machine: then a call fails, which calls are about to
// anyway.
const budget = 250 * time.Millisecond

// backends are the stores that are swept over.
var backends = []struct {
	name    string
	open    func(tb testing.TB) *world
	workers int      // that sweep at the same time, each in a world of its own
	only    []string // names that scenarios begin with; nil: all are swept over
}{
	{"sqlite", openSQLite("_txlock=immediate"), 2, nil},
	{"sqlite-deferred", openSQLite("_txlock=deferred"), 2, []string{"claim", "tx"}}, // where BEGIN makes the difference
	{"postgres", openPostgres, 4, nil},
	{"postgres-sql", openPostgresSQL, 4, nil},
	{"mysql", openMySQL, 6, nil},
}

// closeIdle closes the connections of a pool that nobody has.
func closeIdle(db *sql.DB, most int) {
	db.SetMaxIdleConns(-1)
	db.SetMaxIdleConns(most)
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
