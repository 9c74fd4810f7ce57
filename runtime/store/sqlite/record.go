package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// Lookup implements [idem.Store]. It uses the readers only.
func (s *Store) Lookup(ctx context.Context, id idem.ID) (idem.Record, bool, error) {
	if err := ctx.Err(); err != nil {
		return idem.Record{}, false, err
	}
	look, done, err := s.slot(ctx)
	if err != nil {
		return idem.Record{}, false, fmt.Errorf("sqlite: lookup: %w", err)
	}
	defer done()
	var r recordRow
	err = s.sql.lookup.QueryRowContext(look, s.shiftMS(), id[:]).Scan(r.fields()...)
	if errors.Is(err, sql.ErrNoRows) {
		return idem.Record{}, false, nil
	}
	if err != nil {
		return idem.Record{}, false, fmt.Errorf("sqlite: lookup: %w", s.waited(ctx, err))
	}
	return r.record(), true, nil
}

// slot bounds the wait of a look-up by ctx and the budget. Where the store has
// readers of its own, only the wait for one of them needs that: the look-up
// itself never waits, and without a context that can end, database/sql and the
// driver need no goroutines to watch it.
func (s *Store) slot(ctx context.Context) (look context.Context, done func(), err error) {
	if s.slots == nil {
		wait, cancel := context.WithTimeout(ctx, s.busy)
		return wait, cancel, nil
	}
	select {
	case s.slots <- struct{}{}:
		return context.WithoutCancel(ctx), s.freeSlot, nil
	default:
	}
	wait, cancel := context.WithTimeout(ctx, s.busy)
	defer cancel()
	select {
	case s.slots <- struct{}{}:
		return context.WithoutCancel(ctx), s.freeSlot, nil
	case <-wait.Done():
		return nil, nil, s.waited(ctx, wait.Err())
	}
}

func (s *Store) freeSlot() { <-s.slots }

// recordRow receives the columns of record, in their order.
type recordRow struct {
	fingerprint            fingerprint
	state, hold, fence     int64
	attempts               int
	leaseLeft, expiresLeft int64 // milliseconds
	status                 sql.NullInt64
	headers, body          blob
	flags                  int64
}

func (r *recordRow) fields() []any {
	return []any{
		&r.fingerprint, &r.state, &r.hold, &r.fence, &r.attempts,
		&r.leaseLeft, &r.expiresLeft, &r.status, &r.headers, &r.body, &r.flags,
	}
}

func (r *recordRow) record() idem.Record {
	rec := idem.Record{
		Fingerprint: idem.Fingerprint(r.fingerprint),
		State:       idem.State(r.state),
		Hold:        r.hold != 0,
		Fence:       idem.Fence(r.fence),
		Attempts:    r.attempts,
		ExpiresIn:   max(time.Duration(r.expiresLeft)*time.Millisecond, 0),
	}
	switch rec.State {
	case idem.StateRunning:
		rec.LeaseLeft = max(time.Duration(r.leaseLeft)*time.Millisecond, 0)
	case idem.StateDone:
		rec.Response = idem.Response{Status: int(r.status.Int64), Headers: r.headers, Body: r.body, Flags: idem.Flags(r.flags)}
	}
	return rec
}

// A blob is a nullable column in which NULL and the empty value differ.
type blob []byte

// Scan implements [sql.Scanner].
func (b *blob) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		*b = nil
	case []byte:
		*b = append(make([]byte, 0, len(v)), v...)
	default:
		return fmt.Errorf("a blob was expected, not %T", value)
	}
	return nil
}

// A fingerprint column has its one length.
type fingerprint idem.Fingerprint

// Scan implements [sql.Scanner].
func (f *fingerprint) Scan(value any) error {
	v, ok := value.([]byte)
	if !ok || len(v) != len(f) {
		return fmt.Errorf("a fingerprint has %d octets: the table was changed by something else", len(f))
	}
	copy(f[:], v)
	return nil
}

// nullable makes NULL of nil, whatever the driver does with a nil slice.
func nullable(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

// shiftMS is the shift of the clock.
func (s *Store) shiftMS() int64 { return s.shift().Milliseconds() }

// ms rounds up to what the clock can tell.
func ms(d time.Duration) int64 { return int64((d + time.Millisecond - 1) / time.Millisecond) }
