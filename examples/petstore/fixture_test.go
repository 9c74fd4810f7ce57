package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/internal/servertest"
)

// shop is a served pet store with a database of its own.
type shop struct {
	t    *testing.T
	base string
	*database
}

// stores return the name of a new database, as the flag -store takes it.
var stores = map[string]func(t *testing.T) string{
	"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "petstore.db") },
	"postgres": newSchema,
}

// newSchema returns the URL of a schema that is dropped at the end of the test.
func newSchema(t *testing.T) string {
	t.Helper()
	server := servertest.URL(t, servertest.Postgres)
	db, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	schema := "petstore_" + strings.ToLower(rand.Text())
	execute := func(statement string) {
		if _, err := db.ExecContext(context.Background(), statement); err != nil {
			t.Fatal(err)
		}
	}
	execute("CREATE SCHEMA " + schema)
	t.Cleanup(func() {
		execute("SET client_min_messages = warning; DROP SCHEMA " + schema + " CASCADE")
		_ = db.Close()
	})
	address, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	parameters := address.Query()
	parameters.Set("search_path", schema)
	address.RawQuery = parameters.Encode()
	return address.String()
}

// onEachStore runs a test on a pet store of its own in each kind of database.
func onEachStore(t *testing.T, test func(t *testing.T, s *shop)) {
	t.Helper()
	for name, database := range stores {
		t.Run(name, func(t *testing.T) {
			db, err := openDatabase(t.Context(), database(t))
			if err != nil {
				t.Fatal(err)
			}
			test(t, openShop(t, db))
		})
	}
}

// openShop serves a pet store for the time of a test, and closes its database.
func openShop(t *testing.T, db *database) *shop {
	t.Helper()
	t.Cleanup(func() {
		if err := db.close(); err != nil {
			t.Error(err)
		}
	})
	handler, err := newHandler(db, slog.New(slog.DiscardHandler), 0)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &shop{t: t, base: server.URL, database: db}
}

// request is sent by whiskers, unless its header says otherwise: an empty value
// removes the field.
type request struct {
	method, path string
	header       map[string]string
	lines        map[string][]string // fields with several lines
	body         string
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) replayed() bool { return a.header.Get("Idempotent-Replayed") == "true" }

// problem is the last part of the problem's type.
func (a answer) problem(t *testing.T) string {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("%d has the media type %q, want application/problem+json: %s", a.status, got, a.body)
	}
	var p struct {
		Type, Title string
		Status      int
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Errorf("%v in %q", err, a.body)
	}
	if p.Status != a.status || p.Title == "" {
		t.Errorf("the problem of a %d is %s", a.status, a.body)
	}
	_, kind, _ := strings.Cut(p.Type, "#")
	return kind
}

// send sends r and reads the answer.
func (s *shop) send(r request) answer {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), r.method, s.base+r.path, strings.NewReader(r.body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("X-Api-Key", "whiskers-key")
	if r.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range r.header {
		if value == "" {
			req.Header.Del(name)
			continue
		}
		req.Header.Set(name, value)
	}
	maps.Copy(req.Header, r.lines)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// want sends r and checks the status.
func (s *shop) want(status int, r request) answer {
	s.t.Helper()
	a := s.send(r)
	if a.status != status {
		s.t.Fatalf("%s %s: %d, want %d: %s", r.method, r.path, a.status, status, a.body)
	}
	return a
}

// wantCount checks the only number that a query returns.
func (s *shop) wantCount(want int, query string) {
	s.t.Helper()
	var got int
	if err := s.reader.QueryRowContext(s.t.Context(), query).Scan(&got); err != nil {
		s.t.Fatal(err)
	}
	if got != want {
		s.t.Errorf("%s: %d, want %d", query, got, want)
	}
}

const kibble = `{"item":"kibble","quantity":2}`

// order places an order under a key.
func order(key, body string) request {
	return request{method: "POST", path: "/store/orders", header: map[string]string{"Idempotency-Key": key}, body: body}
}

// pet creates a cat called Tom and returns its path.
func (s *shop) pet() string {
	s.t.Helper()
	return s.want(http.StatusCreated, request{
		method: "POST", path: "/pets", header: map[string]string{"Idempotency-Key": "new-pet"}, body: `{"name":"Tom","kind":"cat"}`,
	}).header.Get("Location")
}

// put replaces a pet; empty key and tag are not sent.
func put(path, key, tag, name string) request {
	return request{
		method: "PUT", path: path, header: map[string]string{"Idempotency-Key": key, "If-Match": tag},
		body: `{"name":"` + name + `","kind":"cat"}`,
	}
}
