package runtime

import (
	"context"
	"errors"
)

// runInLease runs the handler under a lease: claim, the handler's writes and
// the answer are separate commits.
func (x *exchange) runInLease(c Claimed) {
	rec := newRecorder()
	defer rec.free()
	n := x.newRun(rec)
	n.fence, n.attempts = c.Fence, c.Attempts
	defer n.cancel(nil)
	defer func() {
		if !n.settled { // a panic or an ended goroutine, in the handler or in a hook
			n.stopBeating()
			x.give(n, "abandon", x.p.store.Abandon)
			x.count(n, OutcomeNotRecorded)
		}
	}()
	if !x.p.Idempotency.NoHeartbeat {
		n.beat()
	}
	n.handle()
	n.hooksWithoutTx(x.r)
	n.stopBeating()
	lost := false
	switch n.verdict() {
	case verdictRecord:
		x.record(n)
		return
	case verdictRefuse:
		lost = x.give(n, "release", x.p.store.Release)
	case verdictUnclear:
		lost = x.give(n, "abandon", x.p.store.Abandon)
	}
	if lost {
		x.answerLost(n)
		return
	}
	x.count(n, OutcomeNotRecorded)
	rec.send(x.w)
}

// record stores the answer and sends it. A failing store does not take the
// answer from the client, whose effect has happened; the record runs to the end
// of its lease.
func (x *exchange) record(n *run) {
	n.setVersion()
	resp := x.response(n)
	since := x.h.stopwatch()
	err := x.p.store.Complete(n.base, x.id, n.fence, resp, x.p.Idempotency.TTL)
	n.settled = true
	x.h.stored(n, "complete", since, err)
	switch {
	case n.replaced(err):
		x.answerLost(n)
		return
	case err != nil:
		x.h.fault(n, x.p.Operation, x.keyID(), "the answer could not be recorded", err)
		x.count(n, OutcomeNotRecorded)
	default:
		x.executed(n)
	}
	n.rec.send(x.w)
}

// answerLost answers for a run whose claim somebody else took over. Its own
// answer is no longer the truth: only a record of the same request is.
func (x *exchange) answerLost(n *run) {
	x.h.tell(n, x.p.Operation, x.h.metrics.Lost)
	x.h.fault(n, x.p.Operation, x.keyID(), "the claim was taken over while the handler ran", ErrClaimLost)
	record, found, err := x.lookup(n.base)
	switch {
	case err != nil:
		x.storeFailed(err)
	case found && record.Fingerprint == x.fingerprint && record.State == StateDone:
		x.replay(&record)
	case found && record.Fingerprint == x.fingerprint && record.State == StateRunning:
		x.answerRunning(&record)
	default:
		x.answerUnknown()
	}
}

// give ends a claim without an answer. It reports whether somebody else had
// taken it over.
func (x *exchange) give(n *run, verb string, end func(context.Context, ID, Fence) error) (lost bool) {
	n.settled = true
	since := x.h.stopwatch()
	err := end(n.base, x.id, n.fence)
	x.h.stored(n, verb, since, err)
	if err != nil { // the lease ends it later
		x.h.fault(n, x.p.Operation, x.keyID(), verb+" failed", err)
	}
	return n.replaced(err)
}

// replaced reports whether another attempt has the claim, from what the store
// said when the run ended. Where that call failed, what a heartbeat was told
// before still holds: a lost claim never comes back.
func (n *run) replaced(err error) bool {
	if err == nil || errors.Is(err, ErrClaimLost) {
		return err != nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lost
}
