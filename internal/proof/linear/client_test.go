package linear

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// client makes calls one after the other.
type client struct {
	*history
	number int
	random *rand.Rand
	calm   bool // no faults
	fence  idem.Fence
	fp     byte
}

func (c *client) work() {
	for range steps {
		c.yield()
		switch {
		case c.fence != 0:
			c.workOwned()
		case c.mode.tx && (!c.mode.lease || c.random.IntN(2) == 0):
			c.workTx()
		default:
			c.workFree()
		}
	}
}

// workFree is a step of a client that owns nothing.
func (c *client) workFree() {
	switch n := c.random.IntN(10); {
	case n < 5:
		c.claim()
	case n < 7:
		c.lookup()
	case n < 9:
		c.stale()
	default:
		c.sweep()
	}
}

// workOwned is a step of a client that was given a fence.
func (c *client) workOwned() {
	switch n := c.random.IntN(10); {
	case n < 3:
		c.end(complete, c.fence)
	case n < 5:
		c.end(heartbeat, c.fence)
		return
	case n < 6:
		c.end(release, c.fence)
	case n < 7:
		c.end(abandon, c.fence)
	case n < 9:
		c.lookup()
		return
	default: // it crashed, and somebody uses its fence later
	}
	c.fence = 0
}

// stale uses a fence that somebody was given at some time.
func (c *client) stale() {
	c.mu.Lock()
	fence := idem.Fence(1)
	if len(c.fences) > 0 {
		fence = c.fences[c.random.IntN(len(c.fences))]
	}
	c.mu.Unlock()
	verbs := []verb{complete, complete, heartbeat, release, abandon}
	c.end(verbs[c.random.IntN(len(verbs))], fence)
}

// yield lets the others run.
func (c *client) yield() {
	for range c.random.IntN(20) {
		runtime.Gosched()
	}
}

func (c *client) ask() (*input, idem.Claim) {
	in := &input{fp: "aab"[c.random.IntN(3)], hold: c.random.IntN(8) == 0}
	return in, idem.Claim{
		ID: c.id, Fingerprint: fingerprint(in.fp), Hold: in.hold, Operation: c.name,
		Lease: leaseHalves * half, TTL: time.Duration(retention(in.hold)) * half,
	}
}

func (c *client) claim() {
	in, ask := c.ask()
	in.verb = claim
	out, err := c.do(c.number, in, func(out *output) error {
		return c.faulty(in, func(ctx context.Context) (err error) {
			out.claimed, err = c.store.Store.Claim(ctx, ask)
			return err
		})
	})
	if err == nil && out.claimed.State == idem.ClaimOwned {
		c.fence, c.fp = out.claimed.Fence, in.fp
		c.mu.Lock()
		c.fences = append(c.fences, c.fence)
		c.mu.Unlock()
	}
}

func (c *client) lookup() {
	_, _ = c.do(c.number, &input{verb: lookup}, func(out *output) (err error) {
		out.record, out.found, err = c.store.Store.Lookup(context.Background(), c.id)
		if err != nil {
			c.fail("lookup: %w", err)
		}
		return err
	})
}

func (c *client) sweep() {
	sweeper, ok := c.store.Store.(idem.Sweeper)
	if !ok {
		return
	}
	_, _ = c.do(c.number, &input{verb: sweep}, func(*output) error {
		_, err := sweeper.Sweep(context.Background(), 10)
		if err != nil {
			c.fail("sweep: %w", err)
		}
		return err
	})
}

// end makes one of the calls that need a fence.
func (c *client) end(v verb, fence idem.Fence) {
	in := &input{verb: v, fence: fence}
	if v == complete {
		in.answer = int(c.answers.Add(1))
	}
	_, _ = c.do(c.number, in, func(*output) error {
		return c.faulty(in, func(ctx context.Context) error {
			switch v {
			case complete:
				return c.store.Store.Complete(ctx, c.id, fence, *response(in.answer), keepHalves*half)
			case heartbeat:
				return c.store.Store.Heartbeat(ctx, c.id, fence, leaseHalves*half)
			case release:
				return c.store.Store.Release(ctx, c.id, fence)
			default:
				return c.store.Store.Abandon(ctx, c.id, fence)
			}
		})
	})
}

var (
	errBefore = errors.New("linear: the call failed before it took effect")
	errAfter  = errors.New("linear: the call failed after it took effect")
)

// faulty makes a call, seldom one that goes wrong.
func (c *client) faulty(in *input, call func(context.Context) error) error {
	ctx := context.Background()
	kind := c.random.IntN(30)
	if c.calm || kind < 5 && c.lost.Add(1) > lostCalls {
		return call(ctx)
	}
	switch kind {
	case 0:
		return errBefore
	case 1:
		if err := call(ctx); err != nil {
			return err
		}
		return errAfter
	case 2, 3: // the context ends while the call is on its way
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		turns := c.random.IntN(40)
		go func() {
			for range turns {
				runtime.Gosched()
			}
			cancel()
		}()
		return call(ctx)
	case 4:
		ctx, cancel := context.WithTimeout(ctx, time.Duration(c.random.IntN(200))*time.Microsecond)
		defer cancel()
		return call(ctx)
	case 5: // nothing may happen, and the model is not told
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		if err := call(ctx); err == nil || errors.Is(err, idem.ErrClaimLost) {
			c.fail("%v: a context that was cancelled before the call was not honoured: %v", in, err)
		}
		return errUncalled
	}
	return call(ctx)
}

// errUncalled means that nothing can have happened.
var errUncalled = errors.New("linear: the context had ended before the call")
