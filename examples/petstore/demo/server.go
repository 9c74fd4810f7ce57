package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Limits of waiting for the child: generous, because a loaded machine is no
// reason to fail.
const (
	startLimit = time.Minute
	stopLimit  = 20 * time.Second
)

// server is the petstore as a child process.
type server struct {
	cmd  *exec.Cmd
	log  *lines
	gone chan struct{} // closed when the process has ended
	base string
}

// start runs the binary on a free loopback port and waits until it listens. The
// process ends with ctx at the latest.
func start(ctx context.Context, binary, database string, flags ...string) (*server, error) {
	s := &server{log: newLines(), gone: make(chan struct{})}
	s.cmd = exec.CommandContext(ctx, binary, append([]string{"-addr", "127.0.0.1:0", "-store", database}, flags...)...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	s.cmd.WaitDelay = stopLimit
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait() // killed children report it; what matters is that it ended
		close(s.gone)
	}()
	line, err := s.waitFor(ctx, "http://127.0.0.1:", startLimit)
	if err != nil {
		s.kill()
		return nil, err
	}
	_, port, _ := strings.Cut(line, "http://127.0.0.1:")
	port, _, _ = strings.Cut(port, " ")
	s.base = "http://127.0.0.1:" + port
	return s, nil
}

// waitFor returns the first line of the server's output that contains text.
func (s *server) waitFor(ctx context.Context, text string, limit time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		line, more := s.log.find(text)
		if line != "" {
			return line, nil
		}
		select {
		case <-more:
		case <-s.gone:
			if line, _ := s.log.find(text); line != "" {
				return line, nil
			}
			return "", fmt.Errorf("the server ended before it said %q:\n%s", text, s.log)
		case <-ctx.Done():
			return "", fmt.Errorf("the server did not say %q within %s:\n%s", text, limit, s.log)
		}
	}
}

// kill ends the process at once: SIGKILL, or TerminateProcess on Windows. It
// gets no chance to clean up. Calling it again does nothing.
func (s *server) kill() {
	_ = s.cmd.Process.Kill() // fails only when the process has ended
	<-s.gone
}

// stop asks the process to finish its requests and end.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		s.kill() // Windows has no such signal for other processes
		return nil
	}
	select {
	case <-s.gone:
		return nil
	case <-time.After(stopLimit):
		s.kill()
		return errors.New("the server did not stop when it was asked to:\n" + s.log.String())
	}
}

// lines collects the output of a process by lines.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // closed, and replaced, when text grows
}

func newLines() *lines { return &lines{more: make(chan struct{})} }

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.more)
	l.more = make(chan struct{})
	return l.text.Write(b)
}

// find returns the first complete line with text in it, or "" and a channel
// that is closed when there is more to look at.
func (l *lines) find(text string) (string, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		if strings.HasSuffix(line, "\n") && strings.Contains(line, text) {
			return strings.TrimSpace(line), l.more
		}
	}
	return "", l.more
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
