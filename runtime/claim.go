package runtime

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// runWithKey claims the key, and runs the request or answers it from what the
// claim met.
func (x *exchange) runWithKey() {
	wait := x.newWait()
	for runs := 1; ; {
		tx, c, err := x.claim(x.r.Context())
		switch {
		case errors.Is(err, ErrRetryTx) && pause(runs):
			runs++
		case err != nil:
			x.claimFailed(err)
			return
		case c.State == ClaimDone:
			x.remember()
			x.answerDone(&c.Record)
			return
		case c.State == ClaimRunning:
			if x.isInFlight(&c.Record) && wait.again(x.r.Context()) {
				continue
			}
			wait.report()
			x.remember()
			x.answerRunning(&c.Record)
			return
		case tx == nil:
			wait.report()
			x.runInLease(c)
			return
		default:
			wait.report()
			if x.runInTx(tx, c) {
				return
			}
			if !pause(runs) {
				x.storeFailed(ErrRetryTx)
				return
			}
			runs++
		}
	}
}

// claim asks the store for the right to run; in tx mode it opens the
// transaction.
func (x *exchange) claim(ctx context.Context) (tx StoreTx, c Claimed, err error) {
	policy := x.p.Idempotency
	ask := Claim{
		ID: x.id, Fingerprint: x.fingerprint, Lease: policy.Lease, TTL: max(policy.TTL, policy.Lease),
		Operation: x.p.ID,
	}
	if policy.OnCrash == OnCrashHold && x.p.tx == nil {
		ask.Hold, ask.TTL = true, holdRetention
	}
	if x.p.tx != nil && !x.p.observe {
		own := ask // a store may keep what it points to until the transaction ends
		return x.begin(&own)
	}
	since := x.h.stopwatch()
	c, err = x.p.store.Claim(ctx, ask)
	x.h.stored(ctx, "claim", since, err)
	if err == nil && c.State == ClaimOwned && c.Attempts > 1 {
		x.h.tell(ctx, x.p.Operation, x.h.metrics.Takeover)
	}
	return nil, c, err
}

// claimFailed answers a request whose key could not be claimed: with 503, or,
// where the policy prefers service over protection, by running it unprotected
// and saying so. A client that went away meanwhile made the claim fail, not the
// store, and it is the one that will send the request again.
func (x *exchange) claimFailed(err error) {
	if x.p.Idempotency.OnStoreError != OnStoreErrorRun || errors.Is(err, ErrRetryTx) || x.r.Context().Err() != nil {
		x.storeFailed(err)
		return
	}
	ctx := x.r.Context()
	x.h.fault(ctx, x.p.Operation, x.keyID(), "the store failed; the request runs unprotected", err)
	x.count(ctx, OutcomeUnprotected)
	x.hasKey = false
	x.w.Header().Set("Idempotency-Status", "unprotected")
	x.runBare()
}

// answerDone answers from a finished record.
func (x *exchange) answerDone(record *Record) {
	if record.Fingerprint != x.fingerprint {
		x.answerReused()
		return
	}
	x.replay(record)
}

// answerReused answers a key that belongs to another request.
func (x *exchange) answerReused() {
	x.count(x.r.Context(), OutcomeMismatch)
	k := keyReused
	k.status = x.p.mismatch
	x.h.refuse(x.w, x.r, x.p.Operation, k, "")
}

// isInFlight reports whether waiting can help: the same request runs.
func (x *exchange) isInFlight(record *Record) bool {
	return record.Fingerprint == x.fingerprint && !(record.Hold && record.LeaseLeft <= 0)
}

// answerRunning answers while, or after, somebody else runs without a result.
func (x *exchange) answerRunning(record *Record) {
	switch {
	case record.Fingerprint != x.fingerprint:
		x.answerReused()
	case !x.isInFlight(record):
		x.answerUnknown()
	default:
		x.answerInFlight(record.LeaseLeft)
	}
}

func (x *exchange) answerUnknown() {
	x.count(x.r.Context(), OutcomeUnknown)
	x.h.refuse(x.w, x.r, x.p.Operation, outcomeUnknown, "")
}

func (x *exchange) answerInFlight(leaseLeft time.Duration) {
	x.count(x.r.Context(), OutcomeInFlight)
	wait := x.p.retryAfter
	if leaseLeft > 0 {
		wait = min(wait, leaseLeft)
	}
	x.h.refuseLater(x.w, x.r, x.p.Operation, inFlight, wait)
}

