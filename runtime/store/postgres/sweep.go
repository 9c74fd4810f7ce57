package postgres

import (
	"context"
	"fmt"
)

// sweepBatch bounds how long the sweeper's locks last.
const sweepBatch = 1000

// Sweep implements [idem.Sweeper]. It deletes in batches, each a transaction of
// its own. Several processes may sweep at the same time: none waits for what
// another one has locked.
func (s *Store) Sweep(ctx context.Context, limit int) (int, error) {
	removed := 0
	for removed < limit {
		most := min(sweepBatch, limit-removed)
		var n int64
		err := s.atomically(ctx, func(b *batch) { b.queue(s.sql.sweep, readCount(&n), b.int8(int64(most))) })
		if err != nil {
			return removed, fmt.Errorf("postgres: sweep: %w", err)
		}
		removed += int(n)
		if n < int64(most) {
			break
		}
	}
	return removed, nil
}
