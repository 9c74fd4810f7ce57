package vectors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"time"

	"github.com/idemgen/idemgen/internal/child"
	"github.com/idemgen/idemgen/internal/vectors/server"
)

// Process is a running server. It ends when this process does.
type Process struct {
	child   *child.Process
	address string
	client  *http.Client
}

// Start starts a server.
func Start(binary string) (*Process, error) {
	p := &Process{client: &http.Client{Timeout: patience}}
	address := make(chan string, 1)
	var err error
	p.child, err = child.Start(exec.Command(binary), func(line string) {
		select {
		case address <- line:
		default: // the server says nothing else
		}
	})
	if err != nil {
		return nil, err
	}
	select {
	case p.address = <-address:
	case <-p.child.Ended():
	case <-time.After(patience):
	}
	if p.address == "" {
		p.Kill()
		return nil, fmt.Errorf("the server did not start: %s", p.child.Complaints())
	}
	return p, nil
}

// Do sends a command.
func (p *Process) Do(c server.Command) (server.Result, error) {
	var result server.Result
	body, err := json.Marshal(c)
	if err != nil {
		return result, err
	}
	resp, err := p.client.Post("http://"+p.address, "application/json", bytes.NewReader(body))
	if err != nil {
		return result, fmt.Errorf("%s: %w %s", c.Do, err, p.child.Complaints())
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&result); err != nil {
		return result, fmt.Errorf("%s: %w", c.Do, err)
	}
	if result.Error != "" {
		return result, fmt.Errorf("%s: %s", c.Do, result.Error)
	}
	return result, nil
}

// Kill ends the process at once, in the middle of whatever it does.
func (p *Process) Kill() {
	p.child.Kill()
	p.client.CloseIdleConnections()
}

// Stop ends the process. It fails when the process had complained or had ended
// by itself.
func (p *Process) Stop() error {
	err := p.child.Stop(patience)
	p.client.CloseIdleConnections()
	return err
}
