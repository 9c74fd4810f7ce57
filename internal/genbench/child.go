//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/format"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/util"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/goapi"
	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/source"
	"github.com/idemgen/idemgen/generator/wiring"
)

// The candidates. checked is not measured: it looks whether what theirs wrote
// declares every name once, which is as far as one sees without a compiler.
const (
	ours    = "idemgen"
	theirs  = "oapi-codegen"
	bare    = "oapi-codegen with go/format"
	checked = "oapi-codegen, its code checked"
)

// cost is what a child took.
type cost struct {
	Wall, CPU, Peak float64            // in seconds, and bytes
	Stages          map[string]float64 // seconds
}

func wall(c *cost) float64 { return c.Wall }
func cpu(c *cost) float64  { return c.CPU }
func peak(c *cost) float64 { return c.Peak }

// median is of one figure of all rounds.
func median(list []*cost, figure func(*cost) float64) float64 {
	var all []float64
	for _, c := range list {
		all = append(all, figure(c))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// ratio is the median of the ratios within a round.
func ratio(list, base []*cost, figure func(*cost) float64) float64 {
	var all []float64
	for i := range list {
		all = append(all, figure(list[i])/figure(base[i]))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// run runs a candidate in a process of its own.
func run(candidate, document, work string) (*cost, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var out, errs bytes.Buffer
	cmd := exec.Command(self, "-candidate", candidate, document, work)
	cmd.Stdout, cmd.Stderr = &out, &errs
	start := time.Now()
	if err := cmd.Run(); err != nil {
		line, _, _ := strings.Cut(errs.String(), "\n")
		return nil, errors.New(strings.TrimPrefix(line, "genbench: "))
	}
	c := &cost{Wall: time.Since(start).Seconds()}
	if err := json.Unmarshal(out.Bytes(), &c.Stages); err != nil {
		return nil, err
	}
	state := cmd.ProcessState
	c.CPU = (state.UserTime() + state.SystemTime()).Seconds()
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return nil, errors.New("this system does not say how much memory a process took")
	}
	c.Peak = float64(usage.Maxrss)
	if runtime.GOOS == "linux" {
		c.Peak *= 1024
	}
	return c, nil
}

// clock notes how much of the processors stages take: what else runs on the machine
// changes that less than the time on the wall.
type clock struct {
	last   float64
	stages map[string]float64
}

func (c *clock) done(stage string) {
	now := processors()
	c.stages[stage] += now - c.last
	c.last = now
}

// processors is what this process took of them so far, in seconds.
func processors() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

// child runs a candidate and prints what its stages took.
func child(out io.Writer, candidate, document, work string) error {
	c := &clock{last: processors(), stages: map[string]float64{}}
	var err error
	switch candidate {
	case ours:
		debug.SetGCPercent(generator.GCPercent) // as its command does
		err = c.idemgen(document, work)
	case theirs, bare, checked:
		err = c.oapiCodegen(candidate, document, work)
	default:
		err = fmt.Errorf("no candidate %q", candidate)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(c.stages)
}

// oapiCodegen does what oapi-codegen's command does.
func (c *clock) oapiCodegen(candidate, document, work string) error {
	doc, err := util.LoadSwagger(document)
	if err != nil {
		return err
	}
	c.done("load")
	config := codegen.Configuration{
		PackageName:   "api",
		Generate:      codegen.GenerateOptions{Models: true, Strict: true, StdHTTPServer: true},
		OutputOptions: codegen.OutputOptions{SkipFmt: candidate == bare},
	}
	code, err := codegen.Generate(doc, config)
	if err != nil {
		return err
	}
	c.done("generate")
	switch candidate {
	case checked:
		_, err := parser.ParseFile(token.NewFileSet(), "api.gen.go", code, parser.DeclarationErrors)
		return err
	case bare:
		// What formatting costs without a search for imports.
		if _, err := format.Source([]byte(code)); err != nil {
			return err
		}
		c.done("format")
	}
	return os.WriteFile(filepath.Join(work, "theirs.gen.go"), []byte(code), 0o600)
}

// idemgen does what idemgen generate does, one stage after the other.
func (c *clock) idemgen(document, work string) error {
	doc, errs := source.Load(document, os.ReadFile)
	c.done("load")
	if err := first(errs); err != nil {
		return err
	}
	policies, errs := policy.Read(doc)
	api, more := plan.Build(doc, policies, plan.Target{Package: "api", Source: filepath.Base(document), Router: "std"})
	c.done("plan")
	if err := first(append(errs, more...)); err != nil {
		return err
	}
	code, errs := goapi.Generate(doc, api, goapi.Options{}, generator.Version)
	c.done("goapi")
	if err := first(errs); err != nil {
		return err
	}
	glue, errs := wiring.Generate(api, code, generator.Version, func(string) diag.Pos { return diag.Pos{} })
	if err := first(errs); err != nil {
		return err
	}
	err := errors.Join(os.WriteFile(filepath.Join(work, "api.gen.go"), code.Source, 0o600),
		os.WriteFile(filepath.Join(work, "idem.gen.go"), glue, 0o600))
	c.done("wiring")
	return err
}

// first is the first error among findings.
func first(errs diag.List) error {
	for _, e := range errs {
		if e.Severity == diag.Error {
			return e
		}
	}
	return nil
}
