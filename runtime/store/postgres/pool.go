package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	idem "github.com/idemgen/idemgen/runtime"
)

// A pool is where connections come from.
type pool interface {
	acquire(ctx context.Context) (conn, error)
}

// A conn is a connection taken from a pool. It is used by one goroutine at a
// time. What ends a transaction looks different in the two forms; all other
// statements are the same batches on the same driver.
type conn interface {
	// do calls f with the driver's connection, which f does not keep.
	do(f func(*pgx.Conn) error) error

	// begin opens a transaction and executes b in it. Where the driver can,
	// BEGIN travels with b.
	begin(ctx context.Context, b *batch, unnamed bool) error

	// commit executes b and, if that succeeds, commits. Where the driver can,
	// COMMIT travels with b.
	commit(ctx context.Context, b *batch, unnamed bool) error

	// undo executes b and undoes the transaction. Where the driver can, this is
	// left to whoever queues more and sends b; it is empty otherwise.
	undo(ctx context.Context, b *batch, unnamed bool) error

	// rollback undoes the transaction.
	rollback(ctx context.Context) error

	// free gives the connection back. What was not committed is undone. The
	// transaction is no longer usable.
	free()
}

// acquire takes a connection. It waits no longer than ctx and the budget allow.
func (s *Store) acquire(ctx context.Context) (conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	wait, cancel := context.WithTimeout(ctx, s.budget)
	defer cancel()
	c, err := s.pool.acquire(wait)
	switch {
	case err == nil:
		return c, nil
	case isOver(ctx):
		return nil, cmp.Or(ctx.Err(), context.DeadlineExceeded)
	case isOver(wait):
		return nil, fmt.Errorf("%w: no connection was free within %v: %w", idem.ErrStoreBusy, s.budget, err)
	}
	return nil, busyError(err)
}

// isOver reports whether ctx has ended. A network call that gets its deadline can
// return a moment before ctx itself says so.
func isOver(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}

// Statements that delimit what is atomic.
var (
	beginTx    = newStatement("BEGIN ISOLATION LEVEL READ COMMITTED")
	commitTx   = newStatement("COMMIT")
	rollbackTx = newStatement("ROLLBACK")
)

// undoBudget bounds a ROLLBACK. After it the connection is closed, which undoes
// the transaction too.
const undoBudget = 5 * time.Second

// atomically executes a statement, and those after it, as a transaction of its
// own, in one round trip.
func (s *Store) atomically(ctx context.Context, fill func(*batch)) error {
	c, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer c.free()
	err = c.do(func(pc *pgx.Conn) error {
		b := newBatch()
		b.queue(beginTx, nil)
		fill(b)
		b.queue(commitTx, nil)
		err := b.send(ctx, pc, s.unnamed)
		if err != nil {
			_ = execRollback(ctx, pc) // err says more
		}
		return err
	})
	return busyError(err)
}

// execRollback rolls back what is open. It does not look at the end of ctx: a
// connection that goes back to the pool has to be clean.
func execRollback(ctx context.Context, pc *pgx.Conn) error {
	if pc.IsClosed() || pc.PgConn().TxStatus() == statusIdle {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoBudget)
	defer cancel()
	_, err := pc.Exec(ctx, rollbackTx.text)
	return err
}

// States of a connection, as the server reports them
// (https://www.postgresql.org/docs/current/protocol-message-formats.html,
// ReadyForQuery).
const (
	statusIdle   byte = 'I'
	statusFailed byte = 'E'
)

// pgxPool is the pgx form.
type pgxPool struct{ db *pgxpool.Pool }

func (p pgxPool) acquire(ctx context.Context) (conn, error) {
	c, err := p.db.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	return pgxConn{c}, nil
}

type pgxConn struct{ *pgxpool.Conn }

func (c pgxConn) do(f func(*pgx.Conn) error) error { return f(c.Conn.Conn()) }

func (c pgxConn) begin(ctx context.Context, b *batch, unnamed bool) error {
	b.items = slices.Insert(b.items, 0, item{statement: beginTx})
	return b.send(ctx, c.Conn.Conn(), unnamed)
}

func (c pgxConn) commit(ctx context.Context, b *batch, unnamed bool) error {
	b.queue(commitTx, readCommit)
	return b.send(ctx, c.Conn.Conn(), unnamed)
}

