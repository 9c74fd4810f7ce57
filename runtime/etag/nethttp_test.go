package etag

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// question is a request on a resource that exists.
type question struct {
	method string
	header http.Header
	state  State
}

// ours is this package's answer; 200 is any success.
func (q *question) ours() int {
	p := Policy{Role: RoleUpdate, LastModified: true}
	if q.method == "GET" || q.method == "HEAD" {
		p.Role = RoleRead
	}
	var c Conditions
	ParseConditions(q.method, q.header, &c)
	if d := Evaluate(q.method, &c, &q.state, &p); d.Status != 0 {
		return d.Status
	}
	return http.StatusOK
}

// theirs is the answer of net/http, which evaluates preconditions for whatever
// method it is asked with.
func (q *question) theirs() int {
	r := httptest.NewRequest("GET", "/", nil)
	r.Method, r.Header = q.method, q.header
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "text/plain")
	if q.state.HasTag {
		w.Header().Set("ETag", q.state.Tag.String())
	}
	http.ServeContent(w, r, "", q.state.LastModified, bytes.NewReader(nil))
	return w.Code
}

func (q *question) reads() bool { return q.method == "GET" || q.method == "HEAD" }

// wellFormed reports whether a field is absent, or what RFC 9110 and the limit of
// 64 tags allow.
func (q *question) wellFormed(field string) bool {
	if len(q.header[field]) == 0 {
		return true
	}
	var lines []string
	for _, line := range q.header[field] {
		lines = append(lines, naiveEncode(line))
	}
	_, _, ok := naiveParse(lines)
	return ok
}

// difference is something that net/http does not do as RFC 9110 says, or that
// the RFC leaves open and we decided otherwise. Settle writes the question anew,
// so that net/http answers what it should have answered, or gives the answer.
type difference struct {
	what, rule string
	examples   []example
	settle     func(q *question) (answer int)
}

type example struct {
	method       string
	header       http.Header
	theirs, ours int
}

