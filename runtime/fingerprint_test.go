package runtime

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/runtime/etag"
)

func compileFingerprint(t testing.TB, p FingerprintPolicy, guard *Precondition) *fingerprinter {
	t.Helper()
	f, err := newFingerprinter(&Operation{Idempotency: &Idempotency{Fingerprint: p}, Precondition: guard})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func requestWith(target string, fields ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, target, nil)
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	return r
}

// preimageOf returns the sections of a request's preimage by tag.
func preimageOf(t *testing.T, f *fingerprinter, r *http.Request, body string) (map[byte]string, error) {
	t.Helper()
	var c etag.Conditions
	etag.ParseConditions(r.Method, r.Header, &c)
	path, err := canonicalPath(r.URL.EscapedPath())
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.preimage(nil, new(workspace), r, path, []byte(body), &c)
	if err != nil {
		return nil, err
	}
	b, ok := bytes.CutPrefix(b, []byte("idemgen/fp/1\x00"))
	if !ok {
		t.Fatalf("preimage %q has no label", b)
	}
	sections, order := map[byte]string{}, ""
	for len(b) > 0 {
		n := binary.BigEndian.Uint32(b[1:])
		sections[b[0]] = string(b[5 : 5+n])
		order += string(b[:1])
		b = b[5+n:]
	}
	last := -1
	for _, tag := range order {
		at := strings.IndexRune("MPQHETCB", tag)
		if at <= last {
			t.Fatalf("sections %s: not in order", order)
		}
		last = at
	}
	return sections, nil
}

func TestFingerprint_BodyModes(t *testing.T) {
	const form = "b=x+y&a=1"
	formText := "f" + pairsText("a", "1", "b", "x y")
	tests := []struct {
		name   string
		mode   FingerprintMode
		fields []string
		body   string
		want   string // the B section
		media  string // the T section; "-": none
		coding string // the C section; "": none
	}{
		{name: "empty", body: "", want: "-", media: "-"},
		{name: "empty with a type", fields: []string{"Content-Type", "application/json"}, want: "-", media: "-"},
		{name: "no type", body: "x", want: "rx", media: ""},
		{name: "json", fields: []string{"Content-Type", "Application/JSON ; charset=utf-8"}, body: `{"b":1,"a":2}`, want: `j{"a":2,"b":1}`, media: "application/json"},
		{name: "suffix", fields: []string{"Content-Type", "application/merge-patch+json"}, body: ` 1`, want: "j1", media: "application/merge-patch+json"},
		{name: "not a suffix", fields: []string{"Content-Type", "application/jsonl"}, body: ` 1`, want: "r 1", media: "application/jsonl"},
		{name: "form", fields: []string{"Content-Type", "application/x-www-form-urlencoded"}, body: form, want: formText, media: "application/x-www-form-urlencoded"},
		{name: "text", fields: []string{"Content-Type", "text/plain"}, body: form, want: "r" + form, media: "text/plain"},
		{name: "gzip", fields: []string{"Content-Type", "application/json", "Content-Encoding", " GZip , br\t"}, body: "\x1f\x8b", want: "r\x1f\x8b", media: "application/json", coding: "gzip,br"},
		{name: "codings on two lines", fields: []string{"Content-Encoding", "gzip", "Content-Encoding", "br"}, body: "x", want: "rx", coding: "gzip,br"},
		{name: "identity", fields: []string{"Content-Type", "application/json", "Content-Encoding", "Identity"}, body: ` 1`, want: "j1", media: "application/json"},
		{name: "octets of a foreign type", fields: []string{"Content-Type", "X/\xc4Y"}, body: "x", want: "rx", media: "x/\xc4y"},

		{name: "json by policy", mode: FingerprintJSON, fields: []string{"Content-Type", "text/plain"}, body: ` 1`, want: "j1", media: "text/plain"},
		{name: "raw by policy", mode: FingerprintRaw, fields: []string{"Content-Type", "application/json"}, body: ` 1`, want: "r 1", media: "application/json"},
		{name: "form by policy", mode: FingerprintForm, body: form, want: formText, media: ""},
		{name: "none", mode: FingerprintNone, fields: []string{"Content-Type", "application/json", "Content-Encoding", "gzip"}, body: "x", want: "", media: "-"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := compileFingerprint(t, FingerprintPolicy{Mode: tt.mode}, nil)
			got, err := preimageOf(t, f, requestWith("/", tt.fields...), tt.body)
			if err != nil {
				t.Fatal(err)
			}
			if got['B'] != tt.want {
				t.Errorf("B %q, want %q", got['B'], tt.want)
			}
			media, ok := got['T']
			if ok != (tt.media != "-") || ok && media != tt.media {
				t.Errorf("T %q, present %v, want %q", media, ok, tt.media)
			}
			if coding, ok := got['C']; ok != (tt.coding != "") || coding != tt.coding {
				t.Errorf("C %q, present %v, want %q", coding, ok, tt.coding)
			}
			if _, ok := got['B']; ok == (tt.mode == FingerprintNone) {
				t.Errorf("B present: %v", ok)
			}
		})
	}
}

