// Package mysql keeps idempotency records in MySQL (8.0 or later) or MariaDB
// (10.6 or later), through github.com/go-sql-driver/mysql and database/sql. The
// claim, the handler's own writes and the recorded answer are one commit: the
// handler finds the *sql.Tx with idem.Tx[*sql.Tx](ctx).
//
// # Transactions
//
// A transaction is READ COMMITTED. Before it looks at the key, its connection
// takes a user lock (GET_LOCK) named after that, so that a duplicate is refused at
// once instead of waiting; the lock goes after the commit, or with the connection.
// User locks are known to one server only: where several accept writes, as in
// Galera, the primary key decides in their place, and the later of two runs is
// undone and repeated.
//
// MariaDB prepares several statements as one: a request that is answered for the
// first time costs four round trips besides the handler's own. A server that
// does not, such as MySQL, is sent each statement by itself, in nine or ten.
//
// A handler must not execute DDL: MySQL commits before such a statement, and the
// run is answered with an error, because part of it is committed already. Rows
// that a handler queries from its transaction it must read to the end or close.
//
// # Connections
//
// Leases and retention are decided by UTC_TIMESTAMP of the server that the
// connections lead to, which must be the one that accepts writes. Of the DSN the
// store needs nothing: parseTime, loc, interpolateParams, multiStatements and
// clientFoundRows may have any value. autocommit must be on. Recommended are
//
//   - transaction_isolation='READ-COMMITTED' (tx_isolation before MariaDB 11.1),
//     which on MySQL saves a round trip per transaction;
//   - timeout, readTimeout and writeTimeout, so that a server that is not heard
//     of any more is noticed.
//
// A response must fit into one packet (max_allowed_packet of the server,
// maxAllowedPacket of the DSN). Each transaction that a handler has open takes a
// connection, each answer to a duplicate takes one for a moment: size the pool
// with SetMaxOpenConns and SetMaxIdleConns accordingly.
package mysql

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// DefaultBusyTimeout is the budget of a store that was made without
// WithBusyTimeout.
const DefaultBusyTimeout = 5 * time.Second

// Store is an [idem.TxStore], [idem.TxRetrier], [idem.Sweeper], [idem.Counter] and
// [idem.Resolver] in MySQL or MariaDB. Use New; the zero value is not usable. All methods may be called
// concurrently, also by any number of processes.
type Store struct {
	options
	db       *sql.DB
	server   server
	running  running
	answered answered
	sql      statements
}

var (
	_ idem.TxStore   = (*Store)(nil)
	_ idem.TxRetrier = (*Store)(nil)
	_ idem.Sweeper   = (*Store)(nil)
	_ idem.Resolver  = (*Store)(nil)
)

type options struct {
	prefix string
	busy   time.Duration
}

// An Option changes what New and Migrate do.
type Option func(*options)

// WithTablePrefix names the tables <prefix>keys and <prefix>schema. It consists
// of letters, digits and underscores, at most 48; the default is "idem_". The
// tables are in the database that the DSN names.
func WithTablePrefix(prefix string) Option {
	return func(o *options) { o.prefix = prefix }
}

// WithBusyTimeout bounds how long a call waits for a connection of the pool and
// for the server, before it answers [idem.ErrStoreBusy]. A commit is not bounded
// by it. The default is DefaultBusyTimeout.
func WithBusyTimeout(d time.Duration) Option {
	return func(o *options) { o.busy = d }
}

func newOptions(opts []Option) (options, error) {
	o := options{prefix: "idem_", busy: DefaultBusyTimeout}
	for _, f := range opts {
		f(&o)
	}
	notName := func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}
	if o.prefix == "" || len(o.prefix) > 48 || strings.ContainsFunc(o.prefix, notName) || o.prefix[0] <= '9' {
		return o, fmt.Errorf("mysql: table prefix %q: use at most 48 letters, digits and underscores, and begin with a letter or underscore", o.prefix)
	}
	if o.busy <= 0 {
		return o, fmt.Errorf("mysql: WithBusyTimeout(%v): it must be more than zero", o.busy)
	}
	return o, nil
}

// New returns a store in a database that the caller has opened and migrated (see
// Migrate), and that the caller closes after the store. It fails when a table or
// column is missing or is not what the store needs, and says which and what to
// do.
func New(ctx context.Context, db *sql.DB, opts ...Option) (*Store, error) {
	o, err := newOptions(opts)
	if err != nil {
		return nil, err
	}
	s := &Store{options: o, db: db}
	if s.server, err = inspect(ctx, db); err == nil {
		err = s.check(ctx)
	}
	if err == nil {
		err = s.sql.prepare(ctx, db, s.server, o.prefix)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("mysql: %w", err), s.Close())
	}
	return s, nil
}

// Close frees what the store has prepared. It does not wait for open
// transactions, and the database stays open.
func (s *Store) Close() error { return s.sql.close() }

// within calls f with a context that ends with ctx or with the budget, and
// explains why it failed.
func (s *Store) within(ctx context.Context, f func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, s.busy)
	defer cancel()
	err := f(wait)
	if err == nil || errors.Is(err, idem.ErrClaimLost) {
		return err
	}
	if isOver(ctx) {
		return cmp.Or(ctx.Err(), context.DeadlineExceeded)
	}
	if isOver(wait) {
		return fmt.Errorf("%w: no connection, or no answer, within %v: %w", idem.ErrStoreBusy, s.busy, err)
	}
	return busyError(err)
}

// isOver reports whether ctx has ended. A network call that gets its deadline can
// return a moment before ctx itself says so.
func isOver(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}
