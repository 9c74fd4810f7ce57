package faults_test

import (
	"context"
	"errors"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// Durations are long: only the tests' clock ends them.
const (
	lease = 10 * time.Hour
	ttl   = 35 * time.Hour // of a running record
	keep  = 75 * time.Hour // of an answer
)

var (
	own   = idem.Fingerprint{1, 'a'}
	other = idem.Fingerprint{1, 'b'}

	answer = idem.Response{Status: 201, Headers: []byte("a: b\r\n"), Body: []byte(`{"new":true}`)}
	before = idem.Response{Status: 200, Headers: []byte("c: d\r\n"), Body: []byte(`{"old":true}`)}
)

// A state is what a key is in before something is done with it.
type state string

const (
	absent      state = "absent"
	freed       state = "free"
	running     state = "running"       // under the fence that the call uses
	lapsed      state = "lapsed"        // the same, its lease over
	lapsedOther state = "lapsed, other" // with another fingerprint
	held        state = "held"
	taken       state = "taken over" // the call's fence is stale
	done        state = "done"
	expired     state = "expired"
)

// prepare brings a key into a state, with the store that works, and returns the
// fence that a call uses.
func (t *trial) prepare(s state) (fence idem.Fence) {
	if s == absent {
		return 0
	}
	c := t.claim(own)
	switch s {
	case lapsedOther:
		c.Fingerprint = other
	case held:
		c.Hold, c.TTL = true, 720*time.Hour
	}
	claimed, err := t.clean.Claim(t.ctx, c)
	t.must(err, "prepare: claim")
	fence = claimed.Fence
	switch s {
	case freed:
		t.must(t.clean.Release(t.ctx, t.id, fence), "prepare: release")
	case lapsed, lapsedOther, held:
		t.must(t.advance(t.id, lease+time.Hour), "advance")
	case taken:
		t.must(t.advance(t.id, lease+time.Hour), "advance")
		_, err := t.clean.Claim(t.ctx, c)
		t.must(err, "prepare: take over")
	case done, expired:
		t.must(t.clean.Complete(t.ctx, t.id, fence, before, keep), "prepare: complete")
		if s == expired {
			t.must(t.advance(t.id, keep+time.Hour), "advance")
		}
	}
	return fence
}

// A scenario is something that a store does, from a state.
type scenario struct {
	name string
	from state
	cold bool // no connection is open
	do   func(ctx context.Context, t *trial) error

	// after reports whether the record is as the call leaves it. Nil for a call
	// that changes nothing.
	after func(t *trial, r view) bool

	// lost: the call's claim is not there any more, and nothing else may be
	// returned without a fault.
	lost bool

	// effect is how many effects there are in the end.
	effect int
}

func (s scenario) String() string { return s.name + " from " + string(s.from) }

func isRunning(_ *trial, r view) bool {
	return r.found && r.State == idem.StateRunning && r.Fingerprint == own && about(r.LeaseLeft, lease)
}

func isAnswered(_ *trial, r view) bool {
	return r.found && r.State == idem.StateDone && r.Fingerprint == own && same(r.Response, answer) && about(r.ExpiresIn, keep)
}

func isFree(_ *trial, r view) bool { return !r.found }

func isAbandoned(_ *trial, r view) bool {
	return r.found && r.State == idem.StateRunning && r.LeaseLeft == 0
}

// scenarios are all that stores do.
func scenarios() []scenario {
	var all []scenario
	for _, from := range []state{absent, freed, running, lapsed, lapsedOther, held, done, expired} {
		s := scenario{name: "claim", from: from, do: doClaim}
		switch from {
		case absent, freed, lapsed, expired:
			s.after = isRunning
		}
		all = append(all, s)
	}
	for _, from := range []state{running, lapsed, taken, done} {
		lost := from == taken || from == done
		for _, s := range []scenario{
			{name: "heartbeat", do: doHeartbeat, after: isRunning},
			{name: "complete", do: doComplete, after: isAnswered},
			{name: "release", do: doRelease, after: isFree},
			{name: "abandon", do: doAbandon, after: isAbandoned},
		} {
			s.from, s.lost = from, lost
			if lost {
				s.after = nil
			}
			all = append(all, s)
		}
	}
	for _, from := range []state{absent, running, done} {
		all = append(all, scenario{name: "lookup", from: from, do: doLookup})
	}
	for _, from := range []state{absent, freed, running, lapsed, lapsedOther, held, done, expired} {
		commits := from == absent || from == freed || from == lapsed || from == expired
		for _, s := range []scenario{
			{name: "tx", do: doTx(txKeep, false), effect: 1, after: isAnswered},
			{name: "tx, detached", do: doTx(txKeep, true), effect: 1, after: isAnswered},
			{name: "tx, writes undone", do: doTx(txUndo, false), after: isAnswered},
			{name: "tx, rolled back", do: doTx(txRollback, false)},
		} {
			s.from = from
			if !commits {
				s.after, s.effect = nil, 0
			}
			all = append(all, s)
		}
	}
	for _, s := range all {
		if s.from == absent && (s.name == "claim" || s.name == "tx") {
			s.name, s.cold = s.name+", connecting", true
			all = append(all, s)
		}
	}
	return append(all,
		scenario{name: "tx without a key", from: absent, do: doUnkeyed},
		scenario{name: "sweep", from: absent, do: doSweep},
		scenario{name: "sweep", from: expired, do: doSweep},
	)
}

func doClaim(ctx context.Context, t *trial) (err error) {
	t.claimed, err = t.faulty.Claim(ctx, t.claim(own))
	return err
}

func doHeartbeat(ctx context.Context, t *trial) error {
	return t.faulty.Heartbeat(ctx, t.id, t.fence, lease)
}

func doComplete(ctx context.Context, t *trial) error {
	return t.faulty.Complete(ctx, t.id, t.fence, answer, keep)
}

func doRelease(ctx context.Context, t *trial) error { return t.faulty.Release(ctx, t.id, t.fence) }

func doAbandon(ctx context.Context, t *trial) error { return t.faulty.Abandon(ctx, t.id, t.fence) }

func doLookup(ctx context.Context, t *trial) error {
	_, _, err := t.faulty.Lookup(ctx, t.id)
	return err
}

func doSweep(ctx context.Context, t *trial) error {
	_, err := t.faulty.(idem.Sweeper).Sweep(ctx, 10)
	return err
}

// How a transaction ends.
const (
	txKeep = iota
	txUndo
	txRollback
)

// doTx is a run in a transaction, as the runtime makes it: what begins follows
// the request's context; a detached end does not.
func doTx(how int, detached bool) func(ctx context.Context, t *trial) error {
	return func(ctx context.Context, t *trial) (err error) {
		c := t.claim(own)
		tx, claimed, err := t.faulty.Begin(ctx, &c)
		t.claimed = claimed
		if err != nil || tx == nil {
			if tx != nil {
				return errors.Join(err, errors.New("an error came with a transaction"))
			}
			return err
		}
		if claimed.State != idem.ClaimOwned {
			return errors.New("a transaction came without the claim")
		}
		if detached {
			ctx = context.WithoutCancel(ctx)
		}
		return t.endTx(ctx, tx, how, &idem.Completion{Response: answer, TTL: keep})
	}
}

// doUnkeyed is a run without a key.
func doUnkeyed(ctx context.Context, t *trial) error {
	tx, _, err := t.faulty.Begin(ctx, nil)
	if err != nil {
		return err
	}
	return t.endTx(ctx, tx, txKeep, nil)
}

func (t *trial) endTx(ctx context.Context, tx idem.StoreTx, how int, completion *idem.Completion) (err error) {
	ended := false
	defer func() {
		if !ended { // a panic
			_ = tx.Rollback(context.WithoutCancel(ctx))
		}
	}()
	if err := t.write(ctx, tx.Tx(), t.effect); err != nil {
		ended = true
		return errors.Join(err, errRolledBack, tx.Rollback(context.WithoutCancel(ctx)))
	}
	if how == txRollback {
		ended = true
		return errors.Join(errRolledBack, tx.Rollback(ctx))
	}
	err = tx.Complete(ctx, completion, how == txKeep)
	ended = true
	return err
}

// errRolledBack says that nothing may have been committed.
var errRolledBack = errors.New("the run was rolled back")
