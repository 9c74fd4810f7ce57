// Demo shows what idemgen's generated code does to a server, and checks each
// statement that it makes:
//
//	go run ./examples/petstore/demo
//
// It generates the petstore's package from openapi.yaml, compiles the server
// with it, runs it as a child process on a loopback port with a database in a
// temporary directory, and then repeats, races and interrupts requests. Rows are
// counted in the database file, behind the server's back. The exit status is 0
// when every statement is true, and 1 otherwise. NO_COLOR is honoured.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Limits that only a broken machine or server meets. The first compilation
// downloads and builds SQLite.
const (
	buildLimit = 20 * time.Minute
	storyLimit = 5 * time.Minute
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	t := &transcript{out: os.Stdout, color: colorful(os.Stdout)}
	err := run(ctx, t)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo:", err)
		os.Exit(1)
	}
}

// run prepares and tells the story. It returns an error when something could not
// be done or a statement was false; no child survives it.
func run(ctx context.Context, t *transcript) (err error) {
	began := time.Now()
	t.printf("%s\n\n", t.paint(bold, "A pet store that never does anything twice"))
	work, err := os.MkdirTemp("", "petstore-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()

	binary, err := build(ctx, t, work)
	if err != nil {
		return err
	}
	if err := story(ctx, t, binary, filepath.Join(work, "petstore.db")); err != nil {
		return err
	}
	return verdict(t, time.Since(began))
}

// story plays the scenes in order: each goes on from the rows of the one before.
func story(ctx context.Context, t *transcript, binary, file string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, storyLimit, fmt.Errorf("the story took longer than %s", storyLimit))
	defer cancel()
	s := &stage{t: t, binary: binary, file: file}
	defer s.close()
	if err := s.open(ctx); err != nil {
		return err
	}
	for _, scene := range []func(context.Context, *stage) error{
		oneOrder, changedBody, crowd, otherShop, twoEditors, killed,
	} {
		if err := scene(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// verdict sums up.
func verdict(t *transcript, took time.Duration) error {
	if len(t.failed) > 0 {
		return fmt.Errorf("%d of %d statements are false:\n  %s", len(t.failed), t.claims, strings.Join(t.failed, "\n  "))
	}
	t.printf("\n%s\n", t.paint(green, fmt.Sprintf("All %d statements are true (%s).", t.claims, took.Round(100*time.Millisecond))))
	return nil
}

// build generates and compiles the server, and says how it goes.
func build(ctx context.Context, t *transcript, work string) (binary string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, buildLimit, fmt.Errorf("compiling took longer than %s", buildLimit))
	defer cancel()
	dir, err := locate(ctx)
	if err != nil {
		return "", err
	}
	began := time.Now()
	fresh, err := generate(dir)
	if err != nil {
		return "", err
	}
	size := 0
	for _, content := range fresh {
		size += strings.Count(string(content), "\n")
	}
	t.step("generate", "openapi.yaml into %d files, %d lines of Go: %s", len(fresh), size, time.Since(began).Round(time.Millisecond))
	began = time.Now()
	progress := t.progress("compile", "the server with these files (the first time takes a minute or two)")
	binary, err = compile(ctx, work, fresh, progress.tick)
	progress.end()
	if err != nil {
		return "", err
	}
	t.step("compile", "the server with these files: %s", time.Since(began).Round(100*time.Millisecond))
	return binary, nil
}

// stage is where the scenes play: the running server and a view of its file.
type stage struct {
	t      *transcript
	binary string
	file   string

	server *server
	client *client
	db     *database

	first request // the first order, and its answer
	got   answer
}

// open starts the server; flags are added to its command line.
func (s *stage) open(ctx context.Context, flags ...string) (err error) {
	if s.server, err = start(ctx, s.binary, s.file, flags...); err != nil {
		return err
	}
	s.client = newClient(s.server.base)
	if s.db == nil {
		if s.db, err = openDatabase(s.file); err != nil {
			return err
		}
	}
	s.t.step("start", "%s, process %d", strings.Join(append([]string{s.server.base}, flags...), " "), s.server.cmd.Process.Pid)
	return nil
}

// close leaves nothing behind.
func (s *stage) close() {
	if s.server != nil {
		s.server.kill()
	}
	if s.db != nil {
		_ = s.db.close() // read-only
	}
}

// show sends a request and shows it with its answer.
func (s *stage) show(ctx context.Context, r request) (answer, error) {
	s.t.request(r)
	a, err := s.client.send(ctx, r)
	if err == nil {
		s.t.answer(a)
	}
	return a, err
}
