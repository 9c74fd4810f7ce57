package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

var resolveRules = []Rule{
	{Name: "unknown records are listed oldest first, with what their claim said", needs: needsResolver, check: func(t *trial) {
		first, second := held(ask(newID("first"))), held(with(ask(newID("second")), fpB))
		second.Operation = "payInvoice"
		owner := t.own(first, "on an absent ID")
		t.Advance(lease)
		t.own(second, "on an absent ID")
		t.Advance(lease + instant)
		list := t.unknown(idem.Cursor{}, 10)
		if len(list) != 2 || list[0].ID != first.ID || list[1].ID != second.ID {
			t.failf("Unknown returned %d records, want the older and then the younger one", len(list))
		}
		t.describes(&list[0], &first)
		t.describes(&list[1], &second)
		t.shows(list[0].Record, owner)
		t.within(list[1].ClaimedAt.Sub(list[0].ClaimedAt), lease+instant, 0, "the time between the claims")
	}},
	{Name: "only a held record whose lease is over is unknown", needs: needsResolver, check: func(t *trial) {
		expired := held(ask(newID("expired")))
		t.own(expired, "on an absent ID")
		t.Advance(ttl - lease)
		t.own(ask(newID("not held")), "on an absent ID")
		answered, released := held(ask(newID("answered"))), held(ask(newID("released")))
		answering, releasing := t.own(answered, "on an absent ID"), t.own(released, "on an absent ID")
		t.Advance(lease + instant)
		t.must(t.Store.Complete(t.ctx, answered.ID, answering.Fence, answer, keep), "Complete")
		t.must(t.Store.Release(t.ctx, released.ID, releasing.Fence), "Release")
		t.own(held(ask(newID("running"))), "on an absent ID")
		for _, e := range t.unknown(idem.Cursor{}, 10) {
			t.failf("Unknown returned a record in state %d, hold %v, lease %v, retention %v", e.State, e.Hold, e.LeaseLeft, e.ExpiresIn)
		}
	}},
	{Name: "a held record that was abandoned is unknown at once", needs: needsResolver, check: func(t *trial) {
		c := held(ask(newID("abandoned")))
		t.must(t.Store.Abandon(t.ctx, c.ID, t.own(c, "on an absent ID").Fence), "Abandon")
		t.unknownIs(c.ID, "after Abandon")
	}},
	{Name: "a list of unknown records is bounded and continues behind its cursor", needs: needsResolver, check: func(t *trial) {
		for i := range 5 {
			t.own(held(ask(newID(fmt.Sprint("unknown", i)))), "on an absent ID")
			if i == 2 {
				t.Advance(instant)
			}
		}
		t.Advance(lease + instant)
		if list := t.unknown(idem.Cursor{}, 0); len(list) != 0 {
			t.failf("Unknown with a limit of 0 returned %d records", len(list))
		}
		var read []idem.Entry
		for after := (idem.Cursor{}); len(read) <= 5; after = read[len(read)-1].Cursor() {
			page := t.unknown(after, 2)
			if len(page) > 2 {
				t.failf("Unknown with a limit of 2 returned %d records", len(page))
			}
			if read = append(read, page...); len(page) == 0 {
				break
			}
		}
		t.ascending(read, 5)
	}},
	{Name: "Get shows a record with what its claim said", needs: needsResolver, check: func(t *trial) {
		c, d := held(ask(newID("running"))), ask(newID("answered"))
		owner := t.own(c, "on an absent ID")
		e := t.get(c.ID, "of a running record")
		t.describes(&e, &c)
		t.shows(e.Record, owner)
		t.within(e.LeaseLeft, lease, 0, "LeaseLeft")
		t.finish(d.ID)
		e = t.get(d.ID, "of an answered record")
		t.describes(&e, &d)
		t.same(e.Response, answer, "Get")
	}},
	{Name: "Get finds no absent, free or expired record", needs: needsResolver, check: func(t *trial) {
		t.finish(newID("expired"))
		t.Advance(keep + instant)
		t.release(newID("released"))
		for _, name := range []string{"absent", "expired", "released"} {
			if e, ok, err := t.resolver().Get(t.ctx, newID(name)); ok || err != nil {
				t.failf("Get of the %s record: state %d, found %v, error %v", name, e.State, ok, err)
			}
		}
	}},
	{Name: "an unknown record that is resolved as done is an answer", needs: needsResolver, check: func(t *trial) {
		all := answers()
		all["no body"] = idem.Response{Status: 204}
		all["empty body"] = idem.Response{Status: 200, Body: []byte{}}
		for name, want := range all {
			c := held(ask(newID(name)))
			f := t.lapse(c)
			t.Advance(lease)
			t.must(t.resolver().Resolve(t.ctx, c.ID, f, &idem.Completion{Response: want, TTL: keep}), "Resolve")
			r := t.done(with(c, fpB), "on a resolved record")
			t.same(r.Response, want, "Claim, "+name)
			if (r.Response.Body == nil) != (want.Body == nil) {
				t.failf("%s: body is %#v, want %#v", name, r.Response.Body, want.Body)
			}
			t.within(r.ExpiresIn, keep, 0, "ExpiresIn")
			if r.Fingerprint != fpA {
				t.failf("a resolved record shows fingerprint %x, want the claim's", r.Fingerprint)
			}
			t.allLost(c.ID, f, "after Resolve as done")
		}
		t.noneUnknown("after Resolve as done")
	}},
	{Name: "slices that were passed to Resolve may be scribbled on", needs: needsResolver, check: func(t *trial) {
		c := held(ask(newID("scribble")))
		f := t.lapse(c)
		mine := idem.Response{Status: 200, Headers: bytes.Clone(answer.Headers), Body: bytes.Clone(answer.Body)}
		want := idem.Response{Status: 200, Headers: answer.Headers, Body: answer.Body}
		t.must(t.resolver().Resolve(t.ctx, c.ID, f, &idem.Completion{Response: mine, TTL: keep}), "Resolve")
		scribble(mine.Headers)
		scribble(mine.Body)
		t.same(t.found(c.ID, "of a resolved record").Response, want, "after scribbling")
	}},
	{Name: "an unknown record that is resolved as not done is claimable with any fingerprint", needs: needsResolver, check: func(t *trial) {
		c := held(ask(newID("not done")))
		f := t.lapse(c)
		t.must(t.resolver().Resolve(t.ctx, c.ID, f, nil), "Resolve")
		t.noneUnknown("after Resolve as not done")
		t.absent(c.ID, "after Resolve as not done")
		t.allLost(c.ID, f, "after Resolve as not done")
		got := t.own(with(c, fpB), "on a record that was resolved as not done")
		if got.Fence <= f || got.Attempts != 1 {
			t.failf("fence %d and attempt %d after fence %d, want a higher one and attempt 1", got.Fence, got.Attempts, f)
		}
	}},
	{Name: "what is not unknown cannot be resolved", needs: needsResolver, check: func(t *trial) {
		expired := held(ask(newID("expired")))
		fences := map[idem.ID]idem.Fence{newID("absent"): 1, expired.ID: t.own(expired, "on an absent ID").Fence}
		t.Advance(ttl - 2*lease)
		lapsed := ask(newID("not held"))
		fences[lapsed.ID] = t.own(lapsed, "on an absent ID").Fence
		t.Advance(2*lease + instant)
		running, released := held(ask(newID("running"))), newID("released")
		fences[running.ID] = t.own(running, "on an absent ID").Fence
		fences[released] = t.release(released).Fence
		for id, f := range fences {
			t.notUnknown(id, f, "of what is not unknown")
		}
		t.within(t.refused(running, "after Resolve of a running record").LeaseLeft, lease, 0, "LeaseLeft")
		t.refused(with(lapsed, fpB), "after Resolve of a record that is not held")
		t.own(with(expired, fpB), "after Resolve of an expired record")
	}},
	{Name: "a record is resolved once", needs: needsResolver, check: func(t *trial) {
		c := held(ask(newID("resolved")))
		f := t.lapse(c)
		t.must(t.resolver().Resolve(t.ctx, c.ID, f, completion()), "Resolve")
		t.notUnknown(c.ID, f, "a second time")
		t.same(t.done(c, "after a second Resolve").Response, answer, "after a second Resolve")
	}},
	{Name: "an attempt that was followed by another one cannot be resolved", needs: needsResolver, check: func(t *trial) {
		c := held(ask(newID("again")))
		first := t.lapse(c)
		t.must(t.resolver().Resolve(t.ctx, c.ID, first, nil), "Resolve")
		second := t.lapse(c)
		t.notUnknown(c.ID, first, "of an earlier attempt")
		if e := t.unknownIs(c.ID, "after Resolve of an earlier attempt"); e.Fence != second {
			t.failf("the record's fence is %d, want %d", e.Fence, second)
		}
	}},
	{Name: "of many concurrent resolutions exactly one has an effect", needs: needsResolver, check: func(t *trial) {
		c := held(ask(newID("raced")))
		f := t.lapse(c)
		errs := make([]error, racers)
		race(func(i int) { errs[i] = t.resolver().Resolve(t.ctx, c.ID, f, completion()) })
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, idem.ErrNotUnknown):
				t.failf("Resolve: got error %v, want ErrNotUnknown", err)
			}
		}
		if won != 1 {
			t.failf("%d of %d concurrent resolutions had an effect", won, racers)
		}
	}},
	{Name: "a cancelled context lists and resolves nothing", needs: needsResolver, check: func(t *trial) {
		c := held(ask(newID("cancelled")))
		f, ctx := t.lapse(c), t.cancelled()
		if list, err := t.resolver().Unknown(ctx, idem.Cursor{}, 10); err == nil || len(list) != 0 {
			t.failf("Unknown with a cancelled context: %d records with error %v", len(list), err)
		}
		if _, ok, err := t.resolver().Get(ctx, c.ID); err == nil || ok {
			t.failf("Get with a cancelled context: found %v with error %v", ok, err)
		}
		for _, done := range []*idem.Completion{completion(), nil} {
			if err := t.resolver().Resolve(ctx, c.ID, f, done); err == nil || errors.Is(err, idem.ErrNotUnknown) {
				t.failf("Resolve with a cancelled context: got error %v, want the context's", err)
			}
		}
		t.unknownIs(c.ID, "after cancelled calls")
	}},
	{Name: "an unknown record survives reopening", needs: needsResolver | needsReopen, check: func(t *trial) {
		c := held(ask(newID("durable")))
		f := t.lapse(c)
		t.reopen()
		e := t.unknownIs(c.ID, "after reopening")
		t.describes(&e, &c)
		t.must(t.resolver().Resolve(t.ctx, c.ID, f, completion()), "Resolve after reopening")
		t.reopen()
		t.same(t.done(c, "after reopening").Response, answer, "after reopening")
	}},
}

