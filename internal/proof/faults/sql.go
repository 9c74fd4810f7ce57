package faults

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"strings"
)

// Connector makes connections of a database/sql driver that fail as a plan says.
type Connector struct {
	driver.Connector
	Plan *Plan

	// CommitCleans: the driver undoes the transaction when its COMMIT fails. Other
	// drivers leave it open, as the server does.
	CommitCleans bool
}

// Connect implements [driver.Connector].
func (c Connector) Connect(ctx context.Context) (driver.Conn, error) {
	var conn *conn
	err := c.Plan.around(ctx, nobody{}, "connect", func() error {
		inner, err := c.Connector.Connect(ctx)
		if err == nil {
			conn = newConn(inner, c.Plan)
			conn.commitCleans = c.CommitCleans
		}
		return err
	})
	if err != nil {
		if conn != nil {
			_ = conn.Close() // it was never handed out
		}
		return nil, err
	}
	c.Plan.add(conn)
	return conn, nil
}

// nobody has no connection yet.
type nobody struct{}

func (nobody) giveUp() {}

// fullConn is what both drivers offer.
type fullConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type conn struct {
	fullConn
	plan         *Plan
	commitCleans bool
	gone         bool
	open         map[io.Closer]struct{} // statements and rows
}

func newConn(inner driver.Conn, p *Plan) *conn {
	return &conn{fullConn: inner.(fullConn), plan: p, open: map[io.Closer]struct{}{}}
}

// giveUp closes the connection, and first what is open on it, without which
// SQLite keeps its locks: the database undoes what it has not committed.
func (c *conn) giveUp() {
	if c.gone {
		return
	}
	c.gone = true
	c.plan.remove(c)
	for _, statements := range []bool{false, true} { // after their rows
		for o := range c.open {
			if _, ok := o.(driver.Stmt); ok == statements {
				_ = o.Close() // nobody listens any more
			}
		}
	}
	_ = c.fullConn.Close()
}

// close closes what is open on the connection, unless that is gone.
func (c *conn) close(o io.Closer) error {
	if c.gone {
		return nil
	}
	delete(c.open, o)
	return o.Close()
}

// around is [Plan.around] on a connection that may be gone.
func (c *conn) around(ctx context.Context, boundary string, call func() error) error {
	if c.gone {
		return driver.ErrBadConn
	}
	return c.plan.around(ctx, c, boundary, call)
}

func (c *conn) Close() error {
	if c.gone {
		return nil
	}
	c.gone = true
	c.plan.remove(c)
	return c.fullConn.Close()
}

func (c *conn) IsValid() bool { return !c.gone && c.fullConn.IsValid() }

func (c *conn) ResetSession(ctx context.Context) error {
	if c.gone {
		return driver.ErrBadConn
	}
	return c.fullConn.ResetSession(ctx)
}

// CheckNamedValue implements [driver.NamedValueChecker] for drivers that do not.
func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.fullConn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	var t driver.Tx
	err := c.around(ctx, "BEGIN", func() error {
		begun, err := c.fullConn.BeginTx(ctx, opts)
		if err == nil {
			t = begun
		}
		return err
	})
	if err != nil {
		if t != nil && !c.gone {
			_ = t.Rollback() // a driver that fails has no transaction open
		}
		return nil, err
	}
	return &tx{t, c}, nil
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (r driver.Result, err error) {
	err = c.around(ctx, brief(query), func() (err error) {
		r, err = c.fullConn.ExecContext(ctx, query, args)
		return err
	})
	return r, err
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.query(ctx, brief(query), func() (driver.Rows, error) { return c.fullConn.QueryContext(ctx, query, args) })
}

func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	var s driver.Stmt
	err := c.around(ctx, "prepare "+brief(query), func() error {
		prepared, err := c.fullConn.PrepareContext(ctx, query)
		if err == nil {
			s = prepared
			c.open[s] = struct{}{}
		}
		return err
	})
	if err != nil {
		if s != nil {
			_ = c.close(s) // it was never handed out
		}
		return nil, err
	}
	return &stmt{s.(fullStmt), c, brief(query)}, nil
}

func (c *conn) query(ctx context.Context, text string, query func() (driver.Rows, error)) (driver.Rows, error) {
	var r driver.Rows
	err := c.around(ctx, text, func() error {
		opened, err := query()
		if err == nil {
			r = opened
			c.open[r] = struct{}{}
		}
		return err
	})
	if err != nil {
		if r != nil {
			_ = c.close(r) // it was never handed out
		}
		return nil, err
	}
	return &rows{r, c}, nil
}

// fullStmt is what both drivers' statements offer.
type fullStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type stmt struct {
	fullStmt
	conn *conn
	text string
}

func (s *stmt) Close() error { return s.conn.close(s.fullStmt) }

// CheckNamedValue implements [driver.NamedValueChecker] for drivers that do not.
func (s *stmt) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := s.fullStmt.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return s.conn.CheckNamedValue(v)
}

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (r driver.Result, err error) {
	err = s.conn.around(ctx, s.text, func() (err error) {
		r, err = s.fullStmt.ExecContext(ctx, args)
		return err
	})
	return r, err
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.conn.query(ctx, s.text, func() (driver.Rows, error) { return s.fullStmt.QueryContext(ctx, args) })
}

type rows struct {
	driver.Rows
	conn *conn
}

func (r *rows) Next(to []driver.Value) error {
	var end error
	err := r.conn.around(context.Background(), "next row", func() error {
		err := r.Rows.Next(to)
		if errors.Is(err, io.EOF) { // no failure
			end = io.EOF
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	return end
}

func (r *rows) Close() error { return r.conn.close(r.Rows) }

type tx struct {
	driver.Tx
	conn *conn
}

func (t *tx) Commit() error {
	done := false
	err := t.conn.around(context.Background(), "COMMIT", func() error {
		done = true
		return t.Tx.Commit()
	})
	if err != nil && !done && !t.conn.gone && t.conn.commitCleans {
		_ = t.Tx.Rollback()
	}
	return err
}

// Rollback may leave the transaction open when it fails, which makes a
// difference to nobody but the connection's next user.
func (t *tx) Rollback() error {
	return t.conn.around(context.Background(), "ROLLBACK", t.Tx.Rollback)
}

// brief is the beginning of a statement.
func brief(query string) string {
	words := strings.Fields(query)
	return strings.Join(words[:min(3, len(words))], " ")
}
