package runtime

import (
	"context"
	"errors"
	"sync"
	"time"
)

// beating renews the lease of a run, and ends the run's context when the claim
// is lost. The context that can end is made when somebody asks for it: most
// handlers are done before.
type beating struct {
	mu      sync.Mutex
	timer   Timer // nil: the run is in the operation's pulse
	stopped bool
	lost    bool                    // a heartbeat was told so before the run ended
	end     context.CancelCauseFunc // nil: nobody asked yet
	ended   bool
	cause   error
	beatPlace
}

// beats is how often a lease is renewed within its length.
const beats = 3

// beat schedules the next heartbeat.
func (n *run) beat() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stopped {
		return
	}
	interval := n.p.Idempotency.Lease / beats
	if n.h.clock == (systemClock{}) {
		if now := time.Now(); !inBubble(now) {
			n.p.pulse.add(n, now, interval)
			return
		}
	}
	n.timer = n.h.clock.AfterFunc(interval, n.renew)
}

// renew is one heartbeat.
func (n *run) renew() {
	n.mu.Lock()
	stopped := n.stopped
	n.mu.Unlock()
	if stopped { // the timer was faster; a lease that was abandoned must not live again
		return
	}
	ctx, since := n.base, n.h.stopwatch()
	err := n.p.store.Heartbeat(ctx, n.id, n.fence, n.p.Idempotency.Lease)
	n.h.stored(ctx, "heartbeat", since, err)
	if errors.Is(err, ErrClaimLost) {
		n.mu.Lock()
		n.lost = !n.stopped // else the run itself may have ended the claim meanwhile
		n.mu.Unlock()
		n.cancel(ErrClaimLost)
		return
	}
	if err != nil { // the next beat may succeed before the lease is over
		n.h.fault(ctx, n.p.Operation, &n.id, "heartbeat failed", err)
	}
	n.beat()
}

func (n *run) stopBeating() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stopped = true
	if n.timer != nil {
		n.timer.Stop()
		return
	}
	n.p.pulse.remove(n)
}

// Deadline implements context.Context. What can end the run later has no
// deadline of its own.
func (n *run) Deadline() (deadline time.Time, ok bool) { return n.base.Deadline() }

// Done implements context.Context: it is closed when the claim is lost, or when
// the run is over.
func (n *run) Done() <-chan struct{} { return n.cancellable().Done() }

// Err implements context.Context.
func (n *run) Err() error {
	n.mu.Lock()
	ended := n.ended
	n.mu.Unlock()
	if ended {
		return n.cancellable().Err()
	}
	return nil
}

// cancellable is the context behind the run, able to end.
func (n *run) cancellable() context.Context {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.end == nil {
		n.Context, n.end = context.WithCancelCause(n.Context)
		if n.ended {
			n.end(n.cause)
		}
	}
	return n.Context
}

// cancel ends the run's context.
func (n *run) cancel(cause error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ended {
		return
	}
	n.ended, n.cause = true, cause
	if n.end == nil && cause != nil { // context.Cause finds it in a context that can end only
		n.Context, n.end = context.WithCancelCause(n.Context)
	}
	if n.end != nil {
		n.end(cause)
	}
}