func (t *trial) resolver() idem.Resolver { return t.Store.(idem.Resolver) }

// lapse claims c and lets the lease end.
func (t *trial) lapse(c idem.Claim) idem.Fence {
	got := t.own(c, "on an absent ID")
	t.Advance(lease + instant)
	return got.Fence
}

func (t *trial) unknown(after idem.Cursor, limit int) []idem.Entry {
	list, err := t.resolver().Unknown(t.ctx, after, limit)
	t.must(err, "Unknown")
	return list
}

func (t *trial) noneUnknown(when string) {
	if list := t.unknown(idem.Cursor{}, 10); len(list) != 0 {
		t.failf("Unknown %s: %d records, want none", when, len(list))
	}
}

// unknownIs expects id to be the only unknown record.
func (t *trial) unknownIs(id idem.ID, when string) idem.Entry {
	list := t.unknown(idem.Cursor{}, 10)
	if len(list) != 1 || list[0].ID != id {
		t.failf("Unknown %s: %d records, want the one", when, len(list))
	}
	return list[0]
}

func (t *trial) get(id idem.ID, when string) idem.Entry {
	e, ok, err := t.resolver().Get(t.ctx, id)
	t.must(err, "Get")
	if !ok {
		t.failf("Get %s: no record", when)
	}
	return e
}

