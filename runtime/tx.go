package runtime

import (
	"context"
)

// Tx returns the transaction that claim, the handler's writes and the response
// share, as the driver's own type, such as *sql.Tx. It is false in lease mode
// and outside a run. The runtime ends the transaction; a handler that does so
// itself is answered with 500.
func Tx[T any](ctx context.Context) (T, bool) {
	var zero T
	n := runOf(ctx)
	if n == nil || n.tx == nil {
		return zero, false
	}
	tx, ok := n.tx.Tx().(T)
	return tx, ok
}

// KeepWrites keeps the handler's writes although the answer is a recorded 4xx
// or 5xx, such as the row of a declined payment. Without it they are undone.
// It has no effect in lease mode and outside a run.
func KeepWrites(ctx context.Context) {
	if n := runOf(ctx); n != nil {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.keepWrites = true
	}
}

func (n *run) keeps() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.keepWrites
}

// Attempt describes the run that a handler is in.
type Attempt struct {
	KeyHash string // first 8 hex digits of the stored key; empty without a key
	Number  int    // 1 for the first run under this key, more after a takeover
	Fence   Fence  // rises per key; 0 without a key
	InTx    bool
}

// FromContext returns the run that ctx belongs to; false outside a run.
func FromContext(ctx context.Context) (Attempt, bool) {
	n := runOf(ctx)
	if n == nil {
		return Attempt{}, false
	}
	a := Attempt{Number: n.attempts, Fence: n.fence, InTx: n.tx != nil}
	if n.hasKey {
		a.KeyHash = hash8(n.id)
	}
	return a, true
}

// BeforeCommit registers f to run inside the transaction when the handler's
// writes are about to be committed; what it writes is part of the same commit,
// and its error undoes all of it. When the transaction is run again, what was
// registered before is forgotten. Without a transaction f runs before an answer
// is recorded or, without a key, sent that the policy records. It reports
// false, and does nothing, outside a run and when the run is over.
func BeforeCommit(ctx context.Context, f func(context.Context) error) bool {
	n := runOf(ctx)
	if n == nil {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ended && n.cause == nil {
		return false
	}
	n.hooks = append(n.hooks, f)
	return true
}