// The order is that in which a question is settled. In the examples the tag is
// "v1" and the resource is of 2024.
var differences = []difference{
	{
		"methods that select no representation are evaluated too", "§13.2.1",
		[]example{{"OPTIONS", header("If-Match", `"v0"`), 412, 200}, {"TRACE", header("If-None-Match", `*`), 412, 200}, {"CONNECT", header("If-Match", `x`), 412, 200}},
		func(q *question) int {
			if q.method == "OPTIONS" || q.method == "TRACE" || q.method == "CONNECT" {
				return http.StatusOK
			}
			return 0
		},
	},
	{
		"a malformed If-Match is evaluated up to the fault", "§8.8.3, §13.1.1; 400 is a decision",
		[]example{
			{"PUT", header("If-Match", `"v1" x`), 200, 400},
			{"PUT", header("If-Match", `"v0" "v1"`), 200, 400},
			{"PUT", header("If-Match", `"v0", *`), 200, 400},
			{"PUT", header("If-Match", `v1`), 412, 400},
			{"GET", header("If-Match", `*x`), 200, 400},
			{"PUT", header("If-Match", list(64)+`, "v1"`), 200, 400}, // the limit is a decision
		},
		func(q *question) int {
			if !q.wellFormed("If-Match") {
				return http.StatusBadRequest
			}
			return 0
		},
	},
	{
		"a malformed If-None-Match lets a write pass", "§8.8.3, §13.1.2; 400 is a decision",
		[]example{{"PUT", header("If-None-Match", `v1`), 200, 400}, {"DELETE", header("If-None-Match", `W/ "v1"`), 200, 400}, {"PUT", header("If-None-Match", `"v1";`), 412, 400}},
		func(q *question) int {
			if !q.reads() && !q.wellFormed("If-None-Match") {
				return http.StatusBadRequest
			}
			return 0
		},
	},
	{
		"a malformed If-None-Match on a read is evaluated up to the fault", "§8.8.3, §13.1.2; to match nothing is a decision",
		[]example{{"GET", header("If-None-Match", `"v1" x`), 304, 200}, {"HEAD", header("If-None-Match", `"v0", *`), 304, 200}},
		func(q *question) int {
			if !q.wellFormed("If-None-Match") {
				q.header["If-None-Match"] = []string{","}
			}
			return 0
		},
	},
	{
		"only the first field line is read", "§5.3",
		[]example{
			{"GET", header("If-None-Match", `"v0"`, "If-None-Match", `"v1"`), 200, 304},
			{"PUT", header("If-Match", `"v0"`, "If-Match", `"v1"`), 412, 200},
			{"PUT", header("If-Match", ``, "If-Match", `"v0"`), 200, 412},
		},
		func(q *question) int {
			for _, field := range []string{"If-Match", "If-None-Match"} {
				if lines := q.header[field]; len(lines) > 1 {
					q.header[field] = []string{strings.Join(lines, ", ")}
				}
			}
			return 0
		},
	},
	{
		"a list without members counts as an absent field", "§5.6.1.2, §13.1.1, §13.1.2",
		[]example{{"PUT", header("If-Match", ``), 200, 412}, {"GET", header("If-None-Match", ``, "If-Modified-Since", newDate), 304, 200}},
		func(q *question) int {
			for _, field := range []string{"If-Match", "If-None-Match"} {
				if slices.Equal(q.header[field], []string{""}) {
					q.header[field] = []string{","}
				}
			}
			return 0
		},
	},
	{
		"of several lines of a date the first counts", "§13.1.3, §13.1.4",
		[]example{{"GET", header("If-Modified-Since", newDate, "If-Modified-Since", newDate), 304, 200}, {"PUT", header("If-Unmodified-Since", oldDate, "If-Unmodified-Since", oldDate), 412, 200}},
		eachDate(func(lines []string) []string {
			if len(lines) > 1 {
				return nil
			}
			return lines
		}),
	},
	{
		"a two-digit year is between 1969 and 2068", "§5.6.7: not more than 50 years ahead",
		[]example{{"PUT", header("If-Unmodified-Since", "Wednesday, 01-Jan-70 00:00:00 GMT"), 412, 200}},
		eachDate(func(lines []string) []string {
			if m := naiveRFC850.FindStringSubmatch(lines[0]); m != nil {
				return []string{"Mon, " + m[1] + " " + m[2] + " " + naiveYear(m) + " " + m[4] + " GMT"}
			}
			return lines
		}),
	},
	{
		"a leap second is no date", "§5.6.7: second = 2DIGIT, 60 for a leap second",
		[]example{{"GET", header("If-Modified-Since", "Sat, 31 Dec 2033 23:59:60 GMT"), 200, 304}},
		eachDate(func(lines []string) []string {
			line := lines[0]
			if m := naiveIMF.FindStringSubmatch(line); m != nil && strings.HasSuffix(m[4], ":60") {
				return leap(line, "Mon, 02 Jan 2006 15:04:05 GMT")
			}
			if m := naiveAsctime.FindStringSubmatch(line); m != nil && strings.HasSuffix(m[3], ":60") {
				return leap(line, time.ANSIC)
			}
			return lines
		}),
	},
	{
		"more than the three forms are dates", "§5.6.7",
		[]example{
			{"GET", header("If-Modified-Since", "Wed, 01 Jan 2025 0:00:00 GMT"), 304, 200},
			{"GET", header("If-Modified-Since", "wed, 01 jan 2025 00:00:00 GMT"), 304, 200},
			{"PUT", header("If-Unmodified-Since", "Sunday, 01-Jan-23 00:00:00 CET"), 412, 200},
			{"PUT", header("If-Unmodified-Since", "Sun Jan 1 00:00:00 2023"), 412, 200},
			{"PUT", header("If-Unmodified-Since", "Sun, 01 Jan 2023 00:00:00.5 GMT"), 412, 200},
		},
		eachDate(func(lines []string) []string {
			for _, form := range []*regexp.Regexp{naiveIMF, naiveRFC850, naiveAsctime} {
				if len(lines) > 1 || form.MatchString(lines[0]) {
					return lines
				}
			}
			return nil
		}),
	},
	{
		"a resource of the first second of 1970 has no date", "§8.8.2",
		nil, // see TestNetHTTP_Epoch
		func(q *question) int {
			if q.state.LastModified.Equal(time.Unix(0, 0)) {
				q.state.LastModified = time.Unix(0, 1)
			}
			return 0
		},
	},
}

// A second reading of dates, by pattern.
var (
	naiveClock   = `([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)`
	naiveMonths  = `(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)`
	naiveDays    = `(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)`
	naiveIMF     = regexp.MustCompile(`^` + naiveDays + `, (\d\d) (` + naiveMonths + `) (\d{4}) ((?:` + naiveClock + `)) GMT$`)
	naiveAsctime = regexp.MustCompile(`^` + naiveDays + ` (` + naiveMonths + `) ([ \d]\d) ((?:` + naiveClock + `)) (?:\d{4})$`)
	naiveRFC850  = regexp.MustCompile(`^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d\d)-(` + naiveMonths + `)-(\d\d) ((?:` + naiveClock + `)) GMT$`)
)

// naiveYear is the latest year with the two digits of an RFC 850 date that is
// not more than 50 years ahead.
func naiveYear(m []string) string {
	limit := time.Now().UTC().AddDate(50, 0, 0)
	for year := limit.Year(); ; year-- {
		if text := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Format("2006"); text[2:] == m[3] {
			t, err := time.Parse("02 Jan 2006 15:04:05", m[1]+" "+m[2]+" "+text+" "+strings.Replace(m[4], ":60", ":59", 1))
			if err == nil && !t.After(limit) || year < limit.Year()-200 {
				return text
			}
		}
	}
}

// leap writes a date whose second is 60 as the next second.
func leap(line, layout string) []string {
	t, err := time.Parse(layout, strings.Replace(line, ":60 ", ":59 ", 1))
	if err != nil {
		return nil
	}
	return []string{t.Add(time.Second).Format(http.TimeFormat)}
}

