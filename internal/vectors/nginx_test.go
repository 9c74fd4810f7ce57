package vectors

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/internal/servertest"
	"github.com/idemgen/idemgen/internal/vectors/evaluator"
)

// TestNginx puts nginx with gzip in front of a guarded resource. It compresses
// what is read, and therefore makes the tag a weak one (RFC 9110 §8.8.3.3), which
// If-Match then cannot match for ever.
func TestNginx(t *testing.T) {
	nginx := servertest.Program(t, "nginx") // Debian: nginx-light
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	policies := map[string]*Evaluation{}
	packages := catalog{router: standard}
	for _, weak := range []string{"reject", "accept"} {
		tag := `"v1"`
		e := &Evaluation{Method: "PUT", Policy: map[string]any{"role": "update", "require": []any{"ifMatch"}, "weakIfMatch": weak}}
		e.Resource.Exists, e.Resource.ETag = true, &tag
		policies[weak] = e
		packages.add(e)
		if err := packages.of[e].err; err != nil {
			t.Fatal(err)
		}
	}
	p := &proxied{process: packages.start(t, root)}
	p.address = startNginx(t, nginx, p.process.address)

	open := func(t *testing.T, weak string) {
		t.Helper()
		opened, err := command(p.process, evaluator.Command{
			Package: packages.of[policies[weak]].Name, State: evaluator.State{Exists: true, Version: []byte("v1")},
		})
		if err != nil {
			t.Fatal(err)
		}
		p.world = opened.World
	}
	writes := func(t *testing.T, want int) {
		t.Helper()
		ended, err := command(p.process, evaluator.Command{World: p.world})
		if err != nil || ended.Writes != want {
			t.Errorf("the handlers wrote %d times (%v), want %d", ended.Writes, err, want)
		}
	}
	t.Run("a weakened tag is refused with its cause", func(t *testing.T) {
		open(t, "reject")
		tag := p.readCompressed(t)
		r := p.send(t, "PUT", "If-Match", tag)
		var problem struct{ Type, Reason, Field, Detail string }
		if err := json.Unmarshal(r.Body, &problem); err != nil || r.Status != http.StatusPreconditionFailed {
			t.Fatalf("PUT with If-Match: %s: %s (%v)", tag, r.brief(), err)
		}
		if problem.Reason != "weak-tag" || problem.Field != "If-Match" || !strings.Contains(problem.Detail, "compressing proxy") {
			t.Errorf("the problem %+v does not name the cause", problem)
		}
		writes(t, 0)
	})
	t.Run("a tag that was fetched without compression is current", func(t *testing.T) {
		open(t, "reject")
		tag := p.send(t, "GET").Header.Get("ETag")
		if r := p.send(t, "PUT", "If-Match", tag); tag != `"v1"` || r.Status != http.StatusOK {
			t.Errorf("PUT with If-Match: %s: %s", tag, r.brief())
		}
		writes(t, 1)
	})
	t.Run("a cache is answered 304 by the weakened tag", func(t *testing.T) {
		open(t, "reject")
		if r := p.send(t, "GET", "Accept-Encoding", "gzip", "If-None-Match", p.readCompressed(t)); r.Status != http.StatusNotModified || len(r.Body) > 0 {
			t.Errorf("GET: %s", r.brief())
		}
		writes(t, 0)
	})
	t.Run("weakIfMatch: accept", func(t *testing.T) {
		open(t, "accept")
		tag := p.readCompressed(t)
		if r := p.send(t, "PUT", "If-Match", tag); r.Status != http.StatusOK {
			t.Errorf("PUT with If-Match: %s: %s", tag, r.brief())
		}
		if r := p.send(t, "PUT", "If-Match", tag); r.Status != http.StatusPreconditionFailed {
			t.Errorf("the second PUT with If-Match: %s: %s", tag, r.brief())
		}
		writes(t, 1)
	})
}

// proxied is a world behind a proxy.
type proxied struct {
	process *Process
	address string // of the proxy
	world   string
}

// send makes a request through the proxy; header are names and values in turn.
func (p *proxied) send(t *testing.T, method string, header ...string) *Reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.address+"/v1/things/t1", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(evaluator.Field, p.world)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &Reply{Status: resp.StatusCode, Header: resp.Header, Body: body}
}

// readCompressed reads the resource as browsers do, and returns its tag.
func (p *proxied) readCompressed(t *testing.T) string {
	t.Helper()
	r := p.send(t, "GET", "Accept-Encoding", "gzip")
	tag := r.Header.Get("ETag")
	if r.Status != http.StatusOK || r.Header.Get("Content-Encoding") != "gzip" || tag != `W/"v1"` {
		t.Fatalf("GET through nginx: %s, want a compressed answer with a weak tag", r.brief())
	}
	return tag
}

// startNginx puts nginx in front of an address, for the time of a test, and
// returns its own. It inherits a socket that already listens, as from a
// predecessor that it replaces, so that no port is raced for and nothing has to
// be waited for.
func startNginx(t *testing.T, nginx, upstream string) string {
	t.Helper()
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	socket, err := listener.File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	directory := t.TempDir()
	var temporary strings.Builder
	for _, what := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temporary, "%s_temp_path %s;\n", what, filepath.Join(directory, what))
	}
	config := filepath.Join(directory, "nginx.conf")
	err = os.WriteFile(config, fmt.Appendf(nil, `
daemon off;
worker_processes 1;
pid %s;
error_log stderr;
events { worker_connections 64; }
http {
  access_log off;
  %s
  gzip on;
  gzip_types application/json;
  gzip_proxied any;
  server {
    listen %s;
    location / { proxy_pass http://%s; }
  }
}
`, filepath.Join(directory, "pid"), temporary.String(), listener.Addr(), upstream), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	var complaints bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, nginx, "-e", "stderr", "-p", directory, "-c", config)
	cmd.Stderr = &complaints
	cmd.ExtraFiles = []*os.File{socket} // number 3
	cmd.Env = append(os.Environ(), "NGINX=3;")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // ends the worker, too
	cmd.WaitDelay = patience
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // says that it was cancelled
		if t.Failed() {
			t.Logf("nginx: %s", complaints.String())
		}
	})
	return listener.Addr().String()
}
