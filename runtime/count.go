package runtime

import "context"

// Counts is how many live records a store holds, by their state.
type Counts struct {
	Running int // claimed and not answered, whether the lease lives or is over
	Unknown int // as [Resolver] lists them; they are not among Running
	Done    int
}

// Counter is implemented by stores that count their records cheaply enough for
// a gauge. Pass the store itself: what [LeaseOnly] returns is none.
type Counter interface {
	// Count counts live records by state; free and expired ones are none. What
	// runs in a transaction is not stored yet and not counted.
	//
	// The counts add up to limit at most, so that a large table costs no more
	// than a small one: counts that add up to limit say that there may be more.
	// Where there are, answers that expire sooner are left out first, so that
	// what was claimed lately is counted. With a limit of 0 or less nothing is.
	Count(ctx context.Context, limit int) (Counts, error)
}
