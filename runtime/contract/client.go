package contract

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"
)

// Client sends requests to the server under test. It is safe for concurrent use.
type Client struct {
	base string
	http *http.Client
	auth func(*http.Request)
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// patience bounds a request; nothing depends on how fast it is answered.
const patience = 2 * time.Minute

// Send sends one request with the seeds' credentials. Headers are pairs of a
// name and a value; a name that is repeated makes a further field line.
func (c *Client) Send(tb testing.TB, method, path string, b Body, headers ...string) Answer {
	tb.Helper()
	a, err := c.send(method, path, b, headers)
	if err != nil {
		tb.Fatalf("contract: %s %s: %v", method, path, err)
	}
	return a
}

func (c *Client) send(method, path string, b Body, headers []string) (Answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(b.Content))
	if err != nil {
		return Answer{}, err
	}
	if b.ContentType != "" {
		r.Header.Set("Content-Type", b.ContentType)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	if c.auth != nil {
		c.auth(r)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return Answer{resp.StatusCode, resp.Header, body}, err
}

func (a Answer) tag() string { return a.Header.Get("ETag") }

// succeeded reports whether the request was performed.
func (a Answer) succeeded() bool { return a.Status >= 200 && a.Status < 300 }
