package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/plan"
)

type specFlags struct {
	choices
	output string
	check  bool
}

func newSpec() *cobra.Command {
	var f specFlags
	cmd := &cobra.Command{
		Use:   "spec [-]",
		Short: "Print the document that clients read",
		Long: `Spec prints the OpenAPI document for clients, mocks and documentation: the
source, and with every annotated operation what its policies mean on the wire.

  x-idempotency: required   the header Idempotency-Key; 400, 403, 409, 413, 503;
                            Idempotent-Replayed with successful answers
  x-etag: Pet               If-Match or If-None-Match; 304 or 400, 404, 412, 428;
                            ETag with successful answers

What the document declares already is left alone. Order, comments and quotes are
kept, JSON stays JSON, and the annotations stay. Do not generate from the result:
the server's document is the source. A document with overlays is written anew:
order, comments, quotes and blocks of text stay, but blank lines are lost, and
brackets become blocks.

A document of several files is written into a directory: -o public/.
With - the document is read from standard input.`,
		Example: `  idemgen spec -o public/openapi.yaml
  idemgen spec -o public/openapi.yaml --check
  idemgen spec - < openapi.yaml > public.yaml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := fromStdin(&f.choices, args); err != nil {
				return err
			}
			return spec(cmd, f)
		},
	}
	f.register(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.output, "output", "o", "-", "`file` or directory to write, - for standard output")
	flags.BoolVar(&f.check, "check", false, "write nothing; print a diff and exit with 1 when the output is not up to date")
	return cmd
}

func spec(cmd *cobra.Command, f specFlags) error {
	if f.check && f.output == "-" {
		return errors.New("--check compares with what is on the disk; name it with -o")
	}
	d := newDisk(cmd.InOrStdin())
	config, errs, err := published(f.choices, d)
	if err != nil {
		return err
	}
	if err := report(cmd, errs, d); err != nil {
		return err
	}
	packages, errs := generator.Look(config, d.read)
	if err := report(cmd, errs, d); err != nil {
		return err
	}
	docs, errs := generator.Publish(packages)
	if err := report(cmd, errs, d); err != nil {
		return err
	}
	if f.output == "-" {
		files := docs[0].Files
		if len(files) > 1 {
			return fmt.Errorf("the document has %s; write them into a directory with -o public/", count(len(files), "file"))
		}
		_, err := cmd.OutOrStdout().Write(files[0].Content)
		return err
	}
	files, err := placed(docs[0].Files, f.output)
	if err != nil {
		return err
	}
	changes, err := compare(files)
	if err != nil {
		return err
	}
	if err := d.spared(changes); err != nil {
		return err
	}
	if f.check {
		return check(cmd, changes, "idemgen spec -o "+f.output)
	}
	n, err := write(changes)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s; %s\n", summary([]*plan.API{packages[0].Plan}), written(n, len(changes)))
	return nil
}

// published returns a configuration with the one document to publish.
func published(c choices, d *disk) (*generator.Config, diag.List, error) {
	if c.spec != "" {
		return alone(c)
	}
	config, errs, err := configure(c, d)
	if config == nil || err != nil {
		return config, errs, err
	}
	for _, p := range config.Packages {
		if p.Spec != config.Packages[0].Spec {
			return nil, errs, fmt.Errorf("the configuration has %s; choose one document with --spec", count(len(config.Packages), "package"))
		}
	}
	config.Packages = config.Packages[:1]
	return config, errs, nil
}

// placed gives the files of a document the names under which they are written:
// output itself, or their places below it when it is a directory.
func placed(files []generator.File, output string) ([]generator.File, error) {
	info, err := os.Stat(output)
	isDir := err == nil && info.IsDir() || os.IsPathSeparator(output[len(output)-1])
	root := files[0].Name
	switch {
	case !isDir && len(files) > 1:
		return nil, fmt.Errorf("the document has %s; -o must name a directory, such as %s/", count(len(files), "file"), filepath.ToSlash(output))
	case root == stdinName && (isDir || len(files) > 1):
		return nil, errors.New("a document from standard input has no name; name the file with -o, or the document with --spec")
	}
	var list []generator.File
	for _, f := range files {
		name := filepath.ToSlash(output)
		if isDir {
			below, err := filepath.Rel(filepath.FromSlash(path.Dir(root)), filepath.FromSlash(f.Name))
			if below = filepath.ToSlash(below); err != nil || below == ".." || strings.HasPrefix(below, "../") {
				return nil, fmt.Errorf("%s lies outside the directory of %s and has no place below %s; move it there, or bundle the document first", f.Name, root, output)
			}
			name = path.Join(name, below)
		}
		list = append(list, generator.File{Name: name, Content: f.Content})
	}
	return list, nil
}
