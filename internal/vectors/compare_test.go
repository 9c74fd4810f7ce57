package vectors

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/internal/vectors/server"
)

func TestCompare(t *testing.T) {
	problem := func(status int, body string, more ...string) *Reply {
		header := http.Header{"Content-Type": {problemType}, "Cache-Control": {"no-store"}}
		for i := 0; i < len(more); i += 2 {
			header[more[i]] = []string{more[i+1]}
		}
		return &Reply{Status: status, Header: header, Body: []byte(strings.ReplaceAll(body, "BASE", server.ProblemBase))}
	}
	const inFlight = `{"type":"BASEin-flight","title":"t","status":409,"retry":"same-key","retryAfterMs":700}`
	replay := &Reply{Status: 201, Header: http.Header{"Idempotent-Replayed": {"true"}, "Cache-Control": {"no-store"}, "Etag": {`"1"`}}, Body: []byte("{}")}
	tests := []struct {
		name   string
		reply  *Reply
		expect string
		want   string // part of the only mismatch; empty: none
	}{
		{"nothing expected", replay, `{}`, ""},
		{"all of a replay", replay, `{"status":201,"replayed":true,"headers":{"etag":"\"1\""},"present":["ETag"],"absent":["Location"],"body":"{}"}`, ""},
		{"replay that a cache keeps", &Reply{Status: 201, Header: http.Header{"Idempotent-Replayed": {"true"}}}, `{"replayed":true}`, "a replay without"},
		{"marker of another value", &Reply{Status: 201, Header: http.Header{"Idempotent-Replayed": {"1"}, "Cache-Control": {"no-store"}}}, `{"replayed":true}`, `Idempotent-Replayed is ["1"]`},
		{"header on two lines", &Reply{Header: http.Header{"Link": {"a", "b"}}}, `{"headers":{"Link":"a, b"}}`, ""},
		{"empty header that is absent", &Reply{}, `{"headers":{"Link":""}}`, "Link is"},
		{"problem", problem(409, inFlight, "Retry-After", "1"), `{"status":409,"problem":{"type":"in-flight","retry":"same-key"},"retryAfter":[1,30]}`, ""},
		{"one of two problems", problem(409, inFlight), `{"problem":{"type":["key-reused","in-flight"]}}`, ""},
		{"suffix of a suffix", problem(409, inFlight), `{"problem":{"type":"flight"}}`, "problem type is"},
		{"problem that a cache keeps", problem(409, inFlight, "Cache-Control", "private"), `{}`, "without Cache-Control: no-store"},
		{"status of another answer", problem(400, inFlight), `{}`, "the same status"},
		{"foreign problem base", problem(409, strings.ReplaceAll(inFlight, "BASE", "https://other/")), `{}`, "needs type"},
		{"problem that is no object", problem(409, `[]`), `{}`, "the problem"},
		{"wait in milliseconds", problem(409, inFlight, "Retry-After", "9"), `{}`, "retryAfterMs is 700"},
		{"retry-after out of range", problem(409, inFlight, "Retry-After", "1"), `{"retryAfter":[2,3]}`, `Retry-After is "1"`},
		{"retry-after that is a date", &Reply{Header: http.Header{"Retry-After": {"Mon, 02 Jan 2006 15:04:05 GMT"}}}, `{"retryAfter":[1,30]}`, "Retry-After is"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var e Expect
			if err := json.Unmarshal([]byte(test.expect), &e); err != nil {
				t.Fatal(err)
			}
			c := compared{reply: test.reply, expect: &e, marker: "Idempotent-Replayed"}
			got := c.mismatches()
			switch {
			case test.want == "" && got != nil:
				t.Errorf("got %q, want no mismatch", got)
			case test.want != "" && (len(got) != 1 || !strings.Contains(got[0], test.want)):
				t.Errorf("got %q, want one mismatch with %q", got, test.want)
			}
		})
	}
}

