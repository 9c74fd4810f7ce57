package runtime

import "time"

// Clock is the application's clock. It times heartbeats, calls of the store and
// what clients are told; how long a duplicate waits is measured by the process,
// so that setting the clock does not prolong it, and whether a record is live is
// decided by the store's clock alone.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f in its own goroutine after d. Stop prevents a call that
	// has not begun.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is what [Clock.AfterFunc] returns.
type Timer interface{ Stop() bool }

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }
