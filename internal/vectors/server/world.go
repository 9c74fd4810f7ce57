package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/memory"
)

// World is what one vector runs in: a store, and the packages that are served
// on it, one after the other.
type World struct {
	id     string
	ledger *ledger
	store  idem.Store
	tables *tables // of a store with transactions
	inTx   bool    // resources live beside the records

	closers []func() error // called in the opposite order

	clock       clock
	storeOffset atomic.Int64 // nanoseconds that the store's clock is ahead
	fault       atomic.Value // string
	requests    requests
	log         log

	mu      sync.Mutex
	servers []*http.Server
	handler *idem.Handler // of the package that was deployed last
}

// What servers are used with. No vector is about one that is busy: requests wait
// for one of few connections, because other tests use the same server.
const (
	maxConns = 5 // of a world in one process
	generous = 2 * time.Minute
)

func open(ctx context.Context, c *Command) (*World, error) {
	w := &World{id: c.World, ledger: newLedger(c.Ledger)}
	w.storeOffset.Store(c.Duration)
	if err := w.openStore(ctx, c); err != nil {
		return nil, errors.Join(err, w.close())
	}
	if c.Lease {
		w.store = idem.LeaseOnly(w.store)
	}
	w.store = watch(w, w.store)
	_, w.inTx = w.store.(idem.TxStore)
	return w, nil
}

func (w *World) openStore(ctx context.Context, c *Command) error {
	switch c.Store {
	case Memory:
		w.store = memory.New(memory.WithClock(func() time.Time {
			return time.Now().Add(time.Duration(w.storeOffset.Load()))
		}))
		return nil
	case SQLite:
		return w.openSQLite(c.Place)
	case Postgres:
		return w.openPostgres(ctx, c)
	case PostgresSQL:
		return w.openPostgresSQL(ctx, c)
	case MySQL:
		return w.openMySQL(ctx, c)
	case Redis:
		return w.openRedis(ctx, c)
	}
	return fmt.Errorf("no store is called %q", c.Store)
}

// Store returns the store that every package of this world uses, under
// whatever name.
func (w *World) Store() idem.Store { return w.store }

// deploy serves a package on a listener of its own.
func (w *World) deploy(factory Factory) (address string, err error) {
	sealer, err := idem.NewAESSealer(make([]byte, 32)) // every process has the same key
	if err != nil {
		return "", err
	}
	handler, err := factory(w,
		idem.WithStore(w.store),
		idem.WithScope(scope),
		idem.WithSealer(sealer),
		idem.WithMiddleware(authenticate),
		idem.WithProblemBase(ProblemBase),
		idem.WithClock(&w.clock),
		idem.WithLogger(slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
	)
	if err != nil {
		return "", err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s := &http.Server{Handler: w.outermost(handler), ErrorLog: slog.NewLogLogger(slog.NewTextHandler(&w.log, nil), slog.LevelError)}
	w.mu.Lock()
	w.servers = append(w.servers, s)
	w.handler, _ = idem.HandlerOf(handler)
	w.mu.Unlock()
	go func() { _ = s.Serve(listener) }() // ends with close
	return listener.Addr().String(), nil
}

// sweep removes what has expired, batch after batch.
func (w *World) sweep(ctx context.Context) error {
	const batch = 1000
	for {
		n, err := w.store.(idem.Sweeper).Sweep(ctx, batch)
		if err != nil || n < batch {
			return err
		}
	}
}

// beat lets the heartbeat of one request fire once.
func (w *World) beat(ctx context.Context, token string) error {
	c, err := w.requests.find(ctx, token)
	if err != nil {
		return err
	}
	c.beating.Store(true)
	w.clock.fire()
	if c.beating.Swap(false) {
		return errors.New("no heartbeat of that request was waiting to fire")
	}
	return nil
}

func (w *World) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var errs []error
	for _, s := range w.servers {
		errs = append(errs, s.Close())
	}
	errs = append(errs, w.requests.finished())
	for _, f := range slices.Backward(w.closers) {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

// log collects what the servers of a world log.
type log struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

// Write implements [io.Writer].
func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.Write(b)
}

// String returns everything so far.
func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.String()
}

// requests are the requests of a world by token.
type requests struct {
	mu    sync.Mutex
	calls map[string]*call
	more  chan struct{} // closed and replaced when a request arrives
}

func (rs *requests) add(c *call) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.calls == nil {
		rs.calls = map[string]*call{}
	}
	rs.calls[c.token] = c
	if rs.more != nil {
		close(rs.more)
		rs.more = nil
	}
}

// finished waits until every request has been served: a handler outlives its
// connection, and may still write.
func (rs *requests) finished() error {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	late := time.After(generous)
	for token, c := range rs.calls {
		select {
		case <-c.done:
		case <-late:
			return fmt.Errorf("request %s is still being served", token)
		}
	}
	return nil
}

// find waits for a request to arrive.
func (rs *requests) find(ctx context.Context, token string) (*call, error) {
	for {
		rs.mu.Lock()
		c := rs.calls[token]
		if rs.more == nil {
			rs.more = make(chan struct{})
		}
		more := rs.more
		rs.mu.Unlock()
		if c != nil {
			return c, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return nil, fmt.Errorf("no request %s has arrived", token)
		}
	}
}

// wait waits until the client of a request has gone, or until it was served.
func (rs *requests) wait(ctx context.Context, token string, gone bool) error {
	c, err := rs.find(ctx, token)
	if err != nil {
		return err
	}
	signal := (<-chan struct{})(c.done)
	if gone {
		signal = c.gone
	}
	select {
	case <-signal:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the server did not get that far with request %s", token)
	}
}
