package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// sweepBatch bounds how many rows are locked together.
const sweepBatch = 500

// Sweep implements [idem.Sweeper]. It deletes in batches, each a transaction, and
// passes over rows that somebody has locked, as far as the server can do that
// (MySQL 8.0, MariaDB 10.6).
func (s *Store) Sweep(ctx context.Context, limit int) (int, error) {
	removed := 0
	for removed < limit {
		batch := min(sweepBatch, limit-removed)
		n := 0
		err := s.within(ctx, func(ctx context.Context) error {
			return again(ctx, func() (err error) {
				n, err = s.sweep(ctx, batch)
				return err
			})
		})
		if err != nil {
			return removed, fmt.Errorf("mysql: sweep: %w", err)
		}
		removed += n
		if n < batch {
			break
		}
	}
	return removed, nil
}

func (s *Store) sweep(ctx context.Context, batch int) (int, error) {
	x, err := s.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer x.free()
	if err := x.begin(ctx, sql.LevelReadCommitted); err != nil {
		return 0, err
	}
	keys, err := x.expired(ctx, batch)
	if len(keys) == 0 || err != nil {
		return 0, err
	}
	// WHERE k IN (...) would make the optimizer read a small table from end to
	// end, and wait for the rows that were skipped.
	remove := "DELETE t FROM (" + strings.Join(keys, " UNION ALL ") + ") AS expired STRAIGHT_JOIN " +
		s.prefix + "keys AS t ON t.k = expired.k"
	if err := x.run(ctx, remove); err != nil {
		return 0, err
	}
	if err := x.call(x.tx.Commit); err != nil {
		x.stuck = true
		return 0, err
	}
	return len(keys), nil
}

// expired locks what may be removed, and returns a SELECT of each key.
func (x *session) expired(ctx context.Context, batch int) (keys []string, err error) {
	query := fmt.Sprintf(named(expiredSQL, x.s.prefix), batch)
	if x.s.server.skipLocked {
		query += " SKIP LOCKED"
	}
	err = x.call(func() (err error) {
		rows, err := x.tx.QueryContext(ctx, query)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			var k []byte
			if err := rows.Scan(&k); err != nil {
				return err
			}
			keys = append(keys, fmt.Sprintf("SELECT x'%x' AS k", k))
		}
		return rows.Err()
	})
	return keys, err
}
