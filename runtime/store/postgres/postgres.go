// Package postgres keeps idempotency records in a PostgreSQL database, through
// github.com/jackc/pgx/v5. The claim, the handler's own writes
// and the recorded answer are one commit: the handler finds its transaction with
// idem.Tx[pgx.Tx](ctx), or with idem.Tx[*sql.Tx](ctx) when the store was made by
// [NewSQL].
//
// A transaction of the pgx form takes no round trip more than BEGIN, the
// handler's statements and COMMIT: the claim travels with BEGIN and the answer
// with COMMIT. The database/sql form takes two more.
//
// Transactions are READ COMMITTED, whatever the database's default is: a claim
// has to see what was committed while it waited. A transaction holds an advisory
// lock of its key, so that a duplicate is refused at once, in any process; the
// primary key is what guarantees that one of them commits. A duplicate holds no
// connection while it waits. When a client machine vanishes, the lock lasts
// until the server notices: set tcp_keepalives_idle or, from PostgreSQL 14 on,
// client_connection_check_interval.
//
// The store's statements are prepared on the pool's connections, unless these
// have another DefaultQueryExecMode than QueryExecModeCacheStatement, as behind a
// proxy that shares connections. The pool's tracer does not see them.
//
// The fence of a new record is drawn before its claim waits for another statement
// on the same key. It could only be lower than one that was given meanwhile if
// that record had also expired and been swept during the wait, which is a minute
// at the least.
//
// Leases and retention are decided by the database's clock. The pool must lead
// to the primary server.
package postgres

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	idem "github.com/idemgen/idemgen/runtime"
)

// DefaultAcquireTimeout is the budget of a store that was made without
// WithAcquireTimeout.
const DefaultAcquireTimeout = 5 * time.Second

// Store is an [idem.TxStore], [idem.TxRetrier], [idem.Resolver], [idem.Counter]
// and [idem.Sweeper] in PostgreSQL.
// Use New or NewSQL; the zero value is not usable. All methods may be called
// concurrently, by any number of processes. It owns nothing that had to be
// closed: close the pool when no handler uses it any more.
type Store struct {
	options
	pool     pool
	unnamed  bool  // connections are not to keep prepared statements
	seed     int64 // of the advisory locks
	sql      statements
	running  running
	answered answered
}

var (
	_ idem.TxStore   = (*Store)(nil)
	_ idem.TxRetrier = (*Store)(nil)
	_ idem.Resolver  = (*Store)(nil)
	_ idem.Sweeper   = (*Store)(nil)
)

type options struct {
	schema string
	prefix string
	seed   int64
	budget time.Duration
}

// An Option changes what New, NewSQL, Migrate and MigrateSQL do.
type Option func(*options)

// WithSchema names the schema of the tables. The default is where the search
// path of the pool's connections leads when the store is made; a handler that
// changes the search path later does not lead the store astray.
func WithSchema(schema string) Option {
	return func(o *options) { o.schema = schema }
}

// WithTablePrefix names the tables <prefix>keys and <prefix>schema and the
// sequence <prefix>fence. It consists of lower-case letters, digits and
// underscores; the default is "idem_".
func WithTablePrefix(prefix string) Option {
	return func(o *options) { o.prefix = prefix }
}

// WithLockSeed sets a constant that the numbers of the advisory locks are XORed
// with. Those of different tables differ anyway, so this is for an application
// that has advisory locks of its own and meets one of the store's: a collision
// makes a request look as if it was in flight. All processes must agree; the
// default is 0.
func WithLockSeed(seed int64) Option {
	return func(o *options) { o.seed = seed }
}

// WithAcquireTimeout bounds how long a call waits for a connection of the pool
// before it answers [idem.ErrStoreBusy]. The default is DefaultAcquireTimeout.
func WithAcquireTimeout(d time.Duration) Option {
	return func(o *options) { o.budget = d }
}

func newOptions(opts []Option) (options, error) {
	o := options{prefix: "idem_", budget: DefaultAcquireTimeout}
	for _, f := range opts {
		f(&o)
	}
	notName := func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	}
	const longest = 63 - len("keys_expiry")
	if o.prefix == "" || strings.ContainsFunc(o.prefix, notName) || o.prefix[0] <= '9' || len(o.prefix) > longest {
		return o, fmt.Errorf("postgres: table prefix %q: use lower-case letters, digits and underscores, at most %d, and begin with a letter or underscore", o.prefix, longest)
	}
	if strings.ContainsRune(o.schema, 0) || len(o.schema) > 63 {
		return o, fmt.Errorf("postgres: schema %q: use a name of PostgreSQL, at most 63 octets", o.schema)
	}
	if o.budget <= 0 {
		return o, fmt.Errorf("postgres: WithAcquireTimeout(%v): a positive duration is needed", o.budget)
	}
	return o, nil
}

// New returns a store that hands its handlers a [pgx.Tx]: idem.Tx[pgx.Tx](ctx).
// The tables must exist (see Migrate): it fails when one of them, a column or an
// index is missing, and says which.
//
// That transaction belongs to the runtime. Its Commit and Rollback do nothing
// but fail with [idem.ErrTxEnded], as the whole run does afterwards. Begin makes
// a savepoint, which may be ended. LargeObjects panics.
func New(ctx context.Context, db *pgxpool.Pool, opts ...Option) (*Store, error) {
	return newStore(ctx, pgxPool{db}, opts)
}

// NewSQL returns a store that hands its handlers a [*sql.Tx]:
// idem.Tx[*sql.Tx](ctx). The database must have been opened with pgx's driver
// (github.com/jackc/pgx/v5/stdlib), not wrapped in another one. The tables must
// exist (see MigrateSQL).
func NewSQL(ctx context.Context, db *sql.DB, opts ...Option) (*Store, error) {
	return newStore(ctx, sqlPool{db}, opts)
}

func newStore(ctx context.Context, p pool, opts []Option) (*Store, error) {
	o, err := newOptions(opts)
	if err != nil {
		return nil, err
	}
	s := &Store{options: o, pool: p}
	if err := s.prepare(ctx); err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return s, nil
}

// lockOf is the number of the advisory lock of id. Two IDs that share one cost a
// request that looks as if it was in flight; nothing else relies on it.
func (s *Store) lockOf(id *idem.ID) int64 {
	return int64(binary.BigEndian.Uint64(id[:8])) ^ s.seed
}
