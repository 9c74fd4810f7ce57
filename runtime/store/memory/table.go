package memory

import (
	"hash/maphash"
	"sync/atomic"

	idem "github.com/idemgen/idemgen/runtime"
)

// A table is a hash table that is read without locks. Its writers hold the lock
// of its shard.
//
// It uses open addressing: a reader walks from the place that the hash names to
// the first one that was never used. Entries stay where they are until the
// table is replaced by a copy, and a removed one leaves a mark, so that a walk
// which is under way misses nothing that was there when it began.
type table struct {
	places atomic.Pointer[[]atomic.Pointer[entry]] // a power of two, never full
	live   int                                     // entries; guarded by the shard
	used   int                                     // entries and marks; guarded by the shard
}

// An entry is the place of one ID. Its record is replaced, never changed.
type entry struct {
	id     idem.ID
	hash   uint64
	record atomic.Pointer[record]

	// What record points to at the beginning, and mostly in the end: the answer
	// of the claim that made the entry. Each is written once, before it is
	// shared, and what comes later is made anew.
	claim         claim
	first, second record
	answer        idem.Response
	spent         bool // second is in use; guarded by the shard
}

// set replaces the record. The shard is locked.
func (e *entry) set(next record) {
	if e.spent {
		own := next
		e.record.Store(&own)
		return
	}
	e.spent, e.second = true, next
	e.record.Store(&e.second)
}

// removed marks the place of an entry that is gone.
var removed entry

const firstPlaces = 8

// hash protects against clients who search for keys that fall into one place.
func (s *Store) hash(id *idem.ID) uint64 { return maphash.Bytes(s.seed, id[:]) }

// at is the place where a walk is after some steps. It uses the bits of the hash
// that do not choose the shard.
func at(places []atomic.Pointer[entry], hash, steps uint64) *atomic.Pointer[entry] {
	return &places[(hash/shards+steps)&uint64(len(places)-1)]
}

// find returns the entry of id, or nil.
func (t *table) find(hash uint64, id *idem.ID) *entry {
	places := t.places.Load()
	if places == nil {
		return nil
	}
	for steps := uint64(0); ; steps++ {
		switch e := at(*places, hash, steps).Load(); {
		case e == nil:
			return nil
		case e != &removed && e.hash == hash && e.id == *id:
			return e
		}
	}
}

// add puts in an ID that is not there, with its first claim.
func (t *table) add(hash uint64, id *idem.ID, c *claim, first record) {
	places := t.places.Load()
	if places == nil || 4*(t.used+1) > 3*len(*places) {
		places = t.rebuild()
	}
	e := &entry{id: *id, hash: hash, claim: *c, first: first}
	e.first.claim = &e.claim
	e.record.Store(&e.first)
	put(*places, e)
	t.live++
	t.used++
}

// put stores an entry in the first place that was never used. Marks are not
// reused: a reader must not find an entry behind where it has been.
func put(places []atomic.Pointer[entry], e *entry) {
	for steps := uint64(0); ; steps++ {
		if place := at(places, e.hash, steps); place.Load() == nil {
			place.Store(e)
			return
		}
	}
}

// rebuild copies the entries, without the marks, into a table with room.
func (t *table) rebuild() *[]atomic.Pointer[entry] {
	size := firstPlaces
	for size < 2*(t.live+1) {
		size *= 2
	}
	places := make([]atomic.Pointer[entry], size)
	for e := range t.all() {
		put(places, e)
	}
	t.used = t.live
	t.places.Store(&places)
	return &places
}

// remove takes an entry out that is there.
func (t *table) remove(gone *entry) {
	places := *t.places.Load()
	for steps := uint64(0); ; steps++ {
		if place := at(places, gone.hash, steps); place.Load() == gone {
			place.Store(&removed)
			t.live--
			return
		}
	}
}

// all yields the entries; the one that was yielded last may be removed.
func (t *table) all() func(yield func(*entry) bool) {
	return func(yield func(*entry) bool) {
		places := t.places.Load()
		if places == nil {
			return
		}
		for i := range *places {
			if e := (*places)[i].Load(); e != nil && e != &removed && !yield(e) {
				return
			}
		}
	}
}
