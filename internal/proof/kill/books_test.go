package kill

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // the driver
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/idemgen/idemgen/internal/proof/stores"
	"github.com/idemgen/idemgen/internal/servertest"
	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/mysql"
	"github.com/idemgen/idemgen/runtime/store/postgres"
	"github.com/idemgen/idemgen/runtime/store/sqlite"
)

// books are where a worker keeps records and payments.
type books struct {
	store  idem.Store
	insert func(ctx context.Context, ref, attempt string) (id int64, err error)
}

// A row is a payment. Nothing in its table prevents two of one reference.
type row struct {
	id           int64
	ref, attempt string
}

// A site is a database that outlives its workers, as their parent sees it.
type site struct {
	job  job
	rows func(ctx context.Context) ([]row, error) // all of them, committed ones
}

// A backend is a kind of database.
type backend struct {
	open  func(t *testing.T) *site                          // in the parent
	serve func(ctx context.Context, j *job) (*books, error) // in the worker
}

// backends returns them by name.
func backends() map[string]backend {
	return map[string]backend{
		"sqlite":       {openSQLite("sqlite"), serveSQLite()},
		"sqlite-group": {openSQLite("sqlite-group"), serveSQLite(sqlite.WithGroupCommit(8))},
		"postgres":     {openPostgres("postgres"), servePostgres},
		"postgres-sql": {openPostgres("postgres-sql"), servePostgresSQL},
		"mysql":        {openMySQL, serveMySQL},
	}
}

// conns is enough for the requests that a worker serves at a time.
const conns = 8

const (
	insertNumbered = "INSERT INTO payments (ref, attempt) VALUES ($1, $2) RETURNING id" // PostgreSQL
	insertPayment  = "INSERT INTO payments (ref, attempt) VALUES (?, ?)"
)

const allRows = "SELECT id, ref, attempt FROM "

// querier is what a database and a transaction have in common.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// txOr returns the request's transaction, or the database where it has none.
func txOr(ctx context.Context, db querier) querier {
	if tx, ok := idem.Tx[*sql.Tx](ctx); ok {
		return tx
	}
	return db
}

// scanAll reads the rows of a query.
func scanAll(rows interface {
	Next() bool
	Scan(to ...any) error
	Err() error
},
) (all []row, err error) {
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.id, &r.ref, &r.attempt); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

func openSQLite(backend string) func(t *testing.T) *site {
	return func(t *testing.T) *site {
		file := filepath.Join(t.TempDir(), "kill.db")
		s, err := sqlite.Open(file)
		must(t, err)
		_, err = s.DB().ExecContext(t.Context(), "CREATE TABLE payments (id INTEGER PRIMARY KEY AUTOINCREMENT, ref TEXT NOT NULL, attempt TEXT NOT NULL) STRICT")
		must(t, err)
		must(t, s.Close())
		dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(file)}).EscapedPath(), RawQuery: "mode=ro&_pragma=busy_timeout(60000)"}
		return &site{
			job: job{Backend: backend, Database: file},
			// The file is open as long as it is read, not longer: who opens it after
			// a kill has to be the first, because that is who recovers it.
			rows: func(ctx context.Context) (all []row, err error) {
				db, err := sql.Open("sqlite", dsn.String())
				if err != nil {
					return nil, err
				}
				defer db.Close()
				return queryRows(ctx, db, "payments")
			},
		}
	}
}

