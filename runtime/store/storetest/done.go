package storetest

import (
	"bytes"

	idem "github.com/idemgen/idemgen/runtime"
)

var doneRules = []Rule{
	{Name: "an answer is returned bit for bit", check: func(t *trial) {
		for name, want := range answers() {
			c := ask(newID(name))
			got := t.own(c, "on an absent ID")
			t.must(t.Store.Complete(t.ctx, c.ID, got.Fence, want, keep), "Complete")
			t.same(t.done(c, "on an answered record").Response, want, "Claim, "+name)
			t.same(t.found(c.ID, "of an answered record").Response, want, "Lookup, "+name)
		}
	}},
	{Name: "no body and an empty body stay different", check: func(t *trial) {
		for name, body := range map[string][]byte{"none": nil, "empty": {}} {
			c := ask(newID(name))
			got := t.own(c, "on an absent ID")
			resp := idem.Response{Status: 204, Body: body}
			t.must(t.Store.Complete(t.ctx, c.ID, got.Fence, resp, keep), "Complete")
			t.sameBody(t.done(c, "on an answered record").Response.Body, body)
			t.sameBody(t.found(c.ID, "of an answered record").Response.Body, body)
		}
	}},
	{Name: "slices that were passed in may be scribbled on", check: func(t *trial) {
		c := ask(newID("scribble"))
		got := t.own(c, "on an absent ID")
		mine := idem.Response{Status: 200, Headers: bytes.Clone(answer.Headers), Body: bytes.Clone(answer.Body)}
		want := idem.Response{Status: 200, Headers: answer.Headers, Body: answer.Body}
		t.must(t.Store.Complete(t.ctx, c.ID, got.Fence, mine, keep), "Complete")
		scribble(mine.Headers)
		scribble(mine.Body)
		t.same(t.found(c.ID, "of an answered record").Response, want, "after scribbling")
	}},
	{Name: "an answered record shows its own fingerprint to others", check: func(t *trial) {
		id := newID("done")
		t.finish(id)
		r := t.done(with(ask(id), fpB), "with another fingerprint")
		if r.Fingerprint != fpA || r.State != idem.StateDone {
			t.failf("fingerprint %x in state %d, want the owner's in state done", r.Fingerprint, r.State)
		}
	}},
	{Name: "an answer does not change any more", check: func(t *trial) {
		id := newID("done")
		got := t.finish(id)
		other := idem.Response{Status: 500, Body: []byte("other")}
		t.lost(t.Store.Complete(t.ctx, id, got.Fence, other, keep), "a second Complete")
		t.same(t.found(id, "after a second Complete").Response, answer, "after a second Complete")
	}},
	{Name: "an answer cannot be released", check: func(t *trial) {
		id := newID("done")
		got := t.finish(id)
		t.lost(t.Store.Release(t.ctx, id, got.Fence), "Release of an answer")
		t.done(ask(id), "after Release of an answer")
	}},
	{Name: "an answer cannot be abandoned", check: func(t *trial) {
		id := newID("done")
		got := t.finish(id)
		t.lost(t.Store.Abandon(t.ctx, id, got.Fence), "Abandon of an answer")
		t.done(ask(id), "after Abandon of an answer")
	}},
	{Name: "an answer has no lease to extend", check: func(t *trial) {
		id := newID("done")
		got := t.finish(id)
		t.lost(t.Store.Heartbeat(t.ctx, id, got.Fence, 2*keep), "Heartbeat of an answer")
		t.within(t.found(id, "after Heartbeat of an answer").ExpiresIn, keep, 0, "ExpiresIn")
	}},
	{Name: "the retention of an answer starts when it is stored", check: func(t *trial) {
		c := ask(newID("done"))
		c.Lease, c.TTL = ttl, ttl
		got := t.own(c, "on an absent ID")
		t.Advance(ttl - lease)
		t.must(t.Store.Complete(t.ctx, c.ID, got.Fence, answer, keep), "Complete")
		t.within(t.found(c.ID, "of an answered record").ExpiresIn, keep, 0, "ExpiresIn")
		t.Advance(keep - lease)
		t.done(c, "before the retention is over")
	}},
	{Name: "reading an answer does not extend its retention", check: func(t *trial) {
		id := newID("done")
		t.finish(id)
		t.Advance(keep - lease)
		t.done(ask(id), "before the retention is over")
		t.found(id, "before the retention is over")
		t.Advance(lease + instant)
		t.own(ask(id), "after the retention")
	}},
	{Name: "an expired answer is claimable with any fingerprint", check: func(t *trial) {
		id := newID("done")
		t.finish(id)
		t.Advance(keep + instant)
		t.own(with(ask(id), fpB), "on an expired answer")
		r := t.found(id, "of a new run on an expired answer")
		if r.Fingerprint != fpB || r.Response.Body != nil || r.Response.Status != 0 {
			t.failf("a new run shows fingerprint %x, status %d and body %q", r.Fingerprint, r.Response.Status, r.Response.Body)
		}
	}},
	{Name: "a claim on an expired answer is attempt 1", check: func(t *trial) {
		id := newID("done")
		first := t.finish(id)
		t.Advance(keep + instant)
		if got := t.own(ask(id), "on an expired answer"); got.Attempts != first.Attempts {
			t.failf("attempt %d, want %d", got.Attempts, first.Attempts)
		}
	}},
}

// answers are responses in which something is often lost.
func answers() map[string]idem.Response {
	octets := make([]byte, 256)
	for i := range octets {
		octets[i] = byte(i)
	}
	return map[string]idem.Response{
		"usual":        answer,
		"every octet":  {Status: 200, Headers: octets, Body: octets},
		"header order": {Status: 200, Headers: []byte("b: 1\r\na: 2\r\nb: 3\r\n"), Body: []byte(" {} \n")},
		"tombstone":    {Status: 201, Headers: []byte("location: /x\r\n"), Flags: idem.FlagTombstone},
		"every flag":   {Status: 200, Body: octets, Flags: idem.FlagTombstone | idem.FlagReference | idem.FlagSealed},
		"1 MiB":        {Status: 599, Body: bytes.Repeat(octets, 1<<12)},
	}
}

func (t *trial) sameBody(got, want []byte) {
	if (got == nil) != (want == nil) || len(got) != 0 {
		t.failf("body is %#v, want %#v", got, want)
	}
}

func scribble(b []byte) {
	for i := range b {
		b[i] = '#'
	}
}
