package plan

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// refusal is an operation that a router does not route.
type refusal struct {
	op     *Operation
	other  *Operation // before op in the document, with which it does not go together; nil: op alone is refused
	reason string
}

// refusals registers operations, given in the order of the document, as the
// generated server would at its start, and sends a request to each: some routers
// say what they cannot route, by panicking, and with others the request goes
// astray.
func (r *Router) refusals(ops []*Operation) []refusal {
	var list []refusal
	var routed []*Operation
	shared := r.open()
	for _, op := range ops {
		if reason := r.alone(op); reason != "" {
			list = append(list, refusal{op: op, reason: reason})
			continue
		}
		if reason := r.register(shared, op, nil); reason != "" {
			list = append(list, refusal{op, r.conflicting(op, routed), reason})
			continue
		}
		routed = append(routed, op)
	}
	var reached *Operation
	shared = r.open()
	for _, op := range registered(routed) {
		r.register(shared, op, func(*http.Request) { reached = op })
	}
	for i, op := range routed {
		reached = nil
		shared.send(op)
		switch {
		case reached == op:
		case reached == nil:
			list = append(list, refusal{op: op, reason: kept})
		case slices.Contains(routed[:i], reached):
			list = append(list, refusal{op, reached, sameRequests})
		default:
			list = append(list, refusal{reached, op, sameRequests})
		}
	}
	return list
}

const (
	sameRequests = "they match the same requests"
	kept         = "another path keeps its requests from it"
)

// alone says why an operation cannot be routed even when it is the only one.
func (r *Router) alone(op *Operation) (reason string) {
	if i := strings.IndexAny(templateParam.ReplaceAllString(op.Path, ""), r.Means); i >= 0 {
		return fmt.Sprintf("%q means something else to it", r.Means)
	}
	t := r.open()
	found, mixed := false, false
	reason = r.register(t, op, func(request *http.Request) {
		found = true
		for i, m := range templateParam.FindAllStringSubmatch(op.Path, -1) {
			mixed = mixed || t.param(request, m[1]) != sample(i)
		}
	})
	if reason != "" {
		return reason
	}
	switch t.send(op); {
	case !found:
		return "a request with this path does not match it"
	case mixed:
		return "it cannot tell the parameters apart"
	}
	return ""
}

// conflicting finds the operation that cannot be routed together with op.
func (r *Router) conflicting(op *Operation, routed []*Operation) *Operation {
	for _, other := range routed {
		t := r.open()
		r.register(t, other, nil)
		if r.register(t, op, nil) != "" {
			return other
		}
	}
	return nil
}

// register adds an operation to a router and returns why it was refused.
func (r *Router) register(t trial, op *Operation, reached func(*http.Request)) (reason string) {
	defer func() {
		if v := recover(); v != nil {
			reason = shorten(fmt.Sprint(v))
		}
	}()
	t.handle(op.Method, r.path(op.Path), http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) { reached(request) }))
	return ""
}

// send asks for the path of an operation.
func (t trial) send(op *Operation) {
	i := -1
	path := templateParam.ReplaceAllStringFunc(op.Path, func(string) string { i++; return sample(i) })
	target, err := url.ParseRequestURI(path)
	if err != nil {
		target = &url.URL{Path: path}
	}
	t.ServeHTTP(nowhere{}, &http.Request{Method: op.Method, URL: target, Header: http.Header{}, Host: "example.com"})
}

// sample is a value for the i-th parameter that stands in no document.
func sample(i int) string { return string(rune('\uE000' + i)) }

// nowhere is an answer that nobody reads.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) WriteHeader(int)             {}

var (
	badPattern = regexp.MustCompile(`at offset \d+: (.*)$`)
	bothMatch  = regexp.MustCompile(`both match some paths, like ("[^"]*")`)
)

// shorten makes a reason of what a router says when it panics, which may name
// lines of Go code that nobody wrote.
func shorten(panicked string) string {
	if m := badPattern.FindStringSubmatch(panicked); m != nil {
		return m[1]
	}
	if m := bothMatch.FindStringSubmatch(panicked); m != nil {
		return "both match " + m[1] + " and neither is more specific"
	}
	if strings.Contains(panicked, "registered at") {
		return sameRequests
	}
	return strings.TrimPrefix(panicked, "chi: ")
}
