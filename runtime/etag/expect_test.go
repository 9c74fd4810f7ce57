package etag

import (
	"math"
	"testing"
	"time"
)

type (
	counter int64
	text    string
	uuid    [16]byte
	written struct {
		opaque string
		ok     bool
	}
)

func TestInt64_Strict(t *testing.T) {
	codec := Int64[counter]()
	for _, opaque := range []string{
		"01", "00", "+1", "-0", "-01", "", "-", "+", "1.0", "1e0", "0x1", "1_000", " 1", "1 ", "abc", "９",
		"9223372036854775808", "-9223372036854775809", "18446744073709551616",
	} {
		if v, ok := codec.Parse(opaque); ok {
			t.Errorf("Parse(%q) = %d, want no version", opaque, v)
		}
	}
	for _, v := range []counter{0, 1, -1, 10, 42, math.MaxInt64, math.MinInt64} {
		opaque, ok := codec.Format(v)
		if again, parsed := codec.Parse(opaque); !ok || !parsed || again != v {
			t.Errorf("%d is written %q and read as %d, %v", v, opaque, again, parsed)
		}
	}
}

func TestString_Strict(t *testing.T) {
	codec := String[text]()
	for _, s := range []text{"a b", `a"b`, "a\x00", "\x7f", "\n", " "} {
		if _, ok := codec.Format(s); ok {
			t.Errorf("Format(%q): a tag cannot hold it", s)
		}
		if _, ok := codec.Parse(string(s)); ok {
			t.Errorf("Parse(%q): Format never writes it", s)
		}
	}
	for _, s := range []text{"", "a", "W/a", "*", "a,b", `a\b`, "é", "\xff"} {
		opaque, ok := codec.Format(s)
		if again, parsed := codec.Parse(opaque); !ok || !parsed || again != s {
			t.Errorf("%q is written %q, %v and read as %q, %v", s, opaque, ok, again, parsed)
		}
	}
}

func TestUUID_Strict(t *testing.T) {
	codec := UUID[uuid]()
	v := uuid{0x6e, 0x8b, 0xc4, 0x30, 0x9c, 0x3a, 0x11, 0xd9, 0x96, 0x69, 0x08, 0x00, 0x20, 0x0c, 0x9a, 0x66}
	const canonical = "6e8bc430-9c3a-11d9-9669-0800200c9a66"
	if opaque, ok := codec.Format(v); (written{opaque, ok} != written{canonical, true}) {
		t.Errorf("Format = %q, %v, want %q", opaque, ok, canonical)
	}
	if got, ok := codec.Parse(canonical); !ok || got != v {
		t.Errorf("Parse(%q) = %x, %v", canonical, got, ok)
	}
	for _, opaque := range []string{
		"", "6E8BC430-9C3A-11D9-9669-0800200C9A66", "6e8bc4309c3a11d996690800200c9a66", "{6e8bc430-9c3a-11d9-9669-0800200c9a66}",
		"urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66", "6e8bc430-9c3a-11d9-9669-0800200c9a6", "6e8bc430-9c3a-11d9-9669-0800200c9a666",
		"6e8bc430+9c3a-11d9-9669-0800200c9a66", "6e8bc4309-c3a-11d9-9669-0800200c9a66", "6e8bc430-9c3a-11d9-9669-0800200c9a6g",
	} {
		if got, ok := codec.Parse(opaque); ok {
			t.Errorf("Parse(%q) = %x, want no version", opaque, got)
		}
	}
}

func TestCurrent(t *testing.T) {
	if c := Found(counter(3)); !c.Exists() || c.Version() != 3 {
		t.Errorf("Found(3): exists %v, version %d", c.Exists(), c.Version())
	}
	if c := NotFound[counter](); c.Exists() || c.Version() != 0 {
		t.Errorf("NotFound: exists %v, version %d", c.Exists(), c.Version())
	}
	var zero Current[counter]
	if zero.Exists() {
		t.Error("the zero value exists")
	}
}

type moment time.Time

func TestTimestamp_Strict(t *testing.T) {
	codec := Timestamp(func(v time.Time) moment { return moment(v) }, func(v moment) time.Time { return time.Time(v) })
	at := time.Date(2026, 11, 24, 2, 55, 54, 120_000_000, time.FixedZone("", 3600))
	const canonical = "2026-11-24T01:55:54.120000Z"
	if opaque, ok := codec.Format(moment(at)); (written{opaque, ok} != written{canonical, true}) {
		t.Errorf("Format = %q, %v, want %q", opaque, ok, canonical)
	}
	if got, ok := codec.Parse(canonical); !ok || !time.Time(got).Equal(at) {
		t.Errorf("Parse(%q) = %v, %v", canonical, time.Time(got), ok)
	}
	for _, opaque := range []string{
		"", "2026-11-24T01:55:54Z", "2026-11-24T01:55:54.12Z", "2026-11-24T01:55:54.120000+00:00", "2026-11-24T02:55:54.120000+01:00",
		"2026-11-24T01:55:54,120000Z", "2026-11-24t01:55:54.120000z", "2026-11-31T01:55:54.120000Z", "2026-11-24T01:55:54.1200000Z", "12026-11-24T01:55:54.120000Z",
	} {
		if got, ok := codec.Parse(opaque); ok {
			t.Errorf("Parse(%q) = %v, want no version", opaque, time.Time(got))
		}
	}
	for _, v := range []time.Time{at.Add(time.Nanosecond), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if opaque, ok := codec.Format(moment(v)); ok {
			t.Errorf("Format(%v) = %q, which is not that time", v, opaque)
		}
	}
	if arg, ok := codec.Arg(moment(at)).(time.Time); !ok || arg.Location() != time.UTC || !arg.Equal(at) {
		t.Errorf("argument %v", arg)
	}
}
