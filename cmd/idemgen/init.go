package main

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/mod/modfile"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/scaffold"
)

func newInit() *cobra.Command {
	var overlay, output, router string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Start a project: configuration, document, server",
		Long: `Init writes what a project needs to run, in the working directory: idemgen.yaml,
a sample openapi.yaml unless there is a document, the generated package, main.go
and an implementation in which every method answers 501. Files that exist are
never overwritten.

The next commands are printed: they add idemgen to go.mod, and start the server.

With --overlay it writes nothing of that: it reads a document that belongs to
somebody else and proposes an OpenAPI Overlay that annotates every operation
which changes something, each with its reason as a comment. Keys are taken from
what the document calls an idempotency key, never from a name like X-Request-ID.`,
		Example: `  go mod init example.com/shop
  idemgen init
  idemgen init --overlay vendor.json -o vendor.overlay.yaml`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case router != "" && !slices.Contains(plan.RouterNames(), router):
				return fmt.Errorf("--router %s is not offered; these are: %s", router, strings.Join(plan.RouterNames(), ", "))
			case overlay != "" && router != "":
				return errors.New("--router is of a project, and --overlay starts none")
			case overlay != "":
				return proposeOverlay(cmd, overlay, output)
			case output != "":
				return errors.New("-o names the overlay that --overlay proposes")
			}
			return initProject(cmd, router)
		},
	}
	cmd.Flags().StringVar(&router, "router", "", "`router` to generate for: "+strings.Join(plan.RouterNames(), ", "))
	cmd.Flags().StringVar(&overlay, "overlay", "", "propose an overlay for this OpenAPI `file`")
	cmd.Flags().StringVarP(&output, "output", "o", "", "`file` for the overlay, which must not exist (default standard output)")
	return cmd
}

func initProject(cmd *cobra.Command, router string) error {
	d := newDisk(cmd.InOrStdin())
	module, err := importPath()
	if err != nil {
		return err
	}
	p := scaffold.Project{Version: generator.Version, Spec: document(), Dir: "internal/api", Package: "api", Router: router}
	// What does not exist yet is put where read looks first, so that the
	// project is checked before anything is written.
	if err := d.provide(generator.ConfigName, func() ([]byte, error) { return scaffold.Config(p) }); err != nil {
		return err
	}
	config, errs := generator.ParseConfig(generator.ConfigName, d.files[generator.ConfigName])
	if err := report(cmd, errs, d); err != nil {
		return err
	}
	if len(config.Packages) != 1 {
		return fmt.Errorf("init starts one package, but %s has %d", generator.ConfigName, len(config.Packages))
	}
	pkg := config.Packages[0]
	if router != "" && router != pkg.Router {
		return fmt.Errorf("%s has router: %s; change it there", generator.ConfigName, pkg.Router)
	}
	if err := d.provide(pkg.Spec, scaffold.Document); err != nil {
		return err
	}
	p.Spec, p.Dir, p.Package = path.Base(pkg.Spec), pkg.Output.Dir, pkg.Output.Package
	p.Import = path.Join(module, pkg.Output.Dir)

	project, errs := generator.Open(config, d.read)
	if err := report(cmd, errs, d); err != nil {
		return err
	}
	generated, errs := generator.Generate(project)
	if err := report(cmd, errs, d); err != nil {
		return err
	}
	owned, err := d.scaffold(p, project.Plans()[0], pkg.Spec)
	if err != nil {
		return err
	}
	return start(cmd, owned, generated)
}

// provide makes a file available to read: as it is on the disk, or else as
// content makes it.
func (d *disk) provide(name string, content func() ([]byte, error)) error {
	_, err := d.read(name)
	if errors.Is(err, fs.ErrNotExist) {
		d.files[name], err = content()
	}
	return err
}

// scaffold returns the files that belong to the user.
func (d *disk) scaffold(p scaffold.Project, api *plan.API, spec string) ([]generator.File, error) {
	doc, docErr := scaffold.Doc(p)
	program, programErr := scaffold.Main(p)
	service, serviceErr := scaffold.Service(p, api)
	server := serverDir()
	return []generator.File{
		{Name: generator.ConfigName, Content: d.files[generator.ConfigName]},
		{Name: spec, Content: d.files[spec]},
		{Name: path.Join(p.Dir, "doc.go"), Content: doc},
		{Name: path.Join(server, "main.go"), Content: program},
		{Name: path.Join(server, "service.go"), Content: service},
	}, errors.Join(docErr, programErr, serviceErr)
}

// start writes the files that are missing, and the generated ones.
func start(cmd *cobra.Command, owned, generated []generator.File) error {
	changes, err := compare(owned)
	if err != nil {
		return err
	}
	var missing []change
	for _, c := range changes {
		if c.missing {
			missing = append(missing, c)
		} else {
			fmt.Fprintf(cmd.ErrOrStderr(), "kept   %s\n", c.Name)
		}
	}
	more, err := compare(generated)
	if err != nil {
		return err
	}
	if err := handWritten(more); err != nil {
		return err
	}
	for _, c := range more {
		if !c.same() {
			missing = append(missing, c)
		}
	}
	if _, err := write(missing); err != nil {
		return err
	}
	for _, c := range missing {
		fmt.Fprintf(cmd.ErrOrStderr(), "wrote  %s\n", c.Name)
	}
	program := path.Dir(owned[3].Name)
	if program != "." {
		program = "./" + program
	}
	fmt.Fprintf(cmd.ErrOrStderr(), `
next:
  go get -tool github.com/idemgen/idemgen/cmd/idemgen@v%s
  go mod tidy
  go run %s
`, generator.Version, program)
	return nil
}

// document returns the name of the document to use.
func document() string {
	for _, name := range []string{"openapi.yaml", "openapi.yml", "openapi.json"} {
		if _, err := os.Stat(name); err == nil {
			return name
		}
	}
	return "openapi.yaml"
}

// importPath returns the import path of the working directory.
func importPath() (string, error) {
	name, err := findUp("go.mod")
	if errors.Is(err, fs.ErrNotExist) {
		return "", errors.New("no go.mod here or in a directory above; start a module with go mod init example.com/name")
	}
	if err != nil {
		return "", err
	}
	content, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		return "", err
	}
	module := modfile.ModulePath(content)
	if module == "" {
		return "", fmt.Errorf("%s names no module", name)
	}
	root, err := filepath.Abs(filepath.FromSlash(path.Dir(name)))
	if err != nil {
		return "", err
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	below, err := filepath.Rel(root, here)
	return path.Join(module, filepath.ToSlash(below)), err
}

// serverDir returns the directory of the program: the working directory, unless
// another package lives there.
func serverDir() string {
	files, err := filepath.Glob("*.go")
	if err != nil {
		return "."
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.PackageClauseOnly)
		if err == nil && f.Name.Name != "main" && !strings.HasSuffix(name, "_test.go") {
			return "cmd/server"
		}
	}
	return "."
}
