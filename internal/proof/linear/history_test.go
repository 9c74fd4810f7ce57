package linear

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/storetest"
)

// mode says how the clients of a history run.
type mode struct {
	name      string
	lease, tx bool
	shares    bool // commits; see stores.Backend
	draws     bool // fences before it waits; see stores.Backend
}

var (
	leaseMode = mode{name: "lease", lease: true}
	txMode    = mode{name: "tx", tx: true}
	mixedMode = mode{name: "mixed", lease: true, tx: true}
)

const (
	clients = 4
	steps   = 14
	// lostCalls bounds the calls of one history whose outcome is unknown: each
	// may take effect at any later time, and the checker tries all of them.
	lostCalls = 8
)

// history is one run of the clients on one key.
type history struct {
	store storetest.Harness
	mode  mode
	id    idem.ID
	name  string

	ticks   atomic.Int64 // orders calls and returns
	lost    atomic.Int64 // calls whose outcome is unknown
	answers atomic.Int64
	tokens  atomic.Int64

	mu         sync.Mutex
	operations []operation
	fences     []idem.Fence // that anybody was given, stale ones included
	clock      []int        // instants that the clock has been sent to
	clockDone  int          // how many of them it has reached
	spans      []*span      // of transactions
	wrong      []error
}

// operation is a call with its return; end is math.MaxInt64 when the return
// tells nothing.
type operation struct {
	client    int
	call, end int64
	in        *input
	out       *output
}

// span is the time from a Begin until its transaction is over.
type span struct {
	tx       int
	from, to int64
}

func (h *history) tick() int64 { return h.ticks.Add(1) }

// fail notes what no model is needed for.
func (h *history) fail(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wrong = append(h.wrong, fmt.Errorf(format, args...))
}

// reached returns how far the clock has certainly come.
func (h *history) reached() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clockDone
}

// since returns the instants that the clock can have shown since it had reached
// from.
func (h *history) since(from int) []int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.clock[from-1:])
}

// jump moves the store's clock. Only one goroutine does.
func (h *history) jump(by int) {
	h.mu.Lock()
	h.clock = append(h.clock, h.clock[len(h.clock)-1]+by)
	h.mu.Unlock()
	h.store.Advance(time.Duration(by) * half)
	h.mu.Lock()
	h.clockDone++
	h.mu.Unlock()
}

