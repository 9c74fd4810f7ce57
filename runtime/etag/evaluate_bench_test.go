package etag

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

func TestEvaluate_Allocs(t *testing.T) {
	for name, h := range map[string]http.Header{
		"one tag":               header("If-Match", `"v1"`),
		"five tags":             header("If-Match", `"v0", "v2", W/"v1", "v3", "v1"`),
		"five tags, five lines": header("If-Match", `"v0"`, "If-Match", `"v2"`, "If-Match", `"v3"`, "If-Match", `"v4"`, "If-Match", `"v1"`),
		"every field":           header("If-Match", `"v1"`, "If-None-Match", `"v0", "v2", "v3", "v4", "v5"`, "If-Unmodified-Since", oldDate, "If-Modified-Since", newDate),
		"stale":                 header("If-Match", `"v0"`),
		"malformed":             header("If-Match", `v1`),
		"a date":                header("If-Unmodified-Since", oldDate),
		"none":                  header(),
	} {
		for _, method := range []string{"PUT", "GET"} {
			allocs := testing.AllocsPerRun(100, func() {
				var c Conditions
				ParseConditions(method, h, &c)
				sink = Evaluate(method, &c, &present, &guarded)
			})
			if allocs != 0 {
				t.Errorf("%s, %s: %v allocations, want 0", method, name, allocs)
			}
		}
	}
}

var sink Decision

// guarded is what an update declares by default.
var guarded = Policy{Role: RoleUpdate, Require: []Field{IfMatch}, RejectWildcard: true}

// handWritten is what a careful handler of one guarded PUT does without this
// package: it reads all lines, checks the grammar, compares strongly, and says
// why not. It knows If-Match only and refuses If-None-Match.
func handWritten(h http.Header, exists bool, current string) (status int, reason string, offset int) {
	lines := h["If-Match"]
	if len(lines) == 0 {
		return http.StatusPreconditionRequired, "", 0
	}
	if len(h["If-None-Match"]) > 0 {
		return http.StatusPreconditionFailed, "unsupported", 0
	}
	status, reason = http.StatusPreconditionFailed, "stale"
	count, base := 0, 0
	for _, s := range lines {
		separated := true
		for i := 0; i < len(s); {
			if s[i] == ' ' || s[i] == '\t' || s[i] == ',' {
				separated = separated || s[i] == ','
				i++
				continue
			}
			if !separated || count == 64 {
				return http.StatusBadRequest, "", base + i
			}
			weak := s[i] == 'W'
			if weak {
				if i++; i == len(s) || s[i] != '/' {
					return http.StatusBadRequest, "", base + i
				}
				i++
			}
			if i == len(s) || s[i] != '"' {
				if len(lines) == 1 && trimOWS(s) == "*" {
					return http.StatusPreconditionRequired, "", 0
				}
				return http.StatusBadRequest, "", base + i
			}
			begin := i + 1
			for i++; i < len(s) && s[i] != '"'; i++ {
				if s[i] < 0x21 || s[i] == 0x7F {
					return http.StatusBadRequest, "", base + i
				}
			}
			if i == len(s) {
				return http.StatusBadRequest, "", base + i
			}
			if s[begin:i] == current {
				if !weak {
					status, reason = 0, ""
				} else if status != 0 {
					reason = "weak-tag"
				}
			}
			separated = false
			count++
			i++
		}
		base += len(s) + 1
	}
	if !exists {
		return http.StatusNotFound, "", 0
	}
	return status, reason, 0
}

// A floor that answers something else would measure nothing.
func TestHandWritten(t *testing.T) {
	for _, lines := range [][]string{
		nil,
		{""},
		{`"v1"`},
		{`"v0"`},
		{`W/"v1"`},
		{`W/"v1", "v1"`},
		{`"v1", W/"v1"`},
		{`"v0" , "v1"`},
		{`"v0"`, `"v1"`},
		{`,,"v1",`},
		{"*"},
		{" * "},
		{"*", "*"},
		{`*, "v1"`},
		{"v1"},
		{`"v1`},
		{`"v 1"`},
		{`"v1""v1"`},
		{`"v1" "v1"`},
		{`W"v1"`},
		{`W`},
		{`"v1"`, "x"},
		{list(64) + `, "v1"`},
		{list(63) + `, "v1"`},
	} {
		for _, s := range []State{present, {}} {
			h := http.Header{"If-Match": lines}
			var c Conditions
			ParseConditions("PUT", h, &c)
			want := Evaluate("PUT", &c, &s, &guarded)
			status, reason, offset := handWritten(h, s.Exists, present.Tag.Opaque)
			if status != want.Status || reason != want.Reason || offset != want.Offset {
				t.Errorf("If-Match %q, exists %v: by hand %d, %q, %d; want %+v", lines, s.Exists, status, reason, offset, want)
			}
		}
	}
}

// BenchmarkEvaluate sets parsing and evaluation against the hand-written scan.
// Machines change their speed while they are measured, so every iteration is a
// round in which both have their turn, and what is reported is the median over
// the rounds of the ratio within a round.
func BenchmarkEvaluate(b *testing.B) {
	const uuid = "6e8bc430-9c3a-11d9-9669-0800200c9a66"
	for _, test := range []struct{ name, value, current string }{
		{"tags=1", `"v1"`, "v1"},
		{"tags=1,uuid", `"` + uuid + `"`, uuid},
		{"tags=5", `"v0", "v2", "v3", "v4", "v1"`, "v1"},
	} {
		b.Run(test.name, func(b *testing.B) {
			h := header("If-Match", test.value, "Content-Type", "application/json", "Accept", "*/*", "User-Agent", "bench")
			state := State{Exists: true, HasTag: true, Tag: ETag{Opaque: test.current}}
			var ratios, ours, floors []float64
			for round := 0; b.Loop(); round++ {
				var own, floor float64
				for turn := range 2 { // who begins alternates
					if (round+turn)%2 == 0 {
						own = perCall(func() int {
							var c Conditions
							ParseConditions("PUT", h, &c)
							return Evaluate("PUT", &c, &state, &guarded).Status
						})
					} else {
						floor = perCall(func() int {
							status, _, _ := handWritten(h, state.Exists, state.Tag.Opaque)
							return status
						})
					}
				}
				ratios, ours, floors = append(ratios, own/floor), append(ours, own), append(floors, floor)
			}
			b.ReportMetric(median(ratios), "etag/handwritten")
			b.ReportMetric(median(ours), "ns/etag")
			b.ReportMetric(median(floors), "ns/handwritten")
			b.ReportMetric(0, "ns/op") // the length of a round says nothing
		})
	}
}

// perCall returns the nanoseconds that a call takes, over many calls.
func perCall(call func() int) float64 {
	const calls = 5000
	sum := 0
	start := time.Now()
	for range calls {
		sum += call()
	}
	passed := time.Since(start)
	if sum != 0 {
		panic("the benchmark's request is refused")
	}
	return float64(passed.Nanoseconds()) / calls
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
