package vectors

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/idemgen/idemgen/internal/vectors/server"
)

// pending is a request whose handler waits at a gate.
type pending struct {
	request *request
	send    *Send
	marker  string
	gate    chan struct{}
	once    sync.Once
	gone    bool // its client went away
}

func (p *pending) open() { p.once.Do(func() { close(p.gate) }) }

func (p *play) step(i int, kind string) error {
	s := &p.v.Steps[i]
	switch kind {
	case "send":
		return p.send(i, s)
	case "start":
		return p.start(s)
	case "finish":
		return p.finish(i, s)
	case "disconnect":
		return p.disconnect(s.Disconnect)
	case "beat":
		one, err := p.gate(s.Beat)
		if err != nil {
			return err
		}
		return p.tell(p.processes[0], server.Command{Do: server.Beat, Token: one.request.token})
	case "parallel":
		return p.parallel(i, s)
	case "advance":
		p.offset += int64(*s.Advance)
		moved, err := p.place.advance(context.Background(), time.Duration(*s.Advance).Microseconds())
		if moved || err != nil {
			return err
		}
		return p.all(server.Command{Do: server.Advance, Duration: int64(*s.Advance)})
	case "appClock":
		p.appOffset = int64(*s.AppClock)
		return p.all(server.Command{Do: server.AppClock, Duration: p.appOffset})
	case "sweep":
		return p.tell(p.processes[0], server.Command{Do: server.Sweep})
	case "store":
		return p.store(s.Store)
	case "crash":
		return p.crash(s)
	case "operator":
		return p.operator(s.Operator)
	case "set":
		return p.set(*s.Set)
	case "redeploy":
		p.pkg = p.c.Later[i]
		for n := range p.processes {
			if err := p.deploy(n); err != nil {
				return err
			}
		}
		return nil
	}
	return errors.New("this harness has no such step")
}

func (p *play) store(operation string) error {
	switch operation {
	case "claim", "complete", "all", "none":
	default:
		return fmt.Errorf("%q is no operation of a store that can fail", operation)
	}
	p.fault = operation
	return p.all(server.Command{Do: server.Fault, Fault: operation})
}

// dispatch sends a request to one of the processes.
func (p *play) dispatch(s *Send, process int, crash string, gate chan struct{}, hold *Span) (*request, *watched, error) {
	conn, err := dial(context.Background(), p.addresses[process])
	if err != nil {
		return nil, nil, err
	}
	return p.dispatchOn(conn, s, 0, crash, gate, hold)
}

func (p *play) dispatchOn(conn net.Conn, s *Send, index int, crash string, gate chan struct{}, hold *Span) (*request, *watched, error) {
	p.tokens++
	token := strconv.Itoa(p.tokens)
	wire, err := s.wire(token, crash, index)
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	var long time.Duration
	if hold != nil {
		long = time.Duration(*hold)
	}
	w := p.account.watch(token, gate, long)
	return send(conn, wire, s.Method, token), w, nil
}

// marker names the field that marks a replay of a request.
func (p *play) marker(s *Send) string {
	if op := find(p.c.File.Fixture, s.Method, s.Path); op != nil {
		if name := p.pkg.Markers[op.OperationID]; name != "" {
			return name
		}
	}
	return marker(nil)
}

// compare notes where the answer of a step is not what was expected.
func (p *play) compare(i int, e *Expect, reply *Reply, marker string) {
	p.replies[i] = reply
	if e == nil {
		return
	}
	c := compared{reply: reply, expect: e, marker: marker}
	if e.SameAs != nil {
		c.same = p.replies[*e.SameAs]
	}
	if misses := c.mismatches(); misses != nil {
		p.failf("step %d: %s\n\tthe answer was %s", i, strings.Join(misses, "\n\t"), reply.brief())
	}
}

func (p *play) send(i int, s *Step) error {
	r, _, err := p.dispatch(s.Send, 0, "", nil, s.Hold)
	if err != nil {
		return err
	}
	reply, err := r.wait()
	if err != nil {
		return err
	}
	p.compare(i, s.Expect, reply, p.marker(s.Send))
	return nil
}

// start sends a request and waits until its handler stands at the gate.
func (p *play) start(s *Step) error {
	if p.pending[s.Start] != nil {
		return fmt.Errorf("gate %q is taken", s.Start)
	}
	one := &pending{send: s.Send, marker: p.marker(s.Send), gate: make(chan struct{})}
	r, w, err := p.dispatch(s.Send, 0, "", one.gate, s.Hold)
	if err != nil {
		return err
	}
	one.request = r
	p.pending[s.Start] = one
	select {
	case <-w.started:
		return nil
	case <-r.done:
		if r.err != nil {
			return r.err
		}
		return fmt.Errorf("the request was answered before its handler started: %s", r.reply.brief())
	case <-time.After(patience):
		return errors.New("the handler did not start")
	}
}

func (p *play) gate(name string) (*pending, error) {
	if one := p.pending[name]; one != nil {
		return one, nil
	}
	return nil, fmt.Errorf("no request waits at gate %q", name)
}

