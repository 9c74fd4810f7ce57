package generator_test

import (
	"context"
	"net/http"
	"testing"

	idem "github.com/idemgen/idemgen/runtime"

	recursive "github.com/idemgen/idemgen/generator/testdata/cases/recursive/want"
)

type recursiveService struct{}

func (recursiveService) Nest(_ context.Context, req recursive.NestRequestObject) (recursive.NestResponseObject, error) {
	return recursive.Nest200JSONResponse(*req.Body), nil
}

func (recursiveService) Link(_ context.Context, req recursive.LinkRequestObject) (recursive.LinkResponseObject, error) {
	return recursive.Link200JSONResponse(*req.Body), nil
}

func (recursiveService) Pair(_ context.Context, req recursive.PairRequestObject) (recursive.PairResponseObject, error) {
	return recursive.Pair200JSONResponse(*req.Body.Right), nil
}

// What contains itself travels as it is.
func TestCase_Recursive(t *testing.T) {
	s := serve(t, func(o ...idem.Option) (http.Handler, error) { return recursive.NewHandler(recursiveService{}, o...) })
	for target, bodies := range map[string][2]string{
		"POST /lists":  {`[[],[[],[]]]`, `[[],[[],[]]]`},
		"POST /chains": {`{"name":"a","next":{"name":"b","next":null}}`, `{"name":"a","next":{"name":"b","next":null}}`},
		"POST /pairs":  {`{"right":{"left":null},"more":{"left":null}}`, `{"left":null}`},
	} {
		if a := send(t, s, target, bodies[0], "Idempotency-Key", "k").expect(t, 200, ""); a.body != bodies[1]+"\n" {
			t.Errorf("%s: %q", target, a.body)
		}
	}
}
