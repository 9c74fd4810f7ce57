package runtime

import (
	"context"
	"errors"
	"time"
)

// ErrNotUnknown says that the record is not unknown, or not under this fence any more.
// Nothing was changed. It runs, was answered, was given back, or expired; a Get
// tells.
var ErrNotUnknown = errors.New("idem: the record is not unknown: its lease lives, it is not held, or somebody has resolved it")

// Entry is what an operator sees of a record.
type Entry struct {
	Record
	ID        ID
	Operation string    // as the claim named it
	ClaimedAt time.Time // by the store's clock; of the last claim
}

// Cursor is a place in the list of unknown records: behind the entry that has
// this time and ID. The zero value is the beginning.
type Cursor struct {
	ClaimedAt time.Time
	ID        ID
}

// Cursor is the place behind e.
func (e *Entry) Cursor() Cursor { return Cursor{ClaimedAt: e.ClaimedAt, ID: e.ID} }

// Resolver is implemented by stores whose unknown records can be listed and
// resolved. Unknown is a record that runs, is held, and whose lease is over,
// while its retention is not: nobody knows whether the effect happened, and
// nobody may run until somebody has found out.
type Resolver interface {
	// Unknown returns up to limit unknown records behind after, the one that was
	// claimed first comes first, and among equal times the smaller ID by octets.
	// None is returned twice or left out while a list is read page by page and
	// nothing changes; Cursor of the last entry continues. With a limit of 0 or
	// less it returns none.
	Unknown(ctx context.Context, after Cursor, limit int) ([]Entry, error)

	// Get returns the record of id with what is known about its claim. Absent,
	// free and expired ones are false, as for Lookup.
	Get(ctx context.Context, id ID) (Entry, bool, error)

	// Resolve ends the unknown record of id, which was claimed under f: with
	// done it becomes an answer whose retention starts now, exactly as Complete
	// would have stored it; without it becomes free, as after Release, and its
	// fence survives. The fence makes sure that what is resolved is the attempt
	// that was looked into, and not a later one. ErrNotUnknown when the record
	// is not unknown under this fence. Who claimed it finds its claim lost.
	Resolve(ctx context.Context, id ID, f Fence, done *Completion) error
}
