package generator_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	chirouter "github.com/go-chi/chi/v5"
	"github.com/gorilla/mux"

	"github.com/idemgen/idemgen/generator/plan"
	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"

	chi "github.com/idemgen/idemgen/generator/testdata/cases/routers/want/chi"
	gorilla "github.com/idemgen/idemgen/generator/testdata/cases/routers/want/gorilla"
)

// droplets is what the services of all routers do. Kinds are what an action is,
// as of now.
type droplets struct {
	version int64
	kinds   map[string]string
	heads   int
}

func (d *droplets) act(id, kind string) (location string) {
	action := fmt.Sprintf("%d", len(d.kinds)+1)
	d.kinds[action] = kind + " " + id
	return "/v1/actions/" + action + ".json"
}

// remove leaves a version behind that is told from the one it was.
func (d *droplets) remove(version int64) bool {
	if d.version != version {
		return false
	}
	d.version++
	return true
}

type chiDroplets struct{ *droplets }

func (s chiDroplets) GetDroplet(context.Context, chi.GetDropletRequestObject) (chi.GetDropletResult, error) {
	return chi.GetDroplet200(chi.DropletVersion(s.version), chi.Droplet{Version: s.version}), nil
}

func (s chiDroplets) DeleteDroplet(_ context.Context, _ chi.DeleteDropletRequestObject, expect etag.Match[chi.DropletVersion]) (chi.DeleteDropletResult, error) {
	if v, ok := expect.One(); !ok || !s.remove(int64(v)) {
		return nil, expect.NoMatch()
	}
	return chi.DeleteDroplet204(expect.Applied(chi.DropletVersion(s.version))), nil
}

func (s chiDroplets) CurrentDroplet(context.Context, chi.DropletKey) (etag.Current[chi.DropletVersion], error) {
	return etag.Found(chi.DropletVersion(s.version)), nil
}

func (s chiDroplets) Act(_ context.Context, req chi.ActRequestObject) (chi.ActResponseObject, error) {
	return chi.Act201JSONResponse{Body: *req.Body, Headers: chi.Act201ResponseHeaders{Location: s.act(req.Id, req.Body.Kind)}}, nil
}

func (s chiDroplets) GetPool(_ context.Context, req chi.GetPoolRequestObject) (chi.GetPoolResponseObject, error) {
	return chi.GetPool200TextResponse(fmt.Sprint("pool ", req.PoolId)), nil
}

func (s chiDroplets) HasPool(context.Context, chi.HasPoolRequestObject) (chi.HasPoolResponseObject, error) {
	s.droplets.heads++
	return chi.HasPool204Response{}, nil
}

func (s chiDroplets) GetActionText(_ context.Context, req chi.GetActionTextRequestObject) (chi.GetActionTextResponseObject, error) {
	return chi.GetActionText200TextResponse("text of " + req.Action), nil
}

func (s chiDroplets) GetAction(_ context.Context, req chi.GetActionRequestObject) (chi.GetActionResponseObject, error) {
	return chi.GetAction200JSONResponse{Kind: s.kinds[req.Action]}, nil
}

type gorillaDroplets struct{ *droplets }

func (s gorillaDroplets) GetDroplet(context.Context, gorilla.GetDropletRequestObject) (gorilla.GetDropletResult, error) {
	return gorilla.GetDroplet200(gorilla.DropletVersion(s.version), gorilla.Droplet{Version: s.version}), nil
}

func (s gorillaDroplets) DeleteDroplet(_ context.Context, _ gorilla.DeleteDropletRequestObject, expect etag.Match[gorilla.DropletVersion]) (gorilla.DeleteDropletResult, error) {
	if v, ok := expect.One(); !ok || !s.remove(int64(v)) {
		return nil, expect.NoMatch()
	}
	return gorilla.DeleteDroplet204(expect.Applied(gorilla.DropletVersion(s.version))), nil
}

func (s gorillaDroplets) CurrentDroplet(context.Context, gorilla.DropletKey) (etag.Current[gorilla.DropletVersion], error) {
	return etag.Found(gorilla.DropletVersion(s.version)), nil
}

func (s gorillaDroplets) Act(_ context.Context, req gorilla.ActRequestObject) (gorilla.ActResponseObject, error) {
	return gorilla.Act201JSONResponse{Body: *req.Body, Headers: gorilla.Act201ResponseHeaders{Location: s.act(req.Id, req.Body.Kind)}}, nil
}

func (s gorillaDroplets) GetPool(_ context.Context, req gorilla.GetPoolRequestObject) (gorilla.GetPoolResponseObject, error) {
	return gorilla.GetPool200TextResponse(fmt.Sprint("pool ", req.PoolId)), nil
}

