package plan

import (
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/source"
)

// planByTag plans paths with a GET of a tag each; tags[i] is that of /i.
func planByTag(t *testing.T, byTag bool, tags ...string) (*API, diag.List) {
	t.Helper()
	var b strings.Builder
	b.WriteString("openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths:\n")
	for i, tag := range tags {
		path := string(rune('a' + i))
		b.WriteString("  /" + path + ":\n    get: {operationId: get" + path + ", tags: " + tag + ", responses: {'204': {description: d}}}\n")
	}
	doc, errs := source.Load("o.yaml", func(string) ([]byte, error) { return []byte(b.String()), nil })
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	policies, errs := policy.Read(doc)
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	return Build(doc, policies, Target{Package: "api", Source: "o.yaml", Router: "std", ByTag: byTag})
}

func TestBuild_Parts(t *testing.T) {
	api, errs := planByTag(t, true, "[zoo]", "[big cats, zoo]", "[zoo]", "[]")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if len(api.Parts) != 2 || api.Parts[0] != (Part{"BigCatsService", "big cats"}) || api.Parts[1] != (Part{"ZooService", "zoo"}) {
		t.Errorf("parts %+v", api.Parts)
	}
	for i, want := range []string{"ZooService", "BigCatsService", "ZooService", ""} {
		if got := api.Operations[i].Part; got != want {
			t.Errorf("operation %d is in %q, want %q", i, got, want)
		}
	}
	if api, _ := planByTag(t, false, "[zoo]"); len(api.Parts) > 0 || api.Operations[0].Part != "" {
		t.Errorf("unasked for: %+v", api)
	}
}

func TestBuild_PartsWithOneName(t *testing.T) {
	_, errs := planByTag(t, true, "[big-cats]", "[big cats]")
	want := `o.yaml:7:5: IDM040: split by tags: the tags "big-cats" and "big cats" both get the Go name BigCatsService`
	if errs.Errors() != 1 || errs[0].Error() != want || errs[0].Fix != "tags: [big-cats]" {
		t.Errorf("got %v, want %s", errs, want)
	}
}

// The name of an interface is one that nothing else may have.
func TestBuild_PartsAreIdentifiers(t *testing.T) {
	api, _ := planByTag(t, true, "[big cats]")
	errs := CheckDeclared(api.Identifiers(), []string{"BigCatsService"}, func(string) diag.Pos { return diag.Pos{} })
	if errs.Errors() != 1 || !strings.HasPrefix(errs[0].Error(), "o.yaml:5:5: ") || !strings.Contains(errs[0].Message, "tag big cats needs the Go name BigCatsService") {
		t.Errorf("got %v", errs)
	}
}
