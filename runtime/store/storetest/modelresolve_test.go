package storetest_test

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// unknown is the contract's condition with the bugs of resolving.
func (m *model) unknown(e *entry) bool {
	if e == nil || e.State != idem.StateRunning && !(e.State == idem.StateDone && m.has("answers are unknown")) ||
		e.State == idem.StateRunning && m.has("an abandoned record is never unknown") && e.abandoned {
		return false
	}
	return (e.Hold || m.has("records that nobody holds are unknown")) &&
		(e.leaseUntil <= m.now || m.has("running records are unknown")) &&
		(e.expiresAt > m.now || m.has("expired records are unknown"))
}

func (m *model) entryOf(id idem.ID, e *entry) idem.Entry {
	out := idem.Entry{ID: id, Record: m.view(e), Operation: e.operation, ClaimedAt: time.Unix(0, int64(e.claimedAt)).UTC()}
	switch {
	case m.has("the operation is not kept"):
		out.Operation = ""
	case m.has("entries are shown without an ID"):
		out.ID = idem.ID{}
	}
	return out
}

func (m *model) Unknown(ctx context.Context, after idem.Cursor, limit int) ([]idem.Entry, error) {
	if err := m.done(ctx, "Unknown ignores the context"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []idem.Entry
	for id, e := range m.records {
		if m.unknown(e) {
			list = append(list, m.entryOf(id, e))
		}
	}
	order := func(at time.Time, id idem.ID, e idem.Entry) int {
		c := e.ClaimedAt.Compare(at)
		if m.has("the youngest come first") {
			c = -c
		}
		return cmp.Or(c, bytes.Compare(e.ID[:], id[:]))
	}
	slices.SortFunc(list, func(a, b idem.Entry) int { return order(b.ClaimedAt, b.ID, a) })
	list = slices.DeleteFunc(list, func(e idem.Entry) bool {
		switch {
		case after == idem.Cursor{}, m.has("the cursor is ignored"):
			return false
		case m.has("the cursor is a time alone"):
			return !e.ClaimedAt.After(after.ClaimedAt)
		}
		return order(after.ClaimedAt, after.ID, e) <= 0
	})
	if !m.has("a list has no bound") {
		list = list[:min(len(list), limit)]
	}
	return list, nil
}

func (m *model) Get(ctx context.Context, id idem.ID) (idem.Entry, bool, error) {
	if err := m.done(ctx, "Get ignores the context"); err != nil {
		return idem.Entry{}, false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.records[m.key(id)]
	switch {
	case e == nil,
		e.State == idem.StateFree && !m.has("Get shows free records"),
		e.expiresAt <= m.now && e.leaseUntil <= m.now && !m.has("Get shows expired records"):
		return idem.Entry{}, false, nil
	}
	out := m.entryOf(id, e)
	if m.has("Get shows no answer") {
		out.Response = idem.Response{}
	}
	return out, true, nil
}

func (m *model) Resolve(ctx context.Context, id idem.ID, f idem.Fence, done *idem.Completion) error {
	if err := m.done(ctx, "Resolve ignores the context"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.records[m.key(id)]
	switch {
	case e == nil && m.has("Resolve succeeds without a record"):
		return nil
	case e != nil && e.State == idem.StateFree && m.has("Resolve succeeds after a release"):
		return nil
	case !m.unknown(e) && !(e != nil && e.State == idem.StateDone && m.has("Resolve changes an answer")),
		e.Fence != f && !m.has("Resolve ignores the fence"):
		return idem.ErrNotUnknown
	}
	if m.has("a gap before a resolution") {
		m.mu.Unlock()
		time.Sleep(time.Millisecond)
		m.mu.Lock()
	}
	if done == nil {
		e.State = idem.StateFree
		switch {
		case m.has("a free resolution keeps the record"):
			e.State = idem.StateRunning
			e.Hold = false
		case m.has("a free resolution lowers the fence"):
			m.fence = 0
		}
		return nil
	}
	e.State = idem.StateDone
	e.Response = m.keep(done.Response, "a resolution")
	if m.has("a resolution is not copied") {
		e.Response = done.Response
	}
	e.ttl = done.TTL
	e.expiresAt = m.now + done.TTL
	switch {
	case m.has("a resolution has the claim's retention"):
		e.expiresAt = e.claimedAt + done.TTL
	case m.has("a resolution keeps its owner"):
		e.State = idem.StateRunning
	}
	return nil
}
