package faults

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Kind is what goes wrong.
type Kind uint8

// Kinds of faults. Those that end in After let the statement take effect first.
const (
	None Kind = iota
	ErrorBefore
	ErrorAfter
	StaleBefore // the connection was broken already, and the driver says so
	LostBefore  // the connection breaks
	LostAfter
	HangBefore // no answer comes before the caller's deadline, and the connection is given up
	HangAfter
	PanicBefore
	PanicAfter
	CancelBefore // the caller's context ends, and nothing else happens
	CancelAfter
)

// Kinds returns all of them, without None.
func Kinds() []Kind {
	var all []Kind
	for k := ErrorBefore; k <= CancelAfter; k++ {
		all = append(all, k)
	}
	return all
}

var kindNames = [...]string{
	"none", "error before", "error after", "stale before", "lost before", "lost after", "hang before", "hang after",
	"panic before", "panic after", "cancel before", "cancel after",
}

// String returns the kind's name.
func (k Kind) String() string { return kindNames[k] }

// Errors that faults cause.
var (
	ErrFault = errors.New("faults: the statement failed")
	ErrLost  = errors.New("faults: the connection broke")
)

// Panic is what a fault panics with.
type Panic struct{ Boundary string }

// A Plan counts boundaries while it is armed and says what goes wrong at one of
// them. It is used by all connections of a store; the zero value lets everything
// pass.
type Plan struct {
	mu    sync.Mutex
	armed bool
	at    int
	kind  Kind
	end   func(error)
	seen  int
	fired string
	conns map[breaker]struct{}
}

// Arm begins counting. The boundary with the number at, from 0, goes wrong. A
// fault ends the caller's context by calling end with the error that the context
// is to have.
func (p *Plan) Arm(at int, k Kind, end func(error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed, p.at, p.kind, p.end, p.seen, p.fired = true, at, k, end, 0, ""
}

// Disarm stops counting and returns the boundary that went wrong: none if there
// were fewer.
func (p *Plan) Disarm() (fired string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = false
	return p.fired
}

// Fired returns the boundary that went wrong.
func (p *Plan) Fired() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fired
}

// Forget returns what breaks all connections that there are now, as the end of
// their process would. Nobody may be using them then.
func (p *Plan) Forget() (breakAll func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	conns := p.conns
	p.conns = nil
	return func() {
		for c := range conns {
			c.giveUp()
		}
	}
}

func (p *Plan) add(c breaker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns == nil {
		p.conns = map[breaker]struct{}{}
	}
	p.conns[c] = struct{}{}
}

func (p *Plan) remove(c breaker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// next counts a boundary.
func (p *Plan) next(boundary string) Kind {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.armed {
		return None
	}
	number := p.seen
	p.seen++
	if number != p.at {
		return None
	}
	p.fired = fmt.Sprintf("%d (%s)", number, boundary)
	return p.kind
}

// endContext ends the caller's context.
func (p *Plan) endContext(err error) {
	p.mu.Lock()
	end := p.end
	p.mu.Unlock()
	end(err)
}

// breaker is a connection that can be given up.
type breaker interface{ giveUp() }

// around makes one call of a connection, with whatever goes wrong at it. Hanging
// calls wait for the end of ctx, or not at all where it has none: as long as the
// driver's own limit would take.
func (p *Plan) around(ctx context.Context, c breaker, boundary string, call func() error) error {
	switch p.next(boundary) {
	case None:
		return call()
	case ErrorBefore:
		return ErrFault
	case ErrorAfter:
		return errors.Join(ErrFault, call())
	case StaleBefore:
		c.giveUp()
		return driver.ErrBadConn
	case LostBefore:
		c.giveUp()
		return ErrLost
	case LostAfter:
		err := call()
		c.giveUp()
		return errors.Join(ErrLost, err)
	case HangBefore:
		return p.hang(ctx, c)
	case HangAfter:
		_ = call() // nobody hears of it
		return p.hang(ctx, c)
	case PanicBefore:
		panic(Panic{boundary})
	case PanicAfter:
		_ = call()
		panic(Panic{boundary})
	case CancelBefore:
		p.endContext(context.Canceled)
		return call()
	case CancelAfter:
		err := call()
		p.endContext(context.Canceled)
		return err
	}
	return call()
}

// longest is a driver's own limit.
const longest = 5 * time.Second

func (p *Plan) hang(ctx context.Context, c breaker) error {
	p.endContext(context.DeadlineExceeded)
	err := ErrLost
	if ctx.Done() != nil {
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-time.After(longest):
			// It is not the caller's context, and does not end with it.
		}
	}
	c.giveUp()
	return err
}

// A Context ends when somebody calls End, with that error.
type Context struct {
	context.Context
	mu   sync.Mutex
	done chan struct{}
	err  error
}

// NewContext returns a context that has not ended.
func NewContext(parent context.Context) *Context {
	return &Context{Context: parent, done: make(chan struct{})}
}

// End ends the context; later calls do nothing.
func (c *Context) End(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
		close(c.done)
	}
}

// Done implements [context.Context].
func (c *Context) Done() <-chan struct{} { return c.done }

// Err implements [context.Context].
func (c *Context) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}