func (s gorillaDroplets) HasPool(context.Context, gorilla.HasPoolRequestObject) (gorilla.HasPoolResponseObject, error) {
	s.droplets.heads++
	return gorilla.HasPool204Response{}, nil
}

func (s gorillaDroplets) GetActionText(_ context.Context, req gorilla.GetActionTextRequestObject) (gorilla.GetActionTextResponseObject, error) {
	return gorilla.GetActionText200TextResponse("text of " + req.Action), nil
}

func (s gorillaDroplets) GetAction(_ context.Context, req gorilla.GetActionRequestObject) (gorilla.GetActionResponseObject, error) {
	return gorilla.GetAction200JSONResponse{Kind: s.kinds[req.Action]}, nil
}

// routed are the packages of the case, by router, and how each is mounted below
// another router of its kind.
var routed = map[string]struct {
	create func(*droplets, ...idem.Option) (http.Handler, error)
	mount  func(prefix string, h http.Handler) http.Handler
}{
	"chi": {
		func(d *droplets, o ...idem.Option) (http.Handler, error) { return chi.NewHandler(chiDroplets{d}, o...) },
		func(prefix string, h http.Handler) http.Handler {
			r := chirouter.NewRouter()
			r.Mount(prefix, h)
			return r
		},
	},
	"gorilla": {
		func(d *droplets, o ...idem.Option) (http.Handler, error) {
			return gorilla.NewHandler(gorillaDroplets{d}, o...)
		},
		func(prefix string, h http.Handler) http.Handler {
			r := mux.NewRouter().SkipClean(true)
			r.PathPrefix(prefix).Handler(h)
			return r
		},
	},
}

// What a client sees does not depend on the router.
func TestCase_Routers(t *testing.T) {
	for _, router := range plan.RouterNames()[1:] {
		pkg, served := routed[router]
		if !served {
			t.Errorf("%s: its package is not served", router)
			continue
		}
		for _, mounted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s mounted=%t", router, mounted), func(t *testing.T) {
				service := &droplets{version: 7, kinds: map[string]string{}}
				var seen []string
				var values []string
				noting := func(_ *idem.Operation, next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						values = append(values, r.PathValue("action"))
						next.ServeHTTP(w, r)
					})
				}
				s := serve(t, func(o ...idem.Option) (http.Handler, error) {
					h, err := pkg.create(service, append(o, idem.WithBaseURL("/v1"), idem.WithMiddleware(trace(&seen, "outer"), noting, trace(&seen, "inner")))...)
					if _, known := idem.HandlerOf(h); !known {
						t.Errorf("HandlerOf does not know a %T", h)
					}
					if mounted {
						h = pkg.mount("/v1", h)
					}
					return h, err
				})
				testRouted(t, s, service, &seen)

				// Links to resources are made of path values, which are never escaped.
				values = nil
				for _, action := range []string{"a%2Fb", "a%252Fb", "a%2Fb%25%20", "a%20%C3%A9"} {
					send(t, s, "GET /v1/actions/"+action, "").expect(t, 200, "")
				}
				if want := []string{"a/b", "a%2Fb", "a/b% ", "a é"}; !slices.Equal(values, want) {
					t.Errorf("path values %q, want %q", values, want)
				}
			})
		}
	}
}

// trace notes the operation that a middleware was built for.
func trace(seen *[]string, name string) idem.Middleware {
	return func(op *idem.Operation, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			*seen = append(*seen, name+" "+op.ID+" "+r.Pattern)
			next.ServeHTTP(w, r)
		})
	}
}

