package storetest

import (
	"bytes"
	"errors"
	"sync"

	idem "github.com/idemgen/idemgen/runtime"
)

var claimRules = []Rule{
	{Name: "a claim on an absent ID is owned as attempt 1", check: func(t *trial) {
		got := t.own(ask(newID("absent")), "on an absent ID")
		if got.Attempts != 1 || got.Fence == 0 {
			t.failf("attempt %d with fence %d, want attempt 1 with a fence", got.Attempts, got.Fence)
		}
	}},
	{Name: "a claim while another one runs is refused", check: func(t *trial) {
		c := ask(newID("running"))
		t.own(c, "on an absent ID")
		t.refused(c, "while another one runs")
		t.Advance(lease - instant)
		t.refused(c, "shortly before the end of the lease")
	}},
	{Name: "a claim with another fingerprint is refused while one runs", check: func(t *trial) {
		c := ask(newID("running"))
		t.own(c, "on an absent ID")
		t.refused(with(c, fpB), "with another fingerprint")
	}},
	{Name: "a refused claim shows whose record it met", check: func(t *trial) {
		c := held(ask(newID("running")))
		owner := t.own(c, "on an absent ID")
		r := t.refused(with(c, fpB), "while another one runs")
		t.shows(r, owner)
		if !r.Hold {
			t.failf("the record is not on hold")
		}
		t.within(r.LeaseLeft, lease, 0, "LeaseLeft")
		t.within(r.ExpiresIn, ttl, 0, "ExpiresIn")
	}},
	{Name: "IDs that differ in any octet are different records", check: func(t *trial) {
		var zeros, spaces, lower, upper, first, last idem.ID
		copy(spaces[:], bytes.Repeat([]byte{' '}, len(spaces)))
		copy(lower[:], bytes.Repeat([]byte{'a'}, len(lower)))
		copy(upper[:], bytes.Repeat([]byte{'A'}, len(upper)))
		first[0], last[len(last)-1] = 0x80, 0x01
		for _, id := range []idem.ID{zeros, spaces, lower, upper, first, last} {
			t.own(ask(id), "on an ID of its own")
		}
	}},
	{Name: "of many concurrent claims exactly one is owned", check: func(t *trial) {
		t.oneWinner(newID("race"))
	}},
	{Name: "of many concurrent takeovers exactly one is owned", check: func(t *trial) {
		id := newID("race")
		t.own(ask(id), "on an absent ID")
		t.Advance(lease + instant)
		t.oneWinner(id)
	}},
	{Name: "a cancelled context claims nothing", check: func(t *trial) {
		c := ask(newID("cancelled"))
		if got, err := t.Store.Claim(t.cancelled(), c); err == nil {
			t.failf("Claim with a cancelled context: got %s, want an error", claimState(got.State))
		}
		t.absent(c.ID, "after a cancelled Claim")
	}},
}

// shows expects r to be the running record of owner, with fingerprint A.
func (t *trial) shows(r idem.Record, owner idem.Claimed) {
	if r.State != idem.StateRunning {
		t.failf("the record's state is %d, want running", r.State)
	}
	if r.Fingerprint != fpA {
		t.failf("the record's fingerprint is %x, want the owner's", r.Fingerprint)
	}
	if r.Fence != owner.Fence || r.Attempts != owner.Attempts {
		t.failf("the record has fence %d and attempt %d, want %d and %d", r.Fence, r.Attempts, owner.Fence, owner.Attempts)
	}
}

// racers is enough for two of them to meet in any gap.
const racers = 64

// oneWinner lets racers claim id at the same time. It expects one owner, and
// that the others were told so.
func (t *trial) oneWinner(id idem.ID) {
	got := make([]idem.Claimed, racers)
	errs := make([]error, racers)
	race(func(i int) { got[i], errs[i] = t.Store.Claim(t.ctx, ask(id)) })
	t.must(errors.Join(errs...), "Claim")
	owned, running := 0, 0
	for _, c := range got {
		switch c.State {
		case idem.ClaimOwned:
			owned++
		case idem.ClaimRunning:
			running++
		}
	}
	if owned != 1 || running != racers-1 {
		t.failf("%d concurrent claims: %d owned and %d running, want one owned and the others running", racers, owned, running)
	}
}

// race calls f in racers goroutines that begin together.
func race(f func(i int)) {
	var start, end sync.WaitGroup
	start.Add(1)
	for i := range racers {
		end.Go(func() {
			start.Wait()
			f(i)
		})
	}
	start.Done()
	end.Wait()
}
