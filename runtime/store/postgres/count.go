package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	idem "github.com/idemgen/idemgen/runtime"
)

var _ idem.Counter = (*Store)(nil)

// Count implements [idem.Counter]. It looks at limit rows at most, free ones
// among them, from the end of the index of retentions.
func (s *Store) Count(ctx context.Context, limit int) (idem.Counts, error) {
	var n idem.Counts
	err := s.query(ctx, func(b *batch) { b.queue(s.sql.count, readCounts(&n), b.int8(int64(max(limit, 0)))) })
	if err != nil {
		return idem.Counts{}, fmt.Errorf("postgres: count: %w", err)
	}
	return n, nil
}

// readCounts receives the columns of countSQL.
func readCounts(n *idem.Counts) reader {
	return func(rows *pgconn.ResultReader) error {
		for rows.NextRow() {
			columns, into := rows.Values(), []*int{&n.Running, &n.Unknown, &n.Done}
			if len(columns) != len(into) {
				return errColumns
			}
			for i, c := range columns {
				v, err := intOf(c)
				if err != nil {
					return err
				}
				*into[i] = int(v)
			}
		}
		return nil
	}
}
