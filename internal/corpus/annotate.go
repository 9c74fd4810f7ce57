package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/source"
)

// annotate makes a directory in which idemgen can work on a document of others:
// an overlay with x-idempotency wherever it can be, and x-etag on what is both
// read and written, and an idemgen.yaml that leaves out what cannot be served.
func annotate(dir, name, to string) error {
	f, err := openForeign(settings{dir: dir, router: "std"}, name)
	if err != nil {
		return err
	}
	doc, errs := f.load()
	if doc == nil || errs.Errors() > 0 {
		return errors.New(first(errs))
	}
	o := &outcome{reasons: map[string]int{}}
	plain, excluded, untagged := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for range rounds {
		text, actions := annotations(doc, plain, excluded)
		tags, homes := tagActions(doc, untagged, strings.Count(text, "\n"))
		f.texts[overlayName] = []byte(text + tags)
		config := f.config(overlayName, slices.Sorted(maps.Keys(excluded)))
		project, errs := generator.Open(config, f.read)
		if project != nil {
			return f.settle(filepath.Join(to, name), filepath.Join(dir, name), config.Packages[0].Operations.Exclude)
		}
		errs = slices.DeleteFunc(errs, func(e diag.Diagnostic) bool {
			home, ok := homes[e.Pos.Line]
			if ok = ok && e.Pos.File == overlayName; ok {
				untagged[home] = true
			}
			return ok
		})
		if !o.yield(doc, errs, actions, plain, excluded) {
			return errors.New(first(errs))
		}
	}
	return fmt.Errorf("not within %d rounds", rounds)
}

// tagActions are the actions that put x-etag on path items whose resource is
// read and written, and tells which path each line is about; the first of them
// stands behind line after.
func tagActions(doc *source.Document, untagged map[string]bool, after int) (string, map[int]string) {
	var b strings.Builder
	about := map[int]string{}
	methods := map[string][]string{}
	for _, op := range doc.Ops {
		methods[op.Path] = append(methods[op.Path], op.Method)
	}
	for _, op := range doc.Ops {
		if op.Method != "GET" || op.Item.Key() != op.Path || !strings.HasSuffix(op.Path, "}") || untagged[op.Path] ||
			!slices.Contains(methods[op.Path], "PUT") && !slices.Contains(methods[op.Path], "PATCH") {
			continue
		}
		about[after+1], about[after+2] = op.Path, op.Path
		fmt.Fprintf(&b, "  - target: %s\n    update: {x-etag: {resource: Tagged%d, strategy: handler}}\n", target(op.Path), after)
		after += 2
	}
	return b.String(), about
}

// settle writes the directory.
func (f *foreign) settle(dir, spec string, excluded []generator.Name) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	spec, err := filepath.Abs(spec)
	if err != nil {
		return err
	}
	files := map[string]string{overlayName: "overlay.yaml", repairName: "repair.yaml"}
	var overlays []string
	for _, name := range f.overlays(overlayName) {
		overlays = append(overlays, files[name])
		if err := os.WriteFile(filepath.Join(dir, files[name]), f.texts[name], 0o644); err != nil {
			return err
		}
	}
	lines := []string{
		"version: 1", "packages:", "  - spec: " + strconv.Quote(filepath.ToSlash(spec)),
		"    overlays: [" + strings.Join(overlays, ", ") + "]", "    output: {dir: ., package: generated}",
	}
	if len(excluded) > 0 {
		lines = append(lines, "    operations:", "      exclude:")
	}
	for _, name := range excluded {
		lines = append(lines, "        - "+strconv.Quote(name.Text))
	}
	return os.WriteFile(filepath.Join(dir, generator.ConfigName), []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}
