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
	mu    sync.Mutex
	end   context.CancelCauseFunc // nil: nobody asked yet
	cause error
	ended bool
	lost  bool // a heartbeat was told so before the run ended
	beatPlace
}

// beats is how often a lease is renewed within its length.
const beats = 3

// beat schedules the next heartbeat.
func (n *run) beat() { n.p.pulse.add(n, n.h.clock, n.p.Idempotency.Lease/beats) }

// renew is one heartbeat.
func (n *run) renew() {
	if n.p.pulse.hasStopped(n) { // the timer was faster; a lease that was abandoned must not live again
		return
	}
	ctx, since := n.base, n.h.stopwatch()
	err := n.p.store.Heartbeat(ctx, n.id, n.fence, n.p.Idempotency.Lease)
	n.h.stored(ctx, "heartbeat", since, err)
	if errors.Is(err, ErrClaimLost) {
		lost := !n.p.pulse.hasStopped(n) // else the run itself may have ended the claim meanwhile
		n.mu.Lock()
		n.lost = lost
		n.mu.Unlock()
		n.cancel(ErrClaimLost)
		return
	}
	if err != nil { // the next beat may succeed before the lease is over
		n.h.fault(ctx, n.p.Operation, &n.id, "heartbeat failed", err)
	}
	n.beat()
}

func (n *run) stopBeating() { n.p.pulse.stop(n) }

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
