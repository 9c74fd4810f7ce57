//go:build unix

package main

import (
	"os"
	"syscall"
	"testing"

	"github.com/idemgen/idemgen/generator"
)

// A device, such as /dev/null, is written to and stays what it is.
func TestWrite_Device(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := syscall.Mkfifo("pipe", 0o600); err != nil {
		t.Skip(err)
	}
	reader, err := os.OpenFile("pipe", os.O_RDWR, 0) // does not wait for a writer
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	changes, err := compare([]generator.File{{Name: "pipe", Content: []byte("new")}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := write(changes); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 10)
	n, err := reader.Read(got)
	info, statErr := os.Stat("pipe")
	if err != nil || string(got[:n]) != "new" || statErr != nil || info.Mode().Type() != os.ModeNamedPipe {
		t.Errorf("the pipe has %q (%v) and is now %v (%v)", got[:n], err, info.Mode(), statErr)
	}
}
