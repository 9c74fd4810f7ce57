package publish_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/publish"
	"github.com/idemgen/idemgen/generator/source"
)

// TestPublish_RealSpecs publishes real descriptions as if most operations were
// annotated: what was valid remains valid, and nothing is lost. The directory is
// named by IDEMGEN_CORPUS; without it, and without a shared checkout beside the
// module, there is nothing to read.
func TestPublish_RealSpecs(t *testing.T) {
	dir, most := os.Getenv("IDEMGEN_CORPUS"), int64(1)<<30
	if dir == "" {
		// The large ones take minutes to validate and have nothing new in them.
		dir, most = filepath.Join("..", "..", "..", "shared", "specs"), 1<<18
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Skip("set IDEMGEN_CORPUS to a directory of OpenAPI documents to publish them")
	}
	done, valid := 0, 0
	for _, e := range entries {
		info, err := e.Info()
		ext := filepath.Ext(e.Name())
		if err != nil || info.Size() > most || ext != ".json" && ext != ".yaml" && ext != ".yml" {
			continue
		}
		t.Run(e.Name(), func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			before := files{e.Name(): string(text)}
			out, refused := publishAll(t, e.Name(), before)
			if out == "" {
				t.Skip(refused)
			}
			done++
			keeps(t, e.Name(), string(text), out)
			if again, _ := publishAll(t, e.Name(), files{e.Name(): out}); again != out {
				t.Errorf("published twice it changes:\n%.2000s", diff(out, again))
			}
			if strict(text) != nil {
				return
			}
			valid++
			if err := strict([]byte(out)); err != nil {
				t.Errorf("the published document is not valid: %.2000v", err)
			}
		})
	}
	t.Logf("%d documents published, %d of them strictly valid", done, valid)
	if done == 0 {
		t.Error("nothing was published")
	}
}

// publishAll publishes a document with policies on most operations; every third
// one has none, so that shared responses must be told apart.
func publishAll(t *testing.T, name string, f files) (out, refused string) {
	t.Helper()
	doc, findings := source.Load(name, f.read)
	if doc == nil || findings.Errors() > 0 {
		return "", "it does not load"
	}
	policies, _ := policy.Read(doc)
	api, _ := plan.Build(doc, policies, plan.Target{Package: "api", Source: name, Router: "std"})
	for i := range api.Operations {
		o := &api.Operations[i]
		switch {
		case i%3 == 2:
		case o.Method == "GET":
			o.Precondition = &plan.Precondition{Resource: "R", Role: "read", NotModified: true}
		case o.Method == "POST":
			o.Idempotency = idempotency()
		default:
			o.Precondition = &plan.Precondition{Resource: "R", Role: "update", Require: []string{"ifMatch"}, Missing: "auto"}
			o.Idempotency = idempotency()
		}
	}
	list, errs := publish.Publish(doc, api)
	if errs.Errors() > 0 {
		return "", errs[0].Message
	}
	return string(list[0].Content), ""
}

func idempotency() *plan.Idempotency {
	return &plan.Idempotency{
		Required: true, Scope: []string{"tenant", "operation"}, MismatchStatus: 409, OnStoreError: "reject", Rollout: "enforce",
		Key:    plan.Key{Header: "Idempotency-Key", MinLength: 1, MaxLength: 255},
		Replay: plan.Replay{Marker: "Idempotent-Replayed"},
	}
}

// strict validates a document with kin-openapi, examples and all.
func strict(text []byte) (err error) {
	loader := &openapi3.Loader{Context: context.Background()}
	t, err := loader.LoadFromData(text)
	if err != nil {
		return err
	}
	return t.Validate(context.Background(), openapi3.EnableMultiError())
}