func TestFingerprint_Exclude(t *testing.T) {
	tests := []struct {
		exclude []string
		body    string
		want    string
	}{
		{[]string{"/a"}, `{"a":1}`, `{}`},
		{[]string{"/a"}, `{"a":1,"b":2,"c":3}`, `{"b":2,"c":3}`},
		{[]string{"/b"}, `{"a":1,"b":2,"c":3}`, `{"a":1,"c":3}`},
		{[]string{"/c"}, `{"a":1,"b":2,"c":3}`, `{"a":1,"b":2}`},
		{[]string{"/b", "/a", "/c"}, `{"c":1,"a":2,"b":3}`, `{}`},
		{[]string{"/b"}, `{"c":{"z":1,"y":2},"b":{"z":1,"y":{"x":1,"w":2}},"a":{"z":1,"y":2}}`, `{"a":{"y":2,"z":1},"c":{"y":2,"z":1}}`},
		{[]string{"/m/sentAt"}, `{"m":{"sentAt":1}}`, `{"m":{}}`},
		{[]string{"/m/sentAt", "/m"}, `{"m":{"sentAt":1,"x":2},"n":1}`, `{"n":1}`},
		{[]string{"/m/sentAt"}, `{"m":[{"sentAt":1}],"sentAt":2}`, `{"m":[{"sentAt":1}],"sentAt":2}`}, // not through an array
		{[]string{"/0"}, `[1]`, `[1]`},
		{[]string{"/a~1b", "/~01", "/"}, `{"a/b":1,"~1":2,"":3,"c":4}`, `{"c":4}`},
		{[]string{"/\n"}, `{"\u000a":1,"c":4}`, `{"c":4}`},
	}
	for _, tt := range tests {
		f := compileFingerprint(t, FingerprintPolicy{Mode: FingerprintJSON, Exclude: tt.exclude}, nil)
		got, err := preimageOf(t, f, requestWith("/"), tt.body)
		if err != nil || got['B'] != "j"+tt.want {
			t.Errorf("%s without %q: %q, %v, want %q", tt.body, tt.exclude, got['B'], err, "j"+tt.want)
		}
	}
	// What does not count must be acceptable all the same.
	f := compileFingerprint(t, FingerprintPolicy{Mode: FingerprintJSON, Exclude: []string{"/a"}}, nil)
	for _, body := range []string{`{"a":1,"a":2}`, `{"a":1,"b":2,"a":3}`, `{"a":1,"\u0061":2}`, `{"a":"\ud800"}`} {
		if _, err := preimageOf(t, f, requestWith("/"), body); err == nil {
			t.Errorf("%s is accepted because /a is excluded", body)
		}
	}
}

func TestFingerprint_Include(t *testing.T) {
	f := compileFingerprint(t, FingerprintPolicy{Mode: FingerprintJSON, Include: []string{"/n/b", "/sku", "/a/0", "/n"}}, nil)
	got, err := preimageOf(t, f, requestWith("/"), `{"sku":"a","n":{"b":{"y":1,"x":2},"a":null},"a":["z"],"ignored":1}`)
	want := "i" + pairsText("/a/0") + "\x00" +
		pairsText("/n") + "\x01" + pairsText(`{"a":null,"b":{"x":2,"y":1}}`) +
		pairsText("/n/b") + "\x01" + pairsText(`{"x":2,"y":1}`) +
		pairsText("/sku") + "\x01" + pairsText(`"a"`)
	if err != nil || got['B'] != want {
		t.Errorf("B %q, %v, want %q", got['B'], err, want)
	}
	if _, err := preimageOf(t, f, requestWith("/"), `{"sku":"a","ignored":1,"ignored":2}`); err == nil {
		t.Error("a member twice is accepted because it is not included")
	}
}

func TestNewFingerprinter_Refusals(t *testing.T) {
	for _, p := range []FingerprintPolicy{
		{Include: []string{""}},
		{Exclude: []string{"a"}},
		{Exclude: []string{"/a~2"}},
		{Include: []string{"/a"}, Exclude: []string{"/b"}},
	} {
		if _, err := newFingerprinter(&Operation{Idempotency: &Idempotency{Fingerprint: p}}); err == nil {
			t.Errorf("%+v is accepted", p)
		}
	}
}

