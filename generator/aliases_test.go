package generator_test

import (
	"context"
	"net/http"
	"strconv"
	"testing"

	idem "github.com/idemgen/idemgen/runtime"

	aliases "github.com/idemgen/idemgen/generator/testdata/cases/aliases/want"
)

type aliasesService struct{ aliases.Service }

func (aliasesService) PostMarked(_ context.Context, req aliases.PostMarkedRequestObject) (aliases.PostMarkedResponseObject, error) {
	marks, err := req.Body.AsPostMarkedJSONBody0()
	if err != nil {
		return nil, err
	}
	if most := 2; len(marks) > most {
		return aliases.PostMarked409JSONResponse{N4MarksJSONResponse: aliases.N4MarksJSONResponse{Most: &most}}, nil
	}
	if least := 1; len(marks) < least {
		return aliases.PostMarked422JSONResponse{N4Marks2JSONResponse: aliases.N4Marks2JSONResponse{Least: &least}}, nil
	}
	var answer aliases.PostMarked200JSONResponse
	err = answer.FromPostMarked200JSONResponseBody1(string(marks[0]))
	return answer, err
}

func (aliasesService) Open(_ context.Context, req aliases.OpenRequestObject) (aliases.OpenResponseObject, error) {
	same := aliases.Open(*req.Body)
	if *same.Name == "known" {
		return aliases.Open409JSONResponse{KnownJSONResponse: aliases.KnownJSONResponse(same)}, nil
	}
	return aliases.Open200JSONResponse(same), nil
}

// A path that is another name is served by the same operation, and two components
// whose names differ in a sign remain two. What is made of another type has its JSON.
func TestCase_Aliases(t *testing.T) {
	s := serve(t, func(o ...idem.Option) (http.Handler, error) { return aliases.NewHandler(aliasesService{}, o...) })
	for i, c := range []struct {
		target, body string
		status       int
		want         string
	}{
		{"POST /marked", `["red"]`, 200, `"red"`},
		{"POST /labelled", `["green"]`, 200, `"green"`},
		{"POST /labelled", `["green","red","red"]`, 409, `{"most":2}`},
		{"POST /marked", `[]`, 422, `{"least":1}`},
		{"POST /open", `{"name":"new","size":3}`, 200, `{"name":"new","size":3}`},
		{"POST /open", `{"name":"known","size":3}`, 409, `{"name":"known","size":3}`},
	} {
		key := strconv.Itoa(i)
		if a := send(t, s, c.target, c.body, "Idempotency-Key", key).expect(t, c.status, ""); a.body != c.want+"\n" {
			t.Errorf("%s %s: %q", c.target, c.body, a.body)
		}
	}
}
