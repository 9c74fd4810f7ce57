package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/diag"
)

// choices are the flags that select and override the configuration.
type choices struct {
	config, spec, dir, pkg string
	overlays               []string
}

// register adds the flags that every command which reads a document has.
func (c *choices) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&c.config, "config", "", "configuration `file` (default: the nearest idemgen.yaml; env IDEMGEN_CONFIG)")
	flags.StringVar(&c.spec, "spec", "", "OpenAPI `file`, instead of the configured one; - is standard input")
	flags.StringArrayVar(&c.overlays, "overlay", nil, "OpenAPI overlay `file` for the document, instead of the configured ones; repeat it for several")
}

// slashes gives files the form that the generator and its messages have.
func (c *choices) slashes() {
	if c.spec == "-" {
		c.spec = stdinName
	}
	c.spec, c.dir = filepath.ToSlash(c.spec), filepath.ToSlash(c.dir)
	for i, name := range c.overlays {
		c.overlays[i] = filepath.ToSlash(name)
	}
}

// overrides reports whether a flag changes what a package of the file says.
func (c choices) overrides() bool { return c.spec+c.dir+c.pkg != "" || len(c.overlays) > 0 }

// fromStdin lets the argument - name the document.
func fromStdin(c *choices, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case args[0] != "-":
		return fmt.Errorf("unexpected argument %q; name the document with --spec", args[0])
	case c.spec != "":
		return errors.New("--spec and - both name the document")
	}
	c.spec = "-"
	return nil
}

// configure returns the configuration: the file that --config or IDEMGEN_CONFIG
// names, else the nearest idemgen.yaml, else what the flags say alone. Flags
// override the file.
func configure(c choices, d *disk) (*generator.Config, diag.List, error) {
	c.slashes()
	name := c.config
	if name == "" {
		name = os.Getenv("IDEMGEN_CONFIG")
	}
	if name == "" && c.spec == stdinName {
		return alone(c)
	}
	if name == "" {
		found, err := findUp(generator.ConfigName)
		switch {
		case err == nil:
			name = found
		case !errors.Is(err, fs.ErrNotExist):
			return nil, nil, err
		case c.spec != "":
			return alone(c)
		default:
			return nil, nil, fmt.Errorf("no %s here or in a directory above; write one with idemgen init, or name a document with --spec", generator.ConfigName)
		}
	}
	name = filepath.ToSlash(name)
	content, err := d.read(name)
	if err != nil {
		return nil, nil, err
	}
	config, errs := generator.ParseConfig(name, content)
	if config == nil || !c.overrides() {
		return config, errs, nil
	}
	if len(config.Packages) != 1 {
		return nil, errs, fmt.Errorf("--spec, --overlay, --dir and --package override one package, but %s has %d", name, len(config.Packages))
	}
	p := &config.Packages[0]
	if c.spec != "" {
		p.Spec = c.spec
	}
	if len(c.overlays) > 0 {
		p.Overlays = c.overlays
	}
	if c.dir != "" {
		p.Output.Dir = c.dir
	}
	if c.pkg != "" {
		p.Output.Package = c.pkg
	}
	return config, append(errs, p.Finish(diag.Pos{File: "--package"})...), nil
}

// alone makes a configuration of flags.
func alone(c choices) (*generator.Config, diag.List, error) {
	c.slashes()
	p := generator.Package{Spec: c.spec, Overlays: c.overlays, Output: generator.Output{Dir: c.dir, Package: c.pkg}}
	errs := p.Finish(diag.Pos{File: "--package"})
	return &generator.Config{Version: 1, Packages: []generator.Package{p}}, errs, nil
}

// findUp returns the slash-separated name, relative to the working directory,
// of the nearest file called base.
func findUp(base string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for prefix := ""; ; prefix = path.Join(prefix, "..") {
		name := path.Join(prefix, base)
		if _, err := os.Stat(filepath.FromSlash(name)); !errors.Is(err, fs.ErrNotExist) {
			return name, err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fs.ErrNotExist
		}
		dir = parent
	}
}
