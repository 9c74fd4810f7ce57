package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestCreatePet(t *testing.T) { onEachStore(t, testCreatePet) }

func testCreatePet(t *testing.T, s *shop) {
	path := s.pet()
	if again := s.pet(); again != path {
		t.Errorf("the retry created %s, want %s", again, path)
	}
	s.wantCount(1, "SELECT count(*) FROM pets")
	list := s.want(http.StatusOK, request{method: "GET", path: "/pets?kind=cat&limit=5"})
	if list.body != `[{"id":1,"kind":"cat","name":"Tom","version":1}]`+"\n" {
		t.Errorf("the cats are %s", list.body)
	}
	if list := s.want(http.StatusOK, request{method: "GET", path: "/pets?kind=dog"}); list.body != "[]\n" {
		t.Errorf("the dogs are %s", list.body)
	}
}

func TestGetPet_NotModified(t *testing.T) { onEachStore(t, testGetPetNotModified) }

func testGetPetNotModified(t *testing.T, s *shop) {
	path := s.pet()
	a := s.want(http.StatusOK, request{method: "GET", path: path})
	if a.header.Get("ETag") != `"1"` {
		t.Errorf("the ETag is %s", a.header.Get("ETag"))
	}
	for _, method := range []string{"GET", "HEAD"} {
		a := s.want(http.StatusNotModified, request{method: method, path: path, header: map[string]string{"If-None-Match": `"0", W/"1"`}})
		if a.body != "" || a.header.Get("ETag") != `"1"` {
			t.Errorf("%s: the 304 has %v %q", method, a.header, a.body)
		}
	}
	s.want(http.StatusOK, request{method: "GET", path: path, header: map[string]string{"If-None-Match": `"2"`}})
	a = s.want(http.StatusNotFound, request{method: "GET", path: "/pets/99"})
	a.problem(t)
}

// TestReplacePet_Guarded: no change without saying which version was seen.
func TestReplacePet_Guarded(t *testing.T) { onEachStore(t, testReplacePetGuarded) }

