package storetest_test

import (
	"cmp"
	"context"
	"slices"

	idem "github.com/idemgen/idemgen/runtime"
)

func (m *model) Count(ctx context.Context, limit int) (n idem.Counts, err error) {
	if err := m.done(ctx, "Count ignores the context"); err != nil {
		return n, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var live []*entry
	for _, e := range m.records {
		if (e.State != idem.StateFree || m.has("free records are counted")) &&
			(e.expiresAt > m.now || m.has("expired records are counted")) {
			live = append(live, e)
		}
	}
	slices.SortFunc(live, func(a, b *entry) int {
		if m.has("what expires first is counted first") {
			a, b = b, a
		}
		return cmp.Compare(b.expiresAt, a.expiresAt)
	})
	if !m.has("a count has no bound") {
		live = live[:min(len(live), max(limit, 0))]
	}
	for _, e := range live {
		lapsed := e.leaseUntil <= m.now
		switch {
		case e.State == idem.StateDone:
			n.Done++
		case e.Hold && (lapsed || m.has("whatever is held is counted as unknown")) && !m.has("what is unknown is counted as running"):
			n.Unknown++
		case !lapsed || !m.has("a lapsed lease is not counted"):
			n.Running++
		}
	}
	return n, nil
}
