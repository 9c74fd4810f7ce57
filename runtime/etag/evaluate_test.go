package etag

import (
	"net/http"
	"testing"
	"time"
)

const (
	oldDate = "Sun, 01 Jan 2023 00:00:00 GMT"
	newDate = "Wed, 01 Jan 2025 00:00:00 GMT"
)

// present is a resource with the tag "v1", modified in 2024.
var present = State{Exists: true, HasTag: true, Tag: ETag{Opaque: "v1"}, LastModified: time.Date(2024, 1, 1, 0, 0, 0, 5e8, time.UTC)}

// header takes names and values in turn.
func header(fields ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(fields); i += 2 {
		h.Add(fields[i], fields[i+1])
	}
	return h
}

// What the vectors leave open; they run in TestEvaluate_Vectors.
func TestEvaluate(t *testing.T) {
	nothing := State{}
	update := Policy{Role: RoleUpdate}
	read := Policy{Role: RoleRead}
	dated := Policy{Role: RoleUpdate, Require: []Field{IfMatch, IfUnmodifiedSince}, RejectWildcard: true, LastModified: true}
	for _, test := range []struct {
		name   string
		method string
		header http.Header
		state  State
		policy Policy
		want   Decision
	}{
		{
			"a refused wildcard is not cured by a date that it switches off", "PUT", header("If-Match", "*", "If-Unmodified-Since", oldDate), present, dated,
			Decision{Status: 428, Field: "If-Match", Problem: "precondition-required"},
		},
		{
			"the date alone is evaluated", "PUT", header("If-Unmodified-Since", oldDate), present, dated,
			Decision{Status: 412, Field: "If-Unmodified-Since", Reason: "stale", Problem: "precondition-failed"},
		},
		{
			"a required date needs a resource with a date", "PUT", header("If-Unmodified-Since", newDate), present,
			Policy{Role: RoleUpdate, Require: []Field{IfUnmodifiedSince}},
			Decision{Status: 428, Field: "If-Unmodified-Since", Problem: "precondition-required"},
		},
		{
			"a malformed field satisfies no requirement", "PUT", header("If-Match", "v1"), present,
			Policy{Role: RoleUpdate, Require: []Field{IfMatch}, MalformedRFC: true},
			Decision{Status: 428, Field: "If-Match", Problem: "precondition-required"},
		},
		{"a read is never asked for a precondition", "GET", header(), present, Policy{Role: RoleRead, Require: []Field{IfMatch}}, Decision{}},

		{
			"every suffix is tried", "GET", header("If-None-Match", `"v1--gzip"`), present,
			Policy{Role: RoleRead, StripSuffixes: []string{"-gzip", "--gzip"}},
			Decision{Status: 304, Field: "If-None-Match"},
		},
		{"a suffix is cut once", "GET", header("If-None-Match", `"v1-gzip-gzip"`), present, Policy{Role: RoleRead, StripSuffixes: []string{"-gzip"}}, Decision{}},
		{"suffixes are not for writes", "PUT", header("If-None-Match", `"v1-gzip"`), present, Policy{Role: RoleUpdate, StripSuffixes: []string{"-gzip"}}, Decision{}},

		{"what a read ignores need not be well-formed", "GET", header("If-Match", "v1", "If-None-Match", "v1"), present, Policy{}, Decision{}},
		{"nor what the policy ignores", "POST", header("If-Match", "v1"), present, Policy{IgnoreUnsupported: true}, Decision{}},
		{
			"malformed precedes unsupported", "POST", header("If-Match", "v1"), present,
			Policy{},
			Decision{Status: 400, Field: "If-Match", Problem: "malformed-precondition"},
		},
		{"dates are ignored where nothing can check them", "POST", header("If-Unmodified-Since", oldDate), present, Policy{}, Decision{}},

		{
			"tags: one points at the second tag", "PUT", header("If-Match", `"v1"`, "If-Match", ` "v2"`), present,
			Policy{Role: RoleUpdate, OneTag: true},
			Decision{Status: 400, Field: "If-Match", Problem: "malformed-precondition", Offset: 6},
		},
		{
			"tags: one, a cache's list on a read", "GET", header("If-None-Match", `"v0", "v1"`), present,
			Policy{Role: RoleRead, OneTag: true},
			Decision{Status: 304, Field: "If-None-Match"},
		},
		{
			"tags: one, a list on a write", "PUT", header("If-None-Match", `"v0", "v2"`), present,
			Policy{Role: RoleUpdate, OneTag: true},
			Decision{Status: 400, Field: "If-None-Match", Problem: "malformed-precondition", Offset: 6},
		},

		{"OPTIONS knows no preconditions", "OPTIONS", header("If-Match", "v1"), nothing, update, Decision{}},
		{"TRACE neither", "TRACE", header("If-Match", `"v0"`), present, update, Decision{}},
		{
			"an unknown method is unsafe", "LOCK", header("If-None-Match", "v1"), present, update,
			Decision{Status: 400, Field: "If-None-Match", Problem: "malformed-precondition"},
		},

		{"a list on a resource without a tag matches nothing", "GET", header("If-None-Match", `"v1", ""`), State{Exists: true}, read, Decision{}},
		{
			"neither does one of If-Match", "GET", header("If-Match", `""`),
			State{Exists: true},
			read,
			Decision{Status: 412, Field: "If-Match", Reason: "stale", Problem: "precondition-failed"},
		},
		{"wildcard on a resource without a tag", "PUT", header("If-Match", "*"), State{Exists: true}, update, Decision{}},
		{
			"create-only meets a resource without a tag", "PUT", header("If-None-Match", "*"),
			State{Exists: true},
			Policy{Role: RoleUpsert},
			Decision{Status: 412, Field: "If-None-Match", Reason: "exists", Problem: "precondition-failed"},
		},
		{
			"missing: notFound on an upsert with If-Match", "PUT", header("If-Match", `"v1"`),
			State{},
			Policy{Role: RoleUpsert, Missing: MissingNotFound},
			Decision{Status: 404, Problem: "not-found"},
		},
		{"missing: notFound lets an upsert create", "PUT", header(), State{}, Policy{Role: RoleUpsert, Missing: MissingNotFound}, Decision{}},
		{
			"missing: preconditionFailed without If-Match", "DELETE", header(),
			State{},
			Policy{Role: RoleDelete, Missing: MissingPreconditionFailed},
			Decision{Status: 404, Problem: "not-found"},
		},
		{
			"missing: preconditionFailed on a read", "GET", header("If-Match", `"v1"`),
			State{},
			Policy{Role: RoleRead, Missing: MissingPreconditionFailed},
			Decision{Status: 412, Field: "If-Match", Reason: "absent", Problem: "precondition-failed"},
		},

		{"notModified: false", "GET", header("If-None-Match", `"v1"`), present, Policy{Role: RoleRead, NoNotModified: true}, Decision{}},
		{"notModified: false, by date", "HEAD", header("If-Modified-Since", newDate), present, Policy{Role: RoleRead, NoNotModified: true}, Decision{}},
		{
			"notModified: false does not touch If-Match", "GET", header("If-Match", `"v0"`), present,
			Policy{Role: RoleRead, NoNotModified: true},
			Decision{Status: 412, Field: "If-Match", Reason: "stale", Problem: "precondition-failed"},
		},
		{"If-Modified-Since on a write", "PUT", header("If-Modified-Since", newDate), present, update, Decision{}},
		{"by date on HEAD", "HEAD", header("If-Modified-Since", newDate), present, read, Decision{Status: 304, Field: "If-Modified-Since"}},

		{"a tag without a variant is the version", "PUT", header("If-Match", `"7"`), State{Exists: true, HasTag: true, Tag: ETag{Opaque: "7.json"}}, Policy{Role: RoleUpdate, Variants: true}, Decision{}},
		{
			"only the last dot parts", "PUT", header("If-Match", `"7.1.xml"`),
			State{Exists: true, HasTag: true, Tag: ETag{Opaque: "7.2.json"}},
			Policy{Role: RoleUpdate, Variants: true},
			Decision{Status: 412, Field: "If-Match", Reason: "stale", Problem: "precondition-failed"},
		},
		{"a read compares the whole variant", "GET", header("If-None-Match", `"7.xml"`), State{Exists: true, HasTag: true, Tag: ETag{Opaque: "7.json"}}, Policy{Role: RoleRead, Variants: true}, Decision{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var c Conditions
			ParseConditions(test.method, test.header, &c)
			if got := Evaluate(test.method, &c, &test.state, &test.policy); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			got := Stateless(test.method, &c, &test.policy)
			if got.Status == 0 {
				got = Stateful(test.method, &c, &test.state, &test.policy)
			}
			if got != test.want {
				t.Errorf("in two steps %+v, want %+v", got, test.want)
			}
		})
	}
}

