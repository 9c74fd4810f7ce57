package storetest

import (
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

var leaseRules = []Rule{
	{Name: "a lapsed lease is taken over by the same fingerprint", check: func(t *trial) {
		t.lapsed(newID("lapsed"))
	}},
	{Name: "a takeover raises the fence", check: func(t *trial) {
		first, second := t.lapsed(newID("lapsed"))
		t.rises(first, second, "a takeover")
	}},
	{Name: "a takeover counts one attempt more", check: func(t *trial) {
		first, second := t.lapsed(newID("lapsed"))
		if second.Attempts != first.Attempts+1 {
			t.failf("attempt %d after attempt %d", second.Attempts, first.Attempts)
		}
	}},
	{Name: "a taken over record shows its new owner", check: func(t *trial) {
		id := newID("lapsed")
		_, second := t.lapsed(id)
		r := t.found(id, "after a takeover")
		t.shows(r, second)
		t.within(r.LeaseLeft, lease, 0, "LeaseLeft")
	}},
	{Name: "an owner who was replaced cannot complete", check: func(t *trial) {
		id := newID("replaced")
		first, _ := t.lapsed(id)
		t.lost(t.Store.Complete(t.ctx, id, first.Fence, answer, keep), "Complete under the old fence")
		t.refused(ask(id), "after the old owner's Complete")
	}},
	{Name: "an owner who was replaced cannot extend the lease", check: func(t *trial) {
		id := newID("replaced")
		first, _ := t.lapsed(id)
		t.lost(t.Store.Heartbeat(t.ctx, id, first.Fence, 2*lease), "Heartbeat under the old fence")
		t.within(t.found(id, "after the old owner's Heartbeat").LeaseLeft, lease, 0, "LeaseLeft")
	}},
	{Name: "an owner who was replaced cannot release", check: func(t *trial) {
		id := newID("replaced")
		first, _ := t.lapsed(id)
		t.lost(t.Store.Release(t.ctx, id, first.Fence), "Release under the old fence")
		t.refused(ask(id), "after the old owner's Release")
	}},
	{Name: "an owner who was replaced cannot abandon", check: func(t *trial) {
		id := newID("replaced")
		first, _ := t.lapsed(id)
		t.lost(t.Store.Abandon(t.ctx, id, first.Fence), "Abandon under the old fence")
		t.refused(ask(id), "after the old owner's Abandon")
	}},
	{Name: "a late owner whom nobody replaced completes", check: func(t *trial) {
		c := ask(newID("late"))
		got := t.own(c, "on an absent ID")
		t.Advance(lease + instant)
		t.must(t.Store.Complete(t.ctx, c.ID, got.Fence, answer, keep), "Complete after the lease")
		t.same(t.done(c, "after a late Complete").Response, answer, "after a late Complete")
	}},
	{Name: "a lapsed lease is not taken over by another fingerprint", check: func(t *trial) {
		c := ask(newID("lapsed"))
		t.own(c, "on an absent ID")
		t.Advance(lease + instant)
		r := t.refused(with(c, fpB), "with another fingerprint after the lease")
		if r.LeaseLeft != 0 || r.Fingerprint != fpA {
			t.failf("LeaseLeft %v and fingerprint %x, want none and the owner's", r.LeaseLeft, r.Fingerprint)
		}
	}},
	{Name: "a lapsed lease is taken over by another fingerprint when the retention is over", check: func(t *trial) {
		c := ask(newID("lapsed"))
		first := t.own(c, "on an absent ID")
		t.Advance(ttl + instant)
		t.rises(first, t.own(with(c, fpB), "with another fingerprint after the retention"), "a takeover")
	}},
	{Name: "a held record is not taken over when its lease is over", check: func(t *trial) {
		c := held(ask(newID("held")))
		t.own(c, "on an absent ID")
		t.Advance(lease + instant)
		r := t.refused(c, "on a held record after the lease")
		if !r.Hold || r.LeaseLeft != 0 {
			t.failf("hold %v and LeaseLeft %v, want a held record without a lease", r.Hold, r.LeaseLeft)
		}
	}},
	{Name: "a held record is taken over when its retention is over", check: func(t *trial) {
		c := held(ask(newID("held")))
		t.own(c, "on an absent ID")
		t.Advance(ttl + instant)
		t.own(c, "on a held record after the retention")
	}},
	{Name: "a heartbeat extends the lease", check: func(t *trial) {
		c := ask(newID("beating"))
		got := t.own(c, "on an absent ID")
		for range 3 {
			t.Advance(lease - instant)
			t.must(t.Store.Heartbeat(t.ctx, c.ID, got.Fence, lease), "Heartbeat")
		}
		t.within(t.refused(c, "after heartbeats").LeaseLeft, lease, 0, "LeaseLeft")
	}},
	{Name: "a heartbeat extends the retention to at least the lease", check: func(t *trial) {
		c := ask(newID("beating"))
		c.TTL = c.Lease
		got := t.own(c, "on an absent ID")
		t.Advance(lease - instant)
		t.must(t.Store.Heartbeat(t.ctx, c.ID, got.Fence, lease), "Heartbeat")
		t.Advance(instant + instant)
		t.within(t.found(c.ID, "after a heartbeat").ExpiresIn, lease, 2*instant, "ExpiresIn")
	}},
	{Name: "a heartbeat does not shorten the retention", check: func(t *trial) {
		c := ask(newID("beating"))
		got := t.own(c, "on an absent ID")
		t.must(t.Store.Heartbeat(t.ctx, c.ID, got.Fence, lease), "Heartbeat")
		t.within(t.found(c.ID, "after a heartbeat").ExpiresIn, ttl, 0, "ExpiresIn")
	}},
	{Name: "the retention of a claim is at least its lease", check: func(t *trial) {
		c := ask(newID("short"))
		c.TTL = time.Second
		t.own(c, "on an absent ID")
		t.Advance(instant)
		t.found(c.ID, "during the lease of a claim with a shorter retention")
	}},
	{Name: "an abandoned record is taken over at once by the same fingerprint", check: func(t *trial) {
		c := ask(newID("abandoned"))
		first := t.own(c, "on an absent ID")
		t.must(t.Store.Abandon(t.ctx, c.ID, first.Fence), "Abandon")
		second := t.own(c, "on an abandoned record")
		t.rises(first, second, "an abandoned claim")
		if second.Attempts != first.Attempts+1 {
			t.failf("attempt %d after the abandoned attempt %d", second.Attempts, first.Attempts)
		}
	}},
	{Name: "an abandoned record is not taken over by another fingerprint", check: func(t *trial) {
		c := ask(newID("abandoned"))
		got := t.own(c, "on an absent ID")
		t.must(t.Store.Abandon(t.ctx, c.ID, got.Fence), "Abandon")
		r := t.refused(with(c, fpB), "with another fingerprint on an abandoned record")
		if r.LeaseLeft != 0 {
			t.failf("LeaseLeft is %v, want none", r.LeaseLeft)
		}
	}},
	{Name: "an abandoned record that is held is not taken over", check: func(t *trial) {
		c := held(ask(newID("abandoned")))
		got := t.own(c, "on an absent ID")
		t.must(t.Store.Abandon(t.ctx, c.ID, got.Fence), "Abandon")
		if r := t.refused(c, "on a held, abandoned record"); !r.Hold {
			t.failf("the record is not on hold any more")
		}
	}},
	{Name: "Heartbeat, Complete, Release and Abandon without a record find the claim lost", check: func(t *trial) {
		t.allLost(newID("absent"), 1, "on an absent ID")
	}},
	{Name: "a cancelled context changes nothing", check: func(t *trial) {
		c := ask(newID("cancelled"))
		got := t.own(c, "on an absent ID")
		ctx := t.cancelled()
		for verb, err := range map[string]error{
			"Complete":  t.Store.Complete(ctx, c.ID, got.Fence, answer, keep),
			"Heartbeat": t.Store.Heartbeat(ctx, c.ID, got.Fence, 2*lease),
			"Release":   t.Store.Release(ctx, c.ID, got.Fence),
			"Abandon":   t.Store.Abandon(ctx, c.ID, got.Fence),
		} {
			if err == nil {
				t.failf("%s with a cancelled context: no error", verb)
			}
		}
		t.within(t.refused(c, "after cancelled calls").LeaseLeft, lease, 0, "LeaseLeft")
	}},
}

// lapsed lets a first owner lose id to a second one.
func (t *trial) lapsed(id idem.ID) (first, second idem.Claimed) {
	first = t.own(ask(id), "on an absent ID")
	t.Advance(lease + instant)
	return first, t.own(ask(id), "after the lease")
}

// allLost expects that nothing of id runs under f.
func (t *trial) allLost(id idem.ID, f idem.Fence, when string) {
	t.lost(t.Store.Heartbeat(t.ctx, id, f, lease), "Heartbeat "+when)
	t.lost(t.Store.Release(t.ctx, id, f), "Release "+when)
	t.lost(t.Store.Abandon(t.ctx, id, f), "Abandon "+when)
	t.lost(t.Store.Complete(t.ctx, id, f, answer, keep), "Complete "+when)
}