// do makes one call and writes it down. The call returns the output and whether
// it is certain that nothing happened, in which case there is nothing to write.
func (h *history) do(client int, in *input, f func(out *output) error) (*output, error) {
	from, call := h.reached(), h.tick()
	out := new(output)
	err := f(out)
	end := h.tick()
	in.clocks = h.since(from)
	switch {
	case err == nil:
		out.known = true
	case errors.Is(err, idem.ErrClaimLost):
		out.known, out.lost = true, true
	case errors.Is(err, errUncalled), in.verb == lookup, in.verb == sweep, in.verb == begin:
		return out, err // no effect that lasts
	default:
		end = math.MaxInt64
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.operations = append(h.operations, operation{client: client, call: call, end: end, in: in, out: out})
	return out, err
}

// run lets the clients work and returns what is wrong with what they saw.
func run(tb testing.TB, store storetest.Harness, m mode, seed uint64) error {
	tb.Helper()
	h := &history{
		store: store, mode: m, name: fmt.Sprintf("%s-%d", m.name, seed), clock: []int{0}, clockDone: 1,
	}
	h.id = sha256.Sum256([]byte(h.name))
	var group sync.WaitGroup
	for n := range clients {
		c := &client{history: h, number: n, random: rand.New(rand.NewPCG(seed, uint64(n)))}
		group.Go(c.work)
	}
	group.Go(func() {
		random := rand.New(rand.NewPCG(seed, clients))
		for range random.IntN(8) {
			for range random.IntN(400) {
				runtime.Gosched()
			}
			h.jump(jumps[random.IntN(len(jumps))])
		}
	})
	group.Wait()
	h.settle()
	return h.check(tb.Context())
}

// settle looks at what the history has come to.
func (h *history) settle() {
	c := &client{history: h, number: clients, random: rand.New(rand.NewPCG(0, 0)), calm: true}
	c.lookup()
	h.jump(jumps[1])
	c.lookup()
	if h.mode.lease {
		c.claim()
	}
	c.lookup()
	h.jump(jumps[3])
	c.lookup()
}

// check holds the history against the model.
func (h *history) check(ctx context.Context) error {
	_, sweeps := h.store.Store.(idem.Sweeper)
	for i := range h.operations {
		o := &h.operations[i]
		o.in.forgets = !sweeps
		if err := h.resolve(o); err != nil {
			h.wrong = append(h.wrong, err)
		}
		if o.end == math.MaxInt64 { // it may still happen when the clock has gone on
			first := slices.Index(h.clock, o.in.clocks[0])
			o.in.clocks = h.clock[first:]
		}
		o.in.contended = h.contended(o)
		o.in.abandoned = h.during(o, func(in *input) bool { return in.verb == abandon })
		o.in.freed = h.mode.shares && h.during(o, func(in *input) bool { return in.verb == release || in.verb == abandon })
		o.in.drawn = h.mode.draws && h.during(o, func(in *input) bool { return in.verb == sweep })
		o.in.yielded = h.during(o, func(in *input) bool { return in.verb == txComplete && in.undone })
	}
	if len(h.wrong) > 0 {
		return errors.Join(h.wrong...)
	}
	if !h.explained() {
		return fmt.Errorf("no order of these calls explains what they returned:\n%s", h)
	}
	return ctx.Err()
}

// explained reports whether the model can return what the calls returned.
func (h *history) explained() bool {
	list := make([]porcupine.Operation, len(h.operations))
	for i, o := range h.operations {
		list[i] = porcupine.Operation{ClientId: o.client, Input: o.in, Call: o.call, Output: o.out, Return: o.end}
	}
	return porcupine.CheckOperations(model.ToModel(), list)
}

var model = porcupine.NondeterministicModel{
	Init: func() []any { return []any{record{}} },
	Step: func(state, in, out any) []any {
		var next []any
		for _, r := range step(state.(record), in.(*input), out.(*output)) {
			next = append(next, r)
		}
		return next
	},
}

// resolve finds out whether a transaction was committed: its effect tells, and
// has to agree with what its client was told.
func (h *history) resolve(o *operation) error {
	if o.in.verb != txComplete && o.in.verb != txRollback {
		return nil
	}
	rows, err := h.store.Count(o.in.effect)
	switch {
	case err == nil && o.in.undone:
		if rows != 0 {
			err = fmt.Errorf("%v: the handler's writes were to be undone, and %d are there", o.in, rows)
		}
		return err
	case err != nil:
		return err
	case rows > 1:
		return fmt.Errorf("%v: its effect happened %d times", o.in, rows)
	case o.out.known && o.out.applied != (rows == 1):
		return fmt.Errorf("%v: returned %v, but %d effects are there", o.in, o.out, rows)
	}
	o.out.known, o.out.applied = true, rows == 1
	return nil
}

// contended reports whether another transaction was there during o.
func (h *history) contended(o *operation) bool {
	return (o.in.verb == claim || o.in.verb == begin) && slices.ContainsFunc(h.spans, func(s *span) bool {
		return s.tx != o.in.tx && s.from <= o.end && o.call <= s.to
	})
}

// during reports whether a call was on its way during o.
func (h *history) during(o *operation, is func(*input) bool) bool {
	return slices.ContainsFunc(h.operations, func(other operation) bool {
		return is(other.in) && other.call <= o.end && o.call <= other.end
	})
}

// String prints the history in the order of its calls.
func (h *history) String() string {
	var b strings.Builder
	sorted := slices.SortedFunc(slices.Values(h.operations), func(a, b operation) int { return int(a.call - b.call) })
	for _, o := range sorted {
		end := fmt.Sprint(o.end)
		if o.end == math.MaxInt64 {
			end = "?"
		}
		fmt.Fprintf(&b, "%4d-%-4s client %d: %v -> %v\n", o.call, end, o.client, o.in, o.out)
	}
	return b.String()
}
