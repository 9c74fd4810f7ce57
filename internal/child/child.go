// Package child runs programs of this module that a test stops in the middle of
// their work. A child ends with its parent, whatever ends that: it holds one end
// of a pipe, and the parent the other.
package child

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// Process is a running child.
type Process struct {
	cmd        *exec.Cmd
	stdin      io.Closer
	complaints output
	ended      chan struct{}
}

// Start starts a command whose main calls [EndWithParent]. Each line that it
// prints is given to line, one after the other; what it writes to its standard
// error is kept.
func Start(cmd *exec.Cmd, line func(string)) (*Process, error) {
	p := &Process{cmd: cmd, ended: make(chan struct{})}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.stdin, cmd.Stderr = stdin, &p.complaints
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			line(lines.Text())
		}
		_ = cmd.Wait() // killed, or gone with its standard input
	}()
	return p, nil
}

// Ended is closed when the process has ended and every line that it had printed
// until then was given away.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Complaints returns what the process has written to its standard error.
func (p *Process) Complaints() string { return p.complaints.text() }

// Kill ends the process at once, in the middle of whatever it does: SIGKILL, or
// TerminateProcess on Windows. It returns when Ended is closed.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}

// Stop ends the process. It fails when the process had complained, had ended by
// itself, or does not end within the limit.
func (p *Process) Stop(limit time.Duration) error {
	select {
	case <-p.ended:
		return errors.New("the process ended by itself: " + p.Complaints())
	default:
	}
	p.stdin.Close()
	select {
	case <-p.ended:
	case <-time.After(limit):
		p.Kill()
		return errors.New("the process did not end")
	}
	if complaint := p.Complaints(); complaint != "" {
		return errors.New("the process complained: " + complaint)
	}
	return nil
}

// EndWithParent is called by the child: it exits when the process that started
// it closes its standard input or is no more.
func EndWithParent() {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // however it ends
		os.Exit(0)
	}()
}

// output keeps what a process complains of.
type output struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

// Write implements [io.Writer].
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.Write(b)
}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}
