package runtime_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/memory"
)

// The context of a run is used by as many goroutines as the handler likes; the
// race detector watches.
func TestContext_ConcurrentUse(t *testing.T) {
	o, h := serve(t, placeOrder())
	normal := o.handler
	o.handler = func(w http.ResponseWriter, r *http.Request) {
		var calls sync.WaitGroup
		for range 8 {
			calls.Go(func() {
				ctx, cancel := context.WithTimeout(r.Context(), time.Hour)
				defer cancel()
				if _, ok := r.Context().Deadline(); ok || ctx.Err() != nil {
					t.Errorf("a run that just began: deadline %v, error %v", ok, ctx.Err())
				}
			})
		}
		calls.Wait()
		normal(w, r)
	}
	for i := range 20 {
		wantStatus(t, do(h, post(strconv.Itoa(i), `{}`)), 201)
	}
}

// Why the context ended is told also to a handler that never waited for it.
func TestContext_CauseOfALostClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, h := serve(t, placeOrder(), idem.WithStore(lost{memory.New()}))
		normal := o.handler
		o.handler = func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Minute)
			if cause := context.Cause(r.Context()); !errors.Is(cause, idem.ErrClaimLost) {
				t.Errorf("cause %v", cause)
			}
			if err := r.Context().Err(); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
			normal(w, r)
		}
		do(h, post("k", `{}`))
	})
}

// What a handler leaves behind keeps its own request, whatever requests come
// later: nothing of it is in memory that they use again.
func TestContext_OutlivesItsRun(t *testing.T) {
	o, h := serve(t, placeOrder(), idem.WithSecret(make([]byte, idem.MinSecret)))
	normal := o.handler
	const body = `{"sku":"tea"}`
	look := func(r *http.Request) (idem.Attempt, string, []petVersion) {
		attempt, _ := idem.FromContext(r.Context())
		key, _ := idem.DownstreamKey(r.Context(), "charge")
		return attempt, key, idem.ExpectMatch(r.Context(), petCodec).Versions()
	}
	for _, first := range []func() *http.Request{
		func() *http.Request { return post("first", body) },
		func() *http.Request { r := put(`"1", "7"`); r.Body = io.NopCloser(strings.NewReader(body)); return r },
	} {
		var left sync.WaitGroup
		later := make(chan struct{})
		o.handler = func(w http.ResponseWriter, r *http.Request) {
			attempt, key, versions := look(r)
			left.Go(func() {
				<-later
				for range 50 {
					if a, k, v := look(r); a != attempt || k != key || !slices.Equal(v, versions) {
						t.Errorf("after the run %+v, %q, %v, in it %+v, %q, %v", a, k, v, attempt, key, versions)
					}
				}
				if b, err := io.ReadAll(r.Body); string(b) != body {
					t.Errorf("body %q, %v", b, err)
				}
			})
			if r.Method == http.MethodPut {
				o.replace(w, r)
				return
			}
			normal(w, r)
		}
		o.version = 1
		do(h, first())
		o.handler = normal
		close(later)
		for i := range 50 {
			do(h, post(first().Method+strconv.Itoa(i), `{"sku":"coffee, a lot"}`))
			do(h, put(`"5"`))
		}
		left.Wait()
	}
}
