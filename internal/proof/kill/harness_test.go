package kill

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// kind is a way to break the promise.
type kind string

const (
	duplicate  kind = "duplicate"  // two rows of one key
	missing    kind = "missing"    // acknowledged, and not there
	different  kind = "different"  // two answers under one key
	surviving  kind = "surviving"  // there although its process died before the commit
	forgotten  kind = "forgotten"  // not there, or not the answer, although it was committed
	blocked    kind = "blocked"    // no answer at all
	unexpected kind = "unexpected" // neither an answer nor a reason to ask again
)

type problem struct {
	kind kind
	text string
}

// A loss is an attempt whose worker was killed before the client had an answer.
type loss struct {
	order
	stage stage
}

// tally counts losses by stage: those that stood still, and those that ran on.
type tally [stages]struct{ held, free int }

func (t *tally) String() string {
	var lines []string
	for s, n := range t {
		lines = append(lines, fmt.Sprintf("%5d %s, %d of them held", n.held+n.free, stage(s), n.held))
	}
	return strings.Join(lines, "\n")
}

// harness is the parent of the workers and the clients, and the one who knows
// what was promised.
type harness struct {
	*site
	databaseFails bool          // clients meet failures of the database too
	patience      time.Duration // of clients; shorter than a lease

	attempts atomic.Int64
	killed   int

	mu       sync.Mutex
	current  *life         // nil: the next one is not there yet
	changed  chan struct{} // closed, and replaced, when current changes
	over     bool          // no further life comes
	acked    map[string]answer
	orders   map[string]order
	losses   map[string]loss // by attempt
	tally    tally
	problems []problem
}

func newHarness(s *site) *harness {
	return &harness{
		site: s, patience: patience, changed: make(chan struct{}),
		acked: map[string]answer{}, orders: map[string]order{}, losses: map[string]loss{},
	}
}

func (h *harness) report(k kind, format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.problems = append(h.problems, problem{k, fmt.Sprintf(format, args...)})
}

// broken reports whether there is a problem, or one of the kinds.
func (h *harness) broken(kinds ...kind) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.problems {
		if slices.Contains(kinds, p.kind) {
			return true
		}
	}
	return len(kinds) == 0 && len(h.problems) > 0
}

// publish shows the clients a life, or with nil that there is none for now.
func (h *harness) publish(l *life) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.current = l
	close(h.changed)
	h.changed = make(chan struct{})
}

// end tells the clients that no life comes any more.
func (h *harness) end() {
	h.mu.Lock()
	h.over = true
	h.mu.Unlock()
	h.publish(nil)
}

// alive waits for a worker to send to; nil when none comes any more.
func (h *harness) alive() *life {
	for {
		h.mu.Lock()
		l, changed, over := h.current, h.changed, h.over
		h.mu.Unlock()
		if l != nil || over {
			return l
		}
		<-changed
	}
}

// mourn notes an attempt that broke off, which only the end of its worker may
// cause.
func (h *harness) mourn(l *life, attempt string, o order, err error) bool {
	select {
	case <-l.process.Ended():
	case <-time.After(patience):
		h.report(unexpected, "the connection broke and the worker is still there: %v", err)
		return false
	}
	s, held := l.last(attempt)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.losses[attempt] = loss{o, s}
	if held {
		h.tally[s].held++
	} else {
		h.tally[s].free++
	}
	if h.current == l { // nobody asks the dead again
		h.current = nil
	}
	return true
}

// acknowledge keeps the first answer to an order, and compares later ones.
func (h *harness) acknowledge(o order, a answer) {
	h.mu.Lock()
	first, known := h.acked[o.ref]
	if !known {
		h.acked[o.ref], h.orders[o.ref] = a, o
	}
	h.mu.Unlock()
	if known && !first.same(a) {
		h.report(different, "%s was answered %v, and later %v", o.ref, first, a)
	}
}

// verdict fails the test for each problem, the first ones of many.
func (h *harness) verdict(t *testing.T) {
	t.Helper()
	const enough = 10
	for i, p := range h.problems {
		if i == enough {
			t.Errorf("and %d more", len(h.problems)-i)
			return
		}
		t.Errorf("%s: %s", p.kind, p.text)
	}
}
