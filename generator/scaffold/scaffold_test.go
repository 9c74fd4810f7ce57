package scaffold

import (
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator/plan"
)

var project = Project{Version: "1.2.3", Spec: "openapi.yaml", Dir: "internal/api", Package: "api", Import: "example.com/shop/internal/api"}

func text(t *testing.T) func([]byte, error) string {
	return func(content []byte, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
}

func TestConfig_NamesTheSchemaOfItsRelease(t *testing.T) {
	got := text(t)(Config(project))
	want := `# yaml-language-server: $schema=https://raw.githubusercontent.com/idemgen/idemgen/v1.2.3/generator/idemgen.schema.json
version: 1
packages:
  - spec: openapi.yaml
    output: {dir: internal/api, package: api}
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestService_HasEveryMethod(t *testing.T) {
	api := &plan.API{
		Resources: []plan.Resource{
			{Name: "Pet", Keyed: true, Version: "PetVersion", KeyType: "PetKey", Current: "CurrentPet"},
			{Name: "Unused", Current: "CurrentUnused"},
		},
		Operations: []plan.Operation{
			{ID: "list", Name: "List"},
			{ID: "get", Name: "Get", Precondition: &plan.Precondition{Resource: "Pet", Role: "read"}},
			{ID: "put", Name: "Put", Precondition: &plan.Precondition{Resource: "Pet", Role: "update", Expect: "match"}},
		},
	}
	got := text(t)(Service(project, api))
	for _, want := range []string{
		"\t\"example.com/shop/internal/api\"\n",
		"List(ctx context.Context, req api.ListRequestObject) (api.ListResponseObject, error) {\n\treturn nil, idem.NotImplemented(\"list\")",
		"Get(ctx context.Context, req api.GetRequestObject) (api.GetResult, error) {",
		"Put(ctx context.Context, req api.PutRequestObject, expect etag.Match[api.PetVersion]) (api.PutResult, error) {",
		"CurrentPet(ctx context.Context, key api.PetKey) (etag.Current[api.PetVersion], error) {",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("want %s in\n%s", want, got)
		}
	}
	if strings.Contains(got, "CurrentUnused") {
		t.Error("a method for a resource that Service does not have")
	}
	if plain := text(t)(Service(project, &plan.API{Operations: api.Operations[:1]})); strings.Contains(plain, "etag") {
		t.Errorf("etag is imported and not used:\n%s", plain)
	}
}

func TestMain_KeepsItsImportsApart(t *testing.T) {
	p := project
	p.Package, p.Import = "http", "example.com/shop/internal/v1"
	got := text(t)(Main(p))
	for _, want := range []string{`httpapi "example.com/shop/internal/v1"`, "httpapi.NewHandler(service{}"} {
		if !strings.Contains(got, want) {
			t.Errorf("want %s in\n%s", want, got)
		}
	}
}

func TestDoc_GeneratesWithTheToolOfTheModule(t *testing.T) {
	if got := text(t)(Doc(project)); !strings.Contains(got, "\n//go:generate go tool idemgen generate\n") || !strings.Contains(got, "\npackage api\n") {
		t.Errorf("got\n%s", got)
	}
}