// eachDate rewrites the lines of both date fields; nil is an absent field.
func eachDate(rewrite func([]string) []string) func(*question) int {
	return func(q *question) int {
		for _, field := range []string{"If-Modified-Since", "If-Unmodified-Since"} {
			if lines := q.header[field]; len(lines) > 0 {
				if q.header[field] = rewrite(lines); q.header[field] == nil {
					delete(q.header, field)
				}
			}
		}
		return 0
	}
}

// agree reports whether our answer is that of net/http, the known differences
// aside.
func agree(q *question, known []difference) (ours, theirs int) {
	ours = q.ours()
	settled := question{q.method, maps.Clone(q.header), q.state}
	for _, d := range known {
		if answer := d.settle(&settled); answer != 0 {
			return ours, answer
		}
	}
	return ours, settled.theirs()
}

// TestNetHTTP_Differences shows each difference, and that one which is not listed
// would be noticed.
func TestNetHTTP_Differences(t *testing.T) {
	for i, d := range differences {
		others := slices.Concat(differences[:i], differences[i+1:])
		for _, e := range d.examples {
			q := question{e.method, e.header, present}
			if ours, theirs := q.ours(), q.theirs(); ours != e.ours || theirs != e.theirs || ours == theirs {
				t.Errorf("%s (%s), %s %v: %d, net/http %d; want %d, %d", d.what, d.rule, e.method, e.header, ours, theirs, e.ours, e.theirs)
			}
			if ours, theirs := agree(&q, differences); ours != theirs {
				t.Errorf("%s, %s %v: %d is not settled, net/http %d", d.what, e.method, e.header, ours, theirs)
			}
			if ours, theirs := agree(&q, others); ours == theirs {
				t.Errorf("%s, %s %v: it would not be noticed: %d", d.what, e.method, e.header, ours)
			}
		}
	}
}

func TestNetHTTP_Epoch(t *testing.T) {
	q := question{"GET", header("If-Modified-Since", newDate), State{Exists: true, LastModified: time.Unix(0, 0)}}
	if ours, theirs := q.ours(), q.theirs(); ours != 304 || theirs != 200 {
		t.Errorf("got %d, net/http %d; want 304 and 200", ours, theirs)
	}
	if ours, theirs := agree(&q, differences); ours != theirs {
		t.Errorf("%d is not settled, net/http %d", ours, theirs)
	}
}

// FuzzNetHTTP looks for a difference that is not listed. Lines of a field are
// separated by line feeds; a field that is a single "-" is absent.
func FuzzNetHTTP(f *testing.F) {
	const absent = "-"
	year2024 := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	for _, tags := range []string{absent, "", `"v1"`, `"v0"`, `W/"v1"`, `"v0", "v1"`, "\"v0\"\n\"v1\"", "*", " * ", "*\n*", `v1`, `"v1" x`, ",,", `"a,b", "v1"`} {
		for method := range uint8(3) {
			f.Add(method, "v1", false, year2024, tags, absent, absent, absent)
			f.Add(method, "v1", true, year2024, absent, tags, newDate, newDate)
			f.Add(method, "v1", false, year2024, `"v1"`, tags, oldDate, oldDate)
		}
	}
	for _, d := range differences {
		for _, e := range d.examples {
			field := func(name string) string {
				if e.header[name] == nil {
					return absent
				}
				return strings.Join(e.header[name], "\n")
			}
			f.Add(uint8(slices.Index(methods, e.method)), "v1", false, year2024, field("If-Match"), field("If-None-Match"), field("If-Unmodified-Since"), field("If-Modified-Since"))
		}
	}
	f.Add(uint8(0), "\"", false, int64(0), absent, "*", newDate, newDate)
	f.Add(uint8(2), "v1", false, year2024, absent, absent, "Mon, 01 Jan 0001 00:00:00 GMT", absent)
	f.Fuzz(func(t *testing.T, method uint8, opaque string, weak bool, modified int64, ifMatch, ifNoneMatch, ifUnmodifiedSince, ifModifiedSince string) {
		q := question{methods[int(method)%len(methods)], http.Header{}, State{Exists: true}}
		if ValidOpaque(opaque) {
			q.state.HasTag, q.state.Tag = true, ETag{opaque, weak}
		}
		if modified >= 0 { // below is a resource without a date
			q.state.LastModified = time.Unix(modified%(1<<36), modified%2*5e8)
		}
		for name, value := range map[string]string{
			"If-Match": ifMatch, "If-None-Match": ifNoneMatch, "If-Unmodified-Since": ifUnmodifiedSince, "If-Modified-Since": ifModifiedSince,
		} {
			if value == absent {
				continue
			}
			for line := range strings.SplitSeq(value, "\n") {
				q.header.Add(name, strings.Trim(line, " \t")) // as the server does
			}
		}
		if ours, theirs := agree(&q, differences); ours != theirs {
			t.Errorf("%s %v of %+v: %d, net/http %d", q.method, q.header, q.state, ours, theirs)
		}
	})
}

var methods = []string{"GET", "HEAD", "PUT", "DELETE", "POST", "OPTIONS", "TRACE", "CONNECT"}