// finish opens a gate and checks the answer. Where nobody waits for an answer,
// it waits until the server has finished with the request.
func (p *play) finish(i int, s *Step) error {
	one, err := p.gate(s.Finish)
	if err != nil {
		return err
	}
	delete(p.pending, s.Finish)
	one.open()
	if one.gone {
		if s.Expect != nil {
			return errors.New("an answer is expected that nobody waits for")
		}
		return p.tell(p.processes[0], server.Command{Do: server.Done, Token: one.request.token})
	}
	reply, err := one.request.wait()
	if err != nil {
		return err
	}
	p.compare(i, s.Expect, reply, one.marker)
	return nil
}

// disconnect ends a client's connection and waits until the server knows.
func (p *play) disconnect(gate string) error {
	one, err := p.gate(gate)
	if err != nil {
		return err
	}
	one.gone = true
	if err := one.request.conn.Close(); err != nil {
		return err
	}
	return p.tell(p.processes[0], server.Command{Do: server.Gone, Token: one.request.token})
}

// operator resolves an unknown record, knowing of its request what a client can
// tell.
func (p *play) operator(o *Operator) error {
	op := find(p.c.File.Fixture, o.Send.Method, o.Send.Path)
	if op == nil {
		return fmt.Errorf("no operation is %s %s", o.Send.Method, o.Send.Path)
	}
	path, _, _ := strings.Cut(o.Send.Path, "?")
	c := server.Command{Do: server.Resolve, Unknown: &server.Unknown{
		Operation: op.OperationID, Path: path, Tenant: o.Send.Tenant, Principal: o.Send.Principal,
	}}
	for _, f := range o.Send.Headers {
		if strings.EqualFold(f[0], "Idempotency-Key") {
			c.Unknown.Key = f[1]
		}
	}
	if a := o.Response; a != nil {
		c.Unknown.Done = &server.Answer{Status: *a.Status}
		if a.Headers != nil {
			c.Unknown.Done.Headers = *a.Headers
		}
		if a.Body != nil {
			c.Unknown.Done.Body = *a.Body
		}
	}
	return p.tell(p.processes[0], c)
}

// crash kills the process while a request stands at a point, and starts it
// again on the same store.
func (p *play) crash(s *Step) error {
	switch s.Crash {
	case server.AfterClaim, server.AfterEffect, server.BeforeCommit, server.AfterCommit:
	default:
		return fmt.Errorf("%q is no point at which a process can be killed", s.Crash)
	}
	r, w, err := p.dispatch(s.Send, 0, s.Crash, nil, nil)
	if err != nil {
		return err
	}
	select {
	case <-w.crashed:
	case <-r.done:
		if r.err != nil {
			return r.err
		}
		return fmt.Errorf("the request was answered before it came to the point %s: %s", s.Crash, r.reply.brief())
	case <-time.After(patience):
		return fmt.Errorf("the request did not come to the point %s", s.Crash)
	}
	if err := p.kill(r); err != nil {
		return err
	}
	process, err := Start(p.runner.binary)
	if err != nil {
		return err
	}
	p.processes[0] = process
	return p.enter(0)
}

// kill ends the process that stands at a point of r, and returns when nothing is
// left of it but what was committed. The other processes have nothing to do, and
// end by themselves.
func (p *play) kill(r *request) error {
	for _, other := range p.processes[1:] {
		if err := other.Stop(); err != nil {
			return err
		}
	}
	p.processes, p.addresses = p.processes[:1], p.addresses[:1]
	if n, err := p.place.sessions(context.Background()); err != nil || n == 0 && p.site.db != nil {
		return errors.Join(errors.New("the process has no sessions that this harness could see"), err)
	}
	p.processes[0].Kill()
	p.addresses[0] = ""
	r.conn.Close()
	<-r.done
	const pause = 2 * time.Millisecond // no server tells when a session ends
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(pause) {
		if n, err := p.place.sessions(context.Background()); n == 0 || err != nil {
			return err
		}
	}
	return errors.New("the sessions of a process that was killed do not end")
}

// parallel sends many requests at once: all are connected before the first is
// written.
func (p *play) parallel(i int, s *Step) error {
	for len(p.processes) < s.Processes {
		process, err := Start(p.runner.binary)
		if err != nil {
			return err
		}
		p.processes, p.addresses = append(p.processes, process), append(p.addresses, "")
		if err := p.enter(len(p.processes) - 1); err != nil {
			return err
		}
	}
	conns := make([]net.Conn, s.Parallel)
	for n := range conns {
		conn, err := dial(context.Background(), p.addresses[n%max(1, s.Processes)])
		if err != nil {
			return err
		}
		conns[n] = conn
	}
	requests := make([]*request, s.Parallel)
	for n, conn := range conns {
		var err error
		if requests[n], _, err = p.dispatchOn(conn, &s.Sends[n%len(s.Sends)], n, "", nil, s.Hold); err != nil {
			return err
		}
	}
	replies := make([]*Reply, len(requests))
	for n, r := range requests {
		var err error
		if replies[n], err = r.wait(); err != nil {
			return fmt.Errorf("request %d: %w", n, err)
		}
	}
	markers := make([]string, len(s.Sends))
	for n := range s.Sends {
		markers[n] = p.marker(&s.Sends[n])
	}
	for _, miss := range s.judge(replies, markers, p.replies[:i]) {
		p.failf("step %d: %s", i, miss)
	}
	return nil
}
