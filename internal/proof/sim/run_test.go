package sim

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/memory"
)

// simulate runs the world of a seed.
func simulate(t *testing.T, seed uint64, planted string) *world {
	t.Helper()
	w := &world{seed: seed, planted: planted, book: newBook(), acked: map[slot][]*acknowledged{}, resource: map[slot]resource{}, taken: map[time.Time]bool{}, tally: map[string]int{}}
	synctest.Test(t, func(t *testing.T) {
		w.began = time.Now()
		w.settle()
		w.memory = memory.New(memory.WithClock(w.storeClock))
		w.store = w.below(w.memory)
		for place := range w.processes {
			if err := w.start(place, place); err != nil {
				t.Fatal(err)
			}
		}
		w.run(t)
	})
	return w
}

func (w *world) run(t *testing.T) {
	var actors, clients sync.WaitGroup
	over := make(chan struct{})
	act := func(name string, every time.Duration, do func(step int)) {
		actors.Go(func() {
			for step := 0; ; step++ {
				timer := time.NewTimer(w.instant(upTo(w.draw(name, step), every)))
				select {
				case <-timer.C:
					do(step)
				case <-over:
					timer.Stop()
					return
				}
			}
		})
	}
	if w.crashes {
		act("crash", 15*time.Second, func(step int) {
			place := step % len(w.processes)
			w.processes[place].crash()
			if err := w.start(place, step+len(w.processes)); err != nil {
				t.Error(err)
			}
		})
	}
	if w.jumps {
		act("jump", 20*time.Second, w.jump)
	}
	if w.held() {
		act("resolve", 20*time.Second, func(step int) { w.resolve(t, step, 2) })
	}
	act("sweep", 20*time.Second, func(int) { w.sweep(t) })
	for i := range w.clients {
		c := &client{w: w, number: i + 1, tenant: i % tenants}
		clients.Go(c.work)
	}
	clients.Wait()
	close(over)
	actors.Wait()
	w.finish(t)
}

// finish lets the dust settle and looks at every key once more.
func (w *world) finish(t *testing.T) {
	w.mu.Lock()
	w.calm = true
	w.mu.Unlock()
	w.sleep(w.patience()) // the last handlers end, the last leases lapse
	w.probe(0)
	if w.held() {
		w.resolve(t, 1000, 1000)
		w.probe(100)
	}
	w.mu.Lock()
	w.jumped += 721 * time.Hour
	w.event("everything expires")
	w.mu.Unlock()
	w.sweep(t)
	w.probe(200)
	for _, p := range w.processes {
		p.crash()
	}
	w.serving.Wait()
}

// probe sends one request for every key and body.
func (w *world) probe(number int) {
	for tenant := range tenants {
		for key := range keys {
			for body := range 2 {
				rq := &request{number: number, slot: slot{tenant, key}, body: body, calls: map[string]int{}}
				got, ok := w.send(rq, 0, time.Millisecond, 0)
				w.mu.Lock()
				switch {
				case !ok || !settled(&got):
					w.violation("%v: nothing goes wrong any more, and still there is no answer", rq)
				case number == 100 && got.problem == "outcome-unknown":
					w.violation("%v: everything is resolved, and still the outcome is unknown", rq)
				case number >= 200 && body == 0 && rq.starts != 1:
					w.violation("%v: everything has expired, and still it is not performed", rq)
				}
				w.mu.Unlock()
				number++
			}
		}
	}
}

// jump sets one of the clocks. The store's goes forward only: it is what time
// is.
func (w *world) jump(step int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.draw("clock", step)
	if r.IntN(2) == 0 {
		w.skew = upTo(r, 2*time.Hour) - time.Hour
		w.event("the application's clock is off by %v", w.skew)
		return
	}
	w.jumped += upTo(r, 2*w.policy.Lease)
	w.event("the store's clock jumps to %v", w.now())
}

// sweep removes expired records.
func (w *world) sweep(t *testing.T) {
	n, err := w.memory.Sweep(context.Background(), 1<<20)
	if err != nil {
		t.Error(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.event("%d records are swept", n)
	now := w.now()
	for _, t := range w.records { // a late owner finds nothing that it could complete
		if t.ended == never && t.expires <= now && (t.done || t.leaseUntil <= now) {
			t.ended = now
		}
	}
}

// resolve is the operator's work: unknown records become answers or free.
func (w *world) resolve(t *testing.T, step, limit int) {
	ctx := context.Background()
	list, err := w.memory.Unknown(ctx, idem.Cursor{}, limit)
	if err != nil {
		t.Error(err)
	}
	for i := range list {
		e := &list[i]
		var done *idem.Completion
		if w.draw("resolve as", step, i).IntN(2) == 0 {
			body := fmt.Sprintf(`{"resolved":%d,"as":%d}`, step, i)
			done, err = w.processes[0].handler.Completion(ctx, "placeOrder", e.ID, http.StatusCreated, http.Header{}, []byte(body))
			if err != nil {
				t.Error(err)
				return
			}
		}
		err := w.memory.Resolve(ctx, e.ID, e.Fence, done)
		w.mu.Lock()
		w.resolved(e, done, err)
		w.mu.Unlock()
	}
}

// resolved notes what an operator decided. The world is locked.
func (w *world) resolved(e *idem.Entry, done *idem.Completion, err error) {
	now, t := w.now(), w.records[e.ID]
	w.event("the operator resolves fence %d: answer %t, %v", w.number(e.Fence), done != nil, err)
	if err != nil || !t.runs(e.Fence) || !t.hold || t.leaseUntil > now || t.expires <= now {
		w.violation("the operator resolves a record that is not unknown: %v", err)
		return
	}
	if done == nil {
		t.ended = now
		w.frees(t.request.slot, e.Fence)
		return
	}
	t.request.mayBeDone(now)
	t.done, t.doneAt, t.answer, t.expires = true, now, done.Response, now+done.TTL
}
