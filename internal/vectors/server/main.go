package server

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"

	"github.com/idemgen/idemgen/internal/child"
	idem "github.com/idemgen/idemgen/runtime"
)

// Factory makes the handler of one generated package.
type Factory func(w *World, options ...idem.Option) (http.Handler, error)

// Main serves packages until the process that started it goes away. It prints
// the address of its control listener and then only does what it is told.
func Main(packages map[string]Factory) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Fprintln(os.Stdout, listener.Addr())
	child.EndWithParent()
	c := &control{packages: packages, worlds: map[string]*World{}}
	fmt.Fprintln(os.Stderr, http.Serve(listener, c))
	os.Exit(2)
}

// control does what it is told.
type control struct {
	packages map[string]Factory

	mu     sync.Mutex
	worlds map[string]*World
}

// ServeHTTP implements [http.Handler].
func (c *control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var command Command
	var result Result
	err := json.NewDecoder(r.Body).Decode(&command)
	if err == nil {
		err = c.do(r, &command, &result)
	}
	if err != nil {
		result.Error = err.Error()
	}
	_ = json.NewEncoder(w).Encode(result) // the parent notices that the answer is missing
}

func (c *control) do(r *http.Request, command *Command, result *Result) error {
	if command.Do == Open {
		w, err := open(r.Context(), command)
		if err != nil {
			return err
		}
		c.mu.Lock()
		c.worlds[command.World] = w
		c.mu.Unlock()
		return nil
	}
	c.mu.Lock()
	w := c.worlds[command.World]
	c.mu.Unlock()
	if w == nil {
		return fmt.Errorf("no world is called %q", command.World)
	}
	switch command.Do {
	case Deploy:
		factory := c.packages[command.Package]
		if factory == nil {
			return fmt.Errorf("no package is called %q", command.Package)
		}
		address, err := w.deploy(factory)
		result.Address = address
		return err
	case Advance:
		w.storeOffset.Add(command.Duration)
	case AppClock:
		w.clock.offset.Store(command.Duration)
	case Fault:
		w.fault.Store(command.Fault)
	case Sweep:
		return w.sweep(r.Context())
	case Resolve:
		return w.resolve(r.Context(), command.Unknown)
	case Beat:
		return w.beat(r.Context(), command.Token)
	case Gone:
		return w.requests.wait(r.Context(), command.Token, true)
	case Done:
		return w.requests.wait(r.Context(), command.Token, false)
	case Close:
		c.mu.Lock()
		delete(c.worlds, command.World)
		c.mu.Unlock()
		result.Log = w.log.String()
		return w.close()
	default:
		return fmt.Errorf("%q is no command", command.Do)
	}
	return nil
}
