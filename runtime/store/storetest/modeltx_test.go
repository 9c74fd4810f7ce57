package storetest_test

import (
	"context"
	"errors"
	"maps"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// modelTx is a transaction of the model: its rows join those of the model when
// it commits.
type modelTx struct {
	m      *model
	claim  *idem.Claim
	fence  idem.Fence
	rows   []string
	before idem.Fence
	ended  bool // by commit, rollback or the handler
	spent  bool
	ctx    context.Context
}

func (m *model) Begin(ctx context.Context, c *idem.Claim) (idem.StoreTx, idem.Claimed, error) {
	if err := m.done(ctx, "Begin ignores the context"); err != nil {
		return nil, idem.Claimed{}, err
	}
	if c == nil {
		if err := m.lock(ctx); err != nil {
			return nil, idem.Claimed{}, err
		}
		got := idem.Claimed{State: idem.ClaimOwned}
		if m.has("a run without a key has a fence") {
			got.Fence = 1
		}
		m.current = &modelTx{m: m, ctx: ctx}
		return m.current, got, nil
	}
	keyed := *c
	c = &keyed
	c.ID = m.key(c.ID)
	m.mu.Lock()
	running, early := m.running[c.ID], m.records[c.ID]
	if m.has("Begin decides before it has the writer") {
		m.mu.Unlock()
		time.Sleep(time.Millisecond) // everyone in the bubble gets here
		m.mu.Lock()
	}
	m.running[c.ID] = true
	m.mu.Unlock()
	if running && !m.has("a duplicate waits for the writer") {
		return nil, idem.Claimed{State: idem.ClaimRunning, Record: idem.Record{State: idem.StateRunning}}, nil
	}
	if err := m.lock(ctx); err != nil {
		return nil, idem.Claimed{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.records[c.ID]
	if m.has("Begin decides before it has the writer") {
		e = early
	}
	if !m.beginnable(e, c) {
		got := m.refuse(e, c)
		if got.State == idem.ClaimDone && m.has("Begin shows the asker's fingerprint") {
			got.Record.Fingerprint = c.Fingerprint
		}
		if got.State != idem.ClaimDone || !m.has("Begin on an answer keeps the writer") {
			m.unlock(c)
		}
		return nil, got, nil
	}
	tx := &modelTx{m: m, claim: c, before: m.fence, ctx: ctx}
	m.fence++
	tx.fence = m.fence
	got := idem.Claimed{State: idem.ClaimOwned, Fence: m.fence, Attempts: 1}
	switch {
	case m.has("Begin counts from 0"):
		got.Attempts = 0
	case e != nil && e.State == idem.StateRunning && m.has("a takeover with Begin lowers the fence"):
		got.Fence = e.Fence - 1
	}
	m.current = tx
	return tx, got, nil
}

// beginnable is the contract's condition with the bugs of transactions.
func (m *model) beginnable(e *entry, c *idem.Claim) bool {
	switch {
	case e == nil || e.State == idem.StateFree:
		return true
	case e.State == idem.StateDone:
		return e.expiresAt <= m.now
	case m.has("Begin ignores leases"):
		return e.leaseUntil > m.now || e.Fingerprint == c.Fingerprint && !e.Hold
	case m.has("Begin ignores hold"):
		return e.leaseUntil <= m.now && e.Fingerprint == c.Fingerprint
	}
	return e.leaseUntil <= m.now && (e.expiresAt <= m.now || e.Fingerprint == c.Fingerprint && !e.Hold)
}

func (m *model) lock(ctx context.Context) error {
	select {
	case m.writer <- struct{}{}:
		return nil
	case <-ctx.Done():
		if m.has("Begin ignores the context") {
			m.writer <- struct{}{}
			return nil
		}
		return ctx.Err()
	}
}

func (m *model) unlock(c *idem.Claim) {
	if c != nil {
		delete(m.running, c.ID)
	}
	<-m.writer
}

func (t *modelTx) Tx() any { return t }

func (t *modelTx) write(key string) error {
	if t.m.has("a transaction ends with its context") && t.ctx.Err() != nil {
		return t.ctx.Err()
	}
	t.rows = append(t.rows, key)
	if t.m.has("writes are visible before the commit") {
		t.m.rows[key]++
	}
	return nil
}

// Commit is what a handler must not call.
func (t *modelTx) Commit() error {
	t.ended = true
	t.commitRows()
	return nil
}

func (t *modelTx) commitRows() {
	if t.m.has("writes are visible before the commit") {
		return
	}
	for _, key := range t.rows {
		t.m.rows[key]++
	}
	t.rows = nil
}

func (t *modelTx) undoRows() {
	if t.m.has("writes are visible before the commit") {
		for _, key := range t.rows {
			t.m.rows[key]--
		}
	}
	t.rows = nil
}

func (t *modelTx) Complete(_ context.Context, done *idem.Completion, keep bool) error {
	m := t.m
	if t.spent {
		return errors.New("spent")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	t.spent = true
	defer m.unlock(t.claim)
	if t.ended && !m.has("a handler's own commit is not noticed") {
		return idem.ErrTxEnded
	}
	keyed := t.claim != nil
	switch {
	case keep && !keyed && m.has("a run without a key loses its writes"):
	case keep,
		keyed && m.has("keep is ignored"),
		!keyed && m.has("keep is ignored without a key"):
		t.commitRows()
	default:
		t.undoRows()
	}
	if done == nil && m.has("Complete records without an answer") {
		done = &idem.Completion{TTL: time.Hour}
	}
	if done == nil || !keyed {
		return nil
	}
	old := m.records[t.claim.ID]
	e := &entry{
		Record: idem.Record{
			Fingerprint: t.claim.Fingerprint, State: idem.StateDone, Fence: t.fence, Attempts: 1,
			Response: m.keep(done.Response, "a transaction's answer"),
		},
		expiresAt: m.now + done.TTL,
		ttl:       done.TTL,
		byTx:      true,
	}
	if m.has("a transaction's answer has a retention of its own") {
		e.expiresAt = m.now + 48*time.Hour
	}
	if old != nil && m.has("a transaction keeps the old fingerprint") {
		e.Fingerprint = old.Fingerprint
	}
	m.records[t.claim.ID] = e
	return nil
}

func (t *modelTx) Rollback(context.Context) error {
	m := t.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if t.spent {
		switch {
		case m.has("a second Rollback undoes another transaction") && m.current != t:
			m.current.undoRows()
		case m.has("Rollback undoes what was committed"):
			maps.DeleteFunc(m.rows, func(string, int) bool { return m.current == t })
		}
		return nil
	}
	t.spent = true
	defer m.unlock(t.claim)
	keyed := t.claim != nil
	switch {
	case keyed && m.has("a rollback keeps the writes"), !keyed && m.has("a rollback without a key keeps the writes"):
		t.commitRows()
	default:
		t.undoRows()
	}
	switch {
	case m.has("a rollback gives the fence back"):
		m.fence = t.before
	case keyed && m.has("a rollback removes the record"):
		delete(m.records, t.claim.ID)
	}
	return nil
}
