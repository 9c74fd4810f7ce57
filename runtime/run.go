package runtime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/idemgen/idemgen/runtime/etag"
	"github.com/idemgen/idemgen/runtime/internal/expect"
)

// run is one start of the handler. It is the context that the handler gets: it
// keeps the values of the request's context but not its end, because a client
// that goes away is the usual reason for a retry. It is not pooled: a goroutine
// that the handler left behind, and a late heartbeat, may still use it. What
// they need is here; x is for the run's own goroutine only, until its end.
type run struct {
	context.Context                 // base, able to end as soon as somebody asks
	base            context.Context // for the store: it outlives a lost claim

	h          *Handler
	p          *prepared
	id         ID
	marker     *marker // see LastWrite; nil: none
	conditions *etag.Conditions

	x        *exchange
	rec      *recorder
	tx       StoreTx // nil in lease mode
	fence    Fence
	attempts int

	seen       *present    // what the precheck saw; nil: nothing
	used       expect.Used // the expectation of this start
	marked     atomic.Bool // LastWrite was asked for
	hasKey     bool
	already    bool // the answer is that of an earlier performance
	settled    bool // the store was told how a run under a lease ended
	keepWrites bool
	hooks      []func(context.Context) error
	body       bodyReader
	beating
}

// newRun prepares a start of the handler.
func (x *exchange) newRun(rec *recorder) *run {
	ctx := context.WithoutCancel(x.r.Context())
	n := &run{
		Context: ctx, base: ctx, h: x.h, p: x.p, hasKey: x.hasKey, id: x.id, conditions: noConditions, x: x, rec: rec,
	}
	if x.hasKey && x.p.Precondition != nil && x.p.Precondition.AppliedMarker {
		n.marker = &marker{x.id, x.fingerprint}
	}
	if x.conditional() {
		own := x.conditions
		n.conditions = &own
	}
	return n
}

// noConditions are those of most requests.
var noConditions = new(etag.Conditions)

// bodyReader is a request body in memory.
type bodyReader struct{ bytes.Reader }

func (*bodyReader) Close() error { return nil }

type runKey struct{}

// Value implements context.Context.
func (n *run) Value(key any) any {
	if key == (runKey{}) {
		return n
	}
	n.mu.Lock()
	ctx := n.Context
	n.mu.Unlock()
	return ctx.Value(key)
}

func runOf(ctx context.Context) *run {
	n, _ := ctx.Value(runKey{}).(*run)
	return n
}

// handle calls the handler once, with the preconditions checked first. It does
// not return where the handler panics or ends its goroutine: the caller settles
// the record in a deferred call, and the panic keeps the stack that it began with.
func (n *run) handle() {
	x := n.x
	r := x.r.WithContext(n)
	if x.body != nil {
		n.body.Reset(x.ownBody())
		r.Body = &n.body
	}
	if n.precheck(r) {
		x.next(n.rec, r)
	}
	if n.rec.err == nil && n.rec.status == 0 {
		n.rec.err = errNoAnswer
	}
	n.rec.err = errors.Join(n.rec.err, n.unproven())
	if n.rec.err != nil {
		n.answerError(r)
	}
}

// unproven is the error of a guarded success that never looked at the version
// it was to expect: the check was parsed and then forgotten.
func (n *run) unproven() error {
	if n.rec.err != nil || !n.x.p.guarded() || n.already || n.rec.status < 200 || n.rec.status > 299 {
		return nil
	}
	if err := n.unmarked(); err != nil {
		return err
	}
	v := &n.rec.version
	switch {
	case n.x.p.argument == argNone:
		if !v.ok {
			return fmt.Errorf("idem: operation %s answered %d without a version that an entity tag can express: answer through the generated constructor", n.x.p.ID, n.rec.status)
		}
		return nil
	case !v.proves:
		return fmt.Errorf("idem: operation %s answered %d without a witness: answer through the generated constructor, with expect.Applied", n.x.p.ID, n.rec.status)
	case v.used != &n.used:
		return fmt.Errorf("idem: operation %s answered with the witness of another request", n.x.p.ID)
	case !n.used.Touched():
		return fmt.Errorf("idem: operation %s never asked its expectation for the version: put expect.Versions or expect.Where into the write", n.x.p.ID)
	case !v.ok:
		return fmt.Errorf("idem: operation %s answered with a version that no entity tag can express", n.x.p.ID)
	}
	return nil
}

// answerError replaces whatever the handler had begun to answer.
func (n *run) answerError(r *http.Request) {
	x, err := n.x, n.rec.err
	n.rec.reset()
	n.rec.err = err
	if refused, created := noMatch(err); refused {
		n.answerNoMatch(r, created)
		return
	}
	x.h.fault(n, x.p.Operation, x.keyID(), "the handler failed", err)
	x.h.refuse(n.rec, r, x.p.Operation, failure(err, r.Method, n.protected()), "")
}

// protected reports whether the same request may be sent again after a failure:
// a key or a precondition finds the effect, or a transaction undid it.
func (n *run) protected() bool {
	c := &n.x.conditions
	return n.x.hasKey || n.tx != nil || n.x.p.argument != argNone && (c.IfMatch.Present() || c.IfNoneMatch.Present())
}

// verdict says what this start means for the record.
func (n *run) verdict() verdict {
	switch {
	case n.rec.refused:
		return verdictRefuse
	case n.rec.err == nil:
		return n.x.p.verdict(n.rec.status)
	case isNotExecuted(n.rec.err):
		return verdictRefuse
	}
	return verdictUnclear
}

func (x *exchange) keyID() *ID {
	if !x.hasKey {
		return nil
	}
	return &x.id
}

// maxRuns bounds how often one request is run when the database keeps undoing
// its transaction.
const maxRuns = 4

// retryPause spaces those runs; it is multiplied by the number of the run.
const retryPause = 10 * time.Millisecond

// commitHooks runs what was registered with BeforeCommit, also by a hook.
func (n *run) commitHooks() error {
	for i := 0; ; i++ {
		hook, ok := n.hook(i)
		if !ok {
			return nil
		}
		if err := hook(n); err != nil {
			return fmt.Errorf("before commit: %w", err)
		}
	}
}

func (n *run) hook(i int) (f func(context.Context) error, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if i < len(n.hooks) {
		return n.hooks[i], true
	}
	return nil, false
}

// hooksWithoutTx runs the hooks of a run that has no transaction, if its answer
// is one that is kept.
func (n *run) hooksWithoutTx(r *http.Request) {
	if n.already || n.verdict() != verdictRecord {
		return
	}
	if err := n.commitHooks(); err != nil {
		n.rec.err = err
		n.answerError(r)
	}
}
