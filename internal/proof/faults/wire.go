package faults

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Dial makes connections to a server.
type Dial = func(ctx context.Context, network, address string) (net.Conn, error)

// Wire is for connections that speak PostgreSQL's protocol, version 3, in plain
// text. A boundary is a request that the server answers: what is sent up to a
// Sync or as a simple query, however many statements it has, and all of the
// answer. Another one is the making of a connection; only that it fails there
// makes a difference, so its faults are the same before and after. A failing
// statement is one that the server itself finds to fail.
type Wire struct {
	Plan *Plan
	Dial Dial
}

// grace is how long a hanging connection is left to a caller who does not follow
// the context that ends meanwhile.
const grace = 20 * time.Millisecond

// DialContext is a [Dial].
func (w Wire) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	server, err := w.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	answers, feed := net.Pipe()
	c := &wireConn{
		Conn: server, answers: answers, feed: feed, plan: w.Plan, texts: map[string]string{},
		settled: make(chan struct{}), fate: make(chan fate), over: make(chan struct{}),
	}
	w.Plan.add(c)
	go c.pump()
	return c, nil
}

// wireConn is the client's end. Requests go to the server as they are written;
// answers come through a pipe, which knows deadlines.
type wireConn struct {
	net.Conn               // to the server
	answers, feed net.Conn // the ends of the pipe
	plan          *Plan
	texts         map[string]string // of prepared statements, by name
	begun         bool              // the first message was written
	ready         atomic.Bool       // the server has said so once
	hold          atomic.Int32      // answers that are not to be passed on
	settled       chan struct{}     // they have come
	fate          chan fate         // what becomes of them
	over          chan struct{}     // closed when nothing more comes from the server
	end           sync.Once
}

// fate is what becomes of an answer.
type fate int

const (
	pass fate = iota
	drop
	truncate // the end is missing that says that the last statement succeeded
)

// pump passes on what the server sends.
func (c *wireConn) pump() {
	defer func() { _ = c.feed.Close() }()
	defer close(c.over)
	from := bufio.NewReader(c.Conn)
	var (
		waiting []byte
		success int // where the last one begins in waiting
	)
	for {
		before := len(waiting)
		kind, err := c.receive(from, &waiting)
		if err != nil {
			return
		}
		if kind == commandComplete {
			success = before
		}
		if kind == readyForQuery {
			c.ready.Store(true)
			if c.hold.Load() > 0 && c.hold.Add(-1) == 0 {
				c.settled <- struct{}{}
				switch <-c.fate {
				case drop:
					waiting = nil
				case truncate:
					waiting = waiting[:success]
				}
			}
		}
		if c.hold.Load() == 0 && (kind == readyForQuery || from.Buffered() == 0) {
			if len(waiting) > 0 {
				if _, err := c.feed.Write(waiting); err != nil {
					return
				}
			}
			waiting, success = nil, 0
		}
	}
}

// Types of messages (https://www.postgresql.org/docs/current/protocol-message-formats.html).
const (
	commandComplete = 'C'
	readyForQuery   = 'Z'
	parseMessage    = 'P'
	bindMessage     = 'B'
	executeMessage  = 'E'
	queryMessage    = 'Q'
	syncMessage     = 'S'

	cancelRequest = 80877102 // in place of the protocol's version
)

// receive appends the next message to all.
func (c *wireConn) receive(from io.Reader, all *[]byte) (kind byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return 0, err
	}
	body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
	if _, err := io.ReadFull(from, body); err != nil {
		return 0, err
	}
	*all = append(append(*all, head[:]...), body...)
	return head[0], nil
}

// giveUp closes the connection: the server undoes what it has not committed.
func (c *wireConn) giveUp() {
	c.end.Do(func() {
		c.plan.remove(c)
		_ = c.Conn.Close()
		_ = c.feed.Close()
	})
}

func (c *wireConn) Close() error {
	c.giveUp()
	return c.answers.Close()
}

func (c *wireConn) Read(p []byte) (int, error)         { return c.answers.Read(p) }
func (c *wireConn) SetDeadline(t time.Time) error      { return c.answers.SetDeadline(t) }
func (c *wireConn) SetReadDeadline(t time.Time) error  { return c.answers.SetReadDeadline(t) }
func (c *wireConn) SetWriteDeadline(t time.Time) error { return c.answers.SetWriteDeadline(t) }

// Write sends messages, which are not cut into pieces.
func (c *wireConn) Write(p []byte) (int, error) {
	if !c.begun {
		c.begun = true
		if len(p) < 8 || binary.BigEndian.Uint32(p[4:]) == cancelRequest {
			return c.Conn.Write(p)
		}
		return c.connect(p)
	}
	if !c.ready.Load() { // a password
		return c.Conn.Write(p)
	}
	r := c.read(p)
	if r.answers == 0 {
		return c.Conn.Write(p)
	}
	return c.send(r)
}

