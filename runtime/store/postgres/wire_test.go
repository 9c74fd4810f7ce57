package postgres_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
)

// wire sees every connection of a pool, and counts round trips: writes that
// follow a read.
type wire struct {
	trips atomic.Int64

	mu   sync.Mutex
	next []fault // of the next round trips
}

// A fault is what becomes of a round trip.
type fault int

const (
	pass  fault = iota
	cut         // the request does not arrive
	mute        // the request is answered, and the answer is lost
	blind       // the request arrives, and nobody waits for the answer
)

var errCut = errors.New("the wire was cut")

// plan says what becomes of the next round trips.
func (w *wire) plan(faults ...fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next = faults
}

func (w *wire) begin() (f fault) {
	w.trips.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.next) > 0 {
		f, w.next = w.next[0], w.next[1:]
	}
	return f
}

// wired returns a pool like db over the wire.
func wired(tb testing.TB, db *pgxpool.Pool, w *wire) *pgxpool.Pool {
	tb.Helper()
	config := db.Config()
	config.MaxConns = 2
	dial := config.ConnConfig.DialFunc
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		return &wireConn{Conn: c, w: w, read: true}, err
	}
	over, err := pgxpool.NewWithConfig(context.Background(), config)
	must(tb, err)
	tb.Cleanup(over.Close)
	return over
}

type wireConn struct {
	net.Conn
	w     *wire
	mu    sync.Mutex
	read  bool // since the last write
	fault fault
}

func (c *wireConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if c.read {
		c.read = false
		c.fault = c.w.begin()
	}
	f := c.fault
	c.mu.Unlock()
	if f == cut {
		return 0, errCut
	}
	return c.Conn.Write(p)
}

func (c *wireConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	f := c.fault
	c.mu.Unlock()
	if f == blind || f == cut {
		return 0, errCut
	}
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read = true
	if c.fault == mute {
		return 0, errCut
	}
	return n, err
}
