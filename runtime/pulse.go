package runtime

import (
	"sync"
	"time"
)

// pulse times the heartbeats of all runs of one operation with one timer: most
// runs are over long before their first heartbeat, and a timer for each would
// cost more than the claim. All of them have the same interval, so that the list
// of those that run is in the order in which they are due. An injected clock and
// that of a synctest bubble have a timer for each. The zero value is ready.
type pulse struct {
	mu          sync.Mutex
	first, last *run
	armed       bool // a timer runs; where the list is empty, it finds nothing
}

// beatPlace is where a run stands in its pulse, which guards it.
type beatPlace struct {
	before, behind *run
	due            time.Duration // since began; 0: not in the list
	timer          Timer         // of a run that has one of its own
	stopped        bool
}

// began is when the process did, for its monotonic clock.
var began = time.Now()

// inBubble tells the time of a synctest bubble, which has no monotonic reading,
// from that of the process. A bubble ends with its timers, so nobody outside, and
// no other bubble, may wait for them.
func inBubble(now time.Time) bool {
	return now == now.Round(0) //nolint:staticcheck // QF1009: Equal does not see the reading
}

// add schedules the next heartbeat of a run that has not been stopped.
func (l *pulse) add(n *run, clock Clock, interval time.Duration) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case n.stopped:
	case clock != (systemClock{}) || inBubble(now):
		n.timer = clock.AfterFunc(interval, n.renew)
	default:
		n.due = now.Sub(began) + interval
		l.append(n)
		if !l.armed {
			l.arm(interval)
		}
	}
}

// stop ends the heartbeats of a run. One may be under way.
func (l *pulse) stop(n *run) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n.stopped = true
	if n.timer != nil {
		n.timer.Stop()
	}
	if n.due != 0 {
		l.unlink(n)
	}
}

func (l *pulse) hasStopped(n *run) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return n.stopped
}

func (l *pulse) append(n *run) {
	n.before = l.last
	if l.last == nil {
		l.first = n
	} else {
		l.last.behind = n
	}
	l.last = n
}

func (l *pulse) unlink(n *run) {
	if n.before == nil {
		l.first = n.behind
	} else {
		n.before.behind = n.behind
	}
	if n.behind == nil {
		l.last = n.before
	} else {
		n.behind.before = n.before
	}
	n.before, n.behind, n.due = nil, nil, 0 // who keeps the run keeps no other one with it
}

func (l *pulse) arm(after time.Duration) {
	l.armed = true
	time.AfterFunc(after, l.beat)
}

// beat renews the leases that are due, each in a goroutine of its own, so that a
// store which answers late for one delays no other.
func (l *pulse) beat() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Since(began)
	for l.first != nil && l.first.due <= now {
		n := l.first
		l.unlink(n)
		go n.renew()
	}
	l.armed = false
	if l.first != nil {
		l.arm(l.first.due - now)
	}
}
