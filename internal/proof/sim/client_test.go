package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// request is one request and what became of it. The world's lock guards it. Its
// times are the store's clock's.
type request struct {
	number int
	slot
	body     int // 0 or 1
	sent     time.Duration
	calls    map[string]int
	failed   bool // a call of the store failed, as far as the runtime knows
	outcomes []idem.Outcome

	// Its run, as the runtime was told, with what is certain of the times.
	owned     idem.Fence    // claimed, and the handler not yet started
	fence     idem.Fence    // of the started handler; 0: it runs unprotected
	claimed   time.Duration // not before
	leased    time.Duration // until then, and longer where a heartbeat came through
	lost      bool          // the claim
	ending    bool          // the run ends its claim
	completed time.Duration // not before, if at all: 0 for one that was never tried
	recorded  bool          // the answer is stored
	until     time.Duration // for how long

	// Its handler.
	starts      int
	unprotected bool // it runs without a claim
	status      int  // 0: it did not answer
	answer      string
}

func (rq *request) String() string {
	return fmt.Sprintf("request %d (t%d k%d %s)", rq.number, rq.tenant, rq.key, rq.payload())
}

// mayBeDone notes that its record may be an answer from now on.
func (rq *request) mayBeDone(now time.Duration) {
	if rq.completed == 0 {
		rq.completed = now
	}
}

// payload is the request's body.
func (rq *request) payload() string { return string(rune('0' + rq.body)) }

type requestKey struct{}

func requestOf(ctx context.Context) *request { return ctx.Value(requestKey{}).(*request) }

// answer is what a client sees.
type answer struct {
	status      int
	body        string
	replayed    bool
	unprotected bool
	problem     string // suffix of the problem type
	retry       bool
}

// client sends requests one after the other, or a few copies at once.
type client struct {
	w      *world
	number int
	tenant int
	sends  int
}

func (c *client) work() {
	for step := range c.w.steps {
		r := c.w.draw("client", c.number, step)
		c.w.sleep(upTo(r, 3*time.Second))
		s, body := slot{c.tenant, r.IntN(keys)}, 0
		if r.IntN(6) == 0 {
			body = 1
		}
		copies := max(1, r.IntN(5)-1)
		var all sync.WaitGroup
		for i := range copies {
			first := c.sends
			c.sends += attempts
			all.Go(func() { c.insist(s, body, step*10+i, first) })
		}
		all.Wait()
	}
}

// attempts is how often a client sends one request.
const attempts = 4

// insist sends a request until its answer says that it need not be sent again.
func (c *client) insist(s slot, body, step, first int) {
	for attempt := range attempts {
		r := c.w.draw("attempt", c.number, step, attempt)
		patience := time.Duration(0)
		if r.IntN(6) == 0 {
			patience = upTo(r, 2*c.w.policy.Lease)
		}
		rq := &request{number: c.number*1000 + first + attempt, slot: s, body: body, calls: map[string]int{}}
		got, ok := c.w.send(rq, r.IntN(2), upTo(r, 20*time.Millisecond), patience)
		if ok && !got.retry {
			return
		}
		c.w.sleep(upTo(r, 2*time.Second))
	}
}

// send sends a request to one of the processes. It reports false when the
// client got no answer: it hung up after its patience, which is endless when
// zero, or the process ended.
func (w *world) send(rq *request, place int, network, patience time.Duration) (answer, bool) {
	w.sleep(network)
	w.mu.Lock()
	p := w.processes[place]
	rq.sent = w.now()
	w.event("%v goes to process %d", rq, p.number)
	w.mu.Unlock()
	ctx, hangUp := context.WithCancel(context.WithValue(p.ctx, requestKey{}, rq))
	defer hangUp()
	r := httptest.NewRequestWithContext(ctx, "POST", "/orders", strings.NewReader(rq.payload()))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", fmt.Sprint("key-", rq.key))
	r.Header.Set("Tenant", fmt.Sprint(rq.tenant))
	rec := httptest.NewRecorder()
	done := make(chan any, 1)
	w.serving.Go(func() {
		defer func() { done <- recover() }()
		p.handler.Router().ServeHTTP(rec, r)
	})
	timer := time.NewTimer(w.instant(orElse(patience, w.patience())))
	defer timer.Stop()
	var broken any // what the handler panicked with
	late := false
	select {
	case broken = <-done:
	case <-p.ctx.Done():
	case <-timer.C:
		late = true
	}
	reset := p.ctx.Err() != nil
	if !late {
		w.sleep(network)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case reset:
		w.event("%v: the connection breaks", rq)
	case late && patience > 0:
		w.event("%v: the client hangs up", rq)
	case late:
		w.violation("%v is not answered within %v", rq, w.patience())
	case broken != nil:
		w.event("%v: the handler's panic ends the connection", rq)
		if err, ok := broken.(error); !ok || !errors.Is(err, http.ErrAbortHandler) || rq.status != http.StatusInternalServerError {
			w.violation("%v: panic %v", rq, broken)
		}
	default:
		got := read(rec)
		w.event("%v is answered %d %s %s", rq, got.status, got.problem, got.body)
		w.judge(rq, &got)
		return got, true
	}
	return answer{}, false
}

func orElse(d, byDefault time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return byDefault
}

func read(rec *httptest.ResponseRecorder) answer {
	got := answer{
		status:      rec.Code,
		replayed:    rec.Header().Get("Idempotent-Replayed") == "true",
		unprotected: rec.Header().Get("Idempotency-Status") == "unprotected",
	}
	if rec.Header().Get("Content-Type") != "application/problem+json" {
		got.body = rec.Body.String()
		got.retry = got.status >= 500 || got.status == http.StatusTooManyRequests
		return got
	}
	var p idem.Problem
	if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil {
		p.Type = "#" + err.Error()
	}
	_, got.problem, _ = strings.Cut(p.Type, "#")
	got.retry = p.Retry == "same-key" || got.status == http.StatusInternalServerError
	return got
}
