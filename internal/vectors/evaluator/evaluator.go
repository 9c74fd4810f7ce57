// Package evaluator is the child process of the vectors that are one conditional
// request on a resource in a known state: it serves generated packages, and says
// afterwards what their handlers did. It expects nothing and checks nothing.
package evaluator

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"

	idem "github.com/idemgen/idemgen/runtime"
)

// Field of a request names the world that it is for. A request without it is a
// Command.
const Field = "X-Vectors-World"

// ProblemBase is the prefix of the problem types that servers answer.
const ProblemBase = "https://vectors.example/problems/"

// OwnNotFound is the body with which a handler says that it found nothing.
const OwnNotFound = `{"own":"nothing here"}`

// Factory makes the handler of one generated package.
type Factory func(r *Resource, options ...idem.Option) (http.Handler, error)

// Command opens a world: a package that serves one resource. With World it closes
// one instead.
type Command struct {
	Package string
	State   State
	World   string
}

// Result answers a Command.
type Result struct {
	World  string // that was opened
	State  State  // of the world that was closed
	Writes int    // that its handlers made
	Error  string
}

// Main serves packages until the process that started it goes away. It prints
// its address and then only does what it is told.
func Main(packages map[string]Factory) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Fprintln(os.Stdout, listener.Addr())
	go func() {
		// The parent holds the other end: this process does not outlive it.
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Fprintln(os.Stderr, http.Serve(listener, &worlds{packages: packages, open: map[string]*world{}}))
	os.Exit(2)
}

// worlds are what is served at present.
type worlds struct {
	packages map[string]Factory

	mu     sync.Mutex
	opened int
	open   map[string]*world
}

type world struct {
	http.Handler
	resource *Resource
}

// ServeHTTP implements [http.Handler].
func (ws *worlds) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name := r.Header.Get(Field); name != "" {
		ws.mu.Lock()
		world := ws.open[name]
		ws.mu.Unlock()
		if world == nil {
			http.Error(w, "no world is called "+name, http.StatusTeapot)
			return
		}
		r.Header.Del(Field)
		world.ServeHTTP(w, r)
		return
	}
	var command Command
	var result Result
	err := json.NewDecoder(r.Body).Decode(&command)
	if err == nil {
		err = ws.do(&command, &result)
	}
	if err != nil {
		result.Error = err.Error()
	}
	_ = json.NewEncoder(w).Encode(result) // the parent notices that the answer is missing
}

func (ws *worlds) do(c *Command, result *Result) error {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if c.World != "" {
		world := ws.open[c.World]
		if world == nil {
			return fmt.Errorf("no world is called %q", c.World)
		}
		delete(ws.open, c.World)
		result.State, result.Writes = world.resource.end()
		return nil
	}
	factory := ws.packages[c.Package]
	if factory == nil {
		return fmt.Errorf("no package is called %q", c.Package)
	}
	r := &Resource{state: c.State}
	handler, err := factory(r, idem.WithProblemBase(ProblemBase), idem.WithMiddleware(WithMethod), idem.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	ws.opened++
	result.World = strconv.Itoa(ws.opened)
	ws.open[result.World] = &world{handler, r}
	return nil
}
