package generator_test

import (
	"context"
	"net/http"
	"strconv"
	"testing"

	idem "github.com/idemgen/idemgen/runtime"

	composed "github.com/idemgen/idemgen/generator/testdata/cases/composed/want"
)

// composedService keeps what it was sent.
type composedService struct {
	created composed.Person
	key     composed.Key
	updates composed.SetFormdataBody
}

func (s *composedService) CreateActor(_ context.Context, req composed.CreateActorRequestObject) (composed.CreateActorResponseObject, error) {
	s.created = *req.Body
	at, state := "/actors/7", composed.New
	switch s.created.Kind {
	case "known":
		return composed.CreateActor409JSONResponse{PersonResponseJSONResponse: composed.PersonResponseJSONResponse{
			Body: struct {
				Since *string `json:"since,omitempty"`
			}{Since: &at},
			Headers: composed.PersonResponseResponseHeaders{Location: &at},
		}}, nil
	case "refused":
		var why composed.RefusalBody
		err := why.FromAddress(composed.Address{City: "Ulm"})
		return composed.CreateActor400JSONResponse{RefusalJSONResponse: composed.RefusalJSONResponse(why)}, err
	}
	return composed.CreateActor201JSONResponse{N201ActorJSONResponse: composed.N201ActorJSONResponse{
		Body:    composed.N201ActorBody{Kind: s.created.Kind, State: &state},
		Headers: composed.N201ActorResponseHeaders{Location: &at},
	}}, nil
}

func (s *composedService) ReadActor(_ context.Context, req composed.ReadActorRequestObject) (composed.ReadActorResponseObject, error) {
	s.key = req.Key
	if s.key == "later" {
		return composed.ReadActor202TextResponse("soon"), nil
	}
	var owner composed.Owner
	err := owner.FromOwner1(composed.Owner1{Type: "user", User: "ann"})
	return composed.ReadActor200JSONResponse(owner), err
}

func (s *composedService) Set(_ context.Context, req composed.SetRequestObject) (composed.SetResponseObject, error) {
	s.updates = composed.SetFormdataBody(*req.Body)
	return composed.Set204Response{}, nil
}

// What oapi-codegen alone refuses to generate, or to compile, has everything on the
// wire that the document says.
func TestCase_Composed(t *testing.T) {
	service := &composedService{}
	s := serve(t, func(o ...idem.Option) (http.Handler, error) { return composed.NewHandler(service, o...) })
	for body, want := range map[string]struct {
		status int
		body   string
	}{
		`{"kind":"person","languages":["de"],"home":{"city":"Ulm"},"born":"1990-02-03","height":2,"more":{"a":1}}`: {201, `{"kind":"person","state":"new"}`},
		`{"kind":"known"}`:   {409, `{"since":"/actors/7"}`},
		`{"kind":"refused"}`: {400, `{"city":"Ulm"}`},
	} {
		a := send(t, s, "POST /actors", body, "Idempotency-Key", strconv.Itoa(want.status)).expect(t, want.status, "")
		if a.body != want.body+"\n" {
			t.Errorf("%s: body %q", body, a.body)
		}
		if p := service.created; want.status == 201 && ((*p.Languages)[0] != "de" || p.Home.City != "Ulm" || p.Born.Day() != 3 || *p.Height != 2 || (*p.More)["a"] != 1.0) {
			t.Errorf("created %+v", p)
		}
	}
	for path, want := range map[string]string{"/actors/7": `{"type":"user","user":"ann"}` + "\n", "/actors/later": "soon"} {
		status := 200
		if want == "soon" {
			status = 202
		}
		if a := send(t, s, "GET "+path, "").expect(t, status, ""); a.body != want || "/actors/"+service.key != path {
			t.Errorf("%s: body %q, key %q", path, a.body, service.key)
		}
	}
	send(t, s, "POST /settings", "updates=email", "Idempotency-Key", "f", "Content-Type", "application/x-www-form-urlencoded").expect(t, 204, "")
}
