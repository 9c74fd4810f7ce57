package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// A session is a connection that is taken from the pool for a transaction, and
// the user lock that it holds meanwhile. It lives until free, whatever becomes of
// the context that it was begun with.
type session struct {
	s    *Store
	conn *sql.Conn
	tx   *sql.Tx
	end  context.CancelFunc
	lock string // name of the user lock; empty: none
	away bool   // the driver has the connection; still set after a panic of the driver

	// stuck: a COMMIT has failed, and nobody knows whether the transaction is still
	// open. What the connection's next user does would become part of it.
	stuck bool
}

// call lets f use the driver.
func (x *session) call(f func() error) error {
	x.away = true
	err := f()
	x.away = false
	return err
}

// run executes a statement that has no arguments.
func (x *session) run(ctx context.Context, text string) error {
	return x.call(func() error {
		_, err := x.tx.ExecContext(ctx, text)
		return err
	})
}

// exec executes a prepared statement.
func (x *session) exec(ctx context.Context, stmt *sql.Stmt, args []any) (result sql.Result, err error) {
	err = x.call(func() error {
		result, err = x.tx.StmtContext(ctx, stmt).ExecContext(ctx, args...)
		return err
	})
	return result, err
}

func (s *Store) connect(ctx context.Context) (*session, error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &session{s: s, conn: conn}, nil
}

// takeLock takes the user lock of id unless another session has it. It returns
// the lowest fence for a claim that is decided from now on, and the isolation
// level to ask for.
func (x *session) takeLock(ctx context.Context, id *idem.ID) (fence int64, level sql.IsolationLevel, ok bool, err error) {
	var (
		locked    sql.NullInt64
		isolation string
	)
	lock := x.s.lockName(id)
	query := fmt.Sprintf(lockSQL, lock, x.s.server.isolation)
	err = x.call(func() error { return x.conn.QueryRowContext(ctx, query).Scan(&locked, &isolation, &fence) })
	if err == nil && !locked.Valid {
		err = errNoLock
	}
	if err != nil {
		return 0, 0, false, err
	}
	if locked.Int64 == 1 {
		x.lock = lock
	}
	level = sql.LevelReadCommitted
	if isolation == "READ-COMMITTED" {
		level = sql.LevelDefault // saves the statement that says so
	}
	return fence, level, x.lock != "", nil
}

var errNoLock = errors.New("GET_LOCK returned NULL: the server has no room for user locks")

// begin begins the transaction.
func (x *session) begin(wait context.Context, level sql.IsolationLevel) (err error) {
	// database/sql ends a transaction with the context of its BEGIN. This one
	// ends with the wait, or not at all.
	var life context.Context
	life, x.end = context.WithCancel(context.WithoutCancel(wait))
	stop := context.AfterFunc(wait, x.end)
	err = x.call(func() error {
		x.tx, err = x.conn.BeginTx(life, &sql.TxOptions{Isolation: level})
		return err
	})
	if err != nil {
		return err
	}
	if !stop() {
		return wait.Err()
	}
	return nil
}

// free undoes what was not committed, gives up the user lock, and returns the
// connection to the pool. A connection that may still hold the lock is closed
// instead: with it the lock goes.
func (x *session) free() {
	defer func() {
		if x.away {
			x.drop()
		}
	}()
	if x.away {
		return
	}
	if x.tx != nil {
		_ = x.rollback() // nothing to undo after a commit
	}
	if x.end != nil {
		x.end()
	}
	if x.lock != "" {
		ctx, cancel := context.WithTimeout(context.Background(), x.s.busy)
		defer cancel()
		err := x.call(func() error {
			_, err := x.conn.ExecContext(ctx, "DO RELEASE_LOCK('"+x.lock+"')")
			return err
		})
		if err != nil {
			x.discard()
		}
	}
	if x.stuck {
		x.discard()
	}
	_ = x.conn.Close() // back to the pool, if it is not discarded
}

// rollback undoes the transaction. When that fails, the connection is closed: the
// next transaction to begin there would commit what is left of this one.
func (x *session) rollback() error {
	err := x.call(x.tx.Rollback)
	if err != nil && !errors.Is(err, sql.ErrTxDone) {
		x.discard()
	}
	return err
}

// discard closes the connection. The server then undoes what is not committed.
func (x *session) discard() {
	x.lock = ""
	_ = x.conn.Raw(func(any) error { return driver.ErrBadConn })
}

// drop closes a connection on which the driver has panicked, so that the server
// undoes what is not committed and frees the lock. database/sql does not notice:
// it goes on to wait for the call that did not return, and so would whoever calls
// Rollback or Close.
func (x *session) drop() {
	_ = x.conn.Raw(func(c any) error { return c.(driver.Conn).Close() })
}

// await waits until no session holds the user lock of that name: then a commit
// that was on its way there has happened or never will.
func (s *Store) await(ctx context.Context, lock string) error {
	return s.within(ctx, func(ctx context.Context) error {
		x, err := s.connect(ctx)
		if err != nil {
			return err
		}
		defer x.free()
		var locked sql.NullInt64
		patience := int(s.busy/time.Second) + 1 // seconds; ctx ends before
		err = x.call(func() error {
			return x.conn.QueryRowContext(ctx, "SELECT GET_LOCK(?, ?)", lock, patience).Scan(&locked)
		})
		if err != nil {
			return err
		}
		if locked.Int64 != 1 {
			return errors.New("the session is still there")
		}
		x.lock = lock
		return nil
	})
}