func testRouted(t *testing.T, s *httptest.Server, service *droplets, seen *[]string) {
	for target, body := range map[string]string{
		"GET /v1/droplets/autoscale/4":          "pool 4",
		"GET /v1/actions/a":                     "text of a",
		"GET /v1/actions/a%20%C3%A9?x=/actions": "text of a é",
		"GET /v1/actions/a%2Fb":                 "text of a/b",
		"GET /v1/actions/a%252Fb":               "text of a%2Fb",
		"GET /v1/actions/a.b.xml":               "text of a.b.xml",
		"GET /v1/droplets/autoscale":            `{"version":7}` + "\n",
	} {
		if got := send(t, s, target, "").expect(t, 200, ""); got.body != body {
			t.Errorf("%s: %q, want %q", target, got.body, body)
		}
	}

	// The middleware runs before parameters are decoded, the first one outermost.
	*seen = nil
	send(t, s, "GET /v1/droplets/autoscale/x", "").expect(t, 400, "malformed-request")
	if want := []string{"outer getPool GET /v1/droplets/autoscale/{pool-id}", "inner getPool GET /v1/droplets/autoscale/{pool-id}"}; !slices.Equal(*seen, want) {
		t.Errorf("middleware %q, want %q", *seen, want)
	}

	// HEAD is that of the path, else GET.
	if got := send(t, s, "HEAD /v1/droplets/1", "").expect(t, 200, "").header.Get("ETag"); got != `"7"` {
		t.Errorf("HEAD: ETag %s", got)
	}
	send(t, s, "HEAD /v1/droplets/1", "", "If-None-Match", `"7"`).expect(t, 304, "")
	send(t, s, "HEAD /v1/droplets/1", "", "If-Match", `"6"`).expect(t, 412, "")
	send(t, s, "HEAD /v1/actions/a", "").expect(t, 200, "")
	if send(t, s, "HEAD /v1/droplets/autoscale/1", "").expect(t, 204, ""); service.heads != 1 {
		t.Errorf("the operation for HEAD ran %d times", service.heads)
	}

	for target, allow := range map[string]string{
		"PATCH /v1/droplets/1":           "DELETE, GET, HEAD",
		"PUT /v1/droplets/1/actions":     "POST",
		"TRACE /v1/droplets/1":           "DELETE, GET, HEAD",
		"OPTIONS /v1/actions/a.json":     "GET, HEAD",
		"POST /v1/droplets/autoscale/17": "GET, HEAD",
	} {
		if got := send(t, s, target, "").expect(t, 405, "method-not-allowed").header.Get("Allow"); got != allow {
			t.Errorf("%s: Allow %q, want %q", target, got, allow)
		}
	}
	for _, path := range []string{"/v1", "/v1/", "/v1/nowhere", "/v1/droplets", "/v1/droplets/", "/v1/droplets/1/", "/v1/droplets/1/actions/", "/v1/actions/", "/v1//actions/a"} {
		send(t, s, "GET "+path, "").expect(t, 404, "not-found")
	}
	if a := send(t, s, "POST /v1/droplets//actions", `{"kind":"boot"}`, "Idempotency-Key", "k-0"); a.status != 404 && a.status != 400 {
		t.Errorf("an empty parameter: %d %s", a.status, a.body)
	}

	// The replay reads the result by the same router, as GET.
	first := send(t, s, "POST /v1/droplets/1/actions", `{"kind":"boot"}`, "Idempotency-Key", "k-1").expect(t, 201, "")
	service.kinds["1"] = "booted"
	again := send(t, s, "POST /v1/droplets/1/actions", `{"kind":"boot"}`, "Idempotency-Key", "k-1").expect(t, 201, "")
	if first.body != `{"kind":"boot"}`+"\n" || again.body != `{"kind":"booted"}`+"\n" || again.header.Get("Idempotent-Replayed") != "true" || len(service.kinds) != 1 {
		t.Errorf("answers %q and %q after %d actions", first.body, again.body, len(service.kinds))
	}
	send(t, s, "POST /v1/droplets/1/actions", `{"kind":`, "Idempotency-Key", "k-2").expect(t, 400, "malformed-body")
	send(t, s, "DELETE /v1/droplets/1", "").expect(t, 428, "precondition-required")
	send(t, s, "DELETE /v1/droplets/1", "", "If-Match", `"6"`).expect(t, 412, "precondition-failed")
	for range 2 {
		send(t, s, "DELETE /v1/droplets/1", "", "If-Match", `"7"`, "Idempotency-Key", "k-3").expect(t, 204, "")
	}
	if service.version != 8 {
		t.Errorf("version %d", service.version)
	}
}

// Who wires oapi-codegen's handler by hand gets the same order.
func TestCase_Routers_TheirMiddleware(t *testing.T) {
	var order []string
	note := func(name string) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				order = append(order, name)
				next.ServeHTTP(w, r)
			})
		}
	}
	for _, h := range []http.Handler{
		chi.HandlerWithOptions(chi.Unimplemented{}, chi.ChiServerOptions{Middlewares: []chi.MiddlewareFunc{note("first"), note("second")}}),
		gorilla.HandlerWithOptions(nothing{}, gorilla.GorillaServerOptions{Middlewares: []gorilla.MiddlewareFunc{note("first"), note("second")}}),
	} {
		order = nil
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/actions/a", nil))
		if got := strings.Join(order, " "); got != "first second" {
			t.Errorf("%T: %s", h, got)
		}
	}
}

// nothing answers one operation.
type nothing struct{ gorilla.ServerInterface }

func (nothing) GetActionText(http.ResponseWriter, *http.Request, string) {}
