package postgres

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	idem "github.com/idemgen/idemgen/runtime"
)

// handlerTx is the [pgx.Tx] of a handler: the runtime's transaction, or a
// savepoint in it. It works until the runtime ends the transaction, and not on
// the connection's next one.
type handlerTx struct {
	run       *handlerRun
	savepoint int // 0: the transaction itself
	closed    bool
}

var _ pgx.Tx = (*handlerTx)(nil)

// handlerRun is what the transaction and its savepoints share.
type handlerRun struct {
	conn       *pgx.Conn
	savepoints int
	unread     func() // closes the rows or the batch that was opened last
	ended      error  // the handler tried to end the transaction
	over       bool   // the runtime has ended it
}

// end closes what the handler left open, as database/sql does, and returns the
// handler's attempt to end the transaction.
func (r *handlerRun) end() error {
	r.close()
	return r.ended
}

func (r *handlerRun) close() {
	if r.unread != nil {
		r.unread()
		r.unread = nil
	}
}

// usable reports whether statements may be made.
func (t *handlerTx) usable() error {
	if t.closed || t.run.over {
		return pgx.ErrTxClosed
	}
	return nil
}

// Begin sets a savepoint.
func (t *handlerTx) Begin(ctx context.Context) (pgx.Tx, error) {
	if err := t.usable(); err != nil {
		return nil, err
	}
	t.run.savepoints++
	nested := &handlerTx{run: t.run, savepoint: t.run.savepoints}
	if _, err := t.run.conn.Exec(ctx, "SAVEPOINT "+nested.name()); err != nil {
		return nil, err
	}
	return nested, nil
}

func (t *handlerTx) name() string { return "nested_" + strconv.Itoa(t.savepoint) }

// Commit releases a savepoint. The transaction itself is not the handler's to
// commit.
func (t *handlerTx) Commit(ctx context.Context) error {
	return t.finish(ctx, "Commit", "RELEASE SAVEPOINT ")
}

// Rollback undoes what was done since a savepoint. The transaction itself is not
// the handler's to undo: it returns an error or a refusal instead.
func (t *handlerTx) Rollback(ctx context.Context) error {
	return t.finish(ctx, "Rollback", "ROLLBACK TO SAVEPOINT ")
}

func (t *handlerTx) finish(ctx context.Context, method, statement string) error {
	if err := t.usable(); err != nil {
		return err
	}
	if t.savepoint == 0 {
		t.run.ended = fmt.Errorf("%w: it called %s; Begin makes a savepoint that may be ended", idem.ErrTxEnded, method)
		return fmt.Errorf("postgres: %w", t.run.ended)
	}
	t.closed = true
	_, err := t.run.conn.Exec(ctx, statement+t.name())
	return err
}

// LargeObjects panics: pgx ties large objects to transactions of its own making.
// The functions behind them, lo_create and its kin, are there through SQL.
func (t *handlerTx) LargeObjects() pgx.LargeObjects {
	panic("postgres: the runtime's transaction has no LargeObjects: call lo_create, lo_put and lo_get through SQL")
}

// Conn returns the connection for what pgx.Tx lacks. It must not be kept.
func (t *handlerTx) Conn() *pgx.Conn { return t.run.conn }

func (t *handlerTx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, from pgx.CopyFromSource) (int64, error) {
	if err := t.usable(); err != nil {
		return 0, err
	}
	return t.run.conn.CopyFrom(ctx, table, columns, from)
}

func (t *handlerTx) Prepare(ctx context.Context, name, text string) (*pgconn.StatementDescription, error) {
	if err := t.usable(); err != nil {
		return nil, err
	}
	return t.run.conn.Prepare(ctx, name, text)
}

func (t *handlerTx) Exec(ctx context.Context, text string, args ...any) (pgconn.CommandTag, error) {
	if err := t.usable(); err != nil {
		return pgconn.CommandTag{}, err
	}
	return t.run.conn.Exec(ctx, text, args...)
}

func (t *handlerTx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	if err := t.usable(); err != nil {
		return pgx.FailedBatchResults(b, err)
	}
	results := t.run.conn.SendBatch(ctx, b)
	t.run.unread = func() { _ = results.Close() } // the handler did not want to know
	return results
}

func (t *handlerTx) Query(ctx context.Context, text string, args ...any) (pgx.Rows, error) {
	if err := t.usable(); err != nil {
		return pgx.FailedBatchResults(&pgx.Batch{}, err).Query()
	}
	rows, err := t.run.conn.Query(ctx, text, args...)
	if err == nil {
		t.run.unread = rows.Close
	}
	return rows, err
}

func (t *handlerTx) QueryRow(ctx context.Context, text string, args ...any) pgx.Row {
	rows, _ := t.Query(ctx, text, args...) // Scan returns the error
	return row{rows}
}

// row is a [pgx.Row] whose rows can be closed unread.
type row struct{ rows pgx.Rows }

// Scan reads the first row and drops the others.
func (r row) Scan(to ...any) error {
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(to...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}
