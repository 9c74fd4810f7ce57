package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// Unknown implements [idem.Resolver]. It reads the whole table, for which there
// is no index: it is for operators, not for each request.
func (s *Store) Unknown(ctx context.Context, after idem.Cursor, limit int) (list []idem.Entry, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		list, err = s.unknown(ctx, after, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("mysql: unknown: %w", err)
	}
	return list, nil
}

func (s *Store) unknown(ctx context.Context, after idem.Cursor, limit int) (list []idem.Entry, err error) {
	// A time before 1970 stands for the beginning, and is none that a DATETIME
	// is sure to hold.
	rows, err := s.sql.unknown.QueryContext(ctx, max(after.ClaimedAt.UnixMicro(), 0), after.ID[:], max(limit, 0))
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

// Get implements [idem.Resolver].
func (s *Store) Get(ctx context.Context, id idem.ID) (e idem.Entry, found bool, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		var r entryRow
		err := s.sql.get.QueryRowContext(ctx, id[:]).Scan(r.fields()...)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		r.exists = true
		if err == nil && r.live() {
			e, found = r.entry(), true
		}
		return err
	})
	if err != nil {
		return idem.Entry{}, false, fmt.Errorf("mysql: get: %w", err)
	}
	return e, found, nil
}

// Resolve implements [idem.Resolver].
func (s *Store) Resolve(ctx context.Context, id idem.ID, f idem.Fence, done *idem.Completion) error {
	var err error
	if done == nil {
		err = s.update(ctx, "resolve", s.sql.resolveFree, id, f)
	} else {
		err = s.update(ctx, "resolve", s.sql.resolveDone, id, f, answerArgs(&done.Response, done.TTL)...)
		s.answered.add(&id)
	}
	if errors.Is(err, idem.ErrClaimLost) {
		return idem.ErrNotUnknown
	}
	return err
}

// entryRow receives entryColumns.
type entryRow struct {
	row
	key       key
	operation string
	created   integer // microseconds since 1970
}

func (r *entryRow) fields() []any {
	return append(r.row.fields(), &r.key, &r.operation, &r.created)
}

func (r *entryRow) entry() idem.Entry {
	return idem.Entry{
		Record: r.record(), ID: idem.ID(r.key), Operation: r.operation,
		ClaimedAt: time.UnixMicro(int64(r.created)).UTC(),
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
