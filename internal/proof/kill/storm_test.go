package kill

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// seed is that of all plans: the same kills are tried in every run, and the
// machine sees to it that they land differently.
const seed = 1

// A plan is how one life ends.
type plan struct {
	at    point
	hold  bool
	pause time.Duration // from the point to the kill
}

// draw draws the i-th plan. Every second life ends at a point at which a request
// stands still, each stage in turn, so that a few lives are enough to hit all.
func draw(i int) plan {
	random := rand.New(rand.NewPCG(seed, uint64(i)))
	p := plan{hold: i%2 == 0, at: point{Count: 1 + random.Int64N(6)}}
	if p.hold {
		p.at.Stage = between[i/2%len(between)]
		return p
	}
	p.at.Stage = received + stage(random.IntN(int(stages-received)))
	if random.IntN(2) == 0 {
		p.pause = time.Duration(random.Int64N(int64(2 * time.Millisecond)))
	}
	return p
}

// storm lets clients send while it kills worker after worker, and looks at the
// database between two of them every so many lives. It ends early when done
// says so.
func (h *harness) storm(ctx context.Context, kills, every int, done func() bool) error {
	stop := make(chan struct{})
	var senders sync.WaitGroup
	for number := range clients {
		senders.Go(func() { h.client(number, stop) })
	}
	err := h.kill(ctx, kills, every, done)
	close(stop)
	if err == nil {
		err = h.calm(ctx, &senders)
	}
	h.end()
	senders.Wait()
	return err
}

func (h *harness) kill(ctx context.Context, kills, every int, done func() bool) error {
	for i := 0; i < kills && !done(); i++ {
		p := draw(i)
		l, err := h.begin(p.at, p.hold)
		if err != nil {
			return err
		}
		if i%every == 0 {
			if err := h.audit(ctx, false); err != nil {
				l.process.Kill()
				return err
			}
		}
		h.publish(l)
		select {
		case <-l.reached:
		case <-l.process.Ended():
			return fmt.Errorf("life %d: the worker ended by itself: %s", i, l.process.Complaints())
		case <-time.After(patience):
			l.process.Kill()
			return fmt.Errorf("life %d: no request came to the point %+v", i, p)
		}
		time.Sleep(p.pause) // the point of the kill is drawn, and this is part of it
		l.process.Kill()
		h.killed++
		h.publish(nil)
	}
	return nil
}

// begin starts a worker whose store's clock has gone on by more than a lease
// where claims outlive their owners.
func (h *harness) begin(at point, hold bool) (*life, error) {
	if h.job.Separate {
		h.job.Shift += lease + time.Second
	}
	return start(&h.job, at, hold)
}

// lease is that of the generated package.
const lease = 10 * time.Minute

// calm lets the clients finish with a worker that is not killed, and looks at
// everything.
func (h *harness) calm(ctx context.Context, senders *sync.WaitGroup) error {
	l, err := h.begin(point{}, false)
	if err != nil {
		return err
	}
	h.publish(l)
	senders.Wait()
	h.reask()
	if err := h.audit(ctx, true); err != nil {
		l.process.Kill()
		return err
	}
	return l.process.Stop(patience)
}