func TestFingerprint_Headers(t *testing.T) {
	f := compileFingerprint(t, FingerprintPolicy{Headers: []string{"X-Region", "x-absent", "Host", "X-REGION"}}, nil)
	r := requestWith("/", "x-region", " eu\t", "X-Region", "", "Other", "1")
	r.Host = "api.example.com"
	got, err := preimageOf(t, f, r, "")
	count := func(n byte) string { return string([]byte{0, 0, 0, n}) }
	want := pairsText("host") + count(1) + pairsText("api.example.com") +
		pairsText("x-absent") + count(0) + pairsText("x-region") + count(2) + pairsText("eu", "")
	if err != nil || got['H'] != want {
		t.Errorf("H %q, %v, want %q", got['H'], err, want)
	}
}

func TestFingerprint_Conditions(t *testing.T) {
	const date = "Mon, 01 Jan 2024 00:00:00 GMT"
	const seconds = "\x03\x00\x00\x00\x00\x65\x92\x00\x80"
	dated := &Precondition{Policy: etag.Policy{LastModified: true}}
	tests := []struct {
		name   string
		guard  *Precondition
		fields []string
		want   string
	}{
		{"absent", dated, nil, "\x00\x00\x00"},
		{"any", dated, []string{"If-None-Match", "*"}, "\x00\x01\x00"},
		{"date", dated, []string{"If-Unmodified-Since", date}, "\x00\x00" + seconds},
		{"date, none declared", &Precondition{}, []string{"If-Unmodified-Since", date}, "\x00\x00\x00"},
		{"invalid date", dated, []string{"If-Unmodified-Since", "yesterday"}, "\x00\x00\x00"},
		{"date beside If-Match", dated, []string{"If-Unmodified-Since", date, "If-Match", `"1"`}, "\x02\x00\x00\x00\x01" + pairsText(`"1"`) + "\x00\x00"},
		{"date beside If-None-Match", dated, []string{"If-Unmodified-Since", date, "If-None-Match", "*"}, "\x00\x01" + seconds},
	}
	for _, tt := range tests {
		f := compileFingerprint(t, FingerprintPolicy{}, tt.guard)
		got, err := preimageOf(t, f, requestWith("/", tt.fields...), "")
		if err != nil || got['E'] != tt.want {
			t.Errorf("%s: E %q, %v, want %q", tt.name, got['E'], err, tt.want)
		}
	}
	got, err := preimageOf(t, compileFingerprint(t, FingerprintPolicy{}, nil), requestWith("/", "If-Match", `"1"`), "")
	if _, ok := got['E']; ok || err != nil {
		t.Errorf("without x-etag: E present (%v)", err)
	}
}

func TestFingerprint_Query(t *testing.T) {
	f := compileFingerprint(t, FingerprintPolicy{}, nil)
	got, err := preimageOf(t, f, requestWith("/?b=1&a"), "")
	if err != nil || got['Q'] != pairsText("a", "", "b", "1") {
		t.Errorf("Q %q, %v", got['Q'], err)
	}
	for _, query := range []string{"a;b", "a=%zz"} {
		r := requestWith("/")
		r.URL.RawQuery = query
		_, err := preimageOf(t, f, r, "")
		if _, ok := errors.AsType[*requestError](err); !ok {
			t.Errorf("query %q: error %v, want a *requestError", query, err)
		}
		off := compileFingerprint(t, FingerprintPolicy{IgnoreQuery: true}, nil)
		if got, err := preimageOf(t, off, r, ""); err != nil || got['Q'] != "" {
			t.Errorf("query %q is not ignored: %q, %v", query, got['Q'], err)
		}
	}
}

func TestFingerprint_MalformedForm(t *testing.T) {
	f := compileFingerprint(t, FingerprintPolicy{Mode: FingerprintForm}, nil)
	_, err := preimageOf(t, f, requestWith("/"), "a=%zz")
	if _, ok := errors.AsType[*bodyError](err); !ok {
		t.Errorf("error %v, want a *bodyError", err)
	}
}

