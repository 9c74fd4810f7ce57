package runtime

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// beaten is a store that owns every claim and tells who was renewed.
type beaten struct {
	Store
	mu    sync.Mutex
	last  Fence
	beats map[Fence]chan struct{}
}

func (s *beaten) Claim(context.Context, Claim) (Claimed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	s.beats[s.last] = make(chan struct{}, 100)
	return Claimed{State: ClaimOwned, Fence: s.last, Attempts: 1}, nil
}

func (s *beaten) Heartbeat(_ context.Context, _ ID, f Fence, _ time.Duration) error {
	s.of(f) <- struct{}{}
	return nil
}

func (s *beaten) Complete(context.Context, ID, Fence, Response, time.Duration) error { return nil }

func (s *beaten) of(f Fence) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.beats[f]
}

// pulsing is a handler whose runs last until their leases were renewed as often
// as their bodies are long.
func pulsing(t *testing.T, lease time.Duration) (s *beaten, l *pulse, send func(body string)) {
	t.Helper()
	s = &beaten{beats: map[Fence]chan struct{}{}}
	op := &Operation{ID: "op", Idempotency: &Idempotency{Scope: []string{"operation"}, Lease: lease, TTL: time.Hour}}
	h, err := NewHandler([]*Operation{op}, WithStore(s))
	if err != nil {
		t.Fatal(err)
	}
	return s, h.operations[op].pulse, func(body string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header.Set("Idempotency-Key", "k")
		h.Serve(httptest.NewRecorder(), r, op, nil, func(w http.ResponseWriter, r *http.Request) {
			f, _ := FenceOf(r.Context())
			for range r.ContentLength {
				<-s.of(f)
			}
			w.WriteHeader(http.StatusOK)
		})
	}
}

func TestPulse_RenewsWhatRuns(t *testing.T) {
	s, l, send := pulsing(t, 30*time.Millisecond)
	send("") // is over at once, and arms the timer of those that follow
	var runs sync.WaitGroup
	for range 4 {
		runs.Go(func() { send("") })
		runs.Go(func() { send("xxx") })
		runs.Go(func() { send("xxxxx") })
	}
	runs.Wait()
	send("xxxxx") // while it runs, nothing is renewed that is over
	for f := range s.last - 1 {
		if n := len(s.of(f + 1)); n > 1 { // one may have been under way
			t.Errorf("the run under fence %d was renewed %d times after its end", f+1, n)
		}
	}
	if l.mu.Lock(); l.first != nil || l.last != nil {
		t.Error("runs that are over are kept")
	}
	l.mu.Unlock()
}

// Tests share handlers that a package makes once.
func TestPulse_OutlivesBubbles(t *testing.T) {
	_, _, send := pulsing(t, 30*time.Second)
	send("") // arms a timer that no bubble sees
	for range 2 {
		synctest.Test(t, func(*testing.T) {
			send("")
			time.Sleep(time.Second)
			send("xxx") // a deadlock where nothing is renewed
		})
	}
}

// The places in the list, whichever run ends first.
func TestPulse_Stop(t *testing.T) {
	for i := range 3 {
		var l pulse
		l.armed = true // no timer
		runs := []*run{{}, {}, {}}
		for _, n := range runs {
			l.add(n, systemClock{}, time.Hour)
		}
		for range 2 {
			l.stop(runs[i])
		}
		var left []*run
		for n := l.first; n != nil; n = n.behind {
			left = append(left, n)
		}
		if len(left) != 2 || left[0] != runs[(i+1)%3] && left[0] != runs[0] || l.last != left[1] ||
			left[1].before != left[0] || left[0].before != nil || runs[i].beatPlace != (beatPlace{stopped: true}) {
			t.Errorf("without run %d the list is wrong", i)
		}
	}
}

// The timer was armed for a run that is over when it fires: who is due later still
// has to be renewed.
func TestPulse_ArmsForWhoIsDueLater(t *testing.T) {
	l := pulse{armed: true}
	n := &run{}
	l.add(n, systemClock{}, time.Hour)
	l.beat()
	if !l.armed || l.first != n {
		t.Error("nobody will renew the run")
	}
	l.stop(n)
	if l.beat(); l.armed {
		t.Error("a timer runs for nobody")
	}
}
