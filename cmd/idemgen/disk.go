package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/idemgen/idemgen/generator"
)

// stdinName is the document that is read from standard input.
const stdinName = "<stdin>"

// disk is the only access to files. It remembers what it read, for excerpts.
type disk struct {
	stdin io.Reader
	files map[string][]byte
}

func newDisk(stdin io.Reader) *disk { return &disk{stdin: stdin, files: map[string][]byte{}} }

// read returns a file with a slash-separated name, or standard input.
func (d *disk) read(name string) ([]byte, error) {
	if content, ok := d.files[name]; ok {
		return content, nil
	}
	var content []byte
	var err error
	if name == stdinName {
		content, err = io.ReadAll(d.stdin)
	} else {
		content, err = os.ReadFile(filepath.FromSlash(name))
	}
	if err != nil {
		return nil, err
	}
	d.files[name] = content
	return content, nil
}

// source returns what was read under a name; nil for other names.
func (d *disk) source(name string) []byte { return d.files[name] }

// change is a generated file next to what is on the disk.
type change struct {
	generator.File
	old     []byte
	missing bool
	stale   bool // the file is to go
	device  bool // not a file: it is written to, and not replaced
}

// same reports whether nothing would change on the disk.
func (c *change) same() bool {
	return !c.stale && !c.missing && !c.device && bytes.Equal(c.old, c.Content)
}

// compare reads what the files would replace.
func compare(files []generator.File) ([]change, error) {
	var list []change
	for _, f := range files {
		if info, err := os.Stat(filepath.FromSlash(f.Name)); err == nil && !info.IsDir() && !info.Mode().IsRegular() {
			list = append(list, change{File: f, device: true})
			continue
		}
		old, err := os.ReadFile(filepath.FromSlash(f.Name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		list = append(list, change{File: f, old: old, missing: err != nil})
	}
	return list, nil
}

// leftover returns those of the names that exist and that idemgen wrote, as files
// that are to go. What others wrote stays.
func leftover(names []string) ([]change, error) {
	var list []change
	for _, name := range names {
		old, err := os.ReadFile(filepath.FromSlash(name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if _, ours := generator.Generated(old); ours {
			list = append(list, change{File: generator.File{Name: name}, old: old, stale: true})
		}
	}
	return list, nil
}

// handWritten returns an error when a generated file would replace one that no
// program wrote.
func handWritten(changes []change) error {
	for _, c := range changes {
		if some, _ := generator.Generated(c.old); !c.missing && !some {
			return fmt.Errorf("%s would be replaced, but no generator wrote it; move it, or choose another directory", c.Name)
		}
	}
	return nil
}

// spared returns an error when a change would replace a file that was read: a slip in
// -o must not cost anybody the document.
func (d *disk) spared(changes []change) error {
	for _, c := range changes {
		for name := range d.files {
			if sameFile(c.Name, name) {
				return fmt.Errorf("%s is the source; write the output somewhere else", c.Name)
			}
		}
	}
	return nil
}

// sameFile reports whether two names are of one existing file.
func sameFile(a, b string) bool {
	one, err := os.Stat(filepath.FromSlash(a))
	if err != nil {
		return false
	}
	two, err := os.Stat(filepath.FromSlash(b))
	return err == nil && os.SameFile(one, two)
}

// write replaces the files that differ, removes the stale ones and returns how many
// there were. Each file is complete or untouched: it is written next to its place and
// then renamed, and nothing is renamed before all are written. What a symbolic link
// leads to is replaced, and not the link.
func write(changes []change) (int, error) {
	var pending []string
	defer func() {
		for _, name := range pending {
			os.Remove(name)
		}
	}()
	var todo []change
	for _, c := range changes {
		if c.same() || c.stale {
			continue
		}
		if c.device {
			if err := writeDevice(filepath.FromSlash(c.Name), c.Content); err != nil {
				return 0, err
			}
			continue
		}
		temp, err := writeTemp(resolved(c.Name), c.Content)
		if temp != "" {
			pending = append(pending, temp)
		}
		if err != nil {
			return 0, err
		}
		todo = append(todo, c)
	}
	for i, c := range todo {
		if err := os.Rename(pending[i], resolved(c.Name)); err != nil {
			pending = pending[i:]
			return i, err
		}
	}
	pending = nil
	n := len(todo)
	for _, c := range changes {
		if !c.stale {
			continue
		}
		if err := os.Remove(filepath.FromSlash(c.Name)); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// resolved is where a file with a slash-separated name is, or will be.
func resolved(name string) string {
	name = filepath.FromSlash(name)
	if target, err := filepath.EvalSymlinks(name); err == nil {
		return target
	}
	return name
}

// writeDevice writes to what is no file, such as /dev/stdout or a pipe.
func writeDevice(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

// writeTemp writes content into a new file in the directory of name and returns
// its name, also when it could not be completed.
func writeTemp(name string, content []byte) (string, error) {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(name)+".*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode(name)), f.Close())
	if err != nil {
		return f.Name(), fmt.Errorf("write %s: %w", name, err)
	}
	return f.Name(), nil
}

// mode is that of the file which is replaced.
func mode(name string) fs.FileMode {
	if info, err := os.Stat(name); err == nil {
		return info.Mode().Perm()
	}
	return 0o644
}
