package runtime_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	idem "github.com/idemgen/idemgen/runtime"
)

// theirShape is the error that clients of an existing API expect.
type theirShape struct {
	Error struct{ Code, Path string }
}

func theirBody(r *http.Request, p *idem.Problem) (string, []byte) {
	var e theirShape
	e.Error.Code, e.Error.Path = p.Type[strings.LastIndexByte(p.Type, '#')+1:], r.URL.Path
	p.Status = http.StatusTeapot // not theirs to change
	p.RetryAfterMs = 0
	body, _ := json.Marshal(e)
	return "application/vnd.theirs+json", body
}

func TestProblemBody_ReplacesTheBodyOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, h := serve(t, placeOrder(), idem.WithProblemBody(theirBody))
		started, finish := make(chan struct{}), make(chan struct{})
		answer := o.handler
		o.handler = func(w http.ResponseWriter, r *http.Request) {
			close(started)
			<-finish
			answer(w, r)
		}
		go do(h, post("k", `{}`))
		<-started
		for _, tt := range []struct {
			r          *http.Request
			status     int
			code       string
			retryAfter bool
			link       string
		}{
			{post("k", `{}`), 409, "in-flight", true, ""},
			{post("k", `{"other":1}`), 409, "key-reused", false, ""},
			{post("", `{}`), 400, "key-missing", false, "describedby"},
			{httptest.NewRequest("PUT", "/pet", nil), 428, "precondition-required", false, ""},
			{httptest.NewRequest("GET", "/nowhere", nil), 404, "not-found", false, ""},
			{httptest.NewRequest("PATCH", "/pet", nil), 405, "method-not-allowed", false, ""},
		} {
			w := do(h, tt.r)
			var e theirShape
			if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil {
				t.Fatalf("%s: %v", w.Body, err)
			}
			if w.Code != tt.status || e.Error.Code != tt.code || e.Error.Path != tt.r.URL.Path {
				t.Errorf("%s: status %d, body %s", tt.code, w.Code, w.Body)
			}
			if w.Header().Get("Content-Type") != "application/vnd.theirs+json" || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: header %v", tt.code, w.Header())
			}
			if got := w.Header().Get("Retry-After") != ""; got != tt.retryAfter || !strings.Contains(w.Header().Get("Link"), tt.link) {
				t.Errorf("%s: header %v", tt.code, w.Header())
			}
		}
		close(finish)
		synctest.Wait()
	})
}

// A failing handler's own answer is not recorded and gets the shape too.
func TestProblemBody_OfAFailingHandler(t *testing.T) {
	o, h := serve(t, placeOrder(), idem.WithProblemBody(theirBody))
	o.handler = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		o.h.ResponseError(w, r, http.ErrNotSupported)
	}
	w := do(h, post("k", `{}`))
	if w.Code != 500 || w.Header().Get("Content-Type") != "application/vnd.theirs+json" || !strings.Contains(w.Body.String(), "internal-error") {
		t.Errorf("status %d, header %v, body %s", w.Code, w.Header(), w.Body)
	}
}

// Without a media type the problem is sent as it is; without a body there is
// none.
func TestProblemBody_Empty(t *testing.T) {
	_, h := serve(t, placeOrder(), idem.WithProblemBody(func(_ *http.Request, p *idem.Problem) (string, []byte) {
		p.Title = "not sent"
		return "", []byte("not sent")
	}))
	if p := wantProblem(t, do(h, post("", `{}`)), 400, "key-missing"); p.Title == "not sent" {
		t.Error("the hook changed the problem that it did not write")
	}
	_, h = serve(t, placeOrder(), idem.WithProblemBody(func(*http.Request, *idem.Problem) (string, []byte) {
		return "text/plain", nil
	}))
	if w := do(h, post("", `{}`)); w.Code != 400 || w.Body.Len() != 0 || w.Header().Get("Content-Type") != "text/plain" || w.Header().Get("Content-Length") != "0" {
		t.Errorf("status %d, header %v, body %q", w.Code, w.Header(), w.Body)
	}
}
