package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	idem "github.com/idemgen/idemgen/runtime"
)

// storeTx implements [idem.StoreTx].
type storeTx struct {
	s     *Store
	conn  conn
	claim *idem.Claim // nil: nothing is recorded
	owned idem.Claimed
	given any         // to the handler
	run   *handlerRun // nil in the database/sql form
	spent bool

	started  int64 // when the transaction began, as the database counts
	replaces bool  // the claim has met a record that may be replaced
}

// give makes what the handler gets.
func (t *storeTx) give() {
	switch c := t.conn.(type) {
	case pgxConn:
		t.run = &handlerRun{conn: c.Conn.Conn()}
		t.given = &handlerTx{run: t.run}
	case *sqlConn:
		t.given = c.tx
	}
}

// Tx returns a [pgx.Tx] or a *sql.Tx.
func (t *storeTx) Tx() any { return t.given }

// Complete implements [idem.StoreTx]. A context that is cancelled before the
// call rolls back. When it ends later, or the connection is lost, the outcome is
// open; Complete then returns only after the server has settled the transaction,
// as far as that can be seen within ctx and the store's budget.
func (t *storeTx) Complete(ctx context.Context, done *idem.Completion, keep bool) error {
	if t.spent {
		return errSpent
	}
	defer t.finish()
	// Before anything is committed: from then on the table tells.
	t.leave()
	if err := t.settle(ctx, done, keep); err != nil {
		return fmt.Errorf("postgres: complete: %w", t.s.txError(err))
	}
	if done != nil && t.claim != nil {
		t.s.answered.add(&t.claim.ID)
	}
	return nil
}

func (t *storeTx) settle(ctx context.Context, done *idem.Completion, keep bool) error {
	err := ctx.Err()
	if err == nil {
		err = t.handlerFault()
	}
	var status byte
	if err == nil {
		err = t.conn.do(func(pc *pgx.Conn) error {
			if pc.IsClosed() {
				return errLost
			}
			if pc.PgConn().IsBusy() {
				return fmt.Errorf("%w: it left rows or a batch open: close them", idem.ErrTxEnded)
			}
			status = pc.PgConn().TxStatus()
			return nil
		})
	}
	switch {
	case err != nil:
	case status == statusIdle:
		err = idem.ErrTxEnded
	case status == statusFailed && keep:
		err = errIgnored
	}
	if err != nil {
		_ = t.conn.rollback(ctx) // err says more
		if errors.Is(err, errLost) {
			t.await(ctx)
		}
		return err
	}
	return t.commit(ctx, done, keep, status)
}

// commit sends the last statements and finds out what a failure means.
func (t *storeTx) commit(ctx context.Context, done *idem.Completion, keep bool, status byte) error {
	if t.claim == nil {
		done = nil
	}
	b := newBatch()
	var err error
	if keep {
		if done != nil {
			t.queueAnswer(b, done, b.int8(t.started))
		} else {
			b.queue(t.s.sql.same, nil, b.int8(t.started))
		}
		err = t.conn.commit(ctx, b, t.s.unnamed)
	} else {
		err = t.recordOnly(ctx, b, done, status)
	}
	if err == nil {
		return nil
	}
	_ = t.conn.rollback(ctx) // err says more
	q := &t.s.sql
	switch code, failed := codeOf(err), b.failed(); {
	case failed == q.insert && code == codeDuplicate, failed == q.replace && code == codeDivisionByZero:
		err = fmt.Errorf("%w: %w", errTaken, err)
	case code == codeBadText && (failed == q.insert || failed == q.replace || failed == q.same):
		err = fmt.Errorf("%w: %w", idem.ErrTxEnded, err)
	case t.s.RetryableTx(err), code == codeTransactionFailed, errors.Is(err, pgx.ErrTxCommitRollback):
	default: // also the server may say that it goes away after it has committed
		t.await(ctx)
	}
	return err
}

// recordOnly undoes what the handler wrote and stores the answer, in a
// transaction that follows in the same round trip. A savepoint before each
// handler would do that too, at the price of a subtransaction for all those that
// need none. Between the two transactions another one may begin with the same
// key; the primary key lets one of them commit.
func (t *storeTx) recordOnly(ctx context.Context, b *batch, done *idem.Completion, status byte) error {
	if status != statusFailed { // in a failed transaction nothing else may be asked
		b.queue(t.s.sql.same, nil, b.int8(t.started))
	}
	if err := t.conn.undo(ctx, b, t.s.unnamed); err != nil {
		return err
	}
	if done != nil {
		b.queue(beginTx, nil)
		t.queueAnswer(b, done, nil)
		b.queue(commitTx, readCommit)
	}
	return t.conn.do(func(pc *pgx.Conn) error { return b.send(ctx, pc, t.s.unnamed) })
}

// queueAnswer stores the finished record.
func (t *storeTx) queueAnswer(b *batch, done *idem.Completion, started []byte) {
	c, r := t.claim, &done.Response
	answer := t.s.sql.insert
	if t.replaces {
		answer = t.s.sql.replace
	}
	b.queue(answer, nil, c.ID[:], c.Fingerprint[:], b.int8(int64(t.owned.Fence)), b.int4(int32(t.owned.Attempts)),
		b.int8(micros(done.TTL)), b.int2(int16(r.Status)), r.Headers, r.Body, b.int4(int32(r.Flags)), []byte(c.Operation), started)
}

// await gives the connection back, which is lost, and returns when the server
// has settled its transaction, so that a look-up afterwards tells what became of
// it, and a retry does not meet the lock of a run that is over. It waits no longer
// than ctx and the budget allow; what it cannot find out it leaves to the next
// one who claims.
func (t *storeTx) await(ctx context.Context) {
	t.conn.free()
	t.conn = nil
	if t.claim == nil {
		return
	}
	wait, cancel := context.WithTimeout(ctx, t.s.budget)
	defer cancel()
	c, err := t.s.acquire(wait)
	if err != nil {
		return
	}
	defer c.free()
	_ = c.do(func(pc *pgx.Conn) error {
		b := newBatch()
		b.queue(t.s.sql.await, nil, b.int8(t.s.lockOf(&t.claim.ID)))
		return b.send(wait, pc, t.s.unnamed)
	})
}

// Rollback implements [idem.StoreTx]. It does not look at ctx: a connection that
// goes back to the pool has to be clean. When the handler has ended the
// transaction, the first call says so with [idem.ErrTxEnded].
func (t *storeTx) Rollback(ctx context.Context) error {
	if t.spent {
		return nil
	}
	defer t.finish()
	t.leave()
	fault := t.handlerFault()
	if fault == nil {
		fault = t.conn.do(func(pc *pgx.Conn) error {
			if !pc.IsClosed() && pc.PgConn().TxStatus() == statusIdle {
				return idem.ErrTxEnded
			}
			return nil
		})
	}
	if err := errors.Join(fault, t.conn.rollback(ctx)); err != nil {
		return fmt.Errorf("postgres: rollback: %w", err)
	}
	return nil
}

// handlerFault closes what the handler left open, and says whether it tried to
// end the transaction.
func (t *storeTx) handlerFault() error {
	if t.run == nil {
		return nil
	}
	return t.run.end()
}

func (t *storeTx) leave() {
	if t.claim != nil {
		t.s.running.leave(&t.claim.ID, t.owned.Fence)
	}
}

func (t *storeTx) finish() {
	t.spent = true
	if t.run != nil {
		t.run.over = true
	}
	if t.conn != nil {
		t.conn.free()
	}
}
