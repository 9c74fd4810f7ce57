package sqlite

import (
	"context"
	"fmt"

	idem "github.com/idemgen/idemgen/runtime"
)

var _ idem.Counter = (*Store)(nil)

// Count implements [idem.Counter]. It uses the readers only, and looks at limit
// rows at most, free ones among them, from the end of the index of retentions.
func (s *Store) Count(ctx context.Context, limit int) (idem.Counts, error) {
	if err := ctx.Err(); err != nil {
		return idem.Counts{}, err
	}
	var n idem.Counts
	err := s.sql.count.QueryRowContext(ctx, s.shiftMS(), max(limit, 0)).Scan(&n.Running, &n.Unknown, &n.Done)
	if err != nil {
		return idem.Counts{}, fmt.Errorf("sqlite: count: %w", busyError(err))
	}
	return n, nil
}
