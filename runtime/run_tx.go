package runtime

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// runInTx runs the handler inside the store's transaction and settles both
// together. It reports false when the transaction was undone by the database
// and the request may be run again.
func (x *exchange) runInTx(tx StoreTx, c Claimed) (settled bool) {
	rec := newRecorder()
	defer rec.free()
	n := x.newRun(rec)
	n.tx, n.fence, n.attempts = tx, c.Fence, c.Attempts
	defer n.cancel(nil)
	finished := false
	defer func() {
		if !finished { // a panic or an ended goroutine: nothing may stay open
			x.rollback(n)
			x.count(n, OutcomeNotRecorded)
		}
	}()
	n.handle()
	settled = x.settleTx(n)
	finished = true
	return settled
}

// settleTx commits or undoes the run and answers the client.
func (x *exchange) settleTx(n *run) (settled bool) {
	verdict := n.verdict()
	if n.rec.err != nil && x.retryable(n.rec.err) {
		x.rollback(n)
		return false
	}
	keep := !n.already && (n.rec.status < 400 || n.keeps())
	if verdict != verdictRecord || (!x.hasKey && !keep) {
		x.rollback(n)
		x.count(n, OutcomeNotRecorded)
		n.rec.send(x.w)
		return true
	}
	if keep {
		if err := n.commitHooks(); err != nil {
			return x.undo(n, err)
		}
	}
	n.setVersion()
	var done *Completion
	if x.hasKey {
		done = &Completion{Response: x.response(n), TTL: x.p.Idempotency.TTL}
	}
	since := x.h.stopwatch()
	err := n.tx.Complete(n.base, done, keep)
	x.h.stored(n, "complete", since, err)
	switch {
	case err == nil:
		x.executed(n)
		n.rec.send(x.w)
		return true
	case errors.Is(err, ErrRetryTx):
		return false
	case errors.Is(err, ErrTxEnded):
		x.h.fault(n, x.p.Operation, x.keyID(), "the handler ended the transaction", err)
		x.count(n, OutcomeNotRecorded)
		x.h.refuse(x.w, x.r, x.p.Operation, internalError.unclear(), "")
		return true
	}
	x.resolveCommit(n, err)
	return true
}

// undo rolls back because of err and answers 500.
func (x *exchange) undo(n *run, err error) (settled bool) {
	x.rollback(n)
	if x.retryable(err) {
		return false
	}
	n.rec.err = err
	n.answerError(x.r)
	x.count(n, OutcomeNotRecorded)
	n.rec.send(x.w)
	return true
}

// resolveCommit finds out what became of a commit whose answer was lost. It
// never guesses: the key tells, and where it cannot, the client asks again.
func (x *exchange) resolveCommit(n *run, cause error) {
	x.h.fault(n, x.p.Operation, x.keyID(), "the commit's outcome is unclear", cause)
	if x.hasKey {
		record, found, err := x.lookup(n.base)
		if err == nil && found && record.State == StateDone && record.Fingerprint == x.fingerprint {
			x.executed(n)
			n.rec.send(x.w)
			return
		}
	}
	if !x.hasKey { // no record tells, and none will recognise a retry
		x.h.refuse(x.w, x.r, x.p.Operation, internalError.unclear(), "")
		return
	}
	x.count(n, OutcomeStoreError)
	x.h.refuseLater(x.w, x.r, x.p.Operation, storeUnavailable, x.waitHint())
}

func (x *exchange) rollback(n *run) {
	since := x.h.stopwatch()
	err := n.tx.Rollback(n.base)
	x.h.stored(n, "rollback", since, err)
	if err != nil { // the database undoes what nobody commits
		x.h.fault(n, x.p.Operation, x.keyID(), "rollback failed", err)
	}
}

func (x *exchange) retryable(err error) bool {
	if errors.Is(err, ErrRetryTx) {
		return true
	}
	retrier, ok := x.p.tx.(TxRetrier)
	return ok && retrier.RetryableTx(err)
}

func (x *exchange) lookup(ctx context.Context) (record Record, found bool, err error) {
	since := x.h.stopwatch()
	record, found, err = x.p.store.Lookup(ctx, x.id)
	x.h.stored(ctx, "lookup", since, err)
	return record, found, err
}

// executed counts a run whose answer is kept.
func (x *exchange) executed(n *run) {
	if x.h.metrics.ResponseSize != nil && x.hasKey {
		x.h.responseSize(n, x.p.Operation, len(n.rec.body))
	}
	x.count(n, OutcomeExecuted)
}

// count counts the outcome of a request that had a key.
func (x *exchange) count(ctx context.Context, o Outcome) {
	if x.hasKey {
		x.h.outcome(ctx, x.p.Operation, &x.id, o)
	}
}

// pause spaces the runs of a request whose transaction was undone. It reports
// whether another run is allowed.
func pause(runs int) bool {
	if runs >= maxRuns {
		return false
	}
	time.Sleep(time.Duration(runs)*retryPause + rand.N(retryPause))
	return true
}

// storeFailed answers a request that could not be claimed.
func (x *exchange) storeFailed(err error) {
	ctx := x.r.Context()
	x.h.fault(ctx, x.p.Operation, x.keyID(), "the store failed", err)
	x.count(ctx, OutcomeStoreError)
	x.h.refuseLater(x.w, x.r, x.p.Operation, storeUnavailable, x.waitHint())
}

func (x *exchange) waitHint() time.Duration {
	return orDefault(x.p.retryAfter, defaultRetryAfter)
}
