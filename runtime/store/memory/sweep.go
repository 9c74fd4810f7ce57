package memory

import (
	"context"
	"math"
	"time"
)

// never is the next expiry of an empty shard.
const never = math.MaxInt64

// Sweep implements [idem.Sweeper]. Each call begins where the last one stopped
// and locks one shard at a time.
func (s *Store) Sweep(ctx context.Context, limit int) (int, error) {
	now := s.now()
	removed := 0
	first := s.cursor.Load()
	for i := range uint64(shards) {
		if err := ctx.Err(); err != nil {
			return removed, err
		}
		if removed >= limit {
			return removed, nil
		}
		n, all := s.sweepShard(&s.shards[(first+i)%shards], now, limit-removed)
		removed += n
		if all {
			s.cursor.CompareAndSwap(first+i, first+i+1)
		}
	}
	return removed, nil
}

// reserve takes n bytes of the limit. It removes expired records, one shard
// after the other, only as long as they are in the way.
func (s *Store) reserve(n, limit int64) error {
	for range shards {
		if s.used.Add(n) <= limit {
			return nil
		}
		s.used.Add(-n)
		s.sweepShard(&s.shards[s.cursor.Add(1)%shards], s.now(), math.MaxInt)
	}
	if s.used.Add(n) <= limit {
		return nil
	}
	s.used.Add(-n)
	return s.busy(n)
}

// sweepShard removes up to limit expired records and reports whether none is
// left. A shard in which nothing can have expired costs one load.
func (s *Store) sweepShard(sh *shard, now time.Duration, limit int) (removed int, all bool) {
	if sh.next.Load() > int64(now) {
		return 0, true
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	next, all := time.Duration(never), true
	for e := range sh.table.all() {
		if expiresAt := e.record.Load().expiresAt; expiresAt > now {
			next = min(next, expiresAt)
			continue
		}
		if removed == limit {
			all = false
			break
		}
		s.remove(sh, e)
		removed++
	}
	if all {
		sh.next.Store(int64(next))
	}
	return removed, all
}

// remove deletes a record whose shard is locked.
func (s *Store) remove(sh *shard, e *entry) {
	sh.table.remove(e)
	s.used.Add(-recordBytes - e.record.Load().answerBytes())
}

// expect notes when r expires; its shard is locked.
func (sh *shard) expect(r *record) {
	if int64(r.expiresAt) < sh.next.Load() {
		sh.next.Store(int64(r.expiresAt))
	}
}
