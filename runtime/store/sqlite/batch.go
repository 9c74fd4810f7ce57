package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"

	idem "github.com/idemgen/idemgen/runtime"
)

// A batch is one transaction that requests share, a savepoint each. Who has the
// turn of the store's gate works on it; who has finished waits for done.
type batch struct {
	conn   *sql.Conn
	lost   bool         // the driver has panicked on conn
	shares int          // requests that have joined
	kept   bool         // one of them has left its work in the transaction
	state  atomic.Int32 // hooks of the connection read and write it too
	done   chan struct{}
	err    error // valid after done: why the batch was not committed
}

// The states of a batch.
const (
	batchOpen   int32 = iota
	batchUndone       // a handler or SQLite has ended the transaction
	batchEnding       // the store itself commits or gives up
)

// join gives w a share of the open batch, and opens one if there is none. The
// wait is for what others outside the store have: the connection and the file.
func (w *writer) join(wait context.Context) error {
	s := w.s
	if s.batch == nil {
		b, err := s.openBatch(wait)
		if err != nil {
			return err
		}
		s.batch = b
	}
	b := s.batch
	b.shares++
	w.share = &share{batch: b}
	return w.call(func() (err error) {
		// Detached from the wait: database/sql ends a transaction with its context.
		w.tx, err = b.conn.BeginTx(context.WithValue(context.Background(), shareKey{}, w.share), nil)
		return err
	})
}

func (s *Store) openBatch(wait context.Context) (*batch, error) {
	conn, err := s.writer.Conn(wait)
	if err != nil {
		return nil, err
	}
	begun := false
	defer func() { // also on a panic of the driver
		if !begun {
			// An interrupted BEGIN may have taken effect.
			_, _ = conn.ExecContext(context.WithoutCancel(wait), "ROLLBACK")
			_ = conn.Close() // back to the pool
		}
	}()
	if _, err := conn.ExecContext(wait, "BEGIN IMMEDIATE"); err != nil {
		return nil, err
	}
	begun = true
	return &batch{conn: conn, done: make(chan struct{})}, nil
}

// pass ends the caller's turn. The batch goes to who waits; without anyone, or
// when it is full or undone, it ends here, and all whose share is in it hear of
// that at the same time.
func (s *Store) pass() {
	b := s.batch
	if b == nil {
		s.gate.leave()
		return
	}
	if b.shares < s.group && b.state.Load() == batchOpen && s.gate.handOver() {
		return
	}
	defer s.gate.leave() // also on a panic of the driver
	s.batch = nil
	b.end()
}

// errBatchUndone is for requests whose finished work went down with somebody
// else's. Nothing of it was committed: the commit hook sees to that.
var errBatchUndone = fmt.Errorf("the shared transaction was ended by another request: %w", idem.ErrRetryTx)

// end commits the batch, unless it was undone.
func (b *batch) end() {
	b.err = errors.New("the commit did not come to its end")
	defer close(b.done)
	defer b.giveBack() // also on a panic of the driver
	ctx := context.Background()
	if b.state.Swap(batchEnding) == batchOpen {
		_, b.err = b.conn.ExecContext(ctx, "COMMIT")
	} else {
		b.err = errBatchUndone
	}
	if b.err != nil {
		_, _ = b.conn.ExecContext(ctx, "ROLLBACK") // there may be nothing left of it
	}
}

// lose notes that the driver has panicked: nobody knows what the transaction
// holds now.
func (b *batch) lose() {
	b.lost = true
	b.state.CompareAndSwap(batchOpen, batchUndone)
}

func (b *batch) giveBack() {
	if b.lost {
		drop(b.conn)
	} else {
		_ = b.conn.Close() // back to the pool
	}
}
