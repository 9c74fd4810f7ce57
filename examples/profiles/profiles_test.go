package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/examples/profiles/api"
	"github.com/idemgen/idemgen/examples/profiles/api/idemtest"
	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/contract"
	"github.com/idemgen/idemgen/runtime/store/sqlite"
)

// open makes a server with a database of its own.
func open(tb testing.TB, options ...idem.Option) (http.Handler, *sqlite.Store) {
	tb.Helper()
	store, err := openStore(tb.Context(), filepath.Join(tb.TempDir(), "profiles.db"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := store.Close(); err != nil {
			tb.Error(err)
		}
	})
	handler, err := newHandler(store, append([]idem.Option{idem.WithLogger(nil)}, options...)...)
	if err != nil {
		tb.Fatal(err)
	}
	return handler, store
}

// TestContract: the implementation keeps what openapi.yaml promises.
func TestContract(t *testing.T) {
	newServer := func(tb testing.TB, options ...idem.Option) http.Handler {
		handler, _ := open(tb, options...)
		return handler
	}
	idemtest.RunProfile(t, newServer, contract.Seeds{Create: create}, idemtest.ProfileBodies{
		ReplaceProfile: func(n int) contract.Body { return contract.JSON(api.ProfileInput{Name: fmt.Sprint("Ada ", n)}) },
		EditProfile: func(n int) contract.Body {
			return contract.Body{ContentType: "application/merge-patch+json", Content: fmt.Appendf(nil, `{"bio":"edit %d"}`, n)}
		},
	})
}

func create(tb testing.TB, c *contract.Client) contract.Params {
	tb.Helper()
	a := c.Send(tb, "POST", "/profiles", contract.JSON(api.ProfileInput{Name: "Ada"}), "Idempotency-Key", rand.Text())
	id, ok := strings.CutPrefix(a.Header.Get("Location"), "/profiles/")
	if !ok {
		tb.Fatalf("create: %d %s", a.Status, a.Body)
	}
	return contract.Params{"profileId": id}
}

// The merge patch of RFC 7396: present replaces, null removes, absent stays.
func TestEditProfile_MergePatch(t *testing.T) {
	for _, c := range []struct {
		patch  string
		status int
		body   string
	}{
		{`{"city":"New York"}`, 200, `{"bio":"Wrote the first compiler.","city":"New York","id":1,"name":"Grace Hopper","role":"Rear admiral","version":2}`},
		{`{"city":null,"bio":null}`, 200, `{"id":1,"name":"Grace Hopper","role":"Rear admiral","version":2}`},
		{`{}`, 200, `{"bio":"Wrote the first compiler.","city":"Arlington","id":1,"name":"Grace Hopper","role":"Rear admiral","version":2}`},
		{`{"name":null}`, 422, ""},
		{`{"name":" "}`, 422, ""},
		{`{"city":7}`, 422, ""},
		{`{"version":9}`, 422, ""},
		{`["city"]`, 400, ""},
	} {
		handler, _ := open(t)
		r := httptest.NewRequest("PATCH", "/profiles/1", strings.NewReader(c.patch))
		r.Header.Set("Content-Type", "application/merge-patch+json")
		r.Header.Set("If-Match", `"1"`)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		body, err := io.ReadAll(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(string(body)); w.Code != c.status || c.body != "" && got != c.body {
			t.Errorf("%s: %d %s, want %d %s", c.patch, w.Code, got, c.status, c.body)
		}
	}
}
