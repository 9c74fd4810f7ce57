package sim

import (
	"bytes"
	"context"
	"errors"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// book knows every record, from the calls that reached the store. Because each
// of them has an instant of its own, what the store must answer is known
// exactly. All times are the store's clock's.
type book struct {
	records map[idem.ID]*term
	terms   map[slot][]*term
	fences  map[idem.Fence]int // in the order of their appearance, for the log
	highest map[idem.ID]idem.Fence
}

// slot is a key of a tenant.
type slot struct{ tenant, key int }

// term is a record from one claim to its end.
type term struct {
	request    *request
	fp         idem.Fingerprint
	hold       bool
	fence      idem.Fence
	claimed    time.Duration
	leaseUntil time.Duration
	revived    bool // a late heartbeat has renewed a lease that was over
	expires    time.Duration
	ended      time.Duration // released, or claimed anew; never: it has not
	done       bool
	doneAt     time.Duration
	answer     idem.Response
}

const never = time.Duration(1<<63 - 1)

func newBook() book {
	return book{
		records: map[idem.ID]*term{}, terms: map[slot][]*term{}, fences: map[idem.Fence]int{},
		highest: map[idem.ID]idem.Fence{},
	}
}

// fence is a fence's number in the log.
func (b *book) number(f idem.Fence) int {
	if _, ok := b.fences[f]; !ok {
		b.fences[f] = len(b.fences) + 1
	}
	return b.fences[f]
}

// claimable is the condition of idem.Store.Claim.
func (t *term) claimable(now time.Duration, fp idem.Fingerprint) bool {
	switch {
	case t == nil || t.ended != never:
		return true
	case t.done:
		return t.expires <= now
	case t.leaseUntil > now:
		return false
	}
	return t.expires <= now || t.fp == fp && !t.hold
}

// runs reports whether the record runs under f.
func (t *term) runs(f idem.Fence) bool {
	return t != nil && t.ended == never && !t.done && t.fence == f
}

// same reports whether a store's record is this one.
func (t *term) same(now time.Duration, r *idem.Record) bool {
	if t == nil || t.fp != r.Fingerprint || t.fence != r.Fence || t.done != (r.State == idem.StateDone) {
		return false
	}
	if t.done {
		return equal(&t.answer, &r.Response)
	}
	return t.hold == r.Hold && r.LeaseLeft == max(t.leaseUntil-now, 0)
}

func equal(a, b *idem.Response) bool {
	return a.Status == b.Status && a.Flags == b.Flags && bytes.Equal(a.Headers, b.Headers) && bytes.Equal(a.Body, b.Body)
}

// claimed notes what a claim met.
func (w *world) claimed(rq *request, c *idem.Claim, got *idem.Claimed) {
	now, old := w.now(), w.records[c.ID]
	free := old.claimable(now, c.Fingerprint)
	switch got.State {
	case idem.ClaimOwned:
		w.event("%v claims: owned, fence %d, attempt %d", rq, w.number(got.Fence), got.Attempts)
		if !free {
			w.refute("%v owns a key that %v has", rq, old.request)
		}
		if got.Fence <= w.highest[c.ID] {
			w.refute("%v: the fence does not rise", rq)
		}
		w.highest[c.ID] = max(w.highest[c.ID], got.Fence)
		if old != nil && old.ended == never {
			old.ended = now
		}
		t := &term{
			request: rq, fp: c.Fingerprint, hold: c.Hold, fence: got.Fence,
			claimed: now, leaseUntil: now + c.Lease, expires: now + max(c.TTL, c.Lease), ended: never,
		}
		w.records[c.ID] = t
		w.terms[rq.slot] = append(w.terms[rq.slot], t)
	default:
		state := "running"
		if got.State == idem.ClaimDone {
			state = "done"
		}
		w.event("%v claims: %s, fence %d, lease left %v", rq, state, w.number(got.Record.Fence), got.Record.LeaseLeft)
		if free {
			w.refute("%v does not get a key that is free", rq)
		} else if !old.same(now, &got.Record) {
			w.refute("%v meets a record that is not the one of %v", rq, old.request)
		}
	}
}

// looked notes what a lookup found.
func (w *world) looked(rq *request, id idem.ID, found bool, record *idem.Record) {
	now, t := w.now(), w.records[id]
	live := t != nil && t.ended == never && t.expires > now
	w.event("%v looks up: %t", rq, found)
	if live != found || found && !t.same(now, record) {
		w.refute("%v looks up something else than the record", rq)
	}
}

// ended notes a call that needs the fence.
func (w *world) ended(rq *request, verb string, id idem.ID, f idem.Fence, err error, change func(*term, time.Duration)) {
	t := w.records[id]
	w.event("%v %s, fence %d: %v", rq, verb, w.number(f), err)
	switch {
	case err == nil && !t.runs(f):
		w.refute("%v: %s is accepted under a fence that does not run", rq, verb)
	case errors.Is(err, idem.ErrClaimLost) && t.runs(f):
		w.refute("%v: %s is refused though the fence runs", rq, verb)
	}
	if err == nil && t != nil {
		change(t, w.now())
	}
}

// observed is the store as the book sees it.
type observed struct {
	w *world
	idem.Store
}

func (o observed) Claim(ctx context.Context, c idem.Claim) (idem.Claimed, error) {
	got, err := o.Store.Claim(ctx, c)
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	if err == nil {
		o.w.claimed(requestOf(ctx), &c, &got)
	}
	return got, err
}

func (o observed) Lookup(ctx context.Context, id idem.ID) (idem.Record, bool, error) {
	record, found, err := o.Store.Lookup(ctx, id)
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	if err == nil {
		o.w.looked(requestOf(ctx), id, found, &record)
	}
	return record, found, err
}

func (o observed) end(ctx context.Context, verb string, id idem.ID, f idem.Fence, err error, change func(*term, time.Duration)) error {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	o.w.ended(requestOf(ctx), verb, id, f, err, change)
	return err
}

func (o observed) Heartbeat(ctx context.Context, id idem.ID, f idem.Fence, lease time.Duration) error {
	return o.end(ctx, "heartbeat", id, f, o.Store.Heartbeat(ctx, id, f, lease), func(t *term, now time.Duration) {
		t.revived = t.revived || t.leaseUntil <= now
		t.leaseUntil, t.expires = now+lease, max(t.expires, now+lease)
	})
}

func (o observed) Complete(ctx context.Context, id idem.ID, f idem.Fence, resp idem.Response, ttl time.Duration) error {
	kept := resp
	kept.Headers, kept.Body = bytes.Clone(resp.Headers), bytes.Clone(resp.Body)
	return o.end(ctx, "complete", id, f, o.Store.Complete(ctx, id, f, resp, ttl), func(t *term, now time.Duration) {
		t.done, t.doneAt, t.answer, t.expires = true, now, kept, now+ttl
	})
}

func (o observed) Release(ctx context.Context, id idem.ID, f idem.Fence) error {
	return o.end(ctx, "release", id, f, o.Store.Release(ctx, id, f), func(t *term, now time.Duration) { t.ended = now })
}

func (o observed) Abandon(ctx context.Context, id idem.ID, f idem.Fence) error {
	return o.end(ctx, "abandon", id, f, o.Store.Abandon(ctx, id, f), func(t *term, now time.Duration) {
		t.leaseUntil = min(t.leaseUntil, now)
	})
}
