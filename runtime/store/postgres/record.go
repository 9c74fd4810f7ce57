package postgres

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	idem "github.com/idemgen/idemgen/runtime"
)

// Lookup implements [idem.Store]. It is one SELECT.
func (s *Store) Lookup(ctx context.Context, id idem.ID) (idem.Record, bool, error) {
	var found found
	err := s.query(ctx, func(b *batch) { b.queue(s.sql.lookup, found.read, id[:]) })
	if err != nil || !found.ok {
		if err != nil {
			err = fmt.Errorf("postgres: lookup: %w", err)
		}
		return idem.Record{}, false, err
	}
	return found.record, true, nil
}

// found receives the result of the look-up.
type found struct {
	record idem.Record
	ok     bool // false also where exists: free or expired
	exists bool
}

func (f *found) read(rows *pgconn.ResultReader) (err error) {
	for rows.NextRow() {
		if f.record, err = readRecord(rows.Values()); err != nil {
			return err
		}
		f.exists, f.ok = true, isLive(&f.record)
	}
	return nil
}

// isLive reports whether a record that is in the table counts.
func isLive(r *idem.Record) bool {
	return r.State != idem.StateFree && (r.ExpiresIn > 0 || r.LeaseLeft > 0)
}

// recordColumns is how many columns readRecord reads.
const recordColumns = 12

// readRecord reads the columns of record, in their order.
func readRecord(columns [][]byte) (idem.Record, error) {
	if len(columns) < recordColumns {
		return idem.Record{}, errColumns
	}
	// Fingerprint, headers and body are octets, the others are numbers.
	var n [recordColumns]int64
	for i := range n {
		if i == 0 || i == 9 || i == 10 {
			continue
		}
		var err error
		if n[i], err = intOf(columns[i]); err != nil {
			return idem.Record{}, err
		}
	}
	r := idem.Record{
		State:     idem.State(n[1]),
		Hold:      n[2] != 0,
		Fence:     idem.Fence(n[3]),
		Attempts:  int(n[4]),
		ExpiresIn: until(n[6], n[7]),
	}
	if copy(r.Fingerprint[:], columns[0]) != len(r.Fingerprint) || len(columns[0]) != len(r.Fingerprint) {
		return idem.Record{}, errColumns
	}
	switch r.State {
	case idem.StateRunning:
		r.LeaseLeft = until(n[5], n[7])
	case idem.StateDone:
		r.Response = idem.Response{
			Status: int(n[8]), Headers: bytes.Clone(columns[9]), Body: bytes.Clone(columns[10]), Flags: idem.Flags(n[11]),
		}
	}
	return r, nil
}

// until is what is left of an instant, which PostgreSQL counts in microseconds.
func until(instant, now int64) time.Duration {
	return max(time.Duration(instant-now)*time.Microsecond, 0)
}

// micros rounds up to what the clock can tell.
func micros(d time.Duration) int64 { return int64((d + time.Microsecond - 1) / time.Microsecond) }