func queryRows(ctx context.Context, db *sql.DB, table string) ([]row, error) {
	rows, err := db.QueryContext(ctx, allRows+table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all, err := scanAll(rows)
	return all, errors.Join(err, rows.Err())
}

func serveSQLite(options ...sqlite.Option) func(context.Context, *job) (*books, error) {
	return func(_ context.Context, j *job) (*books, error) {
		s, err := sqlite.Open(j.Database, append(options,
			sqlite.WithSynchronousNormal(),      // the process fails, not the machine
			sqlite.WithBusyTimeout(time.Minute), // a slow machine is not busy
			sqlite.WithClockShift(func() time.Duration { return j.Shift }),
		)...)
		if err != nil {
			return nil, err
		}
		return &books{s, func(ctx context.Context, ref, attempt string) (int64, error) {
			result, err := txOr(ctx, s.DB()).ExecContext(ctx, insertPayment, ref, attempt)
			if err != nil {
				return 0, err
			}
			return result.LastInsertId()
		}}, nil
	}
}

func openPostgres(backend string) func(t *testing.T) *site {
	return func(t *testing.T) *site { return newPostgres(t, stores.Schema(t), backend) }
}

// newPostgres makes the tables that a configuration leads to.
func newPostgres(t *testing.T, config *pgxpool.Config, backend string) *site {
	ctx := t.Context()
	db, err := pgxpool.NewWithConfig(ctx, config)
	must(t, err)
	defer db.Close()
	must(t, postgres.Migrate(ctx, db))
	_, err = db.Exec(ctx, "CREATE TABLE payments (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ref text NOT NULL, attempt text NOT NULL)")
	must(t, err)
	return &site{
		job: job{Backend: backend, Database: config.ConnString(), Params: config.ConnConfig.RuntimeParams},
		rows: func(ctx context.Context) ([]row, error) {
			conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
			if err != nil {
				return nil, err
			}
			defer conn.Close(ctx)
			rows, err := conn.Query(ctx, allRows+"payments")
			if err != nil {
				return nil, err
			}
			defer rows.Close()
			return scanAll(rows)
		},
	}
}

func servePostgres(ctx context.Context, j *job) (*books, error) {
	config, err := pgxpool.ParseConfig(j.Database)
	if err != nil {
		return nil, err
	}
	config.MaxConns = conns
	config.ConnConfig.RuntimeParams = j.Params
	db, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	s, err := postgres.New(ctx, db)
	if err != nil {
		return nil, err
	}
	return &books{s, func(ctx context.Context, ref, attempt string) (id int64, err error) {
		query := db.QueryRow
		if tx, ok := idem.Tx[pgx.Tx](ctx); ok {
			query = tx.QueryRow
		}
		err = query(ctx, insertNumbered, ref, attempt).Scan(&id)
		return id, err
	}}, nil
}

func servePostgresSQL(ctx context.Context, j *job) (*books, error) {
	config, err := pgx.ParseConfig(j.Database)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams = j.Params
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	s, err := postgres.NewSQL(ctx, db)
	if err != nil {
		return nil, err
	}
	return &books{s, func(ctx context.Context, ref, attempt string) (id int64, err error) {
		err = txOr(ctx, db).QueryRowContext(ctx, insertNumbered, ref, attempt).Scan(&id)
		return id, err
	}}, nil
}

func openMySQL(t *testing.T) *site {
	dsn := servertest.URL(t, servertest.MySQL)
	db, err := sql.Open("mysql", dsn)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	prefix := stores.Tables(t, db)
	table := prefix + "payments"
	t.Cleanup(func() {
		_, err := db.ExecContext(context.Background(), "DROP TABLE IF EXISTS "+table)
		must(t, err)
	})
	_, err = db.ExecContext(t.Context(), "CREATE TABLE "+table+" (id BIGINT AUTO_INCREMENT PRIMARY KEY, ref VARCHAR(100) NOT NULL, attempt VARCHAR(100) NOT NULL) ENGINE = InnoDB")
	must(t, err)
	return &site{
		job:  job{Backend: "mysql", Database: dsn, Prefix: prefix},
		rows: func(ctx context.Context) ([]row, error) { return queryRows(ctx, db, table) },
	}
}

func serveMySQL(ctx context.Context, j *job) (*books, error) {
	db, err := sql.Open("mysql", j.Database)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	s, err := mysql.New(ctx, db, mysql.WithTablePrefix(j.Prefix))
	if err != nil {
		return nil, err
	}
	return &books{s, func(ctx context.Context, ref, attempt string) (int64, error) {
		result, err := txOr(ctx, db).ExecContext(ctx, "INSERT INTO "+j.Prefix+"payments (ref, attempt) VALUES (?, ?)", ref, attempt)
		if err != nil {
			return 0, err
		}
		return result.LastInsertId()
	}}, nil
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
