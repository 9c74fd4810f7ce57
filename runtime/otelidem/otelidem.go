// Package otelidem counts what an idem handler does with OpenTelemetry.
//
// Two rates follow from idempotency.server.requests. Keyed requests are all
// whose outcome is none of missing, invalid, refused and ignored:
//
//	duplicate rate    = (replayed + in_flight + mismatch + unknown + unavailable) / keyed
//	key conflict rate = (in_flight + mismatch) / keyed
//
// and one from http.server.preconditions, over unsafe methods:
//
//	write conflict rate = failed / (passed + failed)
//
// No attribute holds a key, a tenant, a tag or a resource's id.
package otelidem

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	idem "github.com/idemgen/idemgen/runtime"
)

// scope names this instrumentation.
const scope = "github.com/idemgen/idemgen/runtime/otelidem"

// Instruments are the counters, histograms and gauges of one handler. Use New. Safe for
// concurrent use.
type Instruments struct {
	requests      metric.Int64Counter
	preconditions metric.Int64Counter
	store         metric.Float64Histogram
	wait          metric.Float64Histogram
	takeovers     metric.Int64Counter
	losses        metric.Int64Counter
	swept         metric.Int64Counter
	size          metric.Int64Histogram
	records       metric.Int64ObservableGauge
	meter         metric.Meter
	name          attribute.KeyValue
}

// New makes the instruments. Store is the value of the idempotency.store
// attribute, such as "postgresql".
func New(provider metric.MeterProvider, store string) (*Instruments, error) {
	meter := provider.Meter(scope)
	i := &Instruments{meter: meter, name: attribute.String("idempotency.store", store)}
	var errs [9]error
	i.requests, errs[0] = meter.Int64Counter("idempotency.server.requests",
		metric.WithUnit("{request}"), metric.WithDescription("Requests at operations with x-idempotency, by outcome."))
	i.preconditions, errs[1] = meter.Int64Counter("http.server.preconditions",
		metric.WithUnit("{request}"), metric.WithDescription("Requests whose preconditions were looked at, by outcome."))
	i.store, errs[2] = meter.Float64Histogram("idempotency.store.operation.duration",
		metric.WithUnit("s"), metric.WithDescription("Duration of calls to the store."),
		metric.WithExplicitBucketBoundaries(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5))
	i.wait, errs[3] = meter.Float64Histogram("idempotency.wait.duration",
		metric.WithUnit("s"), metric.WithDescription("How long duplicates waited for the first request."))
	i.takeovers, errs[4] = meter.Int64Counter("idempotency.lease.takeovers",
		metric.WithUnit("{record}"), metric.WithDescription("Claims that replaced a lapsed one."))
	i.losses, errs[5] = meter.Int64Counter("idempotency.lease.losses",
		metric.WithUnit("{record}"), metric.WithDescription("Runs that found their claim taken over."))
	i.swept, errs[6] = meter.Int64Counter("idempotency.sweep.records",
		metric.WithUnit("{record}"), metric.WithDescription("Expired records that were removed."))
	i.size, errs[7] = meter.Int64Histogram("idempotency.response.size",
		metric.WithUnit("By"), metric.WithDescription("Size of recorded response bodies."),
		metric.WithExplicitBucketBoundaries(0, 256, 1024, 4096, 16384, 65536, 262144, 1048576))
	i.records, errs[8] = meter.Int64ObservableGauge("idempotency.store.records",
		metric.WithUnit("{record}"), metric.WithDescription("Live records in the store, by state, as far as they are counted."))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return i, nil
}

// Metrics is what idem.WithMetrics takes.
func (i *Instruments) Metrics() idem.Metrics {
	return idem.Metrics{
		Request:      i.request,
		Precondition: i.precondition,
		Store:        i.storeCall,
		Wait: func(ctx context.Context, op *idem.Operation, waited time.Duration) {
			i.wait.Record(ctx, waited.Seconds(), metric.WithAttributes(operation(op)))
		},
		Takeover: func(ctx context.Context, _ *idem.Operation) { i.takeovers.Add(ctx, 1, metric.WithAttributes(i.name)) },
		Lost:     func(ctx context.Context, _ *idem.Operation) { i.losses.Add(ctx, 1, metric.WithAttributes(i.name)) },
		ResponseSize: func(ctx context.Context, op *idem.Operation, octets int) {
			i.size.Record(ctx, int64(octets), metric.WithAttributes(operation(op)))
		},
	}
}

// Swept counts removed records; it fits idem.SweepRunner.
func (i *Instruments) Swept(ctx context.Context, records int) {
	i.swept.Add(ctx, int64(records), metric.WithAttributes(i.name))
}

func operation(op *idem.Operation) attribute.KeyValue {
	return attribute.String("idempotency.operation", op.ID)
}

func (i *Instruments) request(ctx context.Context, op *idem.Operation, o idem.Outcome) {
	i.requests.Add(ctx, 1, metric.WithAttributes(
		operation(op),
		attribute.String("http.request.method", op.Method),
		attribute.String("idempotency.outcome", string(o)),
	))
}

func (i *Instruments) precondition(ctx context.Context, op *idem.Operation, o idem.PreconditionOutcome, field, reason string) {
	attrs := []attribute.KeyValue{
		operation(op),
		attribute.String("http.request.method", op.Method),
		attribute.String("precondition.outcome", string(o)),
	}
	if field != "" {
		attrs = append(attrs, attribute.String("precondition.field", field))
	}
	if reason != "" {
		attrs = append(attrs, attribute.String("precondition.reason", reason))
	}
	i.preconditions.Add(ctx, 1, metric.WithAttributes(attrs...))
}

func (i *Instruments) storeCall(ctx context.Context, verb string, took time.Duration, err error) {
	attrs := []attribute.KeyValue{i.name, attribute.String("idempotency.store.operation", verb)}
	if err != nil {
		attrs = append(attrs, attribute.String("error.type", errorType(err)))
	}
	i.store.Record(ctx, took.Seconds(), metric.WithAttributes(attrs...))
}

// errorType is a low-cardinality name of an error.
func errorType(err error) string {
	switch {
	case errors.Is(err, idem.ErrClaimLost):
		return "claim_lost"
	case errors.Is(err, idem.ErrStoreBusy):
		return "busy"
	case errors.Is(err, idem.ErrRetryTx):
		return "retry_tx"
	case errors.Is(err, idem.ErrTxEnded):
		return "tx_ended"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	}
	return "_OTHER" // as OpenTelemetry's semantic conventions say
}
