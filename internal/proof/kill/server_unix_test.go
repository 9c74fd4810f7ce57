//go:build unix

package kill

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// TestKill_PostgreSQL kills the database server under a worker that lives on.
// What was acknowledged is there after its recovery.
func TestKill_PostgreSQL(t *testing.T) {
	n, asked := kills(t)
	if !asked {
		t.Skipf("%s is not set: it is the number of kills, as in 1000", killsVariable)
	}
	n = max(len(between), n/200)
	c := newCluster(t)
	h := newServerHarness(t, c)
	began := time.Now()
	err := h.outages(t.Context(), c, n, func() bool { return h.broken() })
	took := time.Since(began)
	h.verdict(t)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d kills in %v, %d orders, %d attempts; in the moment of a kill there were\n%v", h.killed, took.Round(time.Millisecond), len(h.acked), h.attempts.Load(), &h.tally)
	if c.recoveries != n {
		t.Errorf("%d recoveries after %d kills", c.recoveries, n)
	}
	for _, s := range between {
		if h.tally[s].held == 0 {
			t.Errorf("the server was never killed under a request %s: the test proves nothing", s)
		}
	}
}

// TestKill_PostgreSQLAsynchronous is the control: where commits are acknowledged
// before they are written, one has to be lost.
func TestKill_PostgreSQLAsynchronous(t *testing.T) {
	if _, asked := kills(t); !asked {
		t.Skipf("%s is not set: it is the number of kills, as in 1000", killsVariable)
	}
	c := newCluster(t, "wal_writer_delay=10s")
	h := newServerHarness(t, c)
	h.job.Params = map[string]string{"synchronous_commit": "off"}
	const enough = 20
	if err := h.outages(t.Context(), c, enough, func() bool { return h.broken(missing) }); err != nil {
		t.Error(err)
	}
	if !h.broken(missing) {
		t.Errorf("%d kills and no lost answer: the harness would not notice one", h.killed)
	}
	t.Logf("%d kills", h.killed)
}

func newServerHarness(t *testing.T, c *cluster) *harness {
	t.Helper()
	config, err := pgxpool.ParseConfig(c.dsn())
	must(t, err)
	h := newHarness(newPostgres(t, config, "postgres"))
	h.databaseFails = true
	return h
}

// outages lets clients send to one worker while the server is killed and
// recovers again and again.
func (h *harness) outages(ctx context.Context, c *cluster, kills int, done func() bool) error {
	l, err := h.begin(point{}, false)
	if err != nil {
		return err
	}
	h.publish(l)
	stop := make(chan struct{})
	var senders sync.WaitGroup
	for number := range clients {
		senders.Go(func() { h.client(number, stop) })
	}
	for i := 0; i < kills && !done() && err == nil; i++ {
		err = h.outage(ctx, l, c, i)
	}
	close(stop)
	if err != nil {
		l.process.Kill()
		h.end()
		senders.Wait()
		return err
	}
	senders.Wait()
	h.reask()
	h.end()
	if err := h.audit(ctx, true); err != nil {
		l.process.Kill()
		return err
	}
	return l.process.Stop(patience)
}

// outage is one kill of the server. The first ones hit each stage in turn.
func (h *harness) outage(ctx context.Context, l *life, c *cluster, i int) error {
	p := draw(i)
	if i < len(between) {
		p.at.Stage, p.hold, p.pause = between[i], true, 0
	}
	reached, err := l.arm(p.at, p.hold)
	if err != nil {
		return err
	}
	select {
	case <-reached:
	case <-l.process.Ended():
		return fmt.Errorf("outage %d: the worker ended by itself: %s", i, l.process.Complaints())
	case <-time.After(patience):
		return fmt.Errorf("outage %d: no request came to the point %+v", i, p)
	}
	time.Sleep(p.pause) // the point of the kill is drawn, and this is part of it
	l.open(&h.tally)
	c.kill()
	h.killed++
	if _, err := l.arm(point{}, false); err != nil { // what stood still meets the outage
		return err
	}
	if err := c.start(); err != nil {
		return err
	}
	return h.audit(ctx, false)
}
