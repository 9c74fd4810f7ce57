package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator/diag"
)

func TestRouter_Pattern(t *testing.T) {
	for path, want := range map[string][2]string{
		"/pets":           {"GET /pets", "GET /pets"},
		"/pets/":          {"GET /pets/{$}", "GET /pets/"},
		"/":               {"GET /{$}", "GET /"},
		"/pets/{pet-id}":  {"GET /pets/{pet_id}", "GET /pets/{pet-id}"},
		"/pets/{.2nd*}/a": {"GET /pets/{_nd}/a", "GET /pets/{2nd}/a"},
	} {
		if got := router("std").pattern("GET", path); got != want[0] {
			t.Errorf("std: pattern(%q) = %q, want %q", path, got, want[0])
		}
		for _, name := range []string{"chi", "gorilla"} {
			if got := router(name).pattern("GET", path); got != want[1] {
				t.Errorf("%s: pattern(%q) = %q, want %q", name, path, got, want[1])
			}
		}
	}
}

func TestPathParams(t *testing.T) {
	got := pathParams("/a/{b-c}/{;d*}/{b-c}")
	if want := []Param{{"b-c", "BC"}, {"d", "D"}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// What a router cannot route is found by asking it, and only that.
func TestCheckRoutes(t *testing.T) {
	const ok = ""
	for _, c := range []struct {
		paths             []string
		std, chi, gorilla string // part of the only message
		fix               string // part of the fix for std
	}{
		{[]string{"/a/{x}", "/a/b", "/a/", "/b", "/{x}/c/d"}, ok, ok, ok, ""},
		{[]string{"/{x}/b", "/a/b", "/b/{x}"}, `both match "/b/b" and neither is more specific`, ok, ok, "set router: chi"},
		{[]string{"/a/{pet-id}/x", "/a/{.2nd*}/{;y}"}, ok, ok, ok, ""},
		{[]string{"/a/{x}/c", "/a/b/{y}"}, `both match "/a/b/c" and neither is more specific`, ok, ok, "set router: chi, which routes it, or change"},
		{[]string{"/a/{x}.json", "/a/{x}", "/a/v{x}"}, "GET /a/{x}.json: bad wildcard segment", ok, ok, "set router: chi, which routes it, or write"},
		{[]string{"/a/{x}b", "/a/{x}cb"}, "bad wildcard segment", ok, ok, "set router: chi"},
		{[]string{"/a/{x}-{y}"}, "bad wildcard name", ok, ok, "set router: chi"},
		{[]string{"/a/{x}{y}"}, "bad wildcard name", "cannot tell the parameters apart", "cannot tell the parameters apart", "write the path"},
		{[]string{"/a/*"}, ok, `"*" means something else to it`, ok, ""},
		{[]string{"/a/{x:y}"}, ok, "does not match it", "does not match it", "set router: std, which routes it"},
		{[]string{"/a/{x}", "/a/{y}"}, "they match the same requests", "they match the same requests", "they match the same requests", "change a literal"},
		{[]string{"/a/{x}/{x}"}, "duplicate wildcard name", "duplicate param key", "cannot tell the parameters apart", "give each parameter of the path a name of its own"},
		{[]string{"/a//b"}, "unclean path", ok, ok, "set router: chi, which routes it, or write the path without an empty segment"},
		{[]string{"a"}, "host/path missing /", "must begin with '/'", "does not match it", "begin the path with a slash: /a"},
		{[]string{"/a/../b"}, "clients resolve its dots", "clients resolve its dots", "clients resolve its dots", "without dots"},
		{[]string{"/a%20b"}, ok, "does not match it", ok, "set router: std"},
		{[]string{"/a b", "/é/{x}", "/(c)", "/d:e"}, ok, ok, ok, ""},
	} {
		fix := c.fix
		for i, want := range []string{c.std, c.chi, c.gorilla} {
			name := Routers[i].Name
			api := &API{Router: name}
			for i, path := range c.paths {
				api.Operations = append(api.Operations, Operation{
					Method: "GET", Path: path, Pattern: router(name).pattern("GET", path), Pos: Pos{diag.Pos{File: "a.yaml", Line: i + 1}},
				})
			}
			var errs diag.List
			checkRoutes(api, &errs)
			if want == ok {
				if len(errs) > 0 {
					t.Errorf("%s %v: %v", name, c.paths, errs)
				}
				continue
			}
			if len(errs) == 0 || !strings.Contains(errs[0].Message, want) || !strings.Contains(errs[0].Fix, fix) {
				t.Errorf("%s %v: got %+v, want %q", name, c.paths, errs, want)
				continue
			}
			fix = ""
			if strings.Contains(errs[0].Message, "both") && !strings.Contains(errs[0].Message, "(a.yaml:1)") {
				t.Errorf("%s %v: the message lacks the other place: %s", name, c.paths, errs[0].Message)
			}
		}
	}
}

// What a fix says in place of a path is what the router routes.
func TestRemedy(t *testing.T) {
	for _, c := range []struct{ router, path, fix, good string }{
		{"std", "/a/{x}.json", "whole segment", "/a/{x}"},
		{"std", "/a/{x}/{x}", "a name of its own", "/a/{x}/{y}"},
		{"std", "/a//b", "without an empty segment", "/a/b"},
		{"chi", "/a/*", "without *", "/a/all"},
		{"chi", "/a/{x:y}", "without a colon", "/a/{x-y}"},
		{"chi", "/a%20b", "the characters that % stands for", "/a b"},
		{"gorilla", "/a/{x:y}", "without a colon", "/a/{x-y}"},
	} {
		r := router(c.router)
		if r.alone(&Operation{Method: "GET", Path: c.path}) == "" || r.alone(&Operation{Method: "GET", Path: c.good}) != "" {
			t.Errorf("%s: %s is routed, or %s is not", c.router, c.path, c.good)
		}
		if got := r.remedy(c.path); !strings.Contains(got, c.fix) {
			t.Errorf("%s, %s: %q lacks %q", c.router, c.path, got, c.fix)
		}
	}
}

// Gorilla takes the first route that fits.
func TestRegistered_MoreSpecificFirst(t *testing.T) {
	paths := []string{"/a/{x}", "/a/{x}.json", "/a/v{x}", "/a/{x}cb", "/a/{x}b", "/a/{x}-{y}", "/a/~b", "/a/b", "/{x}/b", "/é/b", "/{x}/{y}", "/a/é/{z}", "/a/{y}/{z}"}
	api := &API{Router: "gorilla"}
	for _, path := range paths {
		api.Operations = append(api.Operations, Operation{Method: "GET", Path: path})
	}
	var errs diag.List
	checkRoutes(api, &errs)
	if len(errs) > 0 {
		t.Errorf("every path has requests of its own, but %v", errs)
	}
}
