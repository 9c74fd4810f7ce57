package kill

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
)

// audit compares the database with what the clients know. At the end each row
// was acknowledged.
func (h *harness) audit(ctx context.Context, end bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	h.mu.Lock() // what is acknowledged from now on may be missing below
	acked, losses := maps.Clone(h.acked), maps.Clone(h.losses)
	h.mu.Unlock()
	rows, err := h.rows(ctx)
	if err != nil {
		return fmt.Errorf("read the rows: %w", err)
	}
	byRef, byAttempt := map[string]row{}, map[string]row{}
	for _, r := range rows {
		if first, ok := byRef[r.ref]; ok {
			h.report(duplicate, "%s has the rows %d of attempt %s and %d of %s", r.ref, first.id, first.attempt, r.id, r.attempt)
		}
		byRef[r.ref], byAttempt[r.attempt] = r, r
		if _, ok := acked[r.ref]; end && !ok {
			h.report(blocked, "%s has a row and was never acknowledged", r.ref)
		}
	}
	said := map[string]said{}
	for ref, a := range acked {
		said[ref] = h.compare(ref, a, byRef)
	}
	for attempt, l := range losses {
		h.inquire(attempt, l, byAttempt, said)
	}
	return nil
}

// said is what an answer states.
type said struct {
	ID      int64
	Ref     string
	Attempt string
}

// compare holds an acknowledged answer against the rows.
func (h *harness) compare(ref string, a answer, rows map[string]row) (s said) {
	if err := json.Unmarshal([]byte(a.body), &s); err != nil || s.Ref != ref || s.Attempt == "" {
		h.report(unexpected, "%s was answered %v", ref, a)
		return s
	}
	r, ok := rows[ref]
	switch {
	case a.status != http.StatusCreated && ok:
		h.report(surviving, "%s was declined and has row %d", ref, r.id)
	case a.status == http.StatusCreated && !ok:
		h.report(missing, "%s was answered %v and has no row", ref, a)
	case ok && r != row{s.ID, s.Ref, s.Attempt}:
		h.report(different, "%s was answered %v, and its row is %+v", ref, a, r)
	}
	return s
}

// inquire holds the stage at which an attempt was killed against what is left of
// it: nothing before the commit, all after.
func (h *harness) inquire(attempt string, l loss, rows map[string]row, acked map[string]said) {
	_, exists := rows[attempt]
	answer, known := acked[l.ref]
	switch l.stage {
	case unseen, received, running, written:
		if exists || known && answer.Attempt == attempt {
			h.report(surviving, "%s: attempt %s was killed %s, and is there", l.ref, attempt, l.stage)
		}
	case committed, answered:
		if exists == l.decline || known && answer.Attempt != attempt {
			h.report(forgotten, "%s: attempt %s was killed %s, and is not there", l.ref, attempt, l.stage)
		}
	}
}
