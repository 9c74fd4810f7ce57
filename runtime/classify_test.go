package runtime_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"
	"github.com/idemgen/idemgen/runtime/store/memory"
)

var errSerialization = errors.New("40001")

// retrying is a store whose transactions may be run again.
type retrying struct {
	idem.Store
	rollbacks *int
}

func (s retrying) Begin(context.Context, *idem.Claim) (idem.StoreTx, idem.Claimed, error) {
	return undone{s}, idem.Claimed{State: idem.ClaimOwned, Attempts: 1}, nil
}

func (retrying) RetryableTx(err error) bool { return errors.Is(err, errSerialization) }

type undone struct{ retrying }

func (undone) Tx() any                                                { return nil }
func (u undone) Rollback(context.Context) error                       { *u.rollbacks++; return nil }
func (undone) Complete(context.Context, *idem.Completion, bool) error { return nil }

// pets serves one guarded operation.
func pets(t *testing.T, policy etag.Policy, current idem.Current, next func(h *idem.Handler, w http.ResponseWriter, r *http.Request), options ...idem.Option) http.Handler {
	t.Helper()
	op := &idem.Operation{
		ID: "putPet", Method: "PUT", Path: "/pet", Pattern: "PUT /pet",
		Precondition: &idem.Precondition{Resource: "Pet", ReadPath: "/pet", Policy: policy},
	}
	h, err := idem.NewHandler([]*idem.Operation{op}, append(options, idem.WithLogger(nil))...)
	if err != nil {
		t.Fatal(err)
	}
	h.Router().HandleFunc(op.Pattern, func(w http.ResponseWriter, r *http.Request) {
		h.Serve(w, r, op, current, func(w http.ResponseWriter, r *http.Request) { next(h, w, r) })
	})
	return h.Router()
}

// Telling absent from stale reads inside the transaction: a serialization
// failure there repeats the run as any other does.
func TestGuarded_ClassificationIsRetried(t *testing.T) {
	rollbacks, reads := 0, 0
	current := idem.CurrentOf(petCodec, func(context.Context) (etag.Current[petVersion], error) {
		if reads++; reads == 2 { // the precheck's came first
			return etag.Current[petVersion]{}, errSerialization
		}
		return etag.Found(petVersion(1)), nil
	})
	h := pets(t, etag.Policy{Role: etag.RoleUpdate, Require: []etag.Field{etag.IfMatch}}, current,
		func(h *idem.Handler, w http.ResponseWriter, r *http.Request) {
			h.ResponseError(w, r, idem.ExpectMatch(r.Context(), petCodec).NoMatch())
		}, idem.WithStore(retrying{memory.New(), &rollbacks}))
	wantProblem(t, do(h, put(`"1"`)), 412, "precondition-failed")
	if rollbacks != 2 {
		t.Errorf("%d rollbacks, want one per run", rollbacks)
	}
}

func TestGuarded_ExampleNamesTheFieldThatIsMissing(t *testing.T) {
	h := pets(t, etag.Policy{Role: etag.RoleCreate, Require: []etag.Field{etag.IfNoneMatch}}, nil,
		func(*idem.Handler, http.ResponseWriter, *http.Request) { t.Error("the handler ran") })
	p := wantProblem(t, do(h, httptest.NewRequest("PUT", "/pet", strings.NewReader(`{}`))), 428, "precondition-required")
	if p.Example != "If-None-Match: *" || len(p.AcceptedFields) != 1 || p.AcceptedFields[0] != "If-None-Match" {
		t.Errorf("problem %+v", p)
	}
}
