package vectors

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/idemgen/idemgen/internal/vectors/server"
)

// patience bounds everything that is waited for. Nothing depends on how fast
// it happens.
const patience = 2 * time.Minute

// Reply is an answer as the client saw it.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
	Took   time.Duration
}

// request is one request on its way. It is written octet by octet, because
// clients of net/http tidy up fields, and repeat requests with a key.
type request struct {
	conn  net.Conn
	token string
	done  chan struct{} // closed when reply and err are set
	reply *Reply
	err   error
}

// dial connects without sending anything yet.
func dial(ctx context.Context, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: patience}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(patience))
}

// send writes a request and waits for its answer in the background.
func send(conn net.Conn, wire []byte, method, token string) *request {
	r := &request{conn: conn, token: token, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		defer conn.Close()
		began := time.Now()
		if _, err := conn.Write(wire); err != nil {
			r.err = err
			return
		}
		r.reply, r.err = receive(conn, method)
		if r.reply != nil {
			r.reply.Took = time.Since(began)
		}
	}()
	return r
}

func receive(conn net.Conn, method string) (*Reply, error) {
	reader := bufio.NewReader(conn)
	for {
		resp, err := http.ReadResponse(reader, &http.Request{Method: method})
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return nil, err
		}
		if resp.StatusCode >= 200 {
			return &Reply{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
		}
	}
}

// wait returns the answer.
func (r *request) wait() (*Reply, error) {
	select {
	case <-r.done:
		return r.reply, r.err
	case <-time.After(patience):
		return nil, errors.New("no answer came")
	}
}

// wire writes a request as it goes over the connection. What the test's
// middleware must know travels in fields of its own.
func (s *Send) wire(token, crash string, index int) ([]byte, error) {
	content, has, err := s.Content()
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: vectors.example\r\nConnection: close\r\n", s.Method, s.Path)
	for _, f := range s.Headers {
		line, err := server.Octets(f[0] + ": " + f[1])
		if err != nil {
			return nil, err
		}
		if strings.ContainsAny(line, "\r\n\x00") {
			return nil, fmt.Errorf("the field %q cannot be sent", line)
		}
		b.WriteString(strings.ReplaceAll(line, "{i}", fmt.Sprint(index)) + "\r\n")
	}
	for _, f := range []struct{ name, value string }{
		{server.TokenField, token},
		{server.CrashField, crash},
		{server.TenantField, s.Tenant},
		{server.PrincipalField, s.Principal},
		{server.AuthField, s.Auth},
	} {
		if f.value != "" {
			b.WriteString(f.name + ": " + f.value + "\r\n")
		}
	}
	if has || !safe(s.Method) {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(content))
	}
	b.WriteString("\r\n")
	b.Write(content)
	return []byte(b.String()), nil
}
