package etag

import (
	"strings"
	"time"
)

const (
	days       = "Mon Tue Wed Thu Fri Sat Sun "
	months     = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec "
	futureSpan = 50 // years: what a two-digit year may lie ahead of now
)

var longDays = [...]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

// parseDate reads an HTTP date in one of its three forms (RFC 9110 §5.6.7). It
// is stricter than time.Parse, which takes any zone, fractions of a second and
// hours of one digit; like it, it does not compare the day's name with the
// date. now is asked only for a two-digit year.
func parseDate(s string, now func() time.Time) (time.Time, bool) {
	s = trimOWS(s)
	comma := strings.IndexByte(s, ',')
	switch {
	case comma < 0:
		return parseAsctime(s)
	case comma == 3:
		return parseIMF(s)
	default:
		return parseRFC850(s, comma, now)
	}
}

// parseIMF reads the preferred form, "Sun, 06 Nov 1994 08:49:37 GMT".
func parseIMF(s string) (time.Time, bool) {
	if len(s) != 29 || s[4] != ' ' || s[7] != ' ' || s[11] != ' ' || s[16] != ' ' || s[25:] != " GMT" || name(days, s[:3]) == 0 {
		return time.Time{}, false
	}
	day, ok1 := number(s[5:7])
	year, ok2 := number(s[12:16])
	return instant(year, name(months, s[8:11]), day, s[17:25], ok1 && ok2)
}

// parseAsctime reads the form of C's asctime, "Sun Nov  6 08:49:37 1994".
func parseAsctime(s string) (time.Time, bool) {
	if len(s) != 24 || s[3] != ' ' || s[7] != ' ' || s[10] != ' ' || s[19] != ' ' || name(days, s[:3]) == 0 {
		return time.Time{}, false
	}
	dayText := s[8:10]
	if dayText[0] == ' ' {
		dayText = dayText[1:]
	}
	day, ok1 := number(dayText)
	year, ok2 := number(s[20:24])
	return instant(year, name(months, s[4:7]), day, s[11:19], ok1 && ok2)
}

// parseRFC850 reads the obsolete form, "Sunday, 06-Nov-94 08:49:37 GMT".
func parseRFC850(s string, comma int, now func() time.Time) (time.Time, bool) {
	known := false
	for _, day := range longDays {
		known = known || s[:comma] == day
	}
	rest := s[comma+1:]
	if !known || len(rest) != 23 || rest[0] != ' ' || rest[3] != '-' || rest[7] != '-' || rest[10] != ' ' || rest[19:] != " GMT" {
		return time.Time{}, false
	}
	day, ok1 := number(rest[1:3])
	year, ok2 := number(rest[8:10])
	month := name(months, rest[4:7])
	if !ok1 || !ok2 {
		return time.Time{}, false
	}
	// The latest year with these digits that has the day (29 February) and is not
	// too far ahead.
	present := now().UTC()
	limit := present.AddDate(futureSpan, 0, 0)
	century := present.Year() / 100
	for _, c := range [...]int{century + 1, century, century - 1} {
		if t, ok := instant(c*100+year, month, day, rest[11:19], true); ok && !t.After(limit) {
			return t, true
		}
	}
	return time.Time{}, false
}

// instant puts the parts of a date together; clock is "08:49:37". The second
// may be a leap second.
func instant(year int, month time.Month, day int, clock string, ok bool) (time.Time, bool) {
	hour, ok1 := number(clock[0:2])
	minute, ok2 := number(clock[3:5])
	second, ok3 := number(clock[6:8])
	if !ok || !ok1 || !ok2 || !ok3 || clock[2] != ':' || clock[5] != ':' || hour > 23 || minute > 59 || second > 60 || month == 0 {
		return time.Time{}, false
	}
	if day < 1 || day > time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day() {
		return time.Time{}, false
	}
	return time.Date(year, month, day, hour, minute, second, 0, time.UTC), true
}

// name returns the position of s in a list of names of three letters, from 1;
// 0 if it is not there.
func name(list, s string) time.Month {
	for i := 0; i < len(list); i += 4 {
		if list[i:i+3] == s {
			return time.Month(i/4 + 1)
		}
	}
	return 0
}

// number reads decimal digits.
func number(s string) (n int, ok bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}
