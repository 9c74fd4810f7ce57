//go:build unix

package kill

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/idemgen/idemgen/internal/servertest"
)

// A cluster is a PostgreSQL server of the test's own, behind a socket in a
// directory of its own, whose processes can be killed.
type cluster struct {
	bin, dir string
	options  []string
	owner    *syscall.Credential // nil: this process's

	process    *exec.Cmd
	gone       chan struct{} // closed when no process of the server is left
	recoveries int           // how often it started after a crash

	mu  sync.Mutex
	log []string
}

// newCluster makes a cluster and starts it, or skips the test.
func newCluster(t *testing.T, options ...string) *cluster {
	t.Helper()
	c := &cluster{bin: findServer(t), options: options}
	dir, err := os.MkdirTemp("", "pg") //nolint:usetesting // t.TempDir is closed to another user, and too long for a socket's name
	must(t, err)
	c.dir = dir
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	if os.Geteuid() == 0 {
		c.owner = owner(t)
		must(t, os.Chown(dir, int(c.owner.Uid), int(c.owner.Gid)))
	}
	out, err := c.command("initdb", "-D", c.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync").CombinedOutput()
	if err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	must(t, c.start())
	t.Cleanup(c.stop)
	return c
}

// findServer returns the directory of the server's programs.
func findServer(t *testing.T) string {
	t.Helper()
	var candidates []string
	if path, err := exec.LookPath("postgres"); err == nil {
		candidates = append(candidates, filepath.Dir(path))
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		candidates = append(candidates, strings.TrimSpace(string(out)))
	}
	installed, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is well-formed
	candidates = append(candidates, installed...)
	for _, dir := range candidates {
		if !slices.ContainsFunc([]string{"initdb", "postgres"}, func(name string) bool {
			_, err := exec.LookPath(filepath.Join(dir, name))
			return err != nil
		}) {
			return dir
		}
	}
	lacking(t, "no PostgreSQL server is installed: initdb and postgres are neither on the PATH, nor where pg_config says, nor in /usr/lib/postgresql")
	return ""
}

// lacking ends a test that cannot have a server.
func lacking(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv(servertest.Required) == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// owner returns whom the server runs as, which must not be root.
func owner(t *testing.T) *syscall.Credential {
	t.Helper()
	u, err := user.Lookup("postgres")
	if err != nil {
		lacking(t, "PostgreSQL does not run as root: %v", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	must(t, err)
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	must(t, err)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

// dsn leads to the cluster.
func (c *cluster) dsn() string {
	return "host=" + c.dir + " port=5432 user=postgres dbname=postgres sslmode=disable"
}

func (c *cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir = c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.owner}
	return cmd
}

// start starts the server and waits until it takes connections.
func (c *cluster) start() error {
	args := []string{"-D", c.data()}
	for _, option := range append([]string{
		"listen_addresses=", "unix_socket_directories=" + c.dir, "port=5432",
		"fsync=on", "shared_buffers=8MB", "max_connections=20", "max_wal_senders=0",
	}, c.options...) {
		args = append(args, "-c", option)
	}
	c.process = c.command("postgres", args...)
	stderr, err := c.process.StderrPipe()
	if err != nil {
		return err
	}
	if err := c.process.Start(); err != nil {
		return err
	}
	c.gone = make(chan struct{})
	ready := make(chan struct{})
	go c.follow(stderr, ready)
	select {
	case <-ready:
		return nil
	case <-c.gone:
	case <-time.After(patience):
		c.kill()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Errorf("PostgreSQL did not start:\n%s", strings.Join(c.log, "\n"))
}

// follow reads the server's log. It ends with the last of its processes.
func (c *cluster) follow(stderr io.Reader, ready chan<- struct{}) {
	defer close(c.gone)
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		line := lines.Text()
		c.mu.Lock()
		const most = 100
		c.log = append(c.log, line)
		c.log = c.log[max(0, len(c.log)-most):]
		if strings.Contains(line, "automatic recovery in progress") {
			c.recoveries++
		}
		c.mu.Unlock()
		if strings.Contains(line, "database system is ready to accept connections") {
			close(ready)
		}
	}
	_ = c.process.Wait() // killed
}

// stop ends the server in order, so that it leaves no shared memory.
func (c *cluster) stop() {
	_ = c.process.Process.Signal(syscall.SIGINT) // it may have ended
	select {
	case <-c.gone:
	case <-time.After(patience):
		c.kill()
	}
}

// kill ends the server at once. Its processes have groups of their own: those
// that are not known here end when they see that their parent is no more.
func (c *cluster) kill() {
	postmaster := c.process.Process.Pid
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", postmaster)) // elsewhere than on Linux there is none
	_ = syscall.Kill(-postmaster, syscall.SIGKILL)                                         // it may have ended
	for text := range strings.FieldsSeq(string(children)) {
		if child, err := strconv.Atoi(text); err == nil {
			_ = syscall.Kill(child, syscall.SIGKILL) // it may have ended
		}
	}
	<-c.gone
}
