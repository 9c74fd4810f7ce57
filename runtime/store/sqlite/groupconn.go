package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	idem "github.com/idemgen/idemgen/runtime"
	modernc "modernc.org/sqlite"
)

// groupConnector makes connections on which requests can share a transaction.
type groupConnector struct{ driver.Connector }

// Connect implements [driver.Connector].
func (g groupConnector) Connect(ctx context.Context) (driver.Conn, error) {
	base, err := g.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := base.(fullConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("sqlite: the driver's %T lacks what group commit needs: upgrade the driver", base), base.Close())
	}
	c := &groupConn{fullConn: full}
	full.RegisterCommitHook(c.mayCommit)
	full.RegisterRollbackHook(c.rolledBack)
	return c, nil
}

// fullConn is what the driver's connections can do.
type fullConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
	modernc.HookRegisterer
	modernc.DBStatus
}

// A groupConn begins a savepoint in the batch's transaction for who comes with a
// share in the context, and a transaction for everyone else.
type groupConn struct {
	fullConn
	batch *batch // the latest on this connection
}

// Unwrap returns the driver's own connection.
func (c *groupConn) Unwrap() driver.Conn { return c.fullConn }

// mayCommit is SQLite's commit hook: other than zero, it turns a COMMIT into a
// ROLLBACK. A handler's COMMIT would make others' writes durable before their
// requests have been told so.
func (c *groupConn) mayCommit() int32 {
	if b := c.batch; b != nil && b.state.Load() != batchEnding {
		return 1
	}
	return 0
}

// rolledBack is SQLite's rollback hook. Besides a handler's ROLLBACK, SQLite
// undoes a transaction by itself: after ON CONFLICT ROLLBACK, when a write is
// interrupted, when the disk is full.
func (c *groupConn) rolledBack() {
	if b := c.batch; b != nil {
		b.state.CompareAndSwap(batchOpen, batchUndone)
	}
}

// shareKey is the context key of a share.
type shareKey struct{}

// BeginTx implements [driver.ConnBeginTx].
func (c *groupConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	s, ok := ctx.Value(shareKey{}).(*share)
	if !ok {
		return c.fullConn.BeginTx(ctx, opts)
	}
	c.batch = s.batch
	s.conn = c
	if err := c.run(setSavepoint); err != nil {
		return nil, err
	}
	return s, nil
}

func (c *groupConn) run(text string) error {
	_, err := c.ExecContext(context.Background(), text, nil)
	return err
}

// A share is one request's part of a batch. It is the driver's side of the
// *sql.Tx that the request's handler gets, and is over with it: a handler that
// goes on after its request gets sql.ErrTxDone, not the next one's savepoint.
type share struct {
	batch *batch
	conn  *groupConn
	own   bool // the store itself commits
}

var errShareEnded = fmt.Errorf("sqlite: %w", idem.ErrTxEnded)

// Commit implements [driver.Tx].
func (s *share) Commit() error {
	if !s.own {
		return errors.Join(errShareEnded, s.Rollback())
	}
	// A violated foreign key that is deferred would fail the commit of all.
	violated, _, err := s.conn.Status(modernc.DBStatusDeferredFKs, false)
	if err == nil && violated != 0 {
		err = errors.New("FOREIGN KEY constraint failed (deferred)")
	}
	if err == nil {
		err = s.conn.run(keepWrites)
	}
	if err != nil {
		return errors.Join(err, s.Rollback())
	}
	return nil
}

// Rollback implements [driver.Tx].
func (s *share) Rollback() error {
	if s.batch.state.Load() != batchOpen {
		return errShareEnded
	}
	err := s.conn.run(undoWrites)
	if err == nil {
		err = s.conn.run(keepWrites)
	}
	if err != nil {
		// Nobody knows what the transaction holds now.
		s.batch.state.CompareAndSwap(batchOpen, batchUndone)
	}
	return err
}
