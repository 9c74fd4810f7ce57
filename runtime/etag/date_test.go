package etag

import (
	"net/http"
	"testing"
	"time"
)

func at(value string) time.Time {
	t, err := time.Parse(time.RFC3339, value)
	if err != nil {
		panic(err)
	}
	return t
}

func TestParseDate(t *testing.T) {
	now := func() time.Time { return at("2026-06-01T00:00:00Z") }
	for _, test := range []struct{ text, want string }{
		{"Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"},
		{"Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z"},
		{"Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z"},
		{"Sun Nov 16 08:49:37 1994", "1994-11-16T08:49:37Z"},
		{" Sun, 06 Nov 1994 08:49:37 GMT\t", "1994-11-06T08:49:37Z"},
		{"Mon, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"}, // another day's name
		{"Sat, 31 Dec 2016 23:59:60 GMT", "2017-01-01T00:00:00Z"}, // leap second
		{"Thu, 29 Feb 2024 00:00:00 GMT", "2024-02-29T00:00:00Z"},
		// Two digits: not more than 50 years ahead.
		{"Monday, 01-Jun-76 00:00:00 GMT", "2076-06-01T00:00:00Z"},
		{"Monday, 01-Jun-76 00:00:01 GMT", "1976-06-01T00:00:01Z"},
		{"Monday, 01-Jan-77 00:00:00 GMT", "1977-01-01T00:00:00Z"},
		{"Monday, 01-Jan-25 00:00:00 GMT", "2025-01-01T00:00:00Z"},
		{"Tuesday, 29-Feb-00 00:00:00 GMT", "2000-02-29T00:00:00Z"},
	} {
		got, ok := parseDate(test.text, now)
		if !ok || !got.Equal(at(test.want)) || got.Location() != time.UTC {
			t.Errorf("parseDate(%q) = %v, %v, want %s", test.text, got, ok, test.want)
		}
	}
}

func TestParseDate_NextCentury(t *testing.T) {
	got, ok := parseDate("Monday, 01-Jan-05 00:00:00 GMT", func() time.Time { return at("2099-06-01T00:00:00Z") })
	if !ok || got.Year() != 2105 {
		t.Errorf("year 05 in 2099 is %d, want 2105", got.Year())
	}
}

func TestParseDate_Refused(t *testing.T) {
	for _, text := range []string{
		"", ",", "GMT", "0", "1994-11-06T08:49:37Z",
		"Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 +0000", "Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 gmt", "sun, 06 nov 1994 08:49:37 GMT", "Sunday, 06 Nov 1994 08:49:37 GMT",
		"Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37.5 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
		"Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1994 -8:49:37 GMT", "Sun, 30 Feb 1994 08:49:37 GMT",
		"Sun, 29 Feb 2023 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nom 1994 08:49:37 GMT",
		"Xxx, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 ov  1994 08:49:37 GMT", "Sun, 06 Nov +994 08:49:37 GMT",
		"Sun, 06-Nov-94 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 UTC",
		"Sunday, x6-Nov-94 08:49:37 GMT", "Monday, 30-Feb-94 08:49:37 GMT", "Someday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov 6 08:49:37 1994", "Sun Nov 06 08:49:37 94", "Sun Nov  6 08:49:37 1994 GMT", "Sun Nov    08:49:37 1994",
	} {
		if got, ok := parseDate(text, time.Now); ok {
			t.Errorf("parseDate(%q) = %v, want it refused", text, got)
		}
	}
}

// Whatever this package accepts of the two unambiguous forms, net/http reads the
// same way; net/http accepts more.
func FuzzParseDate(f *testing.F) {
	for _, seed := range []string{
		"Sun, 06 Nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:60 GMT", "Thu, 29 Feb 2024 00:00:00 GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
	} {
		f.Add(seed)
	}
	now := func() time.Time { return at("2026-06-01T00:00:00Z") }
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := parseDate(text, now)
		if !ok {
			return
		}
		want, err := http.ParseTime(trimOWS(text))
		if err != nil {
			if got.Second() != 0 {
				t.Errorf("parseDate(%q) = %v, net/http: %v", text, got, err)
			}
			return // a leap second, which time.Parse refuses
		}
		if got.AddDate(-got.Year(), 0, 0).Equal(want.AddDate(-want.Year(), 0, 0)) && got.Year()%100 == want.Year()%100 {
			return // a two-digit year may mean another century
		}
		if !got.Equal(want) {
			t.Errorf("parseDate(%q) = %v, net/http %v", text, got, want)
		}
	})
}

func TestParseConditions_OneDateOnly(t *testing.T) {
	date := "Sun, 06 Nov 1994 08:49:37 GMT"
	for _, lines := range [][]string{nil, {date, date}, {date, ""}, {"garbage"}} {
		var c Conditions
		ParseConditions("GET", http.Header{"If-Modified-Since": lines, "If-Unmodified-Since": lines}, &c)
		if !c.IfModifiedSince.IsZero() || !c.IfUnmodifiedSince.IsZero() {
			t.Errorf("lines %q are not ignored", lines)
		}
	}
}
