package vectors

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/idemgen/idemgen/internal/vectors/server"
)

// Ledger is where the servers' handlers ask what to answer and where they write
// what they did. It lives in the process of the test.
type Ledger struct {
	address string
	server  *http.Server

	mu     sync.Mutex
	worlds map[string]*account
}

// NewLedger starts a ledger on a loopback listener. Close it.
func NewLedger() (*Ledger, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &Ledger{address: "http://" + listener.Addr().String(), worlds: map[string]*account{}}
	l.server = &http.Server{Handler: l}
	go func() { _ = l.server.Serve(listener) }() // ends with Close
	return l, nil
}

// Close ends every request to the ledger.
func (l *Ledger) Close() error { return l.server.Close() }

// ServeHTTP implements [http.Handler].
func (l *Ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var c server.Call
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	l.mu.Lock()
	a := l.worlds[c.World]
	l.mu.Unlock()
	if a == nil {
		http.Error(w, "no such world", http.StatusNotFound)
		return
	}
	var answer server.Answer
	var err error
	switch strings.TrimPrefix(r.URL.Path, "/") {
	case "run":
		answer, err = a.run(&c)
	case "effect":
		a.effect()
	case "read":
		answer = a.show(c.Path)
	case "write":
		answer.Version, answer.Applied = a.write(&c)
	case "crash":
		a.crashed(&c)
		<-r.Context().Done() // until the process is killed
		return
	default:
		err = errors.New("the ledger does not know this event")
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_ = json.NewEncoder(w).Encode(answer) // the handler notices that the answer is missing
}

// open begins the account of a world.
func (l *Ledger) open(world string, fixture []Operation, script []Answer, initial Resource) *account {
	a := &account{
		fixture: fixture, script: script, initial: initial,
		resources: map[string]Resource{}, last: map[string]mark{}, requests: map[string]*watched{},
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.worlds[world] = a
	return a
}

func (l *Ledger) close(world string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.worlds, world)
}

// account is what the ledger knows of one world.
type account struct {
	fixture []Operation
	script  []Answer
	initial Resource // of every resource

	mu        sync.Mutex
	runs      int
	rows      int
	resources map[string]Resource // by path; absent: initial
	last      map[string]mark     // by path
	requests  map[string]*watched
}

// mark is what the last write has left in a resource besides its version.
type mark struct{ write, body []byte }

// watched is a request whose handler is waited for or kept waiting.
type watched struct {
	gate    chan struct{} // the handler waits until it is closed; nil: it does not
	hold    time.Duration // the handler takes that long
	started chan struct{} // closed when the handler has started
	crashed chan struct{} // closed when the request stands at its crash point
	once    sync.Once
}

// watch announces a request before it is sent.
func (a *account) watch(token string, gate chan struct{}, hold time.Duration) *watched {
	w := &watched{gate: gate, hold: hold, started: make(chan struct{}), crashed: make(chan struct{})}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests[token] = w
	return w
}

func (a *account) find(token string) *watched {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.requests[token]
}

// run counts a handler start, says what it answers, and keeps it waiting.
func (a *account) run(c *server.Call) (server.Answer, error) {
	a.mu.Lock()
	a.runs++
	run := a.runs
	a.mu.Unlock()
	answer := a.answer(c.Operation, run)
	w := a.find(c.Token)
	if w == nil {
		return answer, nil
	}
	w.once.Do(func() { close(w.started) })
	if w.gate != nil {
		select {
		case <-w.gate:
		case <-time.After(patience):
			return answer, errors.New("the gate was never opened")
		}
	}
	time.Sleep(w.hold)
	return answer, nil
}

// answer is the operation's answer with the script's changes.
func (a *account) answer(operation string, run int) server.Answer {
	i := slices.IndexFunc(a.fixture, func(op Operation) bool { return op.OperationID == operation })
	merged := Answer{} // of an operation that the document was given besides
	if i >= 0 {
		merged = a.fixture[i].Answer
	} else {
		body, effect := `{"version":"{v}"}`, false
		merged.Body, merged.Effect = &body, &effect
		merged.Headers = &Fields{{"Content-Type", "application/json"}}
	}
	if len(a.script) > 0 {
		merged.change(&a.script[min(run, len(a.script))-1])
	}
	answer := server.Answer{
		Run: run, Status: http.StatusOK,
		Panic: merged.Panic, KeepWrites: merged.KeepWrites, NotExecuted: merged.NotExecuted,
	}
	switch {
	case merged.Status != nil:
		answer.Status = *merged.Status
	case merged.Panic || merged.NotExecuted:
		answer.Status = http.StatusInternalServerError
	}
	if merged.Effect != nil {
		answer.Effect = *merged.Effect
	} else {
		answer.Effect = answer.Status < 400
	}
	n := strconv.Itoa(run)
	if merged.Body != nil {
		answer.Body = strings.ReplaceAll(*merged.Body, "{n}", n)
	}
	if merged.Headers == nil {
		return answer
	}
	for _, f := range *merged.Headers {
		answer.Headers = append(answer.Headers, [2]string{f[0], strings.ReplaceAll(f[1], "{n}", n)})
	}
	return answer
}

// change applies one entry of a script.
func (a *Answer) change(by *Answer) {
	if by.Panic || by.NotExecuted {
		a.Status = nil // not what was sent: see answer
	}
	if by.Status != nil {
		a.Status = by.Status
	}
	if by.Headers != nil {
		a.Headers = by.Headers
	}
	if by.Body != nil {
		a.Body = by.Body
	}
	if by.Effect != nil {
		a.Effect = by.Effect
	}
	a.Panic, a.KeepWrites, a.NotExecuted = by.Panic, by.KeepWrites, by.NotExecuted
}

func (a *account) effect() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rows++
}

func (a *account) crashed(c *server.Call) {
	if w := a.find(c.Token); w != nil {
		close(w.crashed)
	}
}

// read returns the state of a resource.
func (a *account) read(path string) Resource {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state(path)
}

// show is the state of a resource for its handlers.
func (a *account) show(path string) server.Answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, last := a.state(path), a.last[path]
	return server.Answer{Exists: r.Exists, Version: r.Version, LastWrite: last.write, Stored: last.body}
}

func (a *account) state(path string) Resource {
	if r, ok := a.resources[path]; ok {
		return r
	}
	return a.initial
}

// write changes a resource where the expectation holds.
func (a *account) write(c *server.Call) (version int64, held bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.state(c.Path)
	if r.Exists {
		held = !c.Absent && (c.Any || slices.Contains(c.Versions, strconv.FormatInt(r.Version, 10)))
		r.Version++
	} else {
		held = c.Absent
		r.Version = 1
	}
	if !held {
		return 0, false
	}
	r.Exists = !c.Delete
	a.resources[c.Path] = r
	a.last[c.Path] = mark{c.LastWrite, c.Stored}
	return r.Version, true
}

// totals returns what has been counted.
func (a *account) totals() (runs, rows int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.runs, a.rows
}

func (a *account) set(path string, r Resource) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.resources[path] = r
	delete(a.last, path)
}
