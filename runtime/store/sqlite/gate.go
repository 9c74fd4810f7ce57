package sqlite

import (
	"context"
	"slices"
	"sync"
)

// A gate lets one caller in at a time, in the order of their coming. The zero
// value is an open gate.
type gate struct {
	mu    sync.Mutex
	taken bool
	queue []chan struct{} // one for each who waits; closed when the turn is theirs
}

// enter waits for the caller's turn, no longer than ctx allows. When it ends
// with an error, missed says that the turn came all the same: the caller has
// to give it on.
func (g *gate) enter(ctx context.Context) (missed bool, err error) {
	g.mu.Lock()
	if !g.taken {
		g.taken = true
		g.mu.Unlock()
		return false, nil
	}
	turn := make(chan struct{})
	g.queue = append(g.queue, turn)
	g.mu.Unlock()
	select {
	case <-turn:
		return false, nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.queue, turn)
	if i < 0 {
		return true, ctx.Err()
	}
	g.queue = slices.Delete(g.queue, i, i+1)
	return false, ctx.Err()
}

// handOver gives the caller's turn to who waits longest. When nobody waits, it
// returns false and the turn stays the caller's.
func (g *gate) handOver() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.next()
}

// leave ends the caller's turn.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.taken = g.next()
}

func (g *gate) next() bool {
	if len(g.queue) == 0 {
		return false
	}
	close(g.queue[0])
	g.queue = slices.Delete(g.queue, 0, 1)
	return true
}