// readCommit tells a commit from what PostgreSQL makes of it in a transaction
// that has failed.
func readCommit(rows *pgconn.ResultReader) error {
	tag, err := rows.Close()
	if err == nil && tag.String() != commitTx.text {
		err = pgx.ErrTxCommitRollback
	}
	return err
}

func (c pgxConn) undo(_ context.Context, b *batch, _ bool) error {
	b.queue(rollbackTx, nil)
	return nil
}

func (c pgxConn) rollback(ctx context.Context) error { return execRollback(ctx, c.Conn.Conn()) }

// free gives the connection back. The pool closes one that is not idle.
func (c pgxConn) free() { c.Release() }

// sqlPool is the database/sql form.
type sqlPool struct{ db *sql.DB }

func (p sqlPool) acquire(ctx context.Context) (conn, error) {
	c, err := p.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &sqlConn{Conn: c}, nil
}

type sqlConn struct {
	*sql.Conn
	tx   *sql.Tx // nil before begin
	end  context.CancelFunc
	away bool // the driver has it; still set after a panic of the driver
}

// call lets f use the driver.
func (c *sqlConn) call(f func() error) error {
	c.away = true
	err := f()
	c.away = false
	return err
}

func (c *sqlConn) do(f func(*pgx.Conn) error) error {
	// A panic must not get through Raw, which would wait for the end of the
	// transaction.
	var panicked any
	err := c.Raw(func(driver any) (err error) {
		pc, ok := driver.(interface{ Conn() *pgx.Conn }) // *stdlib.Conn
		if !ok {
			return fmt.Errorf("the database's driver is %T: open it with github.com/jackc/pgx/v5/stdlib, as in sql.Open(%q, url), and do not wrap the driver", driver, "pgx")
		}
		defer func() {
			if panicked = recover(); panicked != nil {
				closeNow(pc.Conn())
			}
		}()
		return f(pc.Conn())
	})
	if panicked != nil {
		panic(panicked)
	}
	return err
}

// closeNow closes a connection on which the driver has panicked.
func closeNow(pc *pgx.Conn) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // no farewell
	_ = pc.Close(ctx)
}

// begin opens the transaction that the handler gets. database/sql ends one with
// the context of its BEGIN; this one ends with it as long as begin lasts.
func (c *sqlConn) begin(ctx context.Context, b *batch, unnamed bool) (err error) {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	c.end = end
	stop := context.AfterFunc(ctx, end)
	err = c.call(func() error {
		c.tx, err = c.BeginTx(life, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
		return err
	})
	if err == nil {
		err = c.do(func(pc *pgx.Conn) error { return b.send(ctx, pc, unnamed) })
	}
	if !stop() {
		return ctx.Err()
	}
	return err
}

func (c *sqlConn) commit(ctx context.Context, b *batch, unnamed bool) error {
	if err := c.do(func(pc *pgx.Conn) error { return b.send(ctx, pc, unnamed) }); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, c.end) // Commit takes no context
	defer stop()
	return c.call(c.tx.Commit)
}

func (c *sqlConn) undo(ctx context.Context, b *batch, unnamed bool) error {
	err := c.do(func(pc *pgx.Conn) error { return b.send(ctx, pc, unnamed) })
	if err != nil {
		return err
	}
	b.clear()
	return c.rollback(ctx)
}

func (c *sqlConn) rollback(context.Context) error {
	if c.tx == nil || c.away {
		return nil
	}
	timer := time.AfterFunc(undoBudget, c.end) // Rollback takes no context
	defer timer.Stop()
	return c.call(c.tx.Rollback)
}

// free gives the connection back. One on which the driver has panicked is closed
// for the server only: database/sql goes on to wait for the call that did not
// return, and so would whoever calls Rollback or Close.
func (c *sqlConn) free() {
	defer func() {
		if c.away {
			_ = c.do(func(pc *pgx.Conn) error {
				closeNow(pc)
				return nil
			})
		}
	}()
	if c.away {
		return
	}
	_ = c.rollback(context.Background()) // nothing to undo after a commit
	_ = c.do(func(pc *pgx.Conn) error {
		if !pc.IsClosed() && pc.PgConn().TxStatus() != statusIdle {
			closeNow(pc) // the driver believes that it is
		}
		return nil
	})
	if c.end != nil {
		c.end()
	}
	_ = c.Close() // back to the pool
}
