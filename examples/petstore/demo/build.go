package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/diag"
)

const petstore = "github.com/idemgen/idemgen/examples/petstore"

// locate returns the directory of the petstore.
func locate(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", petstore).Output()
	if err != nil {
		return "", fmt.Errorf("find %s: %w (run this inside a clone of the repository, with Go installed)", petstore, withStderr(err))
	}
	return strings.TrimSpace(string(out)), nil
}

// withStderr adds what a command said to why it failed.
func withStderr(err error) error {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return fmt.Errorf("%w\n%s", err, bytes.TrimSpace(exit.Stderr))
	}
	return err
}

// generate makes the package api from the spec, in memory. It returns the
// content of each file by the absolute path that it has in the clone.
func generate(dir string) (map[string][]byte, error) {
	read := func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, filepath.FromSlash(name))) }
	text, err := read(generator.ConfigName)
	if err != nil {
		return nil, err
	}
	config, errs := generator.ParseConfig(generator.ConfigName, text)
	if err := asError(errs); err != nil {
		return nil, err
	}
	project, errs := generator.Open(config, read)
	if err := asError(errs); err != nil {
		return nil, err
	}
	files, errs := generator.Generate(project)
	if err := asError(errs); err != nil {
		return nil, err
	}
	fresh := make(map[string][]byte, len(files))
	for _, f := range files {
		fresh[filepath.Join(dir, filepath.FromSlash(f.Name))] = f.Content
	}
	return fresh, nil
}

func asError(list diag.List) error {
	var all []error
	for _, d := range list {
		if d.Severity == diag.Error {
			all = append(all, d)
		}
	}
	return errors.Join(all...)
}

// compile builds the server with the fresh files in the place of the committed
// ones (go help build, -overlay), and returns the binary. Nothing in the clone
// is touched. Tick is called every second.
func compile(ctx context.Context, work string, fresh map[string][]byte, tick func(time.Duration)) (string, error) {
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for name, content := range fresh {
		temp := filepath.Join(work, filepath.Base(name))
		if err := os.WriteFile(temp, content, 0o600); err != nil {
			return "", err
		}
		overlay.Replace[name] = temp
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	overlayFile := filepath.Join(work, "overlay.json")
	if err := os.WriteFile(overlayFile, text, 0o600); err != nil {
		return "", err
	}
	binary := filepath.Join(work, "petstore")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	done := make(chan error, 1)
	go func() {
		build := exec.CommandContext(ctx, "go", "build", "-overlay", overlayFile, "-o", binary, petstore)
		build.Cancel = func() error { return build.Process.Signal(os.Interrupt) } // it removes its files
		build.WaitDelay = stopLimit
		_, err := build.Output()
		done <- err
	}()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for began := time.Now(); ; {
		select {
		case err := <-done:
			if ctx.Err() != nil {
				return "", fmt.Errorf("compile %s: %w", petstore, context.Cause(ctx))
			}
			if err != nil {
				return "", fmt.Errorf("compile %s: %w", petstore, withStderr(err))
			}
			return binary, nil
		case now := <-ticker.C:
			tick(now.Sub(began))
		}
	}
}
