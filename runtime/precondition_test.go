package runtime_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"
)

func put(ifMatch string) *http.Request {
	r := httptest.NewRequest("PUT", "/pet", strings.NewReader(`{}`))
	if ifMatch != "" {
		r.Header.Set("If-Match", ifMatch)
	}
	return r
}

// replace is a handler that writes through its expectation.
func (o *orders) replace(w http.ResponseWriter, r *http.Request) {
	expect := idem.ExpectMatch(r.Context(), petCodec)
	for _, v := range expect.Versions() {
		if int64(v) == o.version {
			o.version++
			o.answer(w, r, idem.Witnessed(expect.Applied(petVersion(o.version))))
			return
		}
	}
	o.h.ResponseError(w, r, expect.NoMatch())
}

func (o *orders) answer(w http.ResponseWriter, r *http.Request, v idem.Versioned) {
	err := v.Visit(w, func(w http.ResponseWriter) error { w.WriteHeader(http.StatusOK); return nil })
	if err != nil {
		o.h.ResponseError(w, r, err)
	}
}

func TestGuarded_StaleTagIsRefused(t *testing.T) {
	o, h := serve(t, placeOrder())
	o.handler = o.replace
	w := do(h, put(`"1"`))
	wantStatus(t, w, 200)
	if got := w.Header().Get("ETag"); got != `"2"` {
		t.Errorf("ETag %q", got)
	}
	w = do(h, put(`"1"`))
	p := wantProblem(t, w, 412, "precondition-failed")
	if p.Reason != "stale" || p.Field != "If-Match" || p.Retry != "same-key" {
		t.Errorf("problem %+v", p)
	}
	if got := w.Header().Get("Link"); got != `</pet>; rel="self"` {
		t.Errorf("Link %q", got)
	}
	p = wantProblem(t, do(h, put("")), 428, "precondition-required")
	if len(p.AcceptedFields) != 1 || p.AcceptedFields[0] != "If-Match" {
		t.Errorf("problem %+v", p)
	}
	wantProblem(t, do(h, put("*")), 428, "precondition-required")
	wantProblem(t, do(h, put("2")), 400, "malformed-precondition")
	if p := wantProblem(t, do(h, put(`W/"2"`)), 412, "precondition-failed"); p.Reason != "weak-tag" {
		t.Errorf("reason %q", p.Reason)
	}
}

// A parsed condition that never reaches the write is the commonest lost update.
func TestGuarded_SuccessWithoutProofIs500(t *testing.T) {
	var kept etag.Match[petVersion]
	for _, tt := range []struct {
		name   string
		handle func(o *orders) func(http.ResponseWriter, *http.Request)
	}{
		{"no witness", func(*orders) func(http.ResponseWriter, *http.Request) {
			return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }
		}},
		{"zero witness", func(o *orders) func(http.ResponseWriter, *http.Request) {
			return func(w http.ResponseWriter, r *http.Request) {
				o.answer(w, r, idem.Witnessed(etag.Applied[petVersion]{}))
			}
		}},
		{"expectation never used", func(o *orders) func(http.ResponseWriter, *http.Request) {
			return func(w http.ResponseWriter, r *http.Request) {
				o.answer(w, r, idem.Witnessed(idem.ExpectMatch(r.Context(), petCodec).Applied(2)))
			}
		}},
		{"witness of another request", func(o *orders) func(http.ResponseWriter, *http.Request) {
			return func(w http.ResponseWriter, r *http.Request) {
				mine := idem.ExpectMatch(r.Context(), petCodec)
				mine.Versions()
				o.answer(w, r, idem.Witnessed(kept.Applied(2)))
				kept = mine
			}
		}},
		{"a read's version", func(o *orders) func(http.ResponseWriter, *http.Request) {
			return func(w http.ResponseWriter, r *http.Request) {
				idem.ExpectMatch(r.Context(), petCodec).Versions()
				o.answer(w, r, idem.Version(petCodec, 2))
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, h := serve(t, placeOrder())
			o.handler = tt.handle(o)
			for range 2 {
				wantProblem(t, do(h, put(`"1"`)), 500, "internal-error")
			}
		})
	}
}

func TestGuarded_RacingWriterIs412(t *testing.T) {
	o, h := serve(t, placeOrder())
	o.handler = func(w http.ResponseWriter, r *http.Request) {
		expect := idem.ExpectMatch(r.Context(), petCodec)
		o.version = 7 // after the precheck, before the write
		o.h.ResponseError(w, r, expect.NoMatch())
	}
	if p := wantProblem(t, do(h, put(`"1"`)), 412, "precondition-failed"); p.Reason != "stale" {
		t.Errorf("reason %q", p.Reason)
	}
}

func TestRead_TagAndNotModified(t *testing.T) {
	_, h := serve(t, placeOrder())
	get := func(field, value string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/pet", nil)
		r.Header.Set(field, value)
		return do(h, r)
	}
	w := get("Accept", "*/*")
	wantStatus(t, w, 200)
	if w.Header().Get("ETag") != `"1"` || w.Body.String() != "pet" {
		t.Errorf("%v %q", w.Header(), w.Body)
	}
	w = get("If-None-Match", `"0", W/"1"`)
	wantStatus(t, w, 304)
	if w.Body.Len() != 0 || w.Header().Get("Content-Type") != "" || w.Header().Get("ETag") != `"1"` || w.Header().Get("Cache-Control") != "max-age=1" {
		t.Errorf("304 with %v %q", w.Header(), w.Body)
	}
	wantProblem(t, get("If-Match", `"0"`), 412, "precondition-failed")
}

func TestUnsupported_PreconditionIsNotIgnored(t *testing.T) {
	o, h := serve(t, placeOrder())
	r := post("k", `{}`)
	r.Header.Set("If-Match", `"1"`)
	if p := wantProblem(t, do(h, r), 412, "precondition-failed"); p.Reason != "unsupported" {
		t.Errorf("reason %q", p.Reason)
	}
	if o.runs.Load() != 0 {
		t.Error("the handler ran")
	}
}
