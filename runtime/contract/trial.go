package contract

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	idem "github.com/idemgen/idemgen/runtime"
)

// A trial is one rule at work on one server.
type trial struct {
	tb       testing.TB
	resource *Resource
	seeds    *Seeds
	bodies   Bodies
	client   *Client
	rule     *rule
	op       *Operation
	number   int // of the latest body
	found    []Violation
}

// try checks one rule on a new server.
func try(tb testing.TB, newServer NewServer, r Resource, s Seeds, b Bodies, rule *rule, op *Operation) []Violation {
	tb.Helper()
	scope := &scope{TB: tb}
	defer scope.end()
	server := httptest.NewServer(newServer(scope, idem.WithoutPrecheck()))
	defer server.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: racers, DisableCompression: true}
	defer transport.CloseIdleConnections()
	t := &trial{
		tb: tb, resource: &r, seeds: &s, bodies: b, rule: rule, op: op,
		client: &Client{base: server.URL, http: &http.Client{Transport: transport}, auth: s.Auth},
	}
	t.check()
	return t.found
}

// scope is a test whose cleaning up comes with the end of a rule: servers of many
// rules would hold more connections than a database has.
type scope struct {
	testing.TB
	cleanups []func()
}

// Cleanup implements [testing.TB].
func (s *scope) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

func (s *scope) end() {
	for _, f := range slices.Backward(s.cleanups) {
		f()
	}
}

// check checks the rule until it cannot be checked further.
func (t *trial) check() {
	defer func() {
		if p := recover(); p != nil && p != any(stopped{}) {
			panic(p)
		}
	}()
	t.rule.check(t, t.op)
}

// stopped ends the check of a rule, as a panic.
type stopped struct{}

// stop notes a violation after which the rule cannot be checked further.
func (t *trial) stop(format string, args ...any) {
	t.wrong(format, args...)
	panic(stopped{})
}

// wrong notes a violation.
func (t *trial) wrong(format string, args ...any) {
	t.found = append(t.found, Violation{t.rule.name, t.op.ID, fmt.Sprintf(format, args...)})
}

// create makes a resource and returns what identifies it.
func (t *trial) create() Params {
	t.tb.Helper()
	if t.seeds.Create == nil {
		t.tb.Fatalf("contract: the seeds of %s lack Create", t.resource.Name)
	}
	return t.seeds.Create(t.tb, t.client)
}

// absent identifies a resource that does not exist. It is false when the seeds
// do not say and nothing can be deleted.
func (t *trial) absent() (Params, bool) {
	t.tb.Helper()
	if t.seeds.Absent != nil {
		return t.seeds.Absent(t.tb), true
	}
	deleter := t.resource.deleter()
	if deleter == nil {
		return nil, false
	}
	p := t.create()
	t.must(deleter, p, "If-Match", t.read(p).tag())
	return p, true
}

// read reads the resource, which must exist and show its tag.
func (t *trial) read(p Params) Answer {
	t.tb.Helper()
	a := t.get(p)
	if a.Status != http.StatusOK || a.tag() == "" {
		t.stop("%s is %d with the tag %q, want 200 and a tag: %s", t.resource.reader().ID, a.Status, a.tag(), a.Body)
	}
	return a
}

func (t *trial) get(p Params, headers ...string) Answer {
	t.tb.Helper()
	reader := t.resource.reader()
	return t.client.Send(t.tb, reader.Method, t.path(reader, p), Body{}, headers...)
}

// request is a further request for an operation: another body, another key.
type request struct {
	op      *Operation
	path    string
	body    Body
	headers []string
}

func (t *trial) request(op *Operation, p Params, headers ...string) request {
	t.tb.Helper()
	t.number++
	r := request{op: op, path: t.path(op, p), headers: headers}
	if body := t.bodies[op.ID]; body != nil {
		r.body = body(t.number)
	}
	if op.RequiresKey {
		r = r.keyed()
	}
	return r
}

// keyed is r under a new key.
func (r request) keyed() request {
	r.headers = append([]string{r.op.KeyHeader, "contract-test-" + rand.Text()}, r.headers...)
	return r
}

func (t *trial) send(r request) Answer {
	t.tb.Helper()
	return t.client.Send(t.tb, r.op.Method, r.path, r.body, r.headers...)
}

// must sends a request that has to succeed, as one with the current tag has.
func (t *trial) must(op *Operation, p Params, headers ...string) Answer {
	t.tb.Helper()
	a := t.send(t.request(op, p, headers...))
	if !a.succeeded() {
		t.stop("%s with the fields %q is %d, want a success (has the test a valid body for it?): %s", op.ID, headers, a.Status, a.Body)
	}
	return a
}

// path fills in the parameters.
func (t *trial) path(op *Operation, p Params) string {
	t.tb.Helper()
	path := op.Path
	for name, value := range p {
		path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(value))
	}
	if strings.Contains(path, "{") {
		t.tb.Fatalf("contract: the path %s of %s has parameters that Create does not return", op.Path, op.ID)
	}
	return path
}

// unchanged checks that a refused request has changed nothing.
func (t *trial) unchanged(p Params, before Answer) {
	t.tb.Helper()
	after := t.get(p)
	if after.Status != before.Status || after.tag() != before.tag() || !bytes.Equal(after.Body, before.Body) {
		t.wrong("the request was refused, and yet the resource was %d %s %s before it and is %d %s %s after it",
			before.Status, before.tag(), before.Body, after.Status, after.tag(), after.Body)
	}
}

// racers is how many requests are sent at once.
const racers = 32

// race sends all requests at the same time.
func (t *trial) race(requests []request) []Answer {
	t.tb.Helper()
	answers := make([]Answer, len(requests))
	errs := make([]error, len(requests))
	start := make(chan struct{})
	var wait sync.WaitGroup
	for i, r := range requests {
		wait.Go(func() {
			<-start
			answers[i], errs[i] = t.client.send(r.op.Method, r.path, r.body, r.headers)
		})
	}
	close(start)
	wait.Wait()
	for i, err := range errs {
		if err != nil {
			t.tb.Fatalf("contract: %s: %v", requests[i].op.ID, err)
		}
	}
	return answers
}

// winners returns the answers that are successes and checks that all others have
// one of these statuses.
func (t *trial) winners(answers []Answer, losers ...int) (won []Answer) {
	for _, a := range answers {
		switch {
		case a.succeeded():
			won = append(won, a)
		case !slices.Contains(losers, a.Status):
			t.wrong("one of %d requests at once was answered with %d, want a success or one of %v: %s", len(answers), a.Status, losers, a.Body)
			return won
		}
	}
	return won
}
