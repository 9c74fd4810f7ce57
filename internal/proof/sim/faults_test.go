package sim

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

var (
	errInjected = errors.New("sim: the store failed")
	errGone     = errors.New("sim: the process is gone")
)

// connection is a process's way to the store. What it does to a call follows
// from the request, the verb and how many calls of it were made before.
type connection struct {
	w *world
	p *process
	idem.Store
}

// fault is what becomes of a call.
type fault struct {
	before, after time.Duration // latency around the effect
	lost          bool          // it never takes effect
	untold        bool          // it took effect, and the answer is lost
}

func (w *world) fault(verb string, r *rand.Rand) fault {
	f := fault{before: upTo(r, 5*time.Millisecond), after: upTo(r, 5*time.Millisecond)}
	trouble := w.trouble
	if verb == "heartbeat" {
		trouble *= 2
	}
	n := r.IntN(1000)
	switch {
	case w.calm || n >= trouble:
	case n%4 == 0:
		f.lost = true
	case n%4 == 1:
		f.untold = true
	case n%4 == 2:
		f.before = upTo(r, w.slowest)
	default:
		f.after = upTo(r, w.slowest)
	}
	return f
}

// do makes one call.
func (c *connection) do(ctx context.Context, verb string, call func() error) error {
	w, rq := c.w, requestOf(ctx)
	w.mu.Lock()
	f := w.fault(verb, w.draw(verb, rq.number, rq.calls[verb]))
	rq.calls[verb]++
	w.begins(rq, verb)
	w.mu.Unlock()
	err := w.sleepWithin(ctx, f.before)
	w.mu.Lock()
	switch {
	case err != nil:
	case c.p.dead:
		err = errGone
	case f.lost:
		err = errInjected
		w.event("%v: its %s is lost", rq, verb)
	}
	rq.failed = rq.failed || err != nil || f.untold
	w.mu.Unlock()
	if err != nil {
		return err
	}
	err = call()
	w.sleep(f.after)
	w.mu.Lock()
	defer w.mu.Unlock()
	if f.untold {
		err = errInjected
		w.event("%v: it is not told about its %s", rq, verb)
	}
	if errors.Is(err, idem.ErrClaimLost) && (verb != "heartbeat" || !rq.ending) {
		rq.lost = true // a heartbeat that comes back later may mean the run's own end
	}
	return err
}

// begins notes what a call may do from now on. The world is locked.
func (w *world) begins(rq *request, verb string) {
	switch verb {
	case "claim":
		rq.claimed = w.now()
	case "complete":
		rq.ending = true
		rq.mayBeDone(w.now())
	case "release":
		rq.ending = true
		w.frees(rq.slot, rq.fence)
	case "abandon":
		rq.ending = true
	}
}

func (c *connection) Claim(ctx context.Context, claim idem.Claim) (got idem.Claimed, err error) {
	err = c.do(ctx, "claim", func() (err error) {
		got, err = c.Store.Claim(ctx, claim)
		return err
	})
	if err != nil {
		return idem.Claimed{}, err
	}
	if got.State == idem.ClaimOwned {
		c.w.mu.Lock()
		rq := requestOf(ctx)
		rq.owned, rq.leased = got.Fence, rq.claimed+claim.Lease
		c.w.mu.Unlock()
	}
	return got, nil
}

func (c *connection) Lookup(ctx context.Context, id idem.ID) (record idem.Record, found bool, err error) {
	err = c.do(ctx, "lookup", func() (err error) {
		record, found, err = c.Store.Lookup(ctx, id)
		return err
	})
	if err != nil {
		return idem.Record{}, false, err
	}
	return record, found, nil
}

func (c *connection) Heartbeat(ctx context.Context, id idem.ID, f idem.Fence, lease time.Duration) error {
	c.w.mu.Lock()
	until := c.w.now() + lease
	c.w.mu.Unlock()
	err := c.do(ctx, "heartbeat", func() error { return c.Store.Heartbeat(ctx, id, f, lease) })
	if err == nil {
		c.w.mu.Lock()
		rq := requestOf(ctx)
		rq.leased = max(rq.leased, until)
		c.w.mu.Unlock()
	}
	return err
}

func (c *connection) Complete(ctx context.Context, id idem.ID, f idem.Fence, resp idem.Response, ttl time.Duration) error {
	rq, until, seen := requestOf(ctx), time.Duration(0), idem.Fence(0)
	err := c.do(ctx, "complete", func() error {
		c.w.mu.Lock()
		until, seen = c.w.now()+ttl, c.w.resource[rq.slot].seen
		c.w.mu.Unlock()
		return c.Store.Complete(ctx, id, f, resp, ttl)
	})
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if err == nil {
		rq.recorded, rq.until = true, until
		if f < seen {
			c.w.violation("%v: its answer is recorded after somebody who replaced it had an effect", rq)
		}
	}
	return err
}

func (c *connection) Release(ctx context.Context, id idem.ID, f idem.Fence) error {
	return c.do(ctx, "release", func() error { return c.Store.Release(ctx, id, f) })
}

func (c *connection) Abandon(ctx context.Context, id idem.ID, f idem.Fence) error {
	return c.do(ctx, "abandon", func() error { return c.Store.Abandon(ctx, id, f) })
}
