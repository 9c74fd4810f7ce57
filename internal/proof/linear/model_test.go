package linear

import (
	"fmt"
	"slices"
	"strings"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// Instants and durations of the model are in half units. The clock moves in
// whole units and durations are odd, so that no lease ends exactly when somebody
// looks. A unit is long: what passes while a history runs is nothing.
const (
	half  = 30 * time.Minute
	drift = 10 * time.Minute

	leaseHalves = 21
	runHalves   = 71  // retention while running
	keepHalves  = 151 // retention of an answer
	holdHalves  = 201 // retention of a held record
)

// jumps of the clock, in half units: within a lease, over it, over the retention
// of a run, and over that of an answer.
var jumps = []int{8, 22, 80, 160}

// record is what the model knows of the key.
type record struct {
	state    idem.State
	fp       byte
	hold     bool
	fence    idem.Fence // 0: nobody was told
	early    bool       // it may have been drawn before others that are higher
	highest  idem.Fence // that somebody was told
	attempts int        // 0: not known
	lease    int        // instant
	expires  int        // instant
	answer   int
	openTx   int // token of the transaction that owns the key; 0: none
}

func (r *record) leaseOver(now int) bool { return r.lease <= now }
func (r *record) expired(now int) bool   { return r.expires <= now }

// over reports whether the record may be removed.
func (r *record) over(now int) bool {
	return r.expired(now) && (r.state != idem.StateRunning || r.leaseOver(now))
}

// removed returns what is left of a record: its fences rise for ever.
func (r record) removed() record { return record{highest: r.highest, openTx: r.openTx} }

// live reports whether a look-up shows the record.
func (r *record) live(now int) bool {
	return r.state != idem.StateFree && (!r.expired(now) || r.state == idem.StateRunning && !r.leaseOver(now))
}

// claimable is the condition of idem.Store.Claim.
func (r *record) claimable(fp byte, now int) bool {
	switch r.state {
	case idem.StateFree:
		return true
	case idem.StateDone:
		return r.expired(now)
	}
	return r.leaseOver(now) && (r.expired(now) || r.fp == fp && !r.hold)
}

// attempt is the number of the attempt that a claim begins.
func (r *record) attempt(fp byte) int {
	if r.state == idem.StateRunning && r.fp == fp {
		return r.attempts + 1
	}
	return 1
}

// ran returns the record as a successful claim leaves it.
func (r record) ran(in *input, fence idem.Fence, now int) record {
	r.attempts = r.attempt(in.fp)
	r.state, r.fp, r.hold, r.answer, r.early = idem.StateRunning, in.fp, in.hold, 0, false
	r.fence, r.highest = fence, max(r.highest, fence)
	r.lease, r.expires = now+leaseHalves, now+retention(in.hold)
	return r
}

func retention(hold bool) int {
	if hold {
		return holdHalves
	}
	return runHalves
}

// answered returns the record as a completion leaves it.
func (r record) answered(answer, now int) record {
	r.state, r.lease, r.expires, r.answer = idem.StateDone, 0, now+keepHalves, answer
	return r
}

// committed returns the record as a transaction leaves it. Its fence was drawn
// when it began: where leases are given beside transactions, one of them may have
// come, been answered and been removed meanwhile.
func (r record) committed(in *input, now int) record {
	r.fp, r.hold, r.fence, r.attempts, r.early = in.fp, false, 0, 0, in.mixed
	return r.answered(in.answer, now)
}

// shows reports whether a caller may have seen got, and what is known then. What
// is left of lease and retention may have been worked out a little after the
// record was decided upon, at one of clocks.
func (r record) shows(got *idem.Record, clocks []int) (record, bool) {
	if got.State != r.state || got.Fingerprint != fingerprint(r.fp) || got.Hold != r.hold && r.state == idem.StateRunning {
		return r, false
	}
	switch {
	case r.fence == 0 && (got.Fence > r.highest || r.early && got.Fence > 0):
		r.fence, r.highest = got.Fence, max(r.highest, got.Fence)
	case r.fence == 0 || got.Fence != r.fence:
		return r, false
	}
	if r.attempts != 0 && got.Attempts != r.attempts {
		return r, false
	}
	lease := 0
	if r.state == idem.StateRunning {
		lease = r.lease
	} else if !same(&got.Response, response(r.answer)) {
		return r, false
	}
	return r, slices.ContainsFunc(clocks, func(now int) bool {
		return about(got.LeaseLeft, max(lease-now, 0)) && about(got.ExpiresIn, max(r.expires-now, 0))
	})
}

// about allows for the time that the history itself takes.
func about(got time.Duration, halves int) bool {
	want := time.Duration(halves) * half
	return got <= want+time.Second && got >= max(want-drift, 0)
}

func same(a, b *idem.Response) bool {
	return a.Status == b.Status && a.Flags == b.Flags &&
		string(a.Headers) == string(b.Headers) && string(a.Body) == string(b.Body)
}

// response is the answer with this number.
func response(n int) *idem.Response {
	return &idem.Response{Status: 200 + n%100, Headers: fmt.Appendf(nil, "n: %d\r\n", n), Body: fmt.Appendf(nil, `{"n":%d}`, n)}
}

func fingerprint(fp byte) idem.Fingerprint { return idem.Fingerprint{1, fp} }

// verb is what a client does.
type verb string

const (
	claim      verb = "claim"
	heartbeat  verb = "heartbeat"
	complete   verb = "complete"
	release    verb = "release"
	abandon    verb = "abandon"
	lookup     verb = "lookup"
	sweep      verb = "sweep"
	begin      verb = "begin"
	txComplete verb = "tx complete"
	txRollback verb = "tx rollback"
)

// input is a call.
type input struct {
	verb   verb
	fp     byte
	hold   bool
	fence  idem.Fence
	answer int
	tx     int
	effect string // row that the transaction has written
	undone bool   // only its answer is kept
	mixed  bool   // there are leases beside it
	// clocks are the instants that the store's clock may have shown.
	clocks []int
	// contended: another transaction was being begun, ran or ended meanwhile.
	contended bool
	// yielded: a transaction was being completed meanwhile whose writes are undone
	// and whose answer is kept. A store may do that in two steps, and let others
	// begin between them; one of them commits.
	yielded bool
	// abandoned: the lease was being ended meanwhile, perhaps an instant after the
	// store had looked at its clock.
	abandoned bool
	// freed: a claim was being given back or its lease ended meanwhile, in a commit
	// that this call may share: a transaction begins on that before anybody else
	// sees it. It commits with it, or not at all.
	freed bool
	// drawn: a sweeper was at work meanwhile, and the fence of a new record may
	// have been drawn before others that were given, expired and were removed while
	// the claim waited. The histories' clock jumps by days; in time that passes, a
	// claim would have to wait for the shortest retention, a minute.
	drawn bool
	// forgets: the store removes records whose time is over by itself.
	forgets bool
}

// output is how the call returned.
type output struct {
	known   bool // else anything may have happened, or will
	lost    bool
	found   bool // lookup
	claimed idem.Claimed
	record  idem.Record
	applied bool // tx complete
}

// step returns the records that the call can have left behind. None means that
// the call cannot have returned this.
func step(r record, in *input, out *output) []record {
	var next []record
	for _, now := range in.clocks {
		next = append(next, stepAt(r, in, out, now)...)
		if in.forgets && r.over(now) {
			next = append(next, stepAt(r.removed(), in, out, now)...)
		}
	}
	if !out.known && in.verb != txComplete {
		next = append(next, r)
	}
	return next
}

func stepAt(r record, in *input, out *output, now int) []record {
	switch in.verb {
	case lookup:
		return stepLookup(r, in, out, now)
	case claim, begin:
		return stepClaim(r, in, out, now)
	case txComplete, txRollback:
		return stepTx(r, in, out, now)
	case sweep:
		if !r.over(now) {
			return []record{r}
		}
		return []record{r, r.removed()}
	}
	next := stepFenced(r, in, out, now)
	if r.state == idem.StateRunning && r.fence == 0 && in.fence > r.highest {
		r.fence, r.highest = in.fence, in.fence // nobody was told; a guess may be right
		next = append(next, stepFenced(r, in, out, now)...)
	}
	return next
}

func stepFenced(r record, in *input, out *output, now int) []record {
	owned := r.state == idem.StateRunning && r.fence == in.fence
	if out.known && out.lost == owned {
		return nil
	}
	if !owned {
		return []record{r}
	}
	switch in.verb {
	case heartbeat:
		r.lease = now + leaseHalves
		r.expires = max(r.expires, r.lease)
	case complete:
		r = r.answered(in.answer, now)
	case release:
		r = r.removed()
	case abandon:
		r.lease = min(r.lease, now)
	}
	return []record{r}
}

func stepLookup(r record, in *input, out *output, now int) []record {
	if out.found != r.live(now) {
		return nil
	}
	if out.found {
		var ok bool
		if r, ok = r.shows(&out.record, in.clocks); !ok {
			return nil
		}
	}
	return []record{r}
}

func stepClaim(r record, in *input, out *output, now int) []record {
	free := r.claimable(in.fp, now)
	if !out.known { // only of claims: a begin that fails leaves nothing
		if free {
			return []record{r.ran(in, 0, now)}
		}
		return nil
	}
	got := &out.claimed
	if got.State == idem.ClaimOwned {
		switch {
		case !free && !(in.verb == begin && in.freed):
			return nil
		case in.verb == begin && r.openTx != 0 && !in.yielded:
			return nil
		case in.verb == begin:
			r.openTx = in.tx
			return []record{r}
		case got.Fence <= r.highest && !(in.drawn && r.state == idem.StateFree), got.Attempts != r.attempt(in.fp):
			return nil
		}
		return []record{r.ran(in, got.Fence, now)}
	}
	if got.State == idem.ClaimRunning && in.contended && got.Record.State == idem.StateRunning {
		return []record{r}
	}
	if in.abandoned && r.state == idem.StateRunning && r.lease == now && !r.expired(now) {
		free = false
	}
	r, ok := r.shows(&got.Record, in.clocks)
	if free || !ok || (got.State == idem.ClaimDone) != (r.state == idem.StateDone) {
		return nil
	}
	return []record{r}
}

func stepTx(r record, in *input, out *output, now int) []record {
	ended := r
	if r.openTx == in.tx {
		ended.openTx = 0
	}
	switch {
	case in.verb == txComplete && out.known && !out.applied, in.verb == txRollback:
		return []record{ended}
	case !r.claimable(in.fp, now):
		if out.known {
			return nil
		}
		return []record{ended}
	case out.known:
		return []record{ended.committed(in, now)}
	}
	return []record{ended, ended.committed(in, now)}
}

// String describes a call for a history that is printed.
func (in *input) String() string {
	var b strings.Builder
	b.WriteString(string(in.verb))
	switch in.verb {
	case claim, begin:
		fmt.Fprintf(&b, " fp=%c", in.fp)
		if in.hold {
			b.WriteString(" hold")
		}
	case heartbeat, complete, release, abandon:
		fmt.Fprintf(&b, " fence=%d", in.fence)
	}
	if in.answer != 0 {
		fmt.Fprintf(&b, " answer=%d", in.answer)
	}
	if in.tx != 0 {
		fmt.Fprintf(&b, " tx=%d", in.tx)
	}
	if in.contended {
		b.WriteString(" contended")
	}
	fmt.Fprintf(&b, " clock=%v", in.clocks)
	return b.String()
}

// String describes what came back.
func (out *output) String() string {
	switch {
	case !out.known:
		return "unknown"
	case out.lost:
		return "lost"
	case out.claimed.State == idem.ClaimOwned:
		return fmt.Sprintf("owned fence=%d attempt=%d", out.claimed.Fence, out.claimed.Attempts)
	case out.claimed.State != 0:
		return describe(&out.claimed.Record)
	case out.found:
		return describe(&out.record)
	case out.applied:
		return "committed"
	}
	return "ok"
}

func describe(r *idem.Record) string {
	return fmt.Sprintf("state=%d fp=%c hold=%t fence=%d attempts=%d lease=%v expires=%v body=%s",
		r.State, r.Fingerprint[1], r.Hold, r.Fence, r.Attempts,
		r.LeaseLeft.Round(half), r.ExpiresIn.Round(half), r.Response.Body)
}
