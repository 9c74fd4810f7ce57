package runtime

import (
	"context"
	"encoding/hex"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/idemgen/idemgen/runtime/etag"
)

// Outcome says what became of a request at an operation with x-idempotency.
type Outcome string

// The outcomes. Keyed requests are all but missing, invalid, refused and
// ignored. Duplicate rate = (replayed + in_flight + mismatch + unknown +
// unavailable) / keyed; key conflict rate = (in_flight + mismatch) / keyed.
const (
	OutcomeExecuted      Outcome = "executed"
	OutcomeNotRecorded   Outcome = "not_recorded"
	OutcomeReplayed      Outcome = "replayed"
	OutcomeInFlight      Outcome = "in_flight"
	OutcomeMismatch      Outcome = "mismatch"
	OutcomeUnknown       Outcome = "unknown"
	OutcomeUnavailable   Outcome = "unavailable"
	OutcomeMissing       Outcome = "missing"
	OutcomeInvalid       Outcome = "invalid"
	OutcomeRefused       Outcome = "refused"
	OutcomeIgnored       Outcome = "ignored"
	OutcomeUnprotected   Outcome = "unprotected"
	OutcomeStoreError    Outcome = "store_error"
	OutcomeWouldReplay   Outcome = "would_replay"
	OutcomeWouldConflict Outcome = "would_conflict"
)

// PreconditionOutcome says what became of a request's preconditions.
type PreconditionOutcome string

// The outcomes of preconditions. Write conflict rate = failed / (passed +
// failed) on unsafe methods.
const (
	PreconditionPassed         PreconditionOutcome = "passed"
	PreconditionFailed         PreconditionOutcome = "failed"
	PreconditionMissing        PreconditionOutcome = "missing"
	PreconditionMalformed      PreconditionOutcome = "malformed"
	PreconditionNotModified    PreconditionOutcome = "not_modified"
	PreconditionNotFound       PreconditionOutcome = "not_found"
	PreconditionAlreadyApplied PreconditionOutcome = "already_applied"
	PreconditionUnsupported    PreconditionOutcome = "unsupported"
)

// Metrics is the hook for counters and histograms. Every function may be nil,
// is called synchronously and concurrently, and must not block. A panic of one
// is logged and goes no further. None is ever given a key, a tenant or a tag.
type Metrics struct {
	// Request is called once per request at an operation with x-idempotency.
	Request func(ctx context.Context, op *Operation, outcome Outcome)
	// Precondition is called once per request that carried or needed one. Field
	// and reason may be empty.
	Precondition func(ctx context.Context, op *Operation, outcome PreconditionOutcome, field, reason string)
	// Store is called after every call of a store: verb is claim, begin,
	// complete, release, abandon, heartbeat, lookup or rollback.
	Store func(ctx context.Context, verb string, took time.Duration, err error)
	// Wait is called after a duplicate has waited for the first request.
	Wait func(ctx context.Context, op *Operation, waited time.Duration)
	// Takeover is called when a claim replaced a lapsed one.
	Takeover func(ctx context.Context, op *Operation)
	// Lost is called when a run finds that its claim was taken over.
	Lost func(ctx context.Context, op *Operation)
	// Replayed is called when a recorded answer is sent again, with the
	// traceparent field (W3C Trace Context) of the request that was performed
	// first, for a link between their spans. It is empty where that had none.
	Replayed func(ctx context.Context, op *Operation, traceparent string)
	// ResponseSize is called with the octets of every recorded body.
	ResponseSize func(ctx context.Context, op *Operation, octets int)
}

// hash8 is what logs show of a stored key.
func hash8(id ID) string { return hex.EncodeToString(id[:4]) }

func (h *Handler) outcome(ctx context.Context, op *Operation, id *ID, o Outcome) {
	h.request(ctx, op, o)
	if !h.log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{slog.String("operation", op.ID), slog.String("outcome", string(o))}
	if id != nil {
		attrs = append(attrs, slog.String("key_hash", hash8(*id)))
	}
	h.log.LogAttrs(ctx, slog.LevelDebug, "idempotency", attrs...)
}

func (h *Handler) request(ctx context.Context, op *Operation, o Outcome) {
	if h.metrics.Request != nil {
		defer h.contain(ctx)
		h.metrics.Request(ctx, op, o)
	}
}

// tell calls a metrics function that may be nil.
func (h *Handler) tell(ctx context.Context, op *Operation, f func(context.Context, *Operation)) {
	if f != nil {
		defer h.contain(ctx)
		f(ctx, op)
	}
}

// contain is deferred around every metrics function: its panic must not take a
// claim, a transaction or an answer with it.
func (h *Handler) contain(ctx context.Context) {
	if v := recover(); v != nil {
		h.log.LogAttrs(ctx, slog.LevelError, "a metrics function panicked",
			slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
	}
}

func (h *Handler) fault(ctx context.Context, op *Operation, id *ID, msg string, err error) {
	attrs := []slog.Attr{slog.String("operation", op.ID), slog.Any("error", err)}
	if id != nil {
		attrs = append(attrs, slog.String("key_hash", hash8(*id)))
	}
	h.log.LogAttrs(ctx, slog.LevelError, msg, attrs...)
}

// stopwatch and stored surround a store call that is to be timed.
func (h *Handler) stopwatch() time.Time {
	if h.metrics.Store == nil {
		return time.Time{}
	}
	return h.clock.Now()
}

func (h *Handler) stored(ctx context.Context, verb string, since time.Time, err error) {
	if h.metrics.Store != nil {
		defer h.contain(ctx)
		h.metrics.Store(ctx, verb, h.clock.Now().Sub(since), err)
	}
}

func (h *Handler) replayed(ctx context.Context, op *Operation, traceparent string) {
	if h.metrics.Replayed != nil {
		defer h.contain(ctx)
		h.metrics.Replayed(ctx, op, traceparent)
	}
}

func (h *Handler) responseSize(ctx context.Context, op *Operation, octets int) {
	defer h.contain(ctx)
	h.metrics.ResponseSize(ctx, op, octets)
}

// precondition counts what became of a request's preconditions.
func (h *Handler) precondition(ctx context.Context, p *prepared, o PreconditionOutcome, d etag.Decision) {
	if h.metrics.Precondition == nil {
		return
	}
	reason := ""
	if o == PreconditionFailed {
		reason = d.Reason
	}
	defer h.contain(ctx)
	h.metrics.Precondition(ctx, p.Operation, o, d.Field, reason)
}

// outcomeOf is the outcome that an answer to a precondition stands for.
func outcomeOf(status int, reason string) PreconditionOutcome {
	switch {
	case status == http.StatusNotFound:
		return PreconditionNotFound
	case status == http.StatusPreconditionRequired:
		return PreconditionMissing
	case status == http.StatusBadRequest:
		return PreconditionMalformed
	case reason == "unsupported":
		return PreconditionUnsupported
	}
	return PreconditionFailed
}
