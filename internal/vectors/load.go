package vectors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Environment is the variable that names the directory of vectors to run.
const Environment = "IDEMGEN_VECTORS"

// ownDirectory is the project's copy of the vectors, below its root.
const ownDirectory = "runtime/testdata/vectors"

// Directory returns the directory of the vectors to run. A relative one is
// relative to root, the root of the project.
func Directory(root string) string {
	directory := os.Getenv(Environment)
	if directory == "" {
		directory = ownDirectory
	}
	if filepath.IsAbs(directory) {
		return directory
	}
	return filepath.Join(root, directory)
}

// Load reads every JSON file of a directory, in the order of names. It fails
// on a member that it does not know in anything that a sequence is made of, so
// that no expectation is passed over.
func Load(directory string) ([]*File, error) {
	names, err := filepath.Glob(filepath.Join(directory, "*.json"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s has no vectors: no file ends in .json", directory)
	}
	var files []*File
	var errs []error
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		f, err := Parse(filepath.Base(name), content)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		files = append(files, f)
	}
	return files, errors.Join(errs...)
}

// Parse decodes one file.
func Parse(name string, content []byte) (*File, error) {
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(content, &parts); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f := &File{Name: name}
	for part, into := range map[string]any{
		"format": &f.Format, "fixture": &f.Fixture, "initial": &f.Initial, "sequences": &f.Sequences,
	} {
		if parts[part] == nil {
			continue
		}
		if err := strict(parts[part], into); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", name, part, err)
		}
	}
	if f.Format != 1 {
		return nil, fmt.Errorf("%s: format %d is not known; this harness reads format 1", name, f.Format)
	}
	seen := map[string]bool{}
	for i := range f.Sequences {
		v := &f.Sequences[i]
		if seen[v.ID] || v.ID == "" {
			return nil, fmt.Errorf("%s: sequence %d: its id %q is empty or taken", name, i, v.ID)
		}
		seen[v.ID] = true
		if err := v.check(); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", name, v.ID, err)
		}
	}
	return f, nil
}

func strict(content []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the value")
	}
	return nil
}

// check looks for what could only fail, or pass, by mistake.
func (v *Vector) check() error {
	for i := range v.Steps {
		kind, err := v.Steps[i].Kind()
		if err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
		for _, e := range v.Steps[i].expectations() {
			if e.SameAs != nil && (*e.SameAs < 0 || *e.SameAs >= i) {
				return fmt.Errorf("step %d: sameAs %d is not an earlier step", i, *e.SameAs)
			}
		}
		for _, send := range v.Steps[i].requests() {
			if _, _, err := send.Content(); err != nil {
				return fmt.Errorf("step %d: %s: %w", i, kind, err)
			}
		}
	}
	for _, mode := range v.Modes {
		if mode != "tx" && mode != "lease" {
			return fmt.Errorf("mode %q is neither tx nor lease", mode)
		}
	}
	return nil
}

// TestName is the name of the vector's test: its id and title.
func (v *Vector) TestName() string {
	return v.ID + "_" + strings.Map(func(r rune) rune {
		if r == '/' {
			return '-'
		}
		return r
	}, v.Title)
}

// Root finds the directory of go.mod, upwards from the working directory.
func Root() (string, error) {
	at, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at, nil
		}
		up := filepath.Dir(at)
		if up == at {
			return "", errors.New("no go.mod here or above")
		}
		at = up
	}
}
