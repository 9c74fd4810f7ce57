package memory

import (
	"context"

	idem "github.com/idemgen/idemgen/runtime"
)

var _ idem.Counter = (*Store)(nil)

// Count implements [idem.Counter]. It walks over every record, of which there
// are no more than fit into the store's bytes, and takes no lock.
func (s *Store) Count(ctx context.Context, limit int) (idem.Counts, error) {
	now := s.now()
	var n idem.Counts
	for i := range s.shards {
		if err := ctx.Err(); err != nil {
			return idem.Counts{}, err
		}
		for e := range s.shards[i].table.all() {
			switch r := e.record.Load(); {
			case r.expiresAt <= now:
			case r.done():
				n.Done++
			case r.unknown(now):
				n.Unknown++
			default:
				n.Running++
			}
		}
	}
	limit = max(limit, 0)
	n.Unknown = min(n.Unknown, limit)
	n.Running = min(n.Running, limit-n.Unknown)
	n.Done = min(n.Done, limit-n.Unknown-n.Running)
	return n, nil
}
