package sqlite

import (
	"sync"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// running is what this process has in transactions or on the way there. Their
// claims are not in the file before they commit: the table lets a duplicate be
// refused at once, and shows whose request it is a duplicate of.
type running struct {
	mu sync.Mutex
	m  map[idem.ID]*runner
}

type runner struct {
	record idem.Record
	owns   bool // the claim is decided; before that the writer is still awaited
}

// owner returns the record of the transaction that owns id.
func (t *running) owner(id *idem.ID) (idem.Record, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.m[*id]; r != nil && r.owns {
		return r.record, true
	}
	return idem.Record{}, false
}

// enter notes that c is on its way. When another one is, it returns its record
// and false.
func (t *running) enter(c *idem.Claim) (idem.Record, bool) {
	lease := c.Lease
	if lease <= 0 {
		lease = time.Second // a transaction has no lease; the number is a hint for clients
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.m[c.ID]; r != nil {
		return r.record, false
	}
	if t.m == nil {
		t.m = map[idem.ID]*runner{}
	}
	t.m[c.ID] = &runner{record: idem.Record{
		Fingerprint: c.Fingerprint,
		State:       idem.StateRunning,
		LeaseLeft:   lease,
		ExpiresIn:   lease,
	}}
	return idem.Record{}, true
}

// own notes what was decided for an id that has entered.
func (t *running) own(id *idem.ID, f idem.Fence, attempts int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.m[*id]
	r.owns = true
	r.record.Fence, r.record.Attempts = f, attempts
}

func (t *running) leave(id *idem.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.m, *id)
}
