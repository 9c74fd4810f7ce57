package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// request is one request as the story tells it.
type request struct {
	method, path string
	apiKey       string
	key          string // idempotency key; empty: none
	ifMatch      string // entity tag; empty: none
	body         string // JSON; empty: none
}

type field struct{ name, value string }

// fields are the header fields that matter, in the order of the transcript.
func (r request) fields() []field {
	fields := []field{{"X-Api-Key", r.apiKey}}
	if r.key != "" {
		fields = append(fields, field{"Idempotency-Key", `"` + r.key + `"`})
	}
	if r.ifMatch != "" {
		fields = append(fields, field{"If-Match", r.ifMatch})
	}
	return fields
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) replayed() bool { return a.header.Get("Idempotent-Replayed") == "true" }

func (a answer) etag() string { return a.header.Get("ETag") }

// problem is the part of a problem body that the demo looks at.
func (a answer) problem() (p struct {
	Type         string
	Reason       string
	RetryAfterMs int64
},
) {
	if strings.HasPrefix(a.header.Get("Content-Type"), "application/problem+json") {
		_ = json.Unmarshal(a.body, &p) // what is not JSON has no type either
	}
	return p
}

// is reports whether a is a problem of the given type, whatever its base URI.
func (a answer) is(kind string) bool { return strings.HasSuffix(a.problem().Type, kind) }

// client sends requests to the child. Every request has a connection of its
// own: on a reused one that breaks, Go's transport would repeat a request with
// an Idempotency-Key by itself, and here the story decides what is repeated.
type client struct {
	base string
	http *http.Client
}

func newClient(base string) *client {
	return &client{base: base, http: &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true},
		Timeout:   time.Minute,
	}}
}

// send sends r once.
func (c *client) send(ctx context.Context, r request) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, strings.NewReader(r.body))
	if err != nil {
		return answer{}, err
	}
	for _, f := range r.fields() {
		req.Header.Set(f.name, f.value)
	}
	if r.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, body}, err
}

// maxTries bounds how often a polite client asks again.
const maxTries = 30

// sendPolitely sends r and, while it is told that the first request with its
// key still runs, waits as long as the answer says and sends it again. It also
// returns the answers that told it so.
func (c *client) sendPolitely(ctx context.Context, r request) (a answer, refusals []answer, err error) {
	for range maxTries {
		if a, err = c.send(ctx, r); err != nil || !a.is("in-flight") {
			return a, refusals, err
		}
		refusals = append(refusals, a)
		wait := time.Duration(a.problem().RetryAfterMs) * time.Millisecond
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return a, refusals, context.Cause(ctx)
		}
	}
	return a, refusals, fmt.Errorf("%s %s: still in flight after %d tries", r.method, r.path, maxTries)
}

// same reports whether all answers have one body, octet for octet.
func same(answers []answer) bool {
	for _, a := range answers {
		if !bytes.Equal(a.body, answers[0].body) {
			return false
		}
	}
	return true
}
