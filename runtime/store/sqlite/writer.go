package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	idem "github.com/idemgen/idemgen/runtime"
)

// A writer is the one transaction that this store has open. It lives until
// commit or rollback, whatever becomes of the context that it was begun with.
type writer struct {
	s     *Store
	conn  *sql.Conn // nil in a batch, which has its own
	tx    *sql.Tx
	end   context.CancelFunc
	share *share // nil without group commit
	away  bool   // the driver has it; still set after a panic of the driver
	stuck bool   // nobody knows whether the transaction is still open
	freed bool
}

// call lets f use the driver.
func (w *writer) call(f func() error) error {
	w.away = true
	err := f()
	w.away = false
	return err
}

// exec executes a prepared statement.
func (w *writer) exec(ctx context.Context, stmt *sql.Stmt, args ...any) (result sql.Result, err error) {
	err = w.call(func() error {
		result, err = w.tx.StmtContext(ctx, stmt).ExecContext(ctx, args...)
		return err
	})
	return result, err
}

// run executes a statement that has no arguments.
func (w *writer) run(ctx context.Context, text string) error {
	return w.call(func() error {
		_, err := w.tx.ExecContext(ctx, text)
		return err
	})
}

// row reads the one row that a prepared statement yields.
func (w *writer) row(ctx context.Context, stmt *sql.Stmt, args []any, into ...any) error {
	return w.call(func() error { return w.tx.StmtContext(ctx, stmt).QueryRowContext(ctx, args...).Scan(into...) })
}

// turn waits until no other call of this store writes. Who gets it calls pass
// when done.
func (s *Store) turn(wait context.Context) error {
	missed, err := s.gate.enter(wait)
	if missed {
		s.pass()
	}
	return err
}

// waited explains an error that came after waiting for a connection: either the
// caller went away, or the budget is spent.
func (s *Store) waited(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if isContextError(err) {
		return fmt.Errorf("%w: the database was not free within %v", idem.ErrStoreBusy, s.busy)
	}
	return busyError(err)
}

// begin takes the write lock. It waits no longer than ctx and the budget allow.
func (s *Store) begin(ctx context.Context) (*writer, error) {
	wait, cancel := context.WithTimeout(ctx, s.busy)
	defer cancel()
	if err := s.turn(wait); err != nil {
		return nil, s.waited(ctx, err)
	}
	w := &writer{s: s}
	begun := false
	defer func() { // also on a panic of the driver
		if !begun {
			w.free()
		}
	}()
	if err := w.begin(wait); err != nil {
		return nil, s.waited(ctx, err)
	}
	begun = true
	return w, nil
}

func (w *writer) begin(wait context.Context) (err error) {
	if w.s.group > 0 {
		return w.join(wait)
	}
	if w.conn, err = w.s.writer.Conn(wait); err != nil {
		return err
	}
	// database/sql ends a transaction with the context of its BEGIN. This one
	// ends with the wait, or not at all.
	var life context.Context
	life, w.end = context.WithCancel(context.WithoutCancel(wait))
	stop := context.AfterFunc(wait, w.end)
	err = w.call(func() error {
		w.tx, err = w.conn.BeginTx(life, nil)
		return err
	})
	if err == nil && !w.s.immediate {
		_, err = w.exec(life, w.s.sql.lock)
	}
	if err != nil {
		return err
	}
	if !stop() {
		return wait.Err()
	}
	return nil
}

// commit makes what was written durable and visible. In a batch it gives the
// turn back first and waits for the batch.
func (w *writer) commit() error {
	if w.share == nil {
		return w.call(w.tx.Commit)
	}
	b := w.share.batch
	w.share.own = true
	err := w.call(w.tx.Commit)
	if err == nil {
		b.kept = true
	}
	w.free()
	if err != nil {
		return err
	}
	<-b.done
	return b.err
}

// free gives the connection and the turn back. What was not committed is undone.
// A second call does nothing.
func (w *writer) free() {
	if w.freed {
		return
	}
	w.freed = true
	defer w.s.pass()
	defer w.giveBack()
	if w.tx != nil && !w.away {
		_ = w.rollback() // nothing to undo after a commit
	}
}

// rollback undoes the transaction. When that fails, another one must not begin
// on the connection.
func (w *writer) rollback() error {
	err := w.call(w.tx.Rollback)
	if err != nil && !errors.Is(err, sql.ErrTxDone) {
		w.stuck = true
	}
	return err
}

// giveBack gives the connection back, if it is the writer's own.
func (w *writer) giveBack() {
	switch {
	case w.away && w.share != nil:
		w.share.batch.lose()
	case w.away:
		drop(w.conn)
	default:
		if w.end != nil {
			w.end()
		}
		if w.conn == nil {
			return
		}
		if w.stuck {
			_ = w.conn.Raw(func(any) error { return driver.ErrBadConn }) // closes it
		}
		_ = w.conn.Close() // back to the pool
	}
}

// drop undoes what is open on a connection on which the driver has panicked, and
// closes it, so that other processes can write. database/sql does not notice: it
// goes on to wait for the call that did not return, and so would whoever calls
// Rollback or Close.
func drop(conn *sql.Conn) {
	_ = conn.Raw(func(c any) error {
		_, err := c.(driver.ExecerContext).ExecContext(context.Background(), "ROLLBACK", nil)
		return errors.Join(err, c.(driver.Conn).Close())
	})
}

// exec executes one statement that is a transaction of its own, or has a share
// in one, and reports how many rows it changed.
func (s *Store) exec(ctx context.Context, stmt *sql.Stmt, args ...any) (n int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if s.group > 0 {
		err = s.write(ctx, func(ctx context.Context, w *writer) error {
			result, err := w.exec(ctx, stmt, args...)
			if err == nil {
				n, err = result.RowsAffected()
			}
			return err
		})
		return n, err
	}
	wait, cancel := context.WithTimeout(ctx, s.busy)
	defer cancel()
	if err := s.turn(wait); err != nil {
		return 0, s.waited(ctx, err)
	}
	defer s.pass()
	result, err := stmt.ExecContext(wait, args...)
	if err != nil {
		return 0, s.waited(ctx, err)
	}
	return result.RowsAffected()
}

// tries bounds how often a call of the store comes again after others have
// ended its batch.
const tries = 8

// write runs f in a transaction and returns when that is committed. f may run
// several times.
func (s *Store) write(ctx context.Context, f func(context.Context, *writer) error) error {
	for try := 1; ; try++ {
		err := s.writeOnce(ctx, f)
		if try == tries || !errors.Is(err, errBatchUndone) {
			return err
		}
	}
}

func (s *Store) writeOnce(ctx context.Context, f func(context.Context, *writer) error) error {
	w, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer w.free()
	if err := f(context.WithoutCancel(ctx), w); err != nil {
		return err
	}
	return w.commit()
}
