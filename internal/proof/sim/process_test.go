package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// process is an instance of the server. After its end its requests have no
// client, its store calls do nothing, and its handlers stop where they are.
type process struct {
	w       *world
	number  int
	handler *idem.Handler
	ctx     context.Context // of its connections to clients
	end     context.CancelCauseFunc
	dead    bool
}

// start puts a new process in the place of one that has ended.
func (w *world) start(place, number int) error {
	p := &process{w: w, number: number}
	p.ctx, p.end = context.WithCancelCause(context.Background())
	policy := w.policy
	op := &idem.Operation{ID: "placeOrder", Method: "POST", Path: "/orders", Pattern: "POST /orders", Idempotency: &policy}
	h, err := idem.NewHandler([]*idem.Operation{op},
		idem.WithStore(w.above(&connection{w: w, p: p, Store: observed{w, w.store}})),
		idem.WithLogger(nil), idem.WithClock(clock{w}), idem.WithScope(w.scope),
		idem.WithMetrics(idem.Metrics{Request: w.counted}))
	if err != nil {
		return err
	}
	h.Router().HandleFunc(op.Pattern, func(rw http.ResponseWriter, r *http.Request) { h.Serve(rw, r, op, nil, p.handle) })
	p.handler = h
	w.mu.Lock()
	defer w.mu.Unlock()
	w.processes[place] = p
	return nil
}

// crash ends a process. The world is not locked.
func (p *process) crash() {
	p.w.mu.Lock()
	p.w.event("process %d crashes", p.number)
	p.dead = true
	p.w.mu.Unlock()
	p.end(errGone)
}

func (w *world) counted(ctx context.Context, _ *idem.Operation, o idem.Outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	rq := requestOf(ctx)
	rq.outcomes = append(rq.outcomes, o)
	w.tally[string(o)]++
}

// What a handler does in the end.
var (
	errDeclined = errors.New("sim: the handler fails after its effect")
	errEarly    = idem.NotExecuted(errors.New("sim: the handler fails before its effect"))
	errFenced   = errors.New("sim: the resource has seen a higher fence")
)

// handle is the operation's handler: it takes a while, has an effect on a
// resource that checks the fence, takes a while again and answers.
func (p *process) handle(rw http.ResponseWriter, r *http.Request) {
	w, ctx := p.w, r.Context()
	rq := requestOf(ctx)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		p.handler.RequestError(rw, r, err)
		return
	}
	w.sleep(0)
	w.mu.Lock()
	w.started(ctx, rq, rw)
	if string(body) != rq.payload() {
		w.violation("%v: the handler gets the body %q", rq, body)
	}
	draw := w.draw("handler", rq.number)
	long := 40 * time.Millisecond
	if !w.calm && draw.IntN(5) == 0 {
		long = w.slowest
	}
	stubborn := draw.IntN(3) == 0 // does not look at its context
	first, second, kind := upTo(draw, long/2), upTo(draw, long/2), draw.IntN(16)
	if w.calm {
		kind = 15
	}
	w.mu.Unlock()
	switch kind {
	case 0:
		p.fail(rw, r, errEarly)
		return
	case 1:
		rw.WriteHeader(http.StatusTooManyRequests)
		p.answered(rq, http.StatusTooManyRequests, "")
		return
	}
	if err := p.pause(ctx, first, stubborn); err != nil {
		p.fail(rw, r, err)
		return
	}
	if !p.effect(rq) {
		p.fail(rw, r, errFenced)
		return
	}
	if err := p.pause(ctx, second, stubborn); err != nil {
		p.fail(rw, r, err)
		return
	}
	status := http.StatusCreated
	switch kind {
	case 2:
		p.fail(rw, r, errDeclined)
		return
	case 3:
		p.answered(rq, http.StatusInternalServerError, "")
		panic(http.ErrAbortHandler)
	case 4:
		status = http.StatusServiceUnavailable
	case 5, 6:
		status = http.StatusPaymentRequired
	}
	answer := fmt.Sprintf(`{"order":%d,"start":%d,"of":%q}`, rq.number, rq.starts, body)
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	_, _ = io.WriteString(rw, answer)
	p.answered(rq, status, answer)
}

// started checks that a start of the handler is entitled. The world is locked.
func (w *world) started(ctx context.Context, rq *request, rw http.ResponseWriter) {
	rq.starts++
	attempt, ok := idem.FromContext(ctx)
	if !ok || attempt.Fence == 0 {
		w.event("%v starts unprotected", rq)
		rq.unprotected = true
		if !w.mayRunUnprotected() || !rq.failed || rw.Header().Get("Idempotency-Status") != "unprotected" {
			w.violation("%v: the handler starts without a claim", rq)
		}
		return
	}
	w.event("%v starts under fence %d", rq, w.number(attempt.Fence))
	if rq.owned != attempt.Fence {
		w.violation("%v: the handler starts without a claim", rq)
	}
	rq.owned, rq.fence = 0, attempt.Fence // one claim, one start
}

// pause lets the handler work. It fails when the run was ended and the handler
// cares.
func (p *process) pause(ctx context.Context, d time.Duration, stubborn bool) error {
	w, rq := p.w, requestOf(ctx)
	var err error
	if stubborn {
		w.sleep(d)
	} else if err = w.sleepWithin(ctx, d); err != nil {
		w.sleep(0)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case p.dead:
		w.event("%v stops with its process", rq)
		panic(http.ErrAbortHandler)
	case rq.unprotected: // nothing will find its effect, so it may as well end with its client
	case err != nil && !errors.Is(err, idem.ErrClaimLost):
		w.violation("%v: its context ends: %v", rq, err)
	case (rq.lost || err != nil) && !errors.Is(context.Cause(ctx), idem.ErrClaimLost):
		w.violation("%v: the claim is lost, and the handler's context goes on", rq)
	case err != nil && !rq.lost:
		w.violation("%v: its context says that the claim is lost, and it is not", rq)
	}
	return err
}

// effect is a write to the resource.
func (p *process) effect(rq *request) bool {
	w := p.w
	w.mu.Lock()
	defer w.mu.Unlock()
	if rq.fence == 0 {
		w.event("%v has its effect unprotected", rq)
		return true
	}
	return w.write(rq)
}

func (p *process) fail(rw http.ResponseWriter, r *http.Request, err error) {
	p.answered(requestOf(r.Context()), http.StatusInternalServerError, "")
	p.handler.ResponseError(rw, r, err)
}

// answered notes what the handler answers.
func (p *process) answered(rq *request, status int, body string) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	rq.status, rq.answer = status, body
}
