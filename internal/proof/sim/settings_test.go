package sim

import (
	"fmt"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// settings is what a seed decides about a whole run.
type settings struct {
	policy  idem.Idempotency
	clients int
	steps   int // per client
	trouble int // of a thousand store calls, how many go wrong
	crashes bool
	jumps   bool // of the clocks
	slowest time.Duration
}

const (
	tenants = 2
	keys    = 3
)

// settle draws the settings.
func (w *world) settle() {
	r := w.draw("settings")
	lease := time.Second + upTo(r, 7*time.Second)
	w.settings = settings{
		policy: idem.Idempotency{
			Required: true, Scope: []string{"tenant", "operation"},
			Lease: lease, TTL: lease + upTo(r, time.Minute),
			MaxWait:     time.Duration(1 + r.Int64N(int64(5*time.Second))),
			NoHeartbeat: r.IntN(3) == 0,
		},
		clients: 3 + r.IntN(4),
		steps:   4 + r.IntN(5),
		trouble: []int{0, 30, 100, 250}[r.IntN(4)],
		crashes: r.IntN(2) == 0,
		jumps:   r.IntN(3) == 0,
		slowest: 2 * lease,
	}
	if r.IntN(2) == 0 {
		w.policy.Concurrency = idem.ConcurrencyWait
	}
	if r.IntN(3) == 0 {
		w.policy.OnCrash = idem.OnCrashHold
	}
	if r.IntN(4) == 0 {
		w.policy.OnStoreError = idem.OnStoreErrorRun
	}
}

func (w *world) held() bool { return w.policy.OnCrash == idem.OnCrashHold }

func (w *world) mayRunUnprotected() bool { return w.policy.OnStoreError == idem.OnStoreErrorRun }

// patience bounds how long a request takes in the worst case: a duplicate waits,
// with a slow claim at either end, then runs, and each call about the end of the
// run is slow too.
func (w *world) patience() time.Duration {
	const calls = 5
	return w.policy.MaxWait + calls*2*w.slowest + w.slowest + time.Second
}

func (s *settings) String() string {
	return fmt.Sprintf("lease %v, ttl %v, heartbeat %t, hold %t, wait %t up to %v, run unprotected %t; %d clients, %d steps, trouble %d, crashes %t, jumps %t",
		s.policy.Lease, s.policy.TTL, !s.policy.NoHeartbeat, s.policy.OnCrash == idem.OnCrashHold,
		s.policy.Concurrency == idem.ConcurrencyWait, s.policy.MaxWait, s.policy.OnStoreError == idem.OnStoreErrorRun,
		s.clients, s.steps, s.trouble, s.crashes, s.jumps)
}
