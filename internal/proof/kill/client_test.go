package kill

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// clients is how many of them send at the same time.
const clients = 4

// An answer is what a client keeps of one.
type answer struct {
	status   int
	media    string
	body     string
	replayed bool
}

// same reports whether two answers are the same, replayed or not.
func (a answer) same(b answer) bool {
	a.replayed, b.replayed = false, false
	return a == b
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, strings.TrimSpace(a.body)) }

// An order is what is sent under one key.
type order struct {
	ref     string
	decline bool
}

// client sends orders until it is told to stop, one after the other, and does
// not give up one that it has begun.
func (h *harness) client(number int, stop <-chan struct{}) {
	random := rand.New(rand.NewPCG(seed, uint64(number)))
	var done []order
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		o := order{ref: fmt.Sprintf("c%d-%d", number, n), decline: !h.job.Separate && random.IntN(6) == 0}
		h.place(o, 1+random.IntN(4)/3)
		done = append(done, o)
		if random.IntN(4) == 0 {
			h.ask(done[random.IntN(len(done))])
		}
	}
}

// place sends an order, several times at once, until there are answers.
func (h *harness) place(o order, times int) {
	var senders sync.WaitGroup
	for range times {
		senders.Go(func() { h.ask(o) })
	}
	senders.Wait()
}

// ask sends an order until there is an answer, and holds it against what was
// answered before.
func (h *harness) ask(o order) {
	began := time.Now()
	var refused, lost int
	why := "nothing"
	for time.Since(began) < h.patience {
		l := h.alive()
		if l == nil {
			return // the test has failed
		}
		attempt := h.attempt()
		a, err := h.send(post, l, attempt, o)
		switch {
		case err != nil:
			if !h.mourn(l, attempt, o, err) {
				return
			}
			lost++
			why = err.Error()
		case a.status == http.StatusCreated || a.status == http.StatusUnprocessableEntity:
			h.acknowledge(o, a)
			return
		case h.mayRefuse(a):
			refused++
			why = a.String()
			time.Sleep(min(time.Duration(refused)*time.Millisecond, 20*time.Millisecond)) // as clients do
		default:
			h.report(unexpected, "%s was answered %v", o.ref, a)
			return
		}
	}
	h.report(blocked, "%s has no answer after %v, %d refusals and %d kills: %s", o.ref, h.patience, refused, lost, why)
}

// reask sends every order that was acknowledged once more: the answer is a
// replay, and the same.
func (h *harness) reask() {
	h.mu.Lock()
	queue := make(chan order, len(h.orders))
	for _, o := range h.orders {
		queue <- o
	}
	l := h.current
	h.mu.Unlock()
	close(queue)
	var senders sync.WaitGroup
	for range clients {
		senders.Go(func() {
			for o := range queue {
				a, err := h.send(again, l, h.attempt(), o)
				switch {
				case err != nil:
					h.report(unexpected, "%s: %v", o.ref, err)
				case !a.replayed:
					h.report(forgotten, "%s was acknowledged, and now answered %v without a replay", o.ref, a)
				default:
					h.acknowledge(o, a)
				}
			}
		})
	}
	senders.Wait()
	again.CloseIdleConnections()
}

// attempt returns a name for one more attempt.
func (h *harness) attempt() string { return fmt.Sprintf("a%d", h.attempts.Add(1)) }

// mayRefuse reports whether an answer is one after which clients ask again.
func (h *harness) mayRefuse(a answer) bool {
	switch a.status {
	case http.StatusConflict:
		return strings.Contains(a.body, "#in-flight")
	case http.StatusServiceUnavailable, http.StatusInternalServerError:
		return h.databaseFails && strings.Contains(a.body, `"retry":"same-key"`)
	}
	return false
}

// post is the client for workers that are killed: every request has a connection of its own, because
// on a reused one Go's transport repeats a request by itself that breaks.
var post = &http.Client{
	Transport: &http.Transport{DisableKeepAlives: true},
	Timeout:   patience,
}

// again is the client for workers that live on.
var again = &http.Client{
	Transport: &http.Transport{MaxIdleConnsPerHost: clients},
	Timeout:   patience,
}

// send sends an order once, as a further attempt.
func (h *harness) send(by *http.Client, l *life, attempt string, o order) (answer, error) {
	body := fmt.Sprintf(`{"ref":%q,"decline":%t}`, o.ref, o.decline)
	req, err := http.NewRequest("POST", "http://"+l.address+"/payments", strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", `"`+o.ref+`"`)
	req.Header.Set(attemptField, attempt)
	resp, err := by.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, err
	}
	return answer{
		status: resp.StatusCode, media: resp.Header.Get("Content-Type"), body: string(content),
		replayed: resp.Header.Get("Idempotent-Replayed") == "true",
	}, nil
}
