package postgres

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// running is what this process has in transactions. Their claims are not in the
// table before they commit: here a duplicate is refused without a connection,
// and sees whose request it is a duplicate of.
type running struct {
	mu sync.Mutex
	m  map[idem.ID]idem.Record
}

// owner returns the record of the transaction that owns id.
func (t *running) owner(id *idem.ID) (idem.Record, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, ok := t.m[*id]
	return r, ok
}

// enter notes that c is owned. The advisory lock parts the transactions of an
// ID; one whose connection was lost may still be noted when the next one enters.
func (t *running) enter(c *idem.Claim, owned *idem.Claimed) {
	r := inFlight(c)
	r.Fence, r.Attempts = owned.Fence, owned.Attempts
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m == nil {
		t.m = map[idem.ID]idem.Record{}
	}
	t.m[c.ID] = r
}

// leave forgets what was noted under that fence.
func (t *running) leave(id *idem.ID, f idem.Fence) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m[*id].Fence == f {
		delete(t.m, *id)
	}
}

// inFlight is the record of a transaction that has c's fingerprint, as far as
// anybody can know.
func inFlight(c *idem.Claim) idem.Record {
	lease := c.Lease
	if lease <= 0 {
		lease = time.Second // a transaction has no lease; the number is a hint for clients
	}
	return idem.Record{Fingerprint: c.Fingerprint, State: idem.StateRunning, LeaseLeft: lease, ExpiresIn: lease}
}

// answered remembers some of the IDs that this process has seen answered. For
// those a duplicate is looked up before a transaction is opened: who repeats a
// request often does so more than once, and a look-up costs a fraction of BEGIN
// and ROLLBACK. It is a hint: what is forgotten, or taken for another ID, costs
// time only.
type answered struct {
	tags [4096]atomic.Uint64
}

// slot is where an ID is remembered, and as what.
func (a *answered) slot(id *idem.ID) (*atomic.Uint64, uint64) {
	tag := binary.BigEndian.Uint64(id[:8])
	return &a.tags[tag*0x9e3779b97f4a7c15>>52], tag
}

func (a *answered) add(id *idem.ID) {
	slot, tag := a.slot(id)
	slot.Store(tag)
}

func (a *answered) has(id *idem.ID) bool {
	slot, tag := a.slot(id)
	return slot.Load() == tag
}