func (t *trial) notUnknown(id idem.ID, f idem.Fence, when string) {
	for _, done := range []*idem.Completion{completion(), nil} {
		if err := t.resolver().Resolve(t.ctx, id, f, done); !errors.Is(err, idem.ErrNotUnknown) {
			t.failf("Resolve %s: got error %v, want ErrNotUnknown", when, err)
		}
	}
}

// describes expects e to be the record of c.
func (t *trial) describes(e *idem.Entry, c *idem.Claim) {
	switch {
	case e.ID != c.ID:
		t.failf("an entry has the ID %x, want %x", e.ID, c.ID)
	case e.Operation != c.Operation:
		t.failf("an entry has the operation %q, want %q", e.Operation, c.Operation)
	case e.Fingerprint != c.Fingerprint || e.Hold != c.Hold:
		t.failf("an entry has fingerprint %x and hold %v, want the claim's", e.Fingerprint, e.Hold)
	case e.ClaimedAt.IsZero() || e.ClaimedAt.Location() != time.UTC:
		t.failf("an entry was claimed at %v, want an instant in UTC", e.ClaimedAt)
	}
}

// ascending expects n different entries in the order of the list.
func (t *trial) ascending(list []idem.Entry, n int) {
	for i := 1; i < len(list); i++ {
		a, b := &list[i-1], &list[i]
		if c := a.ClaimedAt.Compare(b.ClaimedAt); c > 0 || c == 0 && bytes.Compare(a.ID[:], b.ID[:]) >= 0 {
			t.failf("the pages are not in the order of times and IDs")
		}
	}
	if len(list) != n {
		t.failf("the pages have %d records, want %d", len(list), n)
	}
}
