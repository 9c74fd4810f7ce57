package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/idemgen/idemgen/generator"
)

// TestGenerated: the committed package is what openapi.yaml says.
func TestGenerated(t *testing.T) {
	text, err := os.ReadFile(generator.ConfigName)
	if err != nil {
		t.Fatal(err)
	}
	config, errs := generator.ParseConfig(generator.ConfigName, text)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	project, errs := generator.Open(config, os.ReadFile)
	if len(errs) > 0 { // warnings too: an example has none
		t.Fatal(errs)
	}
	files, errs := generator.Generate(project)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	fresh := map[string]bool{}
	for _, f := range files {
		fresh[f.Name] = true
		committed, err := os.ReadFile(filepath.FromSlash(f.Name))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(committed, f.Content) {
			t.Errorf("%s is not up to date: run go generate ./examples/petstore", f.Name)
		}
	}
	err = fs.WalkDir(os.DirFS("."), "api", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !fresh[name] {
			t.Errorf("%s is not generated any more", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRun starts the program, asks it for something, and ends it.
func TestRun(t *testing.T) {
	for name, database := range stores {
		t.Run(name, func(t *testing.T) { testRun(t, database(t)) })
	}
}

func testRun(t *testing.T, database string) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"-addr", "127.0.0.1:0", "-store", database}, in, io.Discard)
		in.CloseWithError(errors.Join(err, io.EOF))
		ended <- err
	}()
	line := make([]byte, 200)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	_, base, ok := strings.Cut(strings.TrimSpace(string(line[:n])), "http://")
	if !ok {
		t.Fatalf("the program says %q, and not where it listens", line[:n])
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+base+"/store/inventory", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Api-Key", "pawsome-key")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the inventory is %s", resp.Status)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("the program ended with %v", err)
	}
}

// TestOpenDatabase_AtOnce: several processes may start on a new database.
func TestOpenDatabase_AtOnce(t *testing.T) {
	for name, database := range stores {
		t.Run(name, func(t *testing.T) {
			place := database(t)
			var starting sync.WaitGroup
			for range 4 {
				starting.Go(func() {
					db, err := openDatabase(t.Context(), place)
					if err == nil {
						err = db.close()
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
			starting.Wait()
		})
	}
}

func TestRun_Fails(t *testing.T) {
	database := filepath.Join(t.TempDir(), "petstore.db")
	tests := []struct {
		name string
		args []string
		part string
	}{
		{"flag", []string{"-port", "1"}, "-port"},
		{"address", []string{"-addr", "nowhere", "-store", database}, "nowhere"},
		{"database", []string{"-addr", "127.0.0.1:0", "-store", filepath.Join(database, "below")}, "petstore.db"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := run(t.Context(), test.args, io.Discard, io.Discard)
			if err == nil || !strings.Contains(err.Error(), test.part) {
				t.Errorf("the error is %v, want one about %s", err, test.part)
			}
		})
	}
	// Nobody listens there, and the password is nobody's business.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	nobody := listener.Addr().String()
	err = run(t.Context(), []string{"-addr", "127.0.0.1:0", "-store", "postgres://petstore:hush@" + nobody + "/shop"}, io.Discard, io.Discard)
	if err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("the error is %v, want one that keeps the password", err)
	}
	if err := run(t.Context(), []string{"-h"}, io.Discard, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h ends with %v", err)
	}
}
