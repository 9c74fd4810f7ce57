package server

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"
)

// tables are what handlers write to in tx mode, beside the records.
type tables struct {
	dialect etag.Dialect
	tx      func(context.Context) (session, bool) // the runtime's transaction
	reads   session                               // without one
	writes  session
}

// session is where statements go.
type session interface {
	row(ctx context.Context, statement string, args ...any) interface{ Scan(...any) error }
	// exec returns how many rows were changed, and LAST_INSERT_ID of MySQL.
	exec(ctx context.Context, statement string, args ...any) (changed, last int64, err error)
}

// newSQLTables returns tables of which a *sql.Tx is a transaction.
func newSQLTables(dialect etag.Dialect, reads, writes *sql.DB) *tables {
	return &tables{
		dialect: dialect,
		reads:   sqlSession{reads},
		writes:  sqlSession{writes},
		tx: func(ctx context.Context) (session, bool) {
			tx, ok := idem.Tx[*sql.Tx](ctx)
			return sqlSession{tx}, ok
		},
	}
}

// effect writes a row in the runtime's transaction, and reports whether there
// is one.
func (t *tables) effect(ctx context.Context, run int) (bool, error) {
	tx, ok := t.tx(ctx)
	if !ok {
		return false, nil
	}
	_, _, err := tx.exec(context.WithoutCancel(ctx), t.number("INSERT INTO vectors_effects (run) VALUES (?)"), run)
	return true, err
}

// load returns a resource.
func (t *tables) load(ctx context.Context, path string) (r row, exists bool, err error) {
	from, ok := t.tx(ctx)
	if !ok {
		from = t.reads
	}
	statement := t.number("SELECT " + t.text("version") + ", last_write, body FROM vectors_resources WHERE path = ?")
	err = from.row(ctx, statement, path).Scan(&r.version, &r.lastWrite, &r.body)
	if errors.Is(err, sql.ErrNoRows) { // pgx's own is one
		return row{}, false, nil
	}
	return r, err == nil, err
}

// save makes a resource, moves its version by one or removes it, where the
// expectation holds, and returns the version that this has led to: that of what
// was removed is one more than it was, as that of any other change. The condition
// is part of the statement that writes.
func (t *tables) save(ctx context.Context, path string, e *expected, to row, remove bool) (version string, held bool, err error) {
	ctx = context.WithoutCancel(ctx)
	db, ok := t.tx(ctx)
	if !ok {
		db = t.writes
	}
	switch {
	case e.absent:
		return t.insert(ctx, db, path, to)
	case remove:
		return t.remove(ctx, db, path, e)
	}
	return t.update(ctx, db, path, e, to)
}

func (t *tables) insert(ctx context.Context, db session, path string, to row) (version string, held bool, err error) {
	values := " INTO vectors_resources (path, version, last_write, body) VALUES (?, 1, ?, ?)"
	args := []any{path, to.lastWrite, to.body}
	if t.dialect == etag.MySQL {
		changed, _, err := db.exec(ctx, "INSERT IGNORE"+values, args...)
		return "1", changed == 1, err
	}
	return scanVersion(db.row(ctx, t.number("INSERT"+values)+" ON CONFLICT DO NOTHING RETURNING "+t.text("version"), args...))
}

func (t *tables) update(ctx context.Context, db session, path string, e *expected, to row) (version string, held bool, err error) {
	condition, versions := e.where(t.dialect, t.text("version"), 4)
	args := append([]any{to.lastWrite, to.body, path}, versions...)
	const where = ", last_write = ?, body = ? WHERE path = ? AND "
	if t.dialect == etag.MySQL {
		changed, last, err := db.exec(ctx, "UPDATE vectors_resources SET version = LAST_INSERT_ID(version + 1)"+where+condition, args...)
		return strconv.FormatInt(last, 10), changed == 1, err
	}
	statement := t.number("UPDATE vectors_resources SET version = version + 1"+where) + condition + " RETURNING " + t.text("version")
	return scanVersion(db.row(ctx, statement, args...))
}

func (t *tables) remove(ctx context.Context, db session, path string, e *expected) (version string, held bool, err error) {
	condition, versions := e.where(t.dialect, t.text("version"), 2)
	condition = t.number(" FROM vectors_resources WHERE path = ? AND ") + condition
	args := append([]any{path}, versions...)
	if t.dialect != etag.MySQL {
		return scanVersion(db.row(ctx, "DELETE"+condition+" RETURNING "+t.text("version + 1"), args...))
	}
	version, held, err = scanVersion(db.row(ctx, "SELECT "+t.text("version + 1")+condition, args...))
	if err != nil || !held {
		return "", false, err
	}
	changed, _, err := db.exec(ctx, "DELETE"+condition+" AND version + 1 = ?", append(args, version)...)
	return version, changed == 1, err
}

// text is a value as text.
func (t *tables) text(value string) string {
	if t.dialect == etag.MySQL {
		return "CAST(" + value + " AS CHAR)"
	}
	return "CAST(" + value + " AS TEXT)"
}

// number writes the parameters of a statement as the database wants them.
func (t *tables) number(statement string) string {
	if t.dialect != etag.Postgres {
		return statement
	}
	for n := 1; strings.Contains(statement, "?"); n++ {
		statement = strings.Replace(statement, "?", "$"+strconv.Itoa(n), 1)
	}
	return statement
}

func scanVersion(row interface{ Scan(...any) error }) (version string, found bool, err error) {
	err = row.Scan(&version)
	if errors.Is(err, sql.ErrNoRows) { // pgx's own is one
		return "", false, nil
	}
	return version, err == nil, err
}

// sqlSession is a *sql.Tx or a *sql.DB.
type sqlSession struct {
	to interface {
		QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	}
}

func (s sqlSession) row(ctx context.Context, statement string, args ...any) interface{ Scan(...any) error } {
	return s.to.QueryRowContext(ctx, statement, args...)
}

func (s sqlSession) exec(ctx context.Context, statement string, args ...any) (changed, last int64, err error) {
	result, err := s.to.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, 0, err
	}
	last, _ = result.LastInsertId() // where the driver has one
	changed, err = result.RowsAffected()
	return changed, last, err
}

// pgxSession is a pgx.Tx or a *pgxpool.Pool.
type pgxSession struct {
	to interface {
		QueryRow(ctx context.Context, query string, args ...any) pgx.Row
		Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
	}
}

func (s pgxSession) row(ctx context.Context, statement string, args ...any) interface{ Scan(...any) error } {
	return s.to.QueryRow(ctx, statement, args...)
}

func (s pgxSession) exec(ctx context.Context, statement string, args ...any) (changed, last int64, err error) {
	tag, err := s.to.Exec(ctx, statement, args...)
	return tag.RowsAffected(), 0, err
}
