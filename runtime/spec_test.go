package runtime_test

import (
	"net/http/httptest"
	"testing"

	idem "github.com/idemgen/idemgen/runtime"
)

func TestSpecHandler(t *testing.T) {
	const yaml, json = "openapi: 3.1.0\n", "\ufeff\n{\"openapi\": \"3.1.0\"}"
	get := func(document, method, ifNoneMatch string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/openapi.yaml", nil)
		if ifNoneMatch != "" {
			r.Header.Set("If-None-Match", ifNoneMatch)
		}
		return do(idem.SpecHandler([]byte(document)), r)
	}
	for document, media := range map[string]string{yaml: "application/yaml", json: "application/json"} {
		w := get(document, "GET", "")
		if w.Code != 200 || w.Body.String() != document || w.Header().Get("Content-Type") != media {
			t.Errorf("%q: status %d, %v, body %q", document, w.Code, w.Header(), w.Body)
		}
		tag := w.Header().Get("ETag")
		if w := get(document, "GET", tag); w.Code != 304 || w.Body.Len() != 0 {
			t.Errorf("with its tag %s: status %d, body %q", tag, w.Code, w.Body)
		}
		if w := get(document+"#", "GET", tag); w.Code != 200 {
			t.Errorf("another document with the tag %s: status %d", tag, w.Code)
		}
		if w := get(document, "HEAD", ""); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("ETag") != tag {
			t.Errorf("HEAD: status %d, %v", w.Code, w.Header())
		}
	}
	if w := get(yaml, "POST", ""); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: status %d, %v", w.Code, w.Header())
	}
}
