package generator_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/propose"
	"github.com/idemgen/idemgen/generator/source"
)

// TestProposal_RoundTrip: what init --overlay proposes for a document without
// annotations applies, generates, and leaves nothing to propose. The documents are
// those of this repository with their annotations taken away, by an overlay as well.
func TestProposal_RoundTrip(t *testing.T) {
	var specs []string
	for _, pattern := range []string{"../examples/*/openapi.yaml", casesDir + "/*/openapi.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		specs = append(specs, found...)
	}
	total := 0
	for _, spec := range specs {
		name := filepath.Base(filepath.Dir(spec))
		if isBad(name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			total += roundTrip(t, filepath.ToSlash(spec), routerOf(name))
		})
	}
	if total < 40 {
		t.Errorf("%d proposals for %d documents", total, len(specs))
	}
}

// roundTrip returns how many operations of a document got a proposal.
func roundTrip(t *testing.T, spec, router string) int {
	t.Helper()
	texts := map[string][]byte{}
	read := func(name string) ([]byte, error) {
		if text, ok := texts[name]; ok {
			return text, nil
		}
		if strings.HasPrefix(name, "<") {
			return nil, fs.ErrNotExist
		}
		return os.ReadFile(filepath.FromSlash(name))
	}
	var overlays []string
	propose := func() (propose.Proposals, *policy.Document) {
		doc, errs := source.Load(spec, read, overlays...)
		fatal(t, errs)
		policies, errs := policy.Read(doc)
		fatal(t, errs)
		return propose.Propose(doc, policies), policies
	}

	content, err := read(spec)
	if err != nil {
		t.Fatal(err)
	}
	if strip := stripped(string(content)); strip != "" {
		texts["<strip>"], overlays = []byte(strip), append(overlays, "<strip>")
	}
	proposals, policies := propose()
	for _, o := range policies.Operations {
		inRoot := strings.HasPrefix(o.Op.Pointer, "/") // elsewhere an overlay does not reach
		if inRoot && (o.Idempotency != nil || o.ETag != nil || o.Exempt) {
			t.Fatalf("%s %s is annotated before anything was proposed", o.Op.Method, o.Op.Path)
		}
	}
	overlay := proposals.Overlay()
	if overlay == nil {
		return 0
	}
	texts["<proposal>"], overlays = overlay, append(overlays, "<proposal>")
	again, _ := propose()
	for _, p := range again.List {
		if p.Pointer != "" { // what is written in another file is out of reach
			t.Errorf("%s is undecided with what was proposed for it", p.Operation)
		}
	}
	project, errs := generator.Open(&generator.Config{Version: 1, Packages: []generator.Package{{
		Spec: spec, Overlays: overlays, Router: router, Output: generator.Output{Dir: "api", Package: "api"},
	}}}, read)
	fatal(t, errs)
	files, errs := generator.Generate(project)
	fatal(t, errs)
	if len(files) != 2 {
		t.Errorf("%d files", len(files))
	}
	return len(proposals.List)
}

// stripped is an overlay that takes all annotations out of a document.
func stripped(document string) string {
	text := ""
	for _, name := range []string{"x-idempotency", "x-etag"} {
		if strings.Contains(document, name+":") {
			text += "  - {target: \"$..['" + name + "']\", remove: true}\n"
		}
	}
	if text == "" {
		return ""
	}
	return "overlay: 1.1.0\ninfo: {title: Nothing decided, version: '1'}\nactions:\n" + text
}

func fatal(t *testing.T, errs diag.List) {
	t.Helper()
	for _, e := range errs {
		if e.Severity == diag.Error {
			t.Fatal(e)
		}
	}
}
