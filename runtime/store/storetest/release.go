package storetest

import idem "github.com/idemgen/idemgen/runtime"

var releaseRules = []Rule{
	{Name: "a released ID is claimable at once with any fingerprint", check: func(t *trial) {
		id := newID("released")
		t.release(id)
		t.own(with(ask(id), fpB), "on a released ID")
		if r := t.found(id, "of a new run"); r.Fingerprint != fpB {
			t.failf("a new run shows fingerprint %x, want its own", r.Fingerprint)
		}
	}},
	{Name: "a released claim on hold is claimable", check: func(t *trial) {
		c := held(ask(newID("released")))
		got := t.own(c, "on an absent ID")
		t.must(t.Store.Release(t.ctx, c.ID, got.Fence), "Release")
		t.own(c, "on a released ID")
	}},
	{Name: "a claim on a released ID is attempt 1", check: func(t *trial) {
		id := newID("released")
		first := t.release(id)
		if got := t.own(ask(id), "on a released ID"); got.Attempts != first.Attempts {
			t.failf("attempt %d, want %d", got.Attempts, first.Attempts)
		}
	}},
	{Name: "nothing runs under a fence that was released", check: func(t *trial) {
		id := newID("released")
		t.allLost(id, t.release(id).Fence, "after Release")
		t.absent(id, "after Release")
	}},
	{Name: "the fence rises over a release", check: func(t *trial) {
		id := newID("released")
		first := t.release(id)
		t.rises(first, t.own(ask(id), "on a released ID"), "a release")
	}},
	{Name: "the fence rises over the expiry of an answer", check: func(t *trial) {
		id := newID("expired")
		first := t.finish(id)
		t.Advance(keep + instant)
		t.rises(first, t.own(ask(id), "on an expired answer"), "expiry")
	}},
	{Name: "the fence rises when a sweep has removed the record", needs: needsSweeper, check: func(t *trial) {
		id := newID("swept")
		first := t.finish(id)
		t.Advance(keep + instant)
		t.sweep(100)
		t.rises(first, t.own(ask(id), "after a sweep"), "a sweep")
	}},
	{Name: "the fence rises when a sweep has removed a released ID", needs: needsSweeper, check: func(t *trial) {
		id := newID("swept")
		first := t.release(id)
		t.Advance(ttl + instant)
		t.sweep(100)
		t.rises(first, t.own(ask(id), "after a sweep"), "a sweep")
	}},
}

// release claims id and releases it.
func (t *trial) release(id idem.ID) idem.Claimed {
	got := t.own(ask(id), "on an absent ID")
	t.must(t.Store.Release(t.ctx, id, got.Fence), "Release")
	return got
}
