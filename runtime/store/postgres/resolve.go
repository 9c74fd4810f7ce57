package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	idem "github.com/idemgen/idemgen/runtime"
)

// Unknown implements [idem.Resolver].
func (s *Store) Unknown(ctx context.Context, after idem.Cursor, limit int) ([]idem.Entry, error) {
	var list []idem.Entry
	err := s.query(ctx, func(b *batch) {
		b.queue(s.sql.unknown, readEntries(&list),
			b.int8(after.ClaimedAt.UnixMicro()-epoch), after.ID[:], b.int8(int64(max(limit, 0))))
	})
	if err != nil {
		return nil, fmt.Errorf("postgres: unknown: %w", err)
	}
	return list, nil
}

// Get implements [idem.Resolver].
func (s *Store) Get(ctx context.Context, id idem.ID) (idem.Entry, bool, error) {
	var list []idem.Entry
	err := s.query(ctx, func(b *batch) { b.queue(s.sql.get, readEntries(&list), id[:]) })
	if err != nil {
		return idem.Entry{}, false, fmt.Errorf("postgres: get: %w", err)
	}
	if len(list) == 0 || !isLive(&list[0].Record) {
		return idem.Entry{}, false, nil
	}
	return list[0], true, nil
}

// Resolve implements [idem.Resolver].
func (s *Store) Resolve(ctx context.Context, id idem.ID, f idem.Fence, done *idem.Completion) error {
	err := s.update(ctx, "resolve", func(b *batch, changed reader) {
		if done == nil {
			b.queue(s.sql.resolveFree, changed, id[:], b.int8(int64(f)))
			return
		}
		r := &done.Response
		b.queue(s.sql.resolveDone, changed, id[:], b.int8(int64(f)), b.int8(micros(done.TTL)),
			b.int2(int16(r.Status)), r.Headers, r.Body, b.int4(int32(r.Flags)))
	})
	switch {
	case err == nil && done != nil:
		s.answered.add(&id)
	case errors.Is(err, idem.ErrClaimLost):
		return idem.ErrNotUnknown
	}
	return err
}

// query executes a statement that changes nothing.
func (s *Store) query(ctx context.Context, fill func(*batch)) error {
	c, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer c.free()
	return busyError(c.do(func(pc *pgx.Conn) error {
		b := newBatch()
		fill(b)
		return b.send(ctx, pc, s.unnamed)
	}))
}

// epoch is the beginning of PostgreSQL's time, 2000-01-01, in microseconds
// since 1970.
const epoch = 946684800_000000

// readEntries receives the columns of record and entry, in their order.
func readEntries(list *[]idem.Entry) reader {
	return func(rows *pgconn.ResultReader) error {
		for rows.NextRow() {
			columns := rows.Values()
			r, err := readRecord(columns)
			if err != nil {
				return err
			}
			e := idem.Entry{Record: r}
			rest := columns[recordColumns:]
			if len(rest) != 3 || len(rest[0]) != len(e.ID) {
				return errColumns
			}
			created, err := intOf(rest[2])
			if err != nil {
				return err
			}
			e.ID, e.Operation = idem.ID(rest[0]), string(rest[1])
			e.ClaimedAt = time.UnixMicro(created + epoch).UTC()
			*list = append(*list, e)
		}
		return nil
	}
}
