package sim

import (
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// resource is what the handlers of a key write to. It refuses a lower fence than
// it has seen.
type resource struct {
	seen    idem.Fence
	effects []*request
	freed   idem.Fence // the key was given back by this attempt, or may have been
}

// frees notes that a key is given back: what earlier attempts have done, or will
// still do, keeps nobody from it any more. The world is locked.
func (w *world) frees(s slot, f idem.Fence) {
	r := w.resource[s]
	r.freed = max(r.freed, f)
	w.resource[s] = r
}

// write is an effect of a run under a claim. The world is locked.
func (w *world) write(rq *request) bool {
	r := w.resource[rq.slot]
	if rq.fence < r.seen {
		w.event("%v is refused by the resource", rq)
		return false
	}
	w.event("%v has its effect", rq)
	for _, before := range r.effects {
		if until, why := w.reserved(before, rq); w.now() < until {
			w.violation("%v has an effect while %s of %v", rq, why, before)
		}
	}
	r.seen, r.effects = rq.fence, append(r.effects, rq)
	w.resource[rq.slot] = r
	return true
}

// reserved says until when one effect keeps another request from its own, as far
// as that is certain without asking the store.
func (w *world) reserved(before, next *request) (until time.Duration, why string) {
	const hold = 720 * time.Hour
	ttl := w.policy.TTL
	switch {
	case before.fence <= w.resource[before.slot].freed:
		return 0, ""
	case before.recorded:
		return before.until, "the answer lives"
	case w.held() && before.completed != 0: // recorded or not
		return before.completed + ttl, "the answer lives, or nobody knows the outcome,"
	case w.held():
		return before.claimed + hold, "nobody knows the outcome"
	case before.body != next.body:
		return before.claimed + ttl, "the key belongs to the body"
	case !before.ending:
		return before.leased, "the lease lives"
	}
	return 0, ""
}
