package server

import (
	"sync"
	"sync/atomic"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// clock is the application's clock. It can be set off, and its timers fire only
// when they are told to, so that no heartbeat comes by itself.
type clock struct {
	offset atomic.Int64 // nanoseconds

	mu     sync.Mutex
	timers map[*timer]struct{}
}

type timer struct {
	clock *clock
	fire  func()
}

// Now implements [idem.Clock].
func (c *clock) Now() time.Time { return time.Now().Add(time.Duration(c.offset.Load())) }

// AfterFunc implements [idem.Clock].
func (c *clock) AfterFunc(_ time.Duration, f func()) idem.Timer {
	t := &timer{clock: c, fire: f}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timers == nil {
		c.timers = map[*timer]struct{}{}
	}
	c.timers[t] = struct{}{}
	return t
}

// Stop implements [idem.Timer].
func (t *timer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	_, pending := t.clock.timers[t]
	delete(t.clock.timers, t)
	return pending
}

// fire fires every timer that is pending now, once, and returns when all of
// them have returned.
func (c *clock) fire() {
	c.mu.Lock()
	pending := c.timers
	c.timers = nil
	c.mu.Unlock()
	for t := range pending {
		t.fire()
	}
}
