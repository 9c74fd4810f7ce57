package storetest

import idem "github.com/idemgen/idemgen/runtime"

var lookupRules = []Rule{
	{Name: "Lookup finds no absent record", check: func(t *trial) {
		t.finish(newID("another"))
		t.absent(newID("absent"), "of an absent ID")
	}},
	{Name: "Lookup shows a running record", check: func(t *trial) {
		c := ask(newID("running"))
		owner := t.own(c, "on an absent ID")
		t.Advance(lease / 2)
		r := t.found(c.ID, "of a running record")
		t.shows(r, owner)
		t.within(r.LeaseLeft, lease, lease/2, "LeaseLeft")
		t.within(r.ExpiresIn, ttl, lease/2, "ExpiresIn")
	}},
	{Name: "Lookup shows a record whose lease is over", check: func(t *trial) {
		c := ask(newID("lapsed"))
		owner := t.own(c, "on an absent ID")
		t.Advance(lease + instant)
		r := t.found(c.ID, "after the lease")
		t.shows(r, owner)
		if r.LeaseLeft != 0 {
			t.failf("LeaseLeft is %v, want 0", r.LeaseLeft)
		}
	}},
	{Name: "Lookup shows a held record whose lease is over", check: func(t *trial) {
		c := held(ask(newID("held")))
		t.own(c, "on an absent ID")
		t.Advance(lease + instant)
		if r := t.found(c.ID, "after the lease of a held record"); !r.Hold {
			t.failf("the record is not on hold")
		}
	}},
	{Name: "Lookup shows an answered record", check: func(t *trial) {
		id := newID("done")
		owner := t.finish(id)
		t.Advance(keep / 2)
		r := t.found(id, "of an answered record")
		if r.State != idem.StateDone || r.Fingerprint != fpA || r.Fence != owner.Fence {
			t.failf("state %d, fingerprint %x and fence %d, want done, the owner's and %d", r.State, r.Fingerprint, r.Fence, owner.Fence)
		}
		if r.LeaseLeft != 0 {
			t.failf("LeaseLeft is %v, want 0", r.LeaseLeft)
		}
		t.within(r.ExpiresIn, keep, keep/2, "ExpiresIn")
	}},
	{Name: "Lookup finds no expired answer", check: func(t *trial) {
		id := newID("done")
		t.finish(id)
		t.Advance(keep + instant)
		t.absent(id, "of an expired answer")
	}},
	{Name: "Lookup finds no running record whose retention is over", check: func(t *trial) {
		c := held(ask(newID("lapsed")))
		t.own(c, "on an absent ID")
		t.Advance(ttl + instant)
		t.absent(c.ID, "after the retention")
	}},
	{Name: "Lookup finds no released ID", check: func(t *trial) {
		id := newID("released")
		t.release(id)
		t.absent(id, "of a released ID")
	}},
	{Name: "Lookup with a cancelled context fails", check: func(t *trial) {
		id := newID("done")
		t.finish(id)
		if _, _, err := t.Store.Lookup(t.cancelled(), id); err == nil {
			t.failf("Lookup with a cancelled context: no error")
		}
	}},
}