// ping is how pgx sees whether a connection is alive that nobody has used for a
// second.
const ping = "-- ping"

// connect begins the session. It never panics, and neither does a ping: some pools
// do both in goroutines of their own, where that would end the process.
func (c *wireConn) connect(p []byte) (int, error) {
	switch c.plan.next("connect") {
	case None:
		return c.Conn.Write(p)
	case ErrorBefore, ErrorAfter:
		return 0, ErrFault
	case StaleBefore, LostBefore, LostAfter, PanicBefore, PanicAfter:
		c.giveUp()
		return 0, ErrLost
	case HangBefore, HangAfter:
		return c.hang(p)
	case CancelBefore, CancelAfter:
		c.plan.endContext(context.Canceled)
	}
	return c.Conn.Write(p)
}

// A request is what the server answers.
type request struct {
	bytes    []byte
	text     string
	answers  int32 // how many it asks for
	executes bool  // it does not only prepare
}

// send is [Plan.around] for one round trip.
func (c *wireConn) send(r request) (int, error) {
	kind := c.plan.next(r.text)
	switch {
	case kind == ErrorAfter && !r.executes:
		kind = ErrorBefore // a server that has prepared a statement says so first
	case (kind == PanicBefore || kind == PanicAfter) && r.text == ping:
		kind = LostBefore
	}
	switch kind {
	case None:
		return c.Conn.Write(r.bytes)
	case ErrorBefore:
		return len(r.bytes), c.fail()
	case ErrorAfter:
		if err := c.exchange(r, truncate); err != nil {
			return 0, err
		}
		return len(r.bytes), c.fail()
	case StaleBefore:
		c.giveUp()
		return len(r.bytes), nil // which shows with the answer
	case LostBefore:
		c.giveUp()
		return 0, ErrLost
	case LostAfter:
		err := c.exchange(r, drop)
		c.giveUp()
		return len(r.bytes), err
	case HangBefore:
		return c.hang(r.bytes)
	case HangAfter:
		if err := c.exchange(r, drop); err != nil {
			return 0, err
		}
		return c.hang(r.bytes)
	case PanicBefore:
		panic(Panic{r.text})
	case PanicAfter:
		_ = c.exchange(r, drop)
		panic(Panic{r.text})
	case CancelBefore:
		c.plan.endContext(context.Canceled)
	case CancelAfter:
		return len(r.bytes), c.exchange(r, pass, func() { c.plan.endContext(context.Canceled) })
	}
	return c.Conn.Write(r.bytes)
}

// hang lets the client wait.
func (c *wireConn) hang(p []byte) (int, error) {
	c.plan.endContext(context.DeadlineExceeded)
	time.AfterFunc(grace, c.giveUp)
	return len(p), nil
}

// exchange sends a request, waits for the answer, and calls what comes before its
// fate.
func (c *wireConn) exchange(r request, f fate, first ...func()) error {
	c.hold.Store(r.answers)
	if _, err := c.Conn.Write(r.bytes); err != nil {
		return err
	}
	select {
	case <-c.settled:
	case <-c.over:
		return ErrLost
	}
	for _, call := range first {
		call()
	}
	c.fate <- f
	return nil
}

// fail sends a statement that fails. In a transaction it makes that fail, as any
// other does.
func (c *wireConn) fail() error {
	const text = "DO $$ BEGIN RAISE EXCEPTION 'a planned fault'; END $$\x00"
	message := append([]byte{queryMessage}, binary.BigEndian.AppendUint32(nil, uint32(4+len(text)))...)
	_, err := c.Conn.Write(append(message, text...))
	return err
}

// read takes a request apart.
func (c *wireConn) read(p []byte) request {
	r := request{bytes: p}
	var texts []string
	for len(p) >= 5 {
		size := 1 + int(binary.BigEndian.Uint32(p[1:]))
		if size > len(p) {
			break
		}
		kind, parts := p[0], strings.SplitN(string(p[5:size]), "\x00", 3)
		switch p = p[size:]; kind {
		case syncMessage:
			r.answers++
		case executeMessage:
			r.executes = true
		case queryMessage:
			r.answers++
			r.executes = true
			texts = append(texts, brief(parts[0]))
		case parseMessage: // name, text
			c.texts[parts[0]] = brief(parts[1])
			texts = append(texts, "prepare "+c.texts[parts[0]])
		case bindMessage: // portal, name
			texts = append(texts, c.texts[parts[1]])
		}
	}
	r.text = strings.Join(texts, "; ")
	return r
}
