package storetest

import (
	"fmt"

	idem "github.com/idemgen/idemgen/runtime"
)

var countRules = []Rule{
	{Name: "records are counted by their state", needs: needsCounter, check: func(t *trial) {
		t.own(ask(newID("lapsed")), "on an absent ID")
		t.own(held(ask(newID("unknown"))), "on an absent ID")
		abandoned := held(ask(newID("abandoned")))
		t.must(t.Store.Abandon(t.ctx, abandoned.ID, t.own(abandoned, "on an absent ID").Fence), "Abandon")
		t.Advance(lease + instant)
		t.own(ask(newID("running")), "on an absent ID")
		t.own(held(ask(newID("held"))), "on an absent ID")
		for i := range 4 {
			t.finish(newID(fmt.Sprint("done", i)))
		}
		t.counts(100, idem.Counts{Running: 3, Unknown: 2, Done: 4}, "of records in each state")
	}},
	{Name: "free and expired records are not counted", needs: needsCounter, check: func(t *trial) {
		t.finish(newID("expired"))
		t.own(held(ask(newID("vanished"))), "on an absent ID")
		t.Advance(keep + instant)
		t.release(newID("released"))
		t.counts(100, idem.Counts{}, "of free and expired records")
	}},
	{Name: "a count stops at its limit", needs: needsCounter, check: func(t *trial) {
		for i := range 5 {
			t.finish(newID(fmt.Sprint("done", i)))
		}
		for limit, want := range map[int]int{-1: 0, 0: 0, 3: 3, 5: 5} {
			t.counts(limit, idem.Counts{Done: want}, fmt.Sprintf("of 5 answers with a limit of %d", limit))
		}
	}},
	{Name: "what runs is counted before answers that expire sooner", needs: needsCounter, check: func(t *trial) {
		for i := range 5 {
			t.finish(newID(fmt.Sprint("done", i)))
		}
		late := ask(newID("running"))
		late.TTL = keep + ttl
		t.own(late, "on an absent ID")
		t.counts(2, idem.Counts{Running: 1, Done: 1}, "of one that runs among answers")
	}},
	{Name: "a cancelled context counts nothing", needs: needsCounter, check: func(t *trial) {
		t.finish(newID("done"))
		if n, err := t.Store.(idem.Counter).Count(t.cancelled(), 10); err == nil || n != (idem.Counts{}) {
			t.failf("Count with a cancelled context: %+v with error %v", n, err)
		}
	}},
}

// counts expects what is counted.
func (t *trial) counts(limit int, want idem.Counts, what string) {
	got, err := t.Store.(idem.Counter).Count(t.ctx, limit)
	t.must(err, "Count")
	if got != want {
		t.failf("Count %s: %+v, want %+v", what, got, want)
	}
}
