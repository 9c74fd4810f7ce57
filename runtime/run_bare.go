package runtime

import (
	"bytes"
	"errors"
	"io"
	"net/http"
)

// runWithoutKey runs a request that has no key: only what x-etag and tx mode
// ask for is done, and nothing is recorded.
func (x *exchange) runWithoutKey() {
	if x.p.tx == nil {
		x.runBare()
		return
	}
	x.keepBody()
	for runs := 1; ; runs++ {
		tx, c, err := x.begin(nil)
		if err == nil && x.runInTx(tx, c) {
			return
		}
		if err != nil && !errors.Is(err, ErrRetryTx) {
			if x.p.observe && !x.p.guarded() { // the policy alone asks for the transaction
				x.h.fault(x.r.Context(), x.p.Operation, nil, "the store failed", err)
				x.runBare()
				return
			}
			x.storeFailed(err)
			return
		}
		if (err == nil && x.body == nil) || !pause(runs) {
			x.storeFailed(ErrRetryTx)
			return
		}
	}
}

// begin opens a transaction; a nil claim is a run without a key.
func (x *exchange) begin(claim *Claim) (tx StoreTx, c Claimed, err error) {
	ctx, since := x.r.Context(), x.h.stopwatch()
	tx, c, err = x.p.tx.Begin(ctx, claim)
	x.h.stored(ctx, "begin", since, err)
	return tx, c, err
}

// keepBody reads the body before the transaction begins, so that a slow client
// does not hold it open and the run can be repeated. A body over the limit
// stays a stream, and its run is not repeated.
func (x *exchange) keepBody() {
	if x.body != nil || x.r.Body == nil || x.r.Body == http.NoBody {
		if x.body == nil {
			x.useBody()
		}
		return
	}
	n, err := x.buffer.ReadFrom(io.LimitReader(x.r.Body, defaultMaxBody+1))
	if n <= defaultMaxBody && err == nil {
		x.useBody()
		return
	}
	begun := bytes.NewReader(x.buffer.Bytes())
	x.buffer = bytes.Buffer{} // it is the handler's now
	rest := io.Reader(x.r.Body)
	if err != nil { // the handler meets the error where it would have met it
		rest = failing{err}
	}
	x.r = x.r.WithContext(x.r.Context())
	x.r.Body = io.NopCloser(io.MultiReader(begun, rest))
}

// failingAfter is a body that was read up to its error.
func failingAfter(read []byte, err error) io.ReadCloser {
	return io.NopCloser(io.MultiReader(bytes.NewReader(bytes.Clone(read)), failing{err}))
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// runBare runs a request without store and transaction. A guarded operation
// still checks its preconditions and its witness.
func (x *exchange) runBare() {
	if !x.p.guarded() {
		if x.body != nil {
			x.r.Body = io.NopCloser(bytes.NewReader(x.ownBody()))
		}
		x.next(x.w, x.r)
		return
	}
	if x.p.Precondition.EqualRepresentation {
		x.keepBody()
	}
	rec := newRecorder()
	defer rec.free()
	n := x.newRun(rec)
	n.attempts = 1
	defer n.cancel(nil)
	n.handle()
	n.hooksWithoutTx(x.r)
	n.setVersion()
	rec.send(x.w)
}

// runObserved runs a request as if the policy were not there, and counts what
// the policy would have done.
func (x *exchange) runObserved() {
	ctx := x.r.Context()
	_, c, err := x.claim(ctx)
	if err != nil {
		x.h.fault(ctx, x.p.Operation, x.keyID(), "the store failed", err)
		x.count(ctx, OutcomeStoreError)
		x.unobserved()
		return
	}
	switch {
	case c.State == ClaimDone && c.Record.Fingerprint == x.fingerprint:
		x.count(ctx, OutcomeWouldReplay)
		x.unobserved()
	case c.State != ClaimOwned:
		x.count(ctx, OutcomeWouldConflict)
		x.unobserved()
	default:
		x.observeRun(c)
	}
}

// unobserved runs the request without its key.
func (x *exchange) unobserved() {
	x.hasKey = false
	x.runWithoutKey()
}

// observeRun runs the first request under a key and records that it did, but
// not what it answered.
func (x *exchange) observeRun(c Claimed) {
	watched := &statusWriter{ResponseWriter: x.w}
	x.w = watched
	n := x.newRun(nil) // the observation's, not the handler's
	n.fence = c.Fence
	finished := false
	defer func() {
		if !finished {
			x.give(n, "abandon", x.p.store.Abandon)
		}
	}()
	x.unobserved()
	finished = true
	x.hasKey = true
	switch x.p.verdict(orDefault(watched.status, http.StatusOK)) {
	case verdictRecord:
		since := x.h.stopwatch()
		err := x.p.store.Complete(n.base, x.id, n.fence, Response{Status: watched.status, Flags: FlagTombstone}, x.p.Idempotency.TTL)
		x.h.stored(n, "complete", since, err)
		if err != nil {
			x.h.fault(n, x.p.Operation, &x.id, "the observation could not be recorded", err)
		}
		x.count(n, OutcomeExecuted)
		return
	case verdictRefuse:
		x.give(n, "release", x.p.store.Release)
	case verdictUnclear:
		x.give(n, "abandon", x.p.store.Abandon)
	}
	x.count(n, OutcomeNotRecorded)
}

// statusWriter remembers the status that passes through it.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (s *statusWriter) WriteHeader(status int) {
	if s.status == 0 && status >= 200 {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

func (s *statusWriter) Write(b []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return s.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach Flush and Hijack.
func (s *statusWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }
