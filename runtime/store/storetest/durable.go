package storetest

var durableRules = []Rule{
	{Name: "an answer survives reopening", needs: needsReopen, check: func(t *trial) {
		id := newID("durable")
		t.finish(id)
		t.reopen()
		t.same(t.done(ask(id), "after reopening").Response, answer, "after reopening")
	}},
	{Name: "a running record survives reopening and its owner completes", needs: needsReopen, check: func(t *trial) {
		c := held(ask(newID("durable")))
		owner := t.own(c, "on an absent ID")
		t.reopen()
		r := t.refused(c, "after reopening")
		t.shows(r, owner)
		if !r.Hold {
			t.failf("the record is not on hold any more")
		}
		t.must(t.Store.Complete(t.ctx, c.ID, owner.Fence, answer, keep), "Complete after reopening")
	}},
	{Name: "the fence rises over a release and reopening", needs: needsReopen, check: func(t *trial) {
		id := newID("durable")
		first := t.release(id)
		t.reopen()
		t.rises(first, t.own(ask(id), "after reopening"), "reopening")
	}},
	{Name: "a commit survives reopening", needs: needsReopen | needsTx, check: func(t *trial) {
		id := newID("durable")
		tx := t.begin(ask(id))
		t.write(tx)
		t.must(tx.Complete(t.ctx, completion(), true), "Complete")
		t.reopen()
		t.rows(1, "after reopening")
		t.same(t.found(id, "after reopening").Response, answer, "after reopening")
	}},
}

func (t *trial) reopen() {
	s, err := t.Reopen()
	t.must(err, "reopening")
	t.Store = s
}