func TestCompare_SameAs(t *testing.T) {
	step := 0
	e := &Expect{SameAs: &step}
	one := func(body, location, tag, contentType string) *Reply {
		return &Reply{Header: http.Header{"Location": {location}, "Etag": {tag}, "Content-Type": {contentType}}, Body: []byte(body)}
	}
	base := one("{}", "/1", `"1"`, "application/json")
	for _, test := range []struct {
		reply *Reply
		want  string
	}{
		{one("{}", "/1", `"1"`, "application/json"), ""},
		{one("{ }", "/1", `"1"`, "application/json"), "body is"},
		{one("{}", "/2", `"1"`, "application/json"), "Location is"},
		{one("{}", "/1", `"2"`, "application/json"), "ETag is"},
		{one("{}", "/1", `"1"`, "text/plain"), "Content-Type is"},
	} {
		c := compared{reply: test.reply, expect: e, marker: "M", same: base}
		got := strings.Join(c.mismatches(), "\n")
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
	c := compared{reply: base, expect: e, marker: "M"}
	if got := c.mismatches(); len(got) != 1 || !strings.Contains(got[0], "no answer to compare") {
		t.Errorf("without an earlier answer got %q", got)
	}
}

func TestJudge(t *testing.T) {
	fresh := func(body string) *Reply { return &Reply{Status: 201, Body: []byte(body)} }
	again := func(body string) *Reply {
		return &Reply{Status: 201, Header: http.Header{"M": {"true"}, "Cache-Control": {"no-store"}}, Body: []byte(body)}
	}
	conflict := &Reply{Status: 409}
	const step = `{"sends":[{},{}],"allow":[{"status":201},{"status":409}],"sameBodyPerSend":true,"count":{"executed":1,"409":2}}`
	tests := []struct {
		name    string
		replies []*Reply // of the two sends in turn
		want    string
	}{
		{"good", []*Reply{fresh("a"), conflict, again("a"), conflict}, ""},
		{"two executed", []*Reply{fresh("a"), conflict, fresh("a"), conflict}, "2 answers are executed, want 1"},
		{"too few conflicts", []*Reply{fresh("a"), conflict, again("a")}, "1 answers are 409, want 2"},
		{"not allowed", []*Reply{fresh("a"), conflict, {Status: 503}, conflict}, "what nothing allows"},
		{"two bodies", []*Reply{fresh("a"), conflict, again("b"), conflict}, "2 different bodies"},
		{"two requests succeed", []*Reply{fresh("a"), again("a"), conflict, conflict}, "2 different requests succeeded"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var s Step
			if err := json.Unmarshal([]byte(step), &s); err != nil {
				t.Fatal(err)
			}
			got := strings.Join(s.judge(test.replies, []string{"M", "M"}, nil), "\n")
			if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestWire(t *testing.T) {
	body := "hällo"
	s := Send{
		Method: "POST", Path: "/a?b", Body: &body, Tenant: "t1",
		Headers: Fields{{"Idempotency-Key", "caf\u00e9-{i}"}, {"x-lower", ""}, {"x-lower", " 2 "}},
	}
	got, err := s.wire("7", "", 3)
	if err != nil {
		t.Fatal(err)
	}
	want := "POST /a?b HTTP/1.1\r\nHost: vectors.example\r\nConnection: close\r\n" +
		"Idempotency-Key: caf\xe9-3\r\nx-lower: \r\nx-lower:  2 \r\n" +
		"X-Vectors-Token: 7\r\nX-Vectors-Tenant: t1\r\nContent-Length: 6\r\n\r\nhällo"
	if string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, bad := range []string{"\u20ac", "a\r\nX-Other: 1"} {
		s.Headers = Fields{{"K", bad}}
		if got, err := s.wire("7", "", 0); err == nil {
			t.Errorf("the value %q is sent as %q, want an error", bad, got)
		}
	}
}

func TestWire_NoBody(t *testing.T) {
	for method, want := range map[string]string{"GET": "", "POST": "Content-Length: 0\r\n"} {
		s := Send{Method: method, Path: "/"}
		got, err := s.wire("", "", 0)
		if err != nil {
			t.Fatal(err)
		}
		if has := strings.Contains(string(got), "Content-Length"); has != (want != "") || !strings.Contains(string(got), want) {
			t.Errorf("%s without a body is %q", method, got)
		}
	}
}
