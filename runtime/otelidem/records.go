package otelidem

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	idem "github.com/idemgen/idemgen/runtime"
)

// DefaultCountLimit is how many records Records counts at most when its limit
// is 0. A database whose table is much larger takes a fraction of a second for
// that many.
const DefaultCountLimit = 10_000

// countTimeout bounds how long a collection of the metrics waits for a count.
const countTimeout = 5 * time.Second

// Records observes the gauge idempotency.store.records: live records by
// idempotency.record.state, which is running, unknown or done. The store is
// asked whenever metrics are collected, and at no other time; limit bounds the
// sum of the counts, and with it what that costs (0: DefaultCountLimit). A count
// that fails, or takes longer than five seconds, leaves the gauge without a
// value and is reported to OpenTelemetry's error handler.
//
// Every process that shares a store observes the same records: take the maximum
// over them, not the sum, or call Records in one of them. A second call adds a
// second observation. Stop ends it.
func (i *Instruments) Records(store idem.Counter, limit int) (stop func() error, err error) {
	if limit == 0 {
		limit = DefaultCountLimit
	}
	registration, err := i.meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, countTimeout)
		defer cancel()
		n, err := store.Count(ctx, limit)
		if err != nil {
			return err
		}
		observe := func(state string, n int) {
			o.ObserveInt64(i.records, int64(n), metric.WithAttributes(i.name, attribute.String("idempotency.record.state", state)))
		}
		observe("running", n.Running)
		observe("unknown", n.Unknown)
		observe("done", n.Done)
		return nil
	}, i.records)
	if err != nil {
		return nil, err
	}
	return registration.Unregister, nil
}
