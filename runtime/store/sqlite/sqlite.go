// Package sqlite keeps idempotency records in an SQLite database (3.42 or
// later), through modernc.org/sqlite and database/sql. The claim, the handler's
// own writes and the recorded answer are one commit: the handler finds the
// *sql.Tx with idem.Tx[*sql.Tx](ctx).
//
// SQLite has one writer at a time. The store queues its writers before they
// reach the file, so that none of them meets SQLITE_BUSY within the process, and
// answers replays and duplicates from a pool of readers that never wait for the
// writer. Code that writes outside a request uses [Store.DB], which is the same
// one connection. A handler in tx mode must not: it would wait for itself.
//
// Leases and retention are decided by the database's clock.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	modernc "modernc.org/sqlite"
)

// DefaultBusyTimeout is the budget of a store that was made without
// WithBusyTimeout.
const DefaultBusyTimeout = 5 * time.Second

// DefaultReaders is the size of the pools of readers that Open makes: one for the
// store's look-ups and one for [Store.Reader].
const DefaultReaders = 4

// Store is an [idem.TxStore], [idem.TxRetrier] and [idem.Sweeper] in SQLite.
// Use Open or New; the zero value is not usable. All methods may be called
// concurrently, also by several processes on one machine.
type Store struct {
	options
	writer, reader *sql.DB
	lookups        *sql.DB       // what the statements of readers are prepared on
	slots          chan struct{} // a token for each look-up on its way; nil when lookups is not the store's alone
	owned          bool          // Close closes the databases
	immediate      bool          // BEGIN takes the write lock by itself

	gate      gate   // its turn is the right to write
	lastFence int64  // guarded by gate
	batch     *batch // guarded by gate; nil when none is open
	running   running
	sql       statements
}

var (
	_ idem.TxStore   = (*Store)(nil)
	_ idem.TxRetrier = (*Store)(nil)
	_ idem.Sweeper   = (*Store)(nil)
)

type options struct {
	prefix      string
	busy        time.Duration
	synchronous string
	readers     int
	reader      *sql.DB
	pragmas     []string
	shift       func() time.Duration
	group       int // requests in a commit; 0: each has its own
}

// An Option changes what Open, New and Migrate do.
type Option func(*options)

// WithTablePrefix names the tables <prefix>keys and <prefix>schema. It consists
// of letters, digits and underscores; the default is "idem_".
func WithTablePrefix(prefix string) Option {
	return func(o *options) { o.prefix = prefix }
}

// WithBusyTimeout bounds how long a call waits for the writer, in this process
// or another one, before it answers [idem.ErrStoreBusy]. The default is
// DefaultBusyTimeout.
func WithBusyTimeout(d time.Duration) Option {
	return func(o *options) { o.busy = d }
}

// WithSynchronousNormal makes Open choose synchronous=NORMAL: commits are about
// twice as fast or more, and a power failure may undo the last of them,
// answered ones included. A crash of the process loses nothing either way. The
// default is FULL.
func WithSynchronousNormal() Option {
	return func(o *options) { o.synchronous = "NORMAL" }
}

// WithReaders sets how many connections Open keeps for the store's look-ups, and
// how many for [Store.Reader]; the default is DefaultReaders.
func WithReaders(n int) Option {
	return func(o *options) { o.readers = n }
}

// WithReaderDB gives New a second pool for reading, so that replays do not wait
// for db's connections. The default is db itself.
func WithReaderDB(reader *sql.DB) Option {
	return func(o *options) { o.reader = reader }
}

// WithPragma makes Open execute a PRAGMA on each connection, as in
// WithPragma("foreign_keys", "ON").
func WithPragma(name, value string) Option {
	return func(o *options) { o.pragmas = append(o.pragmas, name+"("+value+")") }
}

// WithGroupCommit makes Open put the work of up to most concurrent requests into
// one commit, a savepoint each, so that they share the wait for the disk. They
// still have the writer one after the other. Who has finished waits until the
// next ones have, and until the common commit; as soon as nobody waits for the
// writer it comes at once. At one client nothing is gained and little lost.
//
// A request that rolls back undoes its own work only, and so does a handler that
// ends its *sql.Tx itself. A handler that executes COMMIT or ROLLBACK as SQL,
// or whose write is interrupted by its context, which makes SQLite undo the
// transaction, undoes the whole batch: nothing of it is committed, and the
// others get [idem.ErrRetryTx] and run again. A request that leaves a deferred
// foreign key violated fails alone. Slow handlers delay the answers of those
// before them, so keep them short.
//
// The default is a commit for each request. New refuses the option: it takes
// connections that Open makes.
func WithGroupCommit(most int) Option {
	return func(o *options) { o.group = most }
}

// WithClockShift moves the database's clock by what shift returns, in whole
// milliseconds, so that tests need not wait for leases and retention to end. It
// is called for each statement, concurrently.
func WithClockShift(shift func() time.Duration) Option {
	return func(o *options) { o.shift = shift }
}

