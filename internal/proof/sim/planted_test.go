package sim

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// storeBugs break a rule of the store, below what the book sees.
var storeBugs = []string{
	"a stale fence completes",
	"a lease never lapses",
	"two owners",
	"hold is ignored",
	"another body takes over",
	"an answer is dropped",
	"an answer is kept too short",
	"a fence is given twice",
	"an abandoned claim is released",
	"only a valid lease completes",
}

// runtimeBugs are what a runtime with a bug would do; the book is not deceived,
// only what clients and handlers see can show them.
var runtimeBugs = []string{
	"tenants share their keys",
	"an answer of another body is replayed",
	"a refused claim runs",
	"a failed claim runs",
	"an answer is acknowledged and not stored",
	"a lost claim is not noticed",
	"an answer is altered",
	"an unknown outcome runs again",
	"a duplicate is never answered",
}

// bug is a store with one rule broken.
type bug struct {
	idem.Store
	w     *world
	fence map[idem.ID]idem.Fence
}

// below puts a store bug in place.
func (w *world) below(s idem.Store) idem.Store {
	if w.planted == "" {
		return s
	}
	return &bug{Store: s, w: w, fence: map[idem.ID]idem.Fence{}}
}

func (b *bug) Claim(ctx context.Context, c idem.Claim) (idem.Claimed, error) {
	if b.w.planted == "a lease never lapses" {
		seen, ok, err := b.Store.Lookup(ctx, c.ID)
		if err == nil && ok && seen.State == idem.StateRunning && seen.LeaseLeft == 0 {
			seen.LeaseLeft = time.Second
			return idem.Claimed{State: idem.ClaimRunning, Record: seen}, nil
		}
	}
	got, err := b.Store.Claim(ctx, c)
	if err != nil {
		return got, err
	}
	seen := got.Record
	running := got.State == idem.ClaimRunning
	switch b.w.planted {
	case "two owners":
		if running && seen.LeaseLeft > 0 && seen.Fingerprint == c.Fingerprint {
			_ = b.Release(ctx, c.ID, seen.Fence)
			return b.Store.Claim(ctx, c)
		}
	case "hold is ignored":
		if running && seen.LeaseLeft == 0 && seen.Hold && seen.Fingerprint == c.Fingerprint {
			_ = b.Release(ctx, c.ID, seen.Fence)
			return b.Store.Claim(ctx, c)
		}
	case "another body takes over":
		if running && seen.LeaseLeft == 0 && seen.Fingerprint != c.Fingerprint {
			_ = b.Release(ctx, c.ID, seen.Fence)
			return b.Store.Claim(ctx, c)
		}
	case "a fence is given twice":
		if got.State == idem.ClaimOwned {
			if first, ok := b.fence[c.ID]; ok {
				got.Fence = first
			}
			b.fence[c.ID] = got.Fence
		}
	}
	return got, nil
}

func (b *bug) Complete(ctx context.Context, id idem.ID, f idem.Fence, r idem.Response, ttl time.Duration) error {
	switch b.w.planted {
	case "an answer is dropped":
		return b.Release(ctx, id, f)
	case "an answer is kept too short":
		ttl /= 4
	case "only a valid lease completes":
		seen, ok, err := b.Store.Lookup(ctx, id)
		if err == nil && ok && seen.State == idem.StateRunning && seen.LeaseLeft == 0 {
			return idem.ErrClaimLost
		}
	}
	err := b.Store.Complete(ctx, id, f, r, ttl)
	if b.w.planted == "a stale fence completes" && errors.Is(err, idem.ErrClaimLost) {
		if seen, ok, lookup := b.Store.Lookup(ctx, id); lookup == nil && ok && seen.State == idem.StateRunning {
			return b.Store.Complete(ctx, id, seen.Fence, r, ttl)
		}
	}
	return err
}

func (b *bug) Abandon(ctx context.Context, id idem.ID, f idem.Fence) error {
	if b.w.planted == "an abandoned claim is released" {
		return b.Release(ctx, id, f)
	}
	return b.Store.Abandon(ctx, id, f)
}

// misled is a store whose answers do not reach the runtime as they are.
type misled struct {
	idem.Store
	w *world
}

// above puts a bug of the runtime in place.
func (w *world) above(s idem.Store) idem.Store {
	if w.planted == "" {
		return s
	}
	return &misled{s, w}
}

// scope says whose request it is.
func (w *world) scope(r *http.Request) (idem.Scope, error) {
	if w.planted == "tenants share their keys" {
		return idem.Scope{Tenant: "everybody"}, nil
	}
	return idem.Scope{Tenant: r.Header.Get("Tenant")}, nil
}

func (m *misled) Claim(ctx context.Context, c idem.Claim) (idem.Claimed, error) {
	got, err := m.Store.Claim(ctx, c)
	seen := &got.Record
	run := func() (idem.Claimed, error) {
		return idem.Claimed{State: idem.ClaimOwned, Fence: seen.Fence, Attempts: 1}, nil
	}
	switch m.w.planted {
	case "a failed claim runs":
		if err != nil {
			return run()
		}
	case "an answer of another body is replayed":
		seen.Fingerprint = c.Fingerprint
	case "a refused claim runs":
		if got.State == idem.ClaimRunning && seen.LeaseLeft > 0 {
			return run()
		}
	case "an unknown outcome runs again":
		if got.State == idem.ClaimRunning && seen.LeaseLeft == 0 && seen.Fingerprint == c.Fingerprint {
			return run()
		}
	case "an answer is altered":
		if got.State == idem.ClaimDone {
			seen.Response.Body = []byte(`{}`)
		}
	case "a duplicate is never answered":
		if got.State == idem.ClaimRunning {
			time.Sleep(time.Hour)
		}
	}
	return got, err
}

func (m *misled) Complete(ctx context.Context, id idem.ID, f idem.Fence, r idem.Response, ttl time.Duration) error {
	if m.w.planted == "an answer is acknowledged and not stored" {
		m.w.mu.Lock()
		rq := requestOf(ctx)
		rq.recorded, rq.until = true, m.w.now()+ttl
		m.w.mu.Unlock()
		return nil
	}
	err := m.Store.Complete(ctx, id, f, r, ttl)
	if m.w.planted == "a lost claim is not noticed" && errors.Is(err, idem.ErrClaimLost) {
		return nil
	}
	return err
}

// TestSimulation_Planted breaks one rule at a time: some seed has to show it to
// the book and, without the book's help, to clients, handlers and resources.
func TestSimulation_Planted(t *testing.T) {
	find := func(t *testing.T, planted, to string, seen func(*world) []string) {
		t.Helper()
		const limit = 300
		for seed := range uint64(limit) {
			if all := seen(simulate(t, seed, planted)); len(all) > 0 {
				t.Logf("seed %d shows %s: %s", seed, to, all[0])
				return
			}
		}
		t.Errorf("none of %d seeds shows %s that it is planted", limit, to)
	}
	for _, planted := range storeBugs {
		t.Run(planted, func(t *testing.T) {
			find(t, planted, "the book", func(w *world) []string { return w.refuted })
			if planted != "only a valid lease completes" { // who is refused cannot know that nobody came
				find(t, planted, "the clients", func(w *world) []string { return w.wrong })
			}
		})
	}
	for _, planted := range runtimeBugs {
		t.Run(planted, func(t *testing.T) {
			find(t, planted, "the clients", func(w *world) []string { return w.wrong })
		})
	}
}
