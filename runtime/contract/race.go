package contract

import "net/http"

// same is n requests for an operation, each with another body.
func (t *trial) same(n int, op *Operation, p Params, headers ...string) []request {
	t.tb.Helper()
	list := make([]request, n)
	for i := range list {
		list[i] = t.request(op, p, headers...)
	}
	return list
}

// one checks that exactly one request has won.
func (t *trial) one(won []Answer) bool {
	if len(won) != 1 {
		t.wrong("%d succeeded", len(won))
		return false
	}
	return true
}

func checkRace(t *trial, op *Operation) {
	p := t.create()
	before := t.read(p)
	answers := t.race(t.same(racers, op, p, "If-Match", before.tag()))
	lost := []int{http.StatusPreconditionFailed}
	gone := !changes(op)
	if gone {
		lost = append(lost, http.StatusNotFound)
	}
	won := t.winners(answers, lost...)
	if !t.one(won) {
		return
	}
	if !gone {
		t.agrees(p, won[0])
	} else if a := t.get(p); a.succeeded() {
		t.wrong("the deletion succeeded, and the resource exists: %s", a.Body)
	}
}

func checkCreateRace(t *trial, op *Operation) {
	if t.seeds.Absent == nil {
		t.tb.Fatalf("contract: the seeds of %s lack Absent, which %s creates", t.resource.Name, op.ID)
	}
	p := t.seeds.Absent(t.tb)
	won := t.winners(t.race(t.same(racers, op, p, "If-None-Match", "*")), http.StatusPreconditionFailed)
	if t.one(won) {
		if won[0].Status != http.StatusCreated {
			t.wrong("the winner is answered with %d, want 201", won[0].Status)
		}
		t.agrees(p, won[0])
	}
}

func checkDeleteRace(t *trial, op *Operation) {
	p := t.create()
	tag := t.read(p).tag()
	var requests []request
	for range racers / 2 {
		requests = append(requests, t.request(op, p, "If-Match", tag), t.request(t.resource.deleter(), p, "If-Match", tag))
	}
	won := t.winners(t.race(requests), http.StatusPreconditionFailed, http.StatusNotFound)
	t.one(won)
}

func checkDuplicates(t *trial, op *Operation) {
	p := t.create()
	r := t.request(op, p, "If-Match", t.read(p).tag())
	if !op.RequiresKey {
		r = r.keyed()
	}
	requests := make([]request, racers)
	for i := range requests {
		requests[i] = r
	}
	won := t.winners(t.race(requests), http.StatusConflict)
	if len(won) == 0 {
		t.wrong("none of the duplicates succeeded")
		return
	}
	for _, a := range won[1:] {
		if a.Status != won[0].Status || a.tag() != won[0].tag() {
			t.wrong("two duplicates succeeded with %d %s and %d %s: the request was performed twice", won[0].Status, won[0].tag(), a.Status, a.tag())
			return
		}
	}
	if changes(op) {
		t.agrees(p, won[0])
	}
}
