package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/examples/petstore/api"
	"github.com/idemgen/idemgen/examples/petstore/api/idemtest"
	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/contract"
	"github.com/idemgen/idemgen/runtime/etag"
)

// TestContract: the service keeps what openapi.yaml promises of a pet.
func TestContract(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			idemtest.RunPet(t, serverOf(open(t), func(s service) api.Service { return &s }), seeds, bodies)
		})
	}
}

// TestContract_Mistakes: a service that makes one of the usual mistakes does not
// pass, on any database.
func TestContract_Mistakes(t *testing.T) {
	for name, open := range stores {
		for mistake, c := range map[string]struct {
			service func(service) api.Service
			rule    string
		}{
			"the statement has no version": {func(s service) api.Service { return &forgetful{s} }, "a stale tag is refused"},
			"the new version is guessed":   {func(s service) api.Service { return &guessing{s} }, "a list of tags matches"},
		} {
			t.Run(name+"/"+mistake, func(t *testing.T) {
				found := idemtest.CheckPet(t, serverOf(open(t), c.service), seeds, bodies)
				for _, v := range found {
					if v.Operation == "replacePet" && strings.HasPrefix(v.Rule, c.rule) {
						return
					}
				}
				t.Errorf("nothing was found by %q: %v", c.rule, found)
			})
		}
	}
}

// serverOf makes servers on one database.
func serverOf(name string, implement func(service) api.Service) contract.NewServer {
	return func(tb testing.TB, options ...idem.Option) http.Handler {
		tb.Helper()
		db, err := openDatabase(tb.Context(), name)
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() {
			if err := db.close(); err != nil {
				tb.Error(err)
			}
		})
		handler, err := api.NewHandler(implement(service{reader: db.reader, dialect: db.dialect}), append([]idem.Option{
			idem.WithStore(db.store), idem.WithMiddleware(exampleAccounts().authenticate), idem.WithScope(scope), idem.WithLogger(nil),
		}, options...)...)
		if err != nil {
			tb.Fatal(err)
		}
		return handler
	}
}

var seeds = contract.Seeds{
	Auth: func(r *http.Request) { r.Header.Set("X-Api-Key", "whiskers-key") },
	Create: func(tb testing.TB, c *contract.Client) contract.Params {
		tb.Helper()
		a := c.Send(tb, "POST", "/pets", contract.JSON(api.PetInput{Name: "Tom", Kind: api.Cat}), "Idempotency-Key", rand.Text())
		id, ok := strings.CutPrefix(a.Header.Get("Location"), "/pets/")
		if !ok {
			tb.Fatalf("create a pet: %d %s", a.Status, a.Body)
		}
		return contract.Params{"petId": id}
	},
}

var bodies = idemtest.PetBodies{
	ReplacePet: func(n int) contract.Body {
		return contract.JSON(api.PetInput{Name: fmt.Sprint("Tom ", n), Kind: api.Cat})
	},
	UpdatePet: func(n int) contract.Body { return contract.JSON(map[string]string{"name": fmt.Sprint("Kit ", n)}) },
}

// forgetful asks for the versions, and its statement does not.
type forgetful struct{ service }

func (s *forgetful) ReplacePet(ctx context.Context, req api.ReplacePetRequestObject, expect etag.Match[api.PetVersion]) (api.ReplacePetResult, error) {
	_ = expect.Versions()
	p, err := scanPet(s.conn(ctx).QueryRowContext(ctx,
		`UPDATE pets SET name = $1, kind = $2, version = version + 1 WHERE id = $3 RETURNING `+petColumns,
		req.Body.Name, req.Body.Kind, req.PetId))
	if err != nil {
		return nil, err
	}
	return api.ReplacePet200(expect.Applied(api.PetVersion(p.Version)), p), nil
}

// guessing answers with the version that it expects to have made.
type guessing struct{ service }

func (s *guessing) ReplacePet(ctx context.Context, req api.ReplacePetRequestObject, expect etag.Match[api.PetVersion]) (api.ReplacePetResult, error) {
	p, err := s.savePet(ctx, req.PetId, &req.Body.Name, &req.Body.Kind, expect)
	if err != nil {
		return nil, err
	}
	guess := expect.Versions()[0] + 1
	return api.ReplacePet200(expect.Applied(guess), p), nil
}