func testReplacePetGuarded(t *testing.T, s *shop) {
	path := s.pet()
	tests := []struct {
		name, tag string
		status    int
		problem   string
		part      string // of the body
	}{
		{"no tag", "", http.StatusPreconditionRequired, "precondition-required", `"acceptedFields":["If-Match"]`},
		{"any version", "*", http.StatusPreconditionRequired, "precondition-required", "If-Match"},
		{"malformed", `1`, http.StatusBadRequest, "malformed-precondition", `"offset":0`},
		{"stale", `"0"`, http.StatusPreconditionFailed, "precondition-failed", `"reason":"stale"`},
		{"other spelling", `"01"`, http.StatusPreconditionFailed, "precondition-failed", `"reason":"stale"`},
		{"no version", `"abc"`, http.StatusPreconditionFailed, "precondition-failed", `"reason":"stale"`},
		{"weak", `W/"1"`, http.StatusPreconditionFailed, "precondition-failed", `"reason":"weak-tag"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := s.want(test.status, put(path, "k1", test.tag, "Tommy"))
			if got := a.problem(t); got != test.problem || !strings.Contains(a.body, test.part) {
				t.Errorf("the problem is %s", a.body)
			}
		})
	}
	s.wantCount(1, "SELECT version FROM pets")
	// None of the refusals used the key up.
	a := s.want(http.StatusOK, put(path, "k1", `"0", "1"`, "Tommy"))
	if a.replayed() || a.header.Get("ETag") != `"2"` {
		t.Errorf("the write is answered with %v", a.header)
	}
}

// TestReplacePet_Retried: a success is replayed with its own tag, whatever came
// after; without a key the retry meets its own new version.
func TestReplacePet_Retried(t *testing.T) { onEachStore(t, testReplacePetRetried) }

func testReplacePetRetried(t *testing.T, s *shop) {
	path := s.pet()
	first := s.want(http.StatusOK, put(path, "k1", `"1"`, "Tommy"))
	s.want(http.StatusOK, put(path, "", `"2"`, "Thomas"))
	again := s.want(http.StatusOK, put(path, "k1", `"1"`, "Tommy"))
	if !again.replayed() || again.body != first.body || again.header.Get("ETag") != `"2"` {
		t.Errorf("the retry is answered with %v %s", again.header, again.body)
	}
	a := s.want(http.StatusConflict, put(path, "k1", `"3"`, "Tommy"))
	if got := a.problem(t); got != "key-reused" {
		t.Errorf("another tag under the key is %q, want key-reused", got)
	}
	s.want(http.StatusPreconditionFailed, put(path, "", `"2"`, "Thomas"))
	if now := s.want(http.StatusOK, request{method: "GET", path: path}); !strings.Contains(now.body, "Thomas") || now.header.Get("ETag") != `"3"` {
		t.Errorf("the pet is %v %s", now.header, now.body)
	}
}

func TestUpdatePet(t *testing.T) { onEachStore(t, testUpdatePet) }

func testUpdatePet(t *testing.T, s *shop) {
	path := s.pet()
	patch := func(tag, body string) request {
		return request{method: "PATCH", path: path, header: map[string]string{"If-Match": tag}, body: body}
	}
	s.want(http.StatusPreconditionRequired, patch("", `{"name":"Tommy"}`))
	a := s.want(http.StatusOK, patch(`"1"`, `{"name":"Tommy"}`))
	if a.body != `{"id":1,"kind":"cat","name":"Tommy","version":2}`+"\n" || a.header.Get("ETag") != `"2"` {
		t.Errorf("the pet is %v %s", a.header, a.body)
	}
	s.want(http.StatusPreconditionFailed, patch(`"1"`, `{"name":"Thomas"}`))
	s.want(http.StatusUnprocessableEntity, patch(`"2"`, `{"kind":"dragon"}`))
	s.wantCount(2, "SELECT version FROM pets")
}

func TestDeletePet(t *testing.T) { onEachStore(t, testDeletePet) }

func testDeletePet(t *testing.T, s *shop) {
	path := s.pet()
	remove := func(tag string) request {
		return request{method: "DELETE", path: path, header: map[string]string{"If-Match": tag}}
	}
	s.want(http.StatusPreconditionRequired, remove(""))
	s.want(http.StatusPreconditionFailed, remove(`"2"`))
	s.want(http.StatusNoContent, remove(`"1"`))
	s.want(http.StatusNotFound, remove(`"1"`))
	s.want(http.StatusNotFound, put(path, "", `"1"`, "Tommy"))
	s.want(http.StatusNotFound, request{method: "GET", path: path})
}

// TestPet_OtherShop: for another tenant the pet does not exist, not even as a
// version that could be guessed.
func TestPet_OtherShop(t *testing.T) { onEachStore(t, testPetOtherShop) }

func testPetOtherShop(t *testing.T, s *shop) {
	path := s.pet()
	r := put(path, "", `"1"`, "Mine")
	r.header["X-Api-Key"] = "pawsome-key"
	s.want(http.StatusNotFound, r)
	s.wantCount(1, "SELECT version FROM pets")
}

func TestUploadPhoto(t *testing.T) { onEachStore(t, testUploadPhoto) }

func testUploadPhoto(t *testing.T, s *shop) {
	path := s.pet()
	upload := func(path, key, content string) request {
		return request{
			method: "POST", path: path + "/photos", body: content,
			header: map[string]string{"Idempotency-Key": key, "Content-Type": "application/octet-stream"},
		}
	}
	picture := "\x89PNG\r\n\x1a\n" + strings.Repeat("\x00\xff", 10_000)
	first := s.want(http.StatusCreated, upload(path, "k1", picture))
	again := s.want(http.StatusCreated, upload(path, "k1", picture))
	if !again.replayed() || again.body != first.body || !strings.Contains(first.body, `"size":20008`) {
		t.Errorf("the retry is answered with %s, want a replay of %s", again.body, first.body)
	}
	if got := s.want(http.StatusConflict, upload(path, "k1", picture+"\x00")).problem(t); got != "key-reused" {
		t.Errorf("other octets are %q, want key-reused", got)
	}
	s.want(http.StatusNotFound, upload("/pets/99", "k2", picture))
	if got := s.want(http.StatusRequestEntityTooLarge, upload(path, "k3", strings.Repeat("x", 1<<20+1))).problem(t); got != "body-too-large" {
		t.Errorf("more than 1 MiB is %q, want body-too-large", got)
	}
	s.wantCount(1, "SELECT count(*) FROM photos")
	var content string
	if err := s.reader.QueryRowContext(t.Context(), "SELECT content FROM photos").Scan(&content); err != nil || content != picture {
		t.Errorf("the stored photo has %d bytes and the error %v", len(content), err)
	}
}
