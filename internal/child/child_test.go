package child

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// roleVariable makes this test binary a child, which behaves as it says.
const roleVariable = "IDEMGEN_CHILD_ROLE"

const limit = time.Minute

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	if role == "short" {
		fmt.Fprintln(os.Stderr, "I have no time")
		os.Exit(1)
	}
	if role == "stubborn" {
		fmt.Fprintln(os.Stdout, "here")
		select {}
	}
	EndWithParent()
	if role == "angry" {
		fmt.Fprintln(os.Stderr, "I would rather not")
	}
	fmt.Fprintln(os.Stdout, "here")
	fmt.Fprintln(os.Stdout, "still here")
	<-make(chan struct{})
}

// run starts a child and waits for its first line.
func run(t *testing.T, role string) (p *Process, lines chan string) {
	t.Helper()
	lines = make(chan string, 10)
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	p, err = Start(cmd, func(line string) { lines <- line })
	if err != nil {
		t.Fatal(err)
	}
	select {
	case line := <-lines:
		if line != "here" {
			t.Errorf("the first line is %q", line)
		}
	case <-p.Ended():
	}
	return p, lines
}

func TestStop(t *testing.T) {
	tests := []struct {
		role, want string
		limit      time.Duration
	}{
		{"patient", "", limit},
		{"angry", "the process complained: I would rather not", limit},
		{"short", "the process ended by itself: I have no time", limit},
		{"stubborn", "the process did not end", time.Millisecond},
	}
	for _, test := range tests {
		t.Run(test.role, func(t *testing.T) {
			p, _ := run(t, test.role)
			err := p.Stop(test.limit)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("the error is %v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("the error is %v, want %q", err, test.want)
			}
			<-p.Ended()
		})
	}
}

func TestKill(t *testing.T) {
	p, lines := run(t, "stubborn")
	p.Kill()
	p.Kill() // it has ended
	select {
	case <-p.Ended():
	default:
		t.Error("Kill returned before the end")
	}
	if len(lines) > 0 {
		t.Errorf("one more line: %q", <-lines)
	}
}

func TestStart_Fails(t *testing.T) {
	if _, err := Start(exec.Command(t.TempDir()), func(string) {}); err == nil {
		t.Error("a directory was started")
	}
}
