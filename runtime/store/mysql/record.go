package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// Lookup implements [idem.Store].
func (s *Store) Lookup(ctx context.Context, id idem.ID) (r idem.Record, found bool, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		row, err := read(ctx, s.sql.read, &id)
		if err == nil && row.live() {
			r, found = row.record(), true
		}
		return err
	})
	if err != nil {
		return idem.Record{}, false, fmt.Errorf("mysql: lookup: %w", err)
	}
	return r, found, nil
}

// read returns the row of id, which is the zero row when there is none.
func read(ctx context.Context, stmt *sql.Stmt, id *idem.ID) (row, error) {
	var r row
	err := stmt.QueryRowContext(ctx, id[:]).Scan(r.fields()...)
	if errors.Is(err, sql.ErrNoRows) {
		return row{}, nil
	}
	r.exists = err == nil
	return r, err
}

// row is a row of the table; the zero value stands for none.
type row struct {
	exists                 bool
	fp                     fingerprint
	state, hold            integer
	fence, attempts        integer
	leaseLeft, expiresLeft integer // microseconds
	status, flags          integer
	headers, body          blob
}

// fields are in the order of rowColumns.
func (r *row) fields() []any {
	return []any{
		&r.fp, &r.state, &r.hold, &r.fence, &r.attempts, &r.leaseLeft, &r.expiresLeft,
		&r.status, &r.headers, &r.body, &r.flags,
	}
}

func (r *row) is(s idem.State) bool { return r.exists && r.state == integer(s) }

// live reports whether the row is a record that others get to see.
func (r *row) live() bool {
	return r.is(idem.StateDone) && r.expiresLeft > 0 ||
		r.is(idem.StateRunning) && (r.expiresLeft > 0 || r.leaseLeft > 0)
}

// claimable reports whether a claim with this fingerprint may have the row, or
// the place where there is none.
func (r *row) claimable(fp *idem.Fingerprint) bool {
	if !r.live() {
		return true
	}
	return r.is(idem.StateRunning) && r.leaseLeft <= 0 && r.hold == 0 && idem.Fingerprint(r.fp) == *fp
}

// attempt is the number of the run that takes over the row.
func (r *row) attempt(fp *idem.Fingerprint) int {
	if r.is(idem.StateRunning) && idem.Fingerprint(r.fp) == *fp {
		return int(r.attempts) + 1
	}
	return 1
}

// refusal answers a claim that may not have the row.
func (s *Store) refusal(id *idem.ID, r *row) idem.Claimed {
	if r.is(idem.StateDone) {
		s.answered.add(id)
		return idem.Claimed{State: idem.ClaimDone, Record: r.record()}
	}
	return idem.Claimed{State: idem.ClaimRunning, Record: r.record()}
}

func (r *row) record() idem.Record {
	rec := idem.Record{
		Fingerprint: idem.Fingerprint(r.fp),
		State:       idem.State(r.state),
		Hold:        r.hold != 0,
		Fence:       idem.Fence(r.fence),
		Attempts:    int(r.attempts),
		ExpiresIn:   left(r.expiresLeft),
	}
	switch rec.State {
	case idem.StateRunning:
		rec.LeaseLeft = left(r.leaseLeft)
	case idem.StateDone:
		rec.Response = idem.Response{Status: int(r.status), Headers: r.headers, Body: r.body, Flags: idem.Flags(r.flags)}
	}
	return rec
}

// answerArgs are the parameters of an answer: retention, status, headers, body
// and flags.
func answerArgs(r *idem.Response, ttl time.Duration) []any {
	return []any{us(ttl), r.Status, nullable(r.Headers), nullable(r.Body), int64(r.Flags)}
}

func left(us integer) time.Duration { return max(time.Duration(us)*time.Microsecond, 0) }

// us rounds up to what the clock can tell.
func us(d time.Duration) int64 { return int64((d + time.Microsecond - 1) / time.Microsecond) }

// An integer column; NULL is 0.
type integer int64

// Scan implements [sql.Scanner].
func (i *integer) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		*i = 0
	case int64:
		*i = integer(v)
	default:
		return fmt.Errorf("an integer was expected, not %T", value)
	}
	return nil
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

// A fingerprint column has its one length. NULL, in place of a row that is not
// there, is the zero value.
type fingerprint idem.Fingerprint

// Scan implements [sql.Scanner].
func (f *fingerprint) Scan(value any) error {
	if value == nil {
		return nil
	}
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