func newOptions(opts []Option) (options, error) {
	o := options{
		prefix:      "idem_",
		busy:        DefaultBusyTimeout,
		synchronous: "FULL",
		readers:     DefaultReaders,
		shift:       func() time.Duration { return 0 },
	}
	for _, f := range opts {
		f(&o)
	}
	notName := func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}
	if o.prefix == "" || strings.ContainsFunc(o.prefix, notName) || o.prefix[0] <= '9' {
		return o, fmt.Errorf("sqlite: table prefix %q: use letters, digits and underscores, and begin with a letter or underscore", o.prefix)
	}
	if o.group < 0 {
		return o, fmt.Errorf("sqlite: WithGroupCommit(%d): the number of requests in a commit cannot be negative", o.group)
	}
	if o.readers < 1 {
		return o, fmt.Errorf("sqlite: WithReaders(%d): at least one is needed", o.readers)
	}
	return o, nil
}

// Open opens the database file at path, which it creates if need be, and brings
// the tables up to date with Migrate. The database is put into WAL mode with
// synchronous=FULL. Close the store when no handler uses it any more.
//
// For a file that others migrate, or a DSN of your own, use New.
func Open(path string, opts ...Option) (*Store, error) {
	o, err := newOptions(opts)
	if err != nil {
		return nil, err
	}
	if path == "" || path == ":memory:" || strings.HasPrefix(path, "file:") {
		return nil, fmt.Errorf("sqlite: open %q: the store needs the path of a file (a DSN goes to sqlite.New; for memory use runtime/store/memory)", path)
	}
	connector, err := modernc.NewConnector(o.dsn(path, "_txlock=immediate"))
	if err != nil {
		return nil, fmt.Errorf("sqlite: open %s: %w", path, err)
	}
	if o.group > 0 {
		connector = groupConnector{connector}
	}
	writer := sql.OpenDB(connector)
	writer.SetMaxOpenConns(1)
	readers, err := modernc.NewConnector(o.dsn(path, "_query_only=1"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: open %s: %w", path, err), writer.Close())
	}
	// The service may do with its readers what it likes: the store's look-ups
	// have connections of their own.
	reader, lookups := sql.OpenDB(readers), sql.OpenDB(readers)
	for _, db := range []*sql.DB{reader, lookups} {
		db.SetMaxOpenConns(o.readers)
		db.SetMaxIdleConns(o.readers)
	}

	ctx := context.Background()
	o.reader = reader
	s := &Store{
		options: o, writer: writer, reader: reader, lookups: lookups,
		slots: make(chan struct{}, o.readers), owned: true, immediate: true,
	}
	err = migrate(ctx, writer, o)
	if err == nil {
		err = s.prepare(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: open %s: %w", path, err), s.Close())
	}
	return s, nil
}

// dsn is the data source name of modernc.org/sqlite for the file at path.
func (o *options) dsn(path, lock string) string {
	file := url.URL{Path: filepath.ToSlash(path)}
	parameters := []string{
		lock,
		"_busy_timeout=" + strconv.FormatInt(o.busy.Milliseconds(), 10),
		"_pragma=" + url.QueryEscape("synchronous("+o.synchronous+")"),
	}
	if lock != "_query_only=1" {
		parameters = append(parameters, "_pragma=journal_mode(WAL)")
	}
	for _, p := range o.pragmas {
		parameters = append(parameters, "_pragma="+url.QueryEscape(p))
	}
	return "file:" + file.EscapedPath() + "?" + strings.Join(parameters, "&")
}

// New returns a store in a database that the caller has opened, migrated (see
// Migrate) and put into WAL mode, and that the caller closes after the store.
// It fails when a table or column is missing. db is used for writing: give it
// one connection (SetMaxOpenConns(1)) and the readers their own with
// WithReaderDB, as Open does.
func New(db *sql.DB, opts ...Option) (*Store, error) {
	o, err := newOptions(opts)
	if err != nil {
		return nil, err
	}
	if o.group > 0 {
		return nil, errors.New("sqlite: WithGroupCommit: requests share connections of its own making only: use sqlite.Open, or leave the option out")
	}
	reader := o.reader
	if reader == nil {
		reader = db
	}
	s := &Store{options: o, writer: db, reader: reader, lookups: reader}
	if err := s.prepare(context.Background()); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: %w", err), s.Close())
	}
	return s, nil
}

// DB returns the database that writes: the one connection, when Open made it.
// Use it for your own writes outside requests; while one of its transactions is
// open, requests that write wait. Inside a handler in tx mode use
// idem.Tx[*sql.Tx](ctx) instead: this connection is taken by that very
// transaction.
func (s *Store) DB() *sql.DB { return s.writer }

// Reader returns the database that reads, which sees every completed commit and
// never waits for the writer. When Open made it, it refuses to write.
func (s *Store) Reader() *sql.DB { return s.reader }

// Close frees what the store has prepared and closes the databases that Open
// made. It does not wait for open transactions.
func (s *Store) Close() error {
	err := s.sql.close()
	if s.owned {
		err = errors.Join(err, s.reader.Close(), s.lookups.Close(), s.writer.Close())
	}
	return err
}
