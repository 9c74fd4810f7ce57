package sqlite

import (
	"context"
	"fmt"
)

// sweepBatch bounds how long other writers wait for the sweeper.
const sweepBatch = 500

// Sweep implements [idem.Sweeper]. It deletes in batches, between which other
// writers have their turn.
func (s *Store) Sweep(ctx context.Context, limit int) (int, error) {
	removed := 0
	for removed < limit {
		batch := min(sweepBatch, limit-removed)
		n, err := s.exec(ctx, s.sql.sweep, s.shiftMS(), batch)
		removed += int(n)
		if err != nil {
			return removed, fmt.Errorf("sqlite: sweep: %w", err)
		}
		if n < int64(batch) {
			break
		}
	}
	return removed, nil
}
