package mysql

import (
	"context"
	"fmt"

	idem "github.com/idemgen/idemgen/runtime"
)

var _ idem.Counter = (*Store)(nil)

// Count implements [idem.Counter]. It looks at limit rows at most, free ones
// among them, from the end of the index of retentions.
func (s *Store) Count(ctx context.Context, limit int) (n idem.Counts, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		return s.sql.count.QueryRowContext(ctx, max(limit, 0)).Scan(&n.Running, &n.Unknown, &n.Done)
	})
	if err != nil {
		return idem.Counts{}, fmt.Errorf("mysql: count: %w", err)
	}
	return n, nil
}
