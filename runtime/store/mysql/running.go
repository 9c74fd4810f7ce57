package mysql

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

// own notes that c is owned by a transaction. It reports false when another one
// owns it already, which happens where user locks do not reach.
func (t *running) own(c *idem.Claim, owned *idem.Claimed) bool {
	r := unseen(c)
	r.Fence, r.Attempts = owned.Fence, owned.Attempts
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.m[c.ID]; ok {
		return false
	}
	if t.m == nil {
		t.m = map[idem.ID]idem.Record{}
	}
	t.m[c.ID] = r
	return true
}

func (t *running) leave(id *idem.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.m, *id)
}

// unseen is the record of a transaction that is not committed. Of one in another
// process no more is known than that it runs: it passes for the same request,
// until its commit shows what it was.
func unseen(c *idem.Claim) idem.Record {
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