// replay sends a recorded answer again: status, allow-listed headers and the
// exact octets (draft §2.6), or what its location leads to now.
func (x *exchange) replay(record *Record) {
	policy := &x.p.Idempotency.Replay
	resp := &record.Response
	if resp.Flags&FlagSealed != 0 {
		opened, err := x.h.open(x.r.Context(), x.id, resp)
		if err != nil {
			x.storeFailed(err)
			return
		}
		resp = &opened
	}
	header := x.w.Header()
	last, trace := "", ""
	err := decodeHeaders(resp.Headers, func(name, value string) {
		if name == traceparent {
			trace = value
			return
		}
		if name != last { // what a middleware set before is replaced, not joined
			header[name], last = x.one(value), name
			return
		}
		header[name] = append(header[name], value)
	})
	if err != nil {
		withdraw(header, resp.Headers)
		x.storeFailed(err)
		return
	}
	ctx, body, available := x.r.Context(), resp.Body, resp.Flags&FlagTombstone == 0
	if available && resp.Flags&FlagReference != 0 {
		body, available = x.renderAnew(header)
	}
	if !available {
		x.count(ctx, OutcomeUnavailable)
		location := header["Location"]
		withdraw(header, resp.Headers)
		if location != nil {
			header["Location"] = location
		}
		x.h.refuse(x.w, x.r, x.p.Operation, responseUnavailable, "")
		return
	}
	x.count(ctx, OutcomeReplayed)
	x.h.replayed(ctx, x.p.Operation, trace)
	status := resp.Status
	if policy.OK && status >= 200 && status <= 299 {
		status = http.StatusOK
	}
	header[x.p.marker] = markerTrue
	header["Cache-Control"] = noStore
	if policy.ExpiresHeader {
		expires := x.h.clock.Now().Add(record.ExpiresIn).UTC()
		header["Idempotency-Expires"] = []string{expires.Format(http.TimeFormat)}
	}
	setLength(header, status, len(body))
	x.w.WriteHeader(status)
	if len(body) > 0 {
		_, _ = x.w.Write(body) // the connection's failure is the server's to notice
	}
}

// withdraw takes recorded headers back out, and leaves what a middleware set.
func withdraw(header http.Header, recorded []byte) {
	_ = decodeHeaders(recorded, func(name, _ string) {
		if name != traceparent {
			delete(header, name)
		}
	}) // as far as it was read before
}

var markerTrue = []string{"true"}

// wait is the bounded patience of one duplicate.
type wait struct {
	x       *exchange
	until   time.Time
	started time.Time
	next    time.Duration
}

// The first look comes soon, later ones less often.
const (
	firstWait = 2 * time.Millisecond
	lastWait  = 100 * time.Millisecond
)

// newWait works out how long this request may wait: the policy's bound, which
// the client's Prefer: wait=n can only lower (RFC 7240 §4.3).
func (x *exchange) newWait() wait {
	policy := x.p.Idempotency
	if policy.Concurrency != ConcurrencyWait {
		return wait{}
	}
	bound := orDefault(policy.MaxWait, defaultMaxWait)
	for _, line := range x.r.Header["Prefer"] {
		for preference := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(preference), "=")
			if !strings.EqualFold(strings.TrimSpace(name), "wait") {
				continue
			}
			value, _, _ = strings.Cut(value, ";")
			seconds, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 31)
			if err == nil {
				bound = min(bound, time.Duration(seconds)*time.Second)
			}
		}
	}
	now := time.Now()
	return wait{x: x, started: now, until: now.Add(bound), next: firstWait}
}

const defaultMaxWait = 2 * time.Second

// again waits a little. It reports false when the patience is over or the
// client has gone. No connection is held meanwhile.
func (wt *wait) again(ctx context.Context) bool {
	if wt.x == nil {
		return false
	}
	left := time.Until(wt.until)
	if left <= 0 {
		return false
	}
	timer := time.NewTimer(min(wt.next, left))
	defer timer.Stop()
	wt.next = min(2*wt.next, lastWait)
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// report tells how long a duplicate waited.
func (wt *wait) report() {
	if wt.x != nil && wt.next != firstWait && wt.x.h.metrics.Wait != nil {
		defer wt.x.h.contain(wt.x.r.Context())
		wt.x.h.metrics.Wait(wt.x.r.Context(), wt.x.p.Operation, time.Since(wt.started))
	}
}
