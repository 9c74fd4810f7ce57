package runtime

import (
	"bytes"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func decodeAll(t *testing.T, b []byte) (http.Header, []string) {
	t.Helper()
	h := http.Header{}
	var order []string
	if err := decodeHeaders(b, func(name, value string) {
		h[name] = append(h[name], value)
		order = append(order, name)
	}); err != nil {
		t.Fatalf("decodeHeaders: %v", err)
	}
	return h, slices.Compact(order)
}

func TestRecordableHeader(t *testing.T) {
	h := http.Header{
		"Content-Type":     {"application/json"},
		"Etag":             {`"1"`},
		"Link":             {"<a>", "", "<b>"},
		"Location":         {"/v1/orders/ord_1"},
		"location":         {},
		"X-Cost":           {"7"},
		"x-unit":           {"EUR"}, // a handler may bypass Header.Set
		"X-Other":          {"no"},
		"Set-Cookie":       {"s=1"},
		"Date":             {"Mon, 01 Jan 2024 00:00:00 GMT"},
		"Www-Authenticate": {"Basic"},
		"Proxy-Status":     {"x"},
		"Ratelimit":        {"x"},
		"Ratelimit-Policy": {"x"},
		"X-Ratelimit-Left": {"1"},
		"Retry-After":      {"1"},
		"Traceparent":      {"00-0"},
		"X-Request-Id":     {"r"},
		"Connection":       {"close, x-hop"},
		"X-Hop":            {"h"},
	}
	var declared []string // all of them: being declared does not help a denied one
	for name := range h {
		if name != "X-Other" {
			declared = append(declared, http.CanonicalHeaderKey(name))
		}
	}
	b := recordableHeader(nil, h, declared, nil)
	got, order := decodeAll(t, b)
	want := http.Header{
		"Content-Type": {"application/json"}, "Etag": {`"1"`}, "Link": {"<a>", "", "<b>"},
		"Location": {"/v1/orders/ord_1"}, "X-Cost": {"7"}, "X-Unit": {"EUR"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("recorded %v, want %v", got, want)
	}
	if wantOrder := []string{"Content-Type", "Etag", "Link", "Location", "X-Cost", "X-Unit"}; !slices.Equal(order, wantOrder) {
		t.Errorf("order %v, want %v", order, wantOrder)
	}
	got, _ = decodeAll(t, recordableHeader(nil, h, nil, nil))
	if _, ok := got["X-Cost"]; ok {
		t.Error("a header that is neither listed nor declared is recorded")
	}
}

// The encoding is stored for as long as records live: its octets are fixed.
func TestRecordableHeader_Octets(t *testing.T) {
	b := recordableHeader(nil, http.Header{"Link": {"<a>", ""}, "Etag": {`"1"`}}, nil, nil)
	want := "\x01" + "\x04etag\x01\x03\"1\"" + "\x04link\x02\x03<a>\x00"
	if string(b) != want {
		t.Errorf("encoded %q, want %q", b, want)
	}
	if b := recordableHeader(nil, http.Header{}, nil, nil); string(b) != "\x01" {
		t.Errorf("no headers: %q, want the version octet alone", b)
	}
}

// Lower-case names sort differently from canonical ones where a letter meets
// one of the octets between the cases.
func TestRecordableHeader_Order(t *testing.T) {
	names := []string{"X-Ab", "X-_b", "X-A"}
	h := http.Header{}
	for _, name := range names {
		h[name] = []string{"v"}
	}
	_, order := decodeAll(t, recordableHeader(nil, h, names, nil))
	if want := []string{"X-_b", "X-A", "X-Ab"}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
}

// The length of a name is a number, whatever letter its octet would be.
func TestRecordableHeader_NameOfAnyLength(t *testing.T) {
	for length := 1; length <= 300; length++ {
		name := http.CanonicalHeaderKey(strings.Repeat("X", length))
		h := http.Header{name: {"1"}, "Etag": {`"1"`}}
		got, _ := decodeAll(t, recordableHeader(nil, h, []string{name}, nil))
		if !reflect.DeepEqual(got, h) {
			t.Fatalf("%d octets: %v comes back as %v", length, h, got)
		}
	}
}

func TestDecodeHeaders_Damaged(t *testing.T) {
	whole := recordableHeader(nil, http.Header{"Content-Type": {"text/plain"}, "Link": {"<a>", "<b>"}}, nil, nil)
	ignore := func(string, string) {}
	for n := 2; n < len(whole); n++ {
		if n == 1+1+len("content-type")+1+1+len("text/plain") {
			continue // ends after a whole header
		}
		if err := decodeHeaders(whole[:n], ignore); err == nil {
			t.Errorf("the first %d of %d octets decode", n, len(whole))
		}
	}
	for _, b := range [][]byte{
		{0},
		{2},
		{1, 0},
		{1, 0, 0},
		{1, 1, 'a'},
		{1, 1, 'a', 1},
		{1, 1, 'a', 2, 0},
		{1, 1, 'a', 0xff, 0xff, 0xff, 0xff, 0xff, 1},
		{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
	} {
		if err := decodeHeaders(b, ignore); err == nil {
			t.Errorf("%v decodes", b)
		}
	}
}

func TestDeniedHeader(t *testing.T) {
	for _, name := range []string{
		"Set-Cookie", "set-cookie", "Authorization", "WWW-Authenticate", "Proxy-Authenticate", "Date", "Connection",
		"Keep-Alive", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "RateLimit", "RateLimit-Policy", "RateLimit-Reset",
		"X-RateLimit-Limit", "Retry-After", "traceparent", "tracestate", "X-Request-Id", "X-Request-ID", "X-Correlation-Id",
	} {
		if !deniedHeader(name) {
			t.Errorf("%s may be recorded", name)
		}
	}
	for _, name := range append([]string{"X-Cost", "Rate", "X-Rate", "Dated"}, recordedHeaders...) {
		if deniedHeader(name) {
			t.Errorf("%s may not be recorded", name)
		}
	}
}

func TestDecodeHeaders_Allocates(t *testing.T) {
	b := recordableHeader(nil, http.Header{"Content-Type": {"application/json"}, "Location": {"/v1/orders/1"}, "Etag": {`"1"`}}, nil, nil)
	visited := 0
	if n := testing.AllocsPerRun(100, func() {
		if err := decodeHeaders(b, func(name, value string) { visited += len(name) + len(value) }); err != nil {
			t.Fatal(err)
		}
	}); n > 1 {
		t.Errorf("%v allocations, want one for all values", n)
	}
}

func FuzzHeaders(f *testing.F) {
	f.Add([]byte("\x01\x04etag\x01\x03\"1\""), "X-Cost", "7", "")
	f.Add([]byte{1, 4, 'l', 'i', 'n', 'k', 2, 0, 0}, "Link", "<a>", "<b>")
	f.Add([]byte{2}, "a", "\x00", "\xff")
	f.Fuzz(func(t *testing.T, b []byte, name, first, second string) {
		size := 0
		err := decodeHeaders(b, func(name, value string) { size += len(value) })
		if err == nil && size > len(b) {
			t.Fatalf("%d octets decode to values of %d", len(b), size)
		}
		name = http.CanonicalHeaderKey(name)
		if name == "" || deniedHeader(name) {
			return
		}
		h := http.Header{name: {first, second}, "Etag": {second}}
		if name == "Etag" {
			h = http.Header{name: {first}}
		}
		encoded := recordableHeader(nil, h, []string{name}, nil)
		got := http.Header{}
		if err := decodeHeaders(encoded, func(name, value string) { got[name] = append(got[name], value) }); err != nil {
			t.Fatalf("%q: %v", encoded, err)
		}
		if http.CanonicalHeaderKey(string(bytes.ToLower([]byte(name)))) == name && !reflect.DeepEqual(got, h) {
			t.Fatalf("%v comes back as %v", h, got)
		}
	})
}