// A write never gets past a current tag that is not listed, whatever else is
// sent and however the policy is set.
func TestEvaluate_StaleTagNeverWrites(t *testing.T) {
	for role := RoleUpdate; role <= RoleAction; role++ {
		for bits := range 32 {
			p := Policy{Role: role, RejectWildcard: bits&1 != 0, AcceptWeak: bits&2 != 0, MalformedRFC: bits&4 != 0, LastModified: bits&8 != 0, OneTag: bits&16 != 0}
			for _, value := range []string{`"v0"`, `W/"v0"`, ``, `v1`, `"v1`, `"V1"`, `"v1 "`, `*, "v1"`} {
				for _, more := range [][]string{nil, {"If-None-Match", `"v0"`}, {"If-None-Match", ``}, {"If-Unmodified-Since", newDate}} {
					var c Conditions
					ParseConditions("PUT", header(append([]string{"If-Match", value}, more...)...), &c)
					if d := Evaluate("PUT", &c, &present, &p); d.Status < 400 {
						t.Errorf("%+v, If-Match: %s, %v: proceeds", p, value, more)
					}
				}
			}
		}
	}
}

func TestField_String(t *testing.T) {
	for field, want := range map[Field]string{IfMatch: "If-Match", IfNoneMatch: "If-None-Match", IfUnmodifiedSince: "If-Unmodified-Since", 0: ""} {
		if field.String() != want {
			t.Errorf("field %d is %q, want %q", field, field, want)
		}
	}
}

// ParseConditions drops the date beside If-Match; Conditions put together by
// hand must not get past the requirement either.
func TestStateless_DateBesideIfMatch(t *testing.T) {
	c := Conditions{IfUnmodifiedSince: at("2025-01-01T00:00:00Z")}
	p := Policy{Role: RoleUpdate, Require: []Field{IfUnmodifiedSince}, LastModified: true}
	if d := Stateless("PUT", &c, &p); d.Status != 0 {
		t.Fatalf("the date alone: %+v", d)
	}
	c.IfMatch, _ = Parse([]string{"*"})
	if d := Stateless("PUT", &c, &p); d.Status != http.StatusPreconditionRequired {
		t.Errorf("a date that If-Match switches off satisfies the requirement: %+v", d)
	}
}
