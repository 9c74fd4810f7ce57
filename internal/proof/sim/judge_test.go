package sim

import (
	"net/http"
	"time"
)

// acknowledged is a recorded answer that a client has seen.
type acknowledged struct {
	by     *request
	status int
	body   string
	since  time.Duration
	until  time.Duration
}

// judge holds an answer against what happened while the request was under way.
// The world is locked.
func (w *world) judge(rq *request, got *answer) {
	if len(rq.outcomes) != 1 {
		w.violation("%v: its outcome is counted %d times: %v", rq, len(rq.outcomes), rq.outcomes)
	}
	if rq.starts > 1 {
		w.violation("%v: %d starts of the handler", rq, rq.starts)
	}
	w.judgeEvidence(rq, got)
	excused := rq.failed && (got.problem == "store-unavailable" || got.unprotected)
	if !excused {
		w.judgeLive(rq, got)
		w.judgeUnknown(rq, got)
	}
}

// judgeEvidence: every answer needs a reason.
func (w *world) judgeEvidence(rq *request, got *answer) {
	now := w.now()
	reason := false
	for _, t := range w.terms[rq.slot] {
		same := t.request.body == rq.body
		switch {
		case got.unprotected, t.ended <= rq.sent:
		case got.replayed:
			reason = reason || same && t.done && t.expires > rq.sent && t.answer.Status == got.status && string(t.answer.Body) == got.body
		case got.problem == "key-reused":
			reason = reason || !same && max(t.expires, t.leaseUntil) > rq.sent
		case got.problem == "in-flight":
			reason = reason || same && t.leaseUntil > rq.sent && (!t.done || t.doneAt > rq.sent)
		case got.problem == "outcome-unknown":
			reason = reason || same && t.hold && (t.leaseUntil <= now || t.revived) && (!t.done || t.doneAt > rq.sent)
		}
	}
	switch {
	case got.unprotected:
		reason = w.mayRunUnprotected() && rq.failed && w.fresh(rq, got)
	case got.replayed, got.problem == "key-reused":
	case got.problem == "in-flight", got.problem == "outcome-unknown":
		reason = reason || rq.lost
	case got.problem == "store-unavailable":
		reason = rq.failed
	default:
		reason = w.fresh(rq, got) && !rq.lost
		w.acknowledge(rq, got)
	}
	if !reason {
		w.violation("%v: nothing justifies its answer", rq)
	}
}

// fresh reports whether the answer is the one that the request's own handler gave.
func (w *world) fresh(rq *request, got *answer) bool {
	if got.problem != "" {
		return got.status == http.StatusInternalServerError && rq.status == got.status && rq.answer == ""
	}
	return rq.starts == 1 && rq.status == got.status && rq.answer == got.body
}

// acknowledge notes an answer whose record and delivery have both succeeded.
func (w *world) acknowledge(rq *request, got *answer) {
	if !rq.recorded {
		return
	}
	for _, a := range w.acked[rq.slot] { // each lived for ttl
		if a.until > rq.until-w.policy.TTL && rq.until > a.until-w.policy.TTL {
			w.violation("%v is performed and recorded while the answer of %v lives", rq, a.by)
		}
	}
	w.acked[rq.slot] = append(w.acked[rq.slot], &acknowledged{by: rq, status: got.status, body: got.body, since: w.now(), until: rq.until})
}

// live is the acknowledged answer that lived from one time to another.
func (w *world) live(s slot, from, to time.Duration) *acknowledged {
	for _, a := range w.acked[s] {
		if a.since <= from && a.until > to {
			return a
		}
	}
	return nil
}

// judgeLive: an acknowledged answer is what everybody gets while it lives.
func (w *world) judgeLive(rq *request, got *answer) {
	a := w.live(rq.slot, rq.sent, w.now())
	switch {
	case a == nil || a.by == rq:
	case a.by.body != rq.body && got.problem != "key-reused":
		w.violation("%v is not refused although the key belongs to %v", rq, a.by)
	case a.by.body == rq.body && (!got.replayed || got.status != a.status || got.body != a.body):
		w.violation("%v does not get the answer of %v", rq, a.by)
	}
}

// judgeUnknown: an unclear outcome stays unclear until somebody resolves it.
func (w *world) judgeUnknown(rq *request, got *answer) {
	now := w.now()
	for _, t := range w.terms[rq.slot] {
		if !t.hold || t.leaseUntil > rq.sent || t.done && t.doneAt <= now || t.ended <= now || t.expires <= now || t.request == rq {
			continue
		}
		want := "outcome-unknown"
		if t.request.body != rq.body {
			want = "key-reused"
		}
		if got.problem != want {
			w.violation("%v: want %s, because the outcome of %v is not known", rq, want, t.request)
		}
	}
}

// settled reports whether an answer needs no further attempt once all is calm.
func settled(got *answer) bool {
	return got.problem == "" || got.problem == "key-reused" || got.problem == "outcome-unknown"
}
