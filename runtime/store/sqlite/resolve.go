package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

var _ idem.Resolver = (*Store)(nil)

// Unknown implements [idem.Resolver]. It uses the readers only.
func (s *Store) Unknown(ctx context.Context, after idem.Cursor, limit int) ([]idem.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	list, err := s.unknown(ctx, after, limit)
	if err != nil {
		return nil, fmt.Errorf("sqlite: unknown: %w", busyError(err))
	}
	return list, nil
}

func (s *Store) unknown(ctx context.Context, after idem.Cursor, limit int) (list []idem.Entry, err error) {
	rows, err := s.sql.unknown.QueryContext(ctx, s.shiftMS(), after.ClaimedAt.UnixMilli(), after.ID[:], max(limit, 0))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r entryRow
		if err := rows.Scan(r.fields()...); err != nil {
			return nil, err
		}
		list = append(list, r.entry())
	}
	return list, rows.Err()
}

// Get implements [idem.Resolver]. It uses the readers only.
func (s *Store) Get(ctx context.Context, id idem.ID) (idem.Entry, bool, error) {
	if err := ctx.Err(); err != nil {
		return idem.Entry{}, false, err
	}
	var r entryRow
	err := s.sql.get.QueryRowContext(ctx, s.shiftMS(), id[:]).Scan(r.fields()...)
	if errors.Is(err, sql.ErrNoRows) {
		return idem.Entry{}, false, nil
	}
	if err != nil {
		return idem.Entry{}, false, fmt.Errorf("sqlite: get: %w", busyError(err))
	}
	return r.entry(), true, nil
}

// Resolve implements [idem.Resolver].
func (s *Store) Resolve(ctx context.Context, id idem.ID, f idem.Fence, done *idem.Completion) error {
	var err error
	if done == nil {
		err = s.update(ctx, "resolve", s.sql.resolveFree, id, f)
	} else {
		r := &done.Response
		err = s.update(ctx, "resolve", s.sql.resolveDone, id, f, ms(done.TTL),
			r.Status, nullable(r.Headers), nullable(r.Body), int64(r.Flags))
	}
	if errors.Is(err, idem.ErrClaimLost) {
		return idem.ErrNotUnknown
	}
	return err
}

// entryRow receives the columns of entry, in their order.
type entryRow struct {
	recordRow
	key       key
	operation string
	createdAt int64 // milliseconds
}

func (r *entryRow) fields() []any {
	return append(r.recordRow.fields(), &r.key, &r.operation, &r.createdAt)
}

func (r *entryRow) entry() idem.Entry {
	return idem.Entry{
		Record: r.record(), ID: idem.ID(r.key), Operation: r.operation,
		ClaimedAt: time.UnixMilli(r.createdAt).UTC(),
	}
}

// A key column has its one length.
type key idem.ID

// Scan implements [sql.Scanner].
func (k *key) Scan(value any) error {
	v, ok := value.([]byte)
	if !ok || len(v) != len(k) {
		return fmt.Errorf("a stored key has %d octets: the table was changed by something else", len(k))
	}
	copy(k[:], v)
	return nil
}
