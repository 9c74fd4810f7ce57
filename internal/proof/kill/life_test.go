package kill

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/idemgen/idemgen/internal/child"
)

// patience is how long anything may take that only a broken machine or a bug
// delays.
const patience = time.Minute

// A life is one worker from its start to its death.
type life struct {
	process *child.Process
	address string

	mu       sync.Mutex
	progress map[string]stage // by attempt: where it was seen last
	held     string           // the attempt that stands still
	await    point            // what the parent waits for
	count    int64
	reached  chan struct{} // closed when it has come
}

// start starts a worker, which has its kill before it: at a point at which it
// holds a request, or wherever it is when a request comes to that point.
func start(j *job, at point, hold bool) (*life, error) {
	binary, err := os.Executable()
	if err != nil {
		return nil, err
	}
	l := &life{progress: map[string]stage{}, reached: make(chan struct{})}
	own := *j
	if hold {
		own.Hold = at
	} else {
		l.await = at
	}
	text, err := json.Marshal(own)
	if err != nil {
		return nil, err
	}
	listening := make(chan string, 1)
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), workerVariable+"="+string(text))
	l.process, err = child.Start(cmd, func(line string) { l.read(line, listening) })
	if err != nil {
		return nil, err
	}
	select {
	case l.address = <-listening:
		return l, nil
	case <-l.process.Ended():
	case <-time.After(patience):
		l.process.Kill()
	}
	return nil, fmt.Errorf("the worker did not start: %s", l.process.Complaints())
}

// read takes in a line of the worker's trace.
func (l *life) read(line string, listening chan<- string) {
	var word, attempt string
	var s stage
	if parse(line, &word, &s, &attempt) && word == lineReached {
		l.note(s, attempt)
		return
	}
	if parse(line, &word, &attempt) {
		switch word {
		case lineListening:
			listening <- attempt
		case lineHeld:
			l.mu.Lock()
			defer l.mu.Unlock()
			l.held = attempt
			close(l.reached)
		}
	}
}

func (l *life) note(s stage, attempt string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s == answered && l.progress[attempt] == received {
		s = unseen // a replay or a refusal: nothing of it is at stake any more
	}
	l.progress[attempt] = s
	if s == l.await.Stage {
		if l.count++; l.count == l.await.Count {
			close(l.reached)
		}
	}
}

// arm makes the parent wait for a further point, at which a request stands still
// if it is to be held. What stood still before goes on. The zero point is nowhere.
func (l *life) arm(at point, hold bool) (reached <-chan struct{}, err error) {
	l.mu.Lock()
	l.held, l.await, l.count, l.reached = "", point{}, 0, make(chan struct{})
	reached = l.reached
	if !hold {
		l.await = at
	}
	l.mu.Unlock()
	if !hold {
		at = point{}
	}
	text, err := json.Marshal(at)
	if err != nil {
		return nil, err
	}
	resp, err := post.Post("http://"+l.address+holdPath, "application/json", bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the worker answered %s to a point", resp.Status)
	}
	return reached, nil
}

// open counts the requests that are being served, by stage.
func (l *life) open(t *tally) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for attempt, s := range l.progress {
		switch {
		case s == answered || s == unseen:
		case attempt == l.held:
			t[s].held++
		default:
			t[s].free++
		}
	}
}

// last returns where an attempt was seen last, and whether it stood still there.
// It is final when the process has ended.
func (l *life) last(attempt string) (s stage, held bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.progress[attempt], attempt == l.held
}