func TestFingerprint_Multipart(t *testing.T) {
	part := func(header, content string) string { return "--zz\r\n" + header + "\r\n\r\n" + content + "\r\n" }
	title := part(`Content-Disposition: form-data; name="title"`, "spec")
	file := part("content-disposition: form-data; name=file; filename=\"a.txt\"\r\nContent-Type: Text/Plain; charset=utf-8", "one\r\n")
	again := part("Content-Disposition: form-data; name=\"file\"; filename=\"\"\r\nContent-Transfer-Encoding: quoted-printable", "=41")
	bare := part("X-Any: 1", "")
	hash := func(s string) string { h := sha256.Sum256([]byte(s)); return string(h[:]) }
	want := "m" +
		pairsText("") + "\x00" + pairsText("") + hash("") +
		pairsText("file") + "\x01" + pairsText("a.txt", "text/plain") + hash("one\r\n") +
		pairsText("file") + "\x01" + pairsText("", "") + hash("=41") +
		pairsText("title") + "\x00" + pairsText("") + hash("spec")
	f := compileFingerprint(t, FingerprintPolicy{}, nil)
	tests := []struct{ contentType, body string }{
		{"multipart/form-data; boundary=zz", title + file + again + bare + "--zz--\r\n"},
		{"multipart/form-data; boundary=zz", file + bare + again + title + "--zz--"},
		{`multipart/form-data; charset=utf-8; boundary="other-1"`, strings.ReplaceAll("preamble\r\n"+file+again+title+bare+"--zz--\r\nepilogue", "--zz", "--other-1")},
	}
	for _, tt := range tests {
		got, err := preimageOf(t, f, requestWith("/", "Content-Type", tt.contentType), tt.body)
		if err != nil || got['B'] != want {
			t.Errorf("%q: B\n %q, %v, want\n %q", tt.body, got['B'], err, want)
		}
	}
	for name, tt := range map[string]struct{ contentType, body string }{
		"no boundary":           {"multipart/form-data", title + "--zz--\r\n"},
		"other boundary":        {"multipart/form-data; boundary=yy", title + "--zz--\r\n"},
		"no boundary in it":     {"multipart/form-data; boundary=zz", "spec"},
		"ends within a part":    {"multipart/form-data; boundary=zz", title},
		"ends within a header":  {"multipart/form-data; boundary=zz", "--zz\r\nContent-Dis"},
		"malformed disposition": {"multipart/form-data; boundary=zz", part(`Content-Disposition: form-data; name="a`, "x") + "--zz--\r\n"},
		"name twice":            {"multipart/form-data; boundary=zz", part(`Content-Disposition: form-data; name="a"; name="b"`, "x") + "--zz--\r\n"},
	} {
		got, err := preimageOf(t, f, requestWith("/", "Content-Type", tt.contentType), tt.body)
		if _, ok := errors.AsType[*bodyError](err); !ok {
			t.Errorf("%s: B %q, error %v, want a *bodyError", name, got['B'], err)
		}
	}
}

func TestFingerprint_Allocates(t *testing.T) {
	for name, body := range map[string][]byte{"sorted": sampleOrders(256, true), "unsorted": sampleOrders(256, false)} {
		f := compileFingerprint(t, FingerprintPolicy{Headers: []string{"x-region"}}, &Precondition{})
		r := requestWith("/v1/orders?b=2&a=1", "Content-Type", "application/json; charset=utf-8", "X-Region", "eu", "If-Match", `"1"`)
		var c etag.Conditions
		etag.ParseConditions(r.Method, r.Header, &c)
		ws := new(workspace) // not from the pool, which the race detector empties at random
		if n := testing.AllocsPerRun(200, func() {
			b, err := f.preimage(ws.preimage[:0], ws, r, "/v1/orders", body, &c)
			if err != nil {
				t.Fatal(err)
			}
			ws.preimage = b
		}); n != 0 {
			t.Errorf("%s: %v allocations, want none", name, n)
		}
	}
}

func BenchmarkFingerprint(b *testing.B) {
	for _, size := range []int{256, 16 << 10} {
		body := sampleOrders(size, true)
		f := compileFingerprint(b, FingerprintPolicy{}, nil)
		r := requestWith("/v1/orders", "Content-Type", "application/json")
		var c etag.Conditions
		ws := new(workspace)
		b.Run(itoa(int64(size)), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.sum(ws, r, "/v1/orders", body, &c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A pooled workspace must carry nothing over from one request to the next.
func TestFingerprint_Reuse(t *testing.T) {
	bodies := []string{
		`{"b":{"d":1,"c":2},"a":3}`, `{"b":{"d":1,"c":2},"a":3,"a":4}`, `[[[`, `{"x":"y"}`, `{"\n":{"z":1,"y":2},"\"":[{"b":1,"a":{"d":`, `1`,
	}
	f := compileFingerprint(t, FingerprintPolicy{Mode: FingerprintJSON}, nil)
	fresh := map[string]string{}
	for _, body := range bodies {
		if got, err := preimageOf(t, f, requestWith("/"), body); err == nil {
			fresh[body] = got['B']
		}
	}
	ws := new(workspace)
	for range 3 {
		for _, body := range bodies {
			var b []byte
			b, err := f.appendJSON(b, ws, []byte(body))
			if want, ok := fresh[body]; (err == nil) != ok || string(b) != want {
				t.Errorf("%s in a used workspace: %q, %v, want %q", body, b, err, want)
			}
		}
	}
}
