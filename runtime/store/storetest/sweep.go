package storetest

import (
	"fmt"

	idem "github.com/idemgen/idemgen/runtime"
)

var sweepRules = []Rule{
	{Name: "a sweep removes expired answers", needs: needsSweeper, check: func(t *trial) {
		for i := range 3 {
			t.finish(newID(fmt.Sprint("done", i)))
		}
		t.Advance(keep + instant)
		t.swept(100, 3)
		t.swept(100, 0)
	}},
	{Name: "a sweep removes what nobody completed when lease and retention are over", needs: needsSweeper, check: func(t *trial) {
		c := held(ask(newID("vanished")))
		got := t.own(c, "on an absent ID")
		t.Advance(ttl + instant)
		t.swept(100, 1)
		t.allLost(c.ID, got.Fence, "after a sweep")
	}},
	{Name: "a sweep respects its limit", needs: needsSweeper, check: func(t *trial) {
		for i := range 5 {
			t.finish(newID(fmt.Sprint("done", i)))
		}
		t.Advance(keep + instant)
		t.swept(0, 0)
		t.swept(2, 2)
		t.swept(2, 2)
		t.swept(2, 1)
	}},
	{Name: "a sweep leaves live answers", needs: needsSweeper, check: func(t *trial) {
		id := newID("done")
		t.finish(id)
		t.Advance(keep - lease)
		t.swept(100, 0)
		t.same(t.done(ask(id), "after a sweep").Response, answer, "after a sweep")
	}},
	{Name: "a sweep leaves live leases", needs: needsSweeper, check: func(t *trial) {
		c := ask(newID("running"))
		c.TTL = 0
		got := t.own(c, "on an absent ID")
		t.Advance(lease - instant)
		t.swept(100, 0)
		t.must(t.Store.Complete(t.ctx, c.ID, got.Fence, answer, keep), "Complete after a sweep")
	}},
	{Name: "a sweep leaves a lapsed lease whose retention is not over", needs: needsSweeper, check: func(t *trial) {
		c, h := ask(newID("lapsed")), held(ask(newID("held")))
		t.own(c, "on an absent ID")
		t.own(h, "on an absent ID")
		t.Advance(lease + instant)
		t.swept(100, 0)
		t.refused(with(c, fpB), "with another fingerprint, after a sweep")
		t.refused(h, "on a held record, after a sweep")
	}},
	{Name: "a sweep with a cancelled context removes nothing", needs: needsSweeper, check: func(t *trial) {
		t.finish(newID("done"))
		t.Advance(keep + instant)
		if n, err := t.Store.(idem.Sweeper).Sweep(t.cancelled(), 100); err == nil || n != 0 {
			t.failf("Sweep with a cancelled context: removed %d with error %v", n, err)
		}
		t.swept(100, 1)
	}},
}

func (t *trial) sweep(limit int) int {
	n, err := t.Store.(idem.Sweeper).Sweep(t.ctx, limit)
	t.must(err, "Sweep")
	return n
}

// swept sweeps and expects to remove want.
func (t *trial) swept(limit, want int) {
	if n := t.sweep(limit); n != want {
		t.failf("Sweep(%d) removed %d records, want %d", limit, n, want)
	}
}
