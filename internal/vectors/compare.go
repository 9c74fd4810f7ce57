package vectors

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/idemgen/idemgen/internal/vectors/server"
)

// compared is everything an answer is compared with.
type compared struct {
	reply  *Reply
	expect *Expect
	marker string
	same   *Reply // of the step that sameAs names
}

// mismatches says where an answer is not what was expected, one sentence each.
func (c *compared) mismatches() []string {
	var all []string
	miss := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	r, e := c.reply, c.expect
	if e.Status != nil && r.Status != *e.Status {
		miss("status is %d, want %d", r.Status, *e.Status)
	}
	if e.Replayed != nil {
		values := r.Header.Values(c.marker)
		switch {
		case *e.Replayed && !slices.Equal(values, []string{"true"}):
			miss("%s is %q, want true", c.marker, values)
		case !*e.Replayed && len(values) > 0:
			miss("%s is %q, want none", c.marker, values)
		}
	}
	for name, want := range e.Headers {
		if octets, err := server.Octets(want); err == nil {
			want = octets
		}
		if got := r.Header.Values(name); strings.Join(got, ", ") != want || got == nil {
			miss("%s is %q, want %q", name, got, want)
		}
	}
	for _, name := range e.Present {
		if r.Header.Values(name) == nil {
			miss("%s is absent", name)
		}
	}
	for _, name := range e.Absent {
		if got := r.Header.Values(name); got != nil {
			miss("%s is %q, want none", name, got)
		}
	}
	if e.Body != nil && string(r.Body) != *e.Body {
		miss("body is %q, want %q", r.Body, *e.Body)
	}
	if e.Within != nil && r.Took > time.Duration(*e.Within) {
		miss("the answer took %v, want at most %v", r.Took, time.Duration(*e.Within))
	}
	all = append(all, c.retryAfter()...)
	all = append(all, c.sameAs()...)
	all = append(all, c.problem()...)
	return append(all, always(r, c.marker)...)
}

func (c *compared) retryAfter() []string {
	if c.expect.RetryAfter == nil {
		return nil
	}
	value := c.reply.Header.Get("Retry-After")
	seconds, err := strconv.Atoi(value)
	low, high := c.expect.RetryAfter[0], c.expect.RetryAfter[1]
	if err != nil || seconds < low || seconds > high {
		return []string{fmt.Sprintf("Retry-After is %q, want %d to %d seconds", value, low, high)}
	}
	return nil
}

// sameAs compares what must survive in a replay.
func (c *compared) sameAs() []string {
	if c.expect.SameAs == nil {
		return nil
	}
	if c.same == nil {
		return []string{fmt.Sprintf("step %d has no answer to compare with", *c.expect.SameAs)}
	}
	var all []string
	if string(c.reply.Body) != string(c.same.Body) {
		all = append(all, fmt.Sprintf("body is %q, that of step %d was %q", c.reply.Body, *c.expect.SameAs, c.same.Body))
	}
	for _, name := range []string{"Location", "ETag", "Content-Type"} {
		if got, want := c.reply.Header.Values(name), c.same.Header.Values(name); !slices.Equal(got, want) {
			all = append(all, fmt.Sprintf("%s is %q, that of step %d was %q", name, got, *c.expect.SameAs, want))
		}
	}
	return all
}

func (c *compared) problem() []string {
	want := c.expect.Problem
	if want == nil {
		return nil
	}
	if got := c.reply.Header.Get("Content-Type"); got != problemType {
		return []string{fmt.Sprintf("Content-Type is %q, want %s; body %q", got, problemType, c.reply.Body)}
	}
	var body map[string]any
	if err := json.Unmarshal(c.reply.Body, &body); err != nil {
		return []string{fmt.Sprintf("the problem %q: %v", c.reply.Body, err)}
	}
	var all []string
	kind, _ := body["type"].(string)
	if !slices.ContainsFunc(want.Types, func(suffix string) bool { return kind == server.ProblemBase+suffix }) && want.Types != nil {
		all = append(all, fmt.Sprintf("problem type is %q, want %q", kind, want.Types))
	}
	for name, value := range want.Members {
		if !reflect.DeepEqual(body[name], value) {
			all = append(all, fmt.Sprintf("problem member %s is %v, want %v", name, body[name], value))
		}
	}
	return all
}

const problemType = "application/problem+json"

// always is what holds for every answer, whatever a vector says of it: a
// problem is complete and no cache keeps it, and neither does one keep a replay.
func always(r *Reply, marker string) []string {
	var all []string
	noStore := strings.Contains(strings.ToLower(r.Header.Get("Cache-Control")), "no-store")
	if r.Header.Get(marker) != "" && !noStore {
		all = append(all, "a replay without Cache-Control: no-store")
	}
	if r.Header.Get("Content-Type") != problemType {
		return all
	}
	if !noStore {
		all = append(all, fmt.Sprintf("a problem without Cache-Control: no-store: %q", r.Header.Values("Cache-Control")))
	}
	var body struct {
		Type, Title, Retry string
		Status             int
		RetryAfterMs       *int64
	}
	switch err := json.Unmarshal(r.Body, &body); {
	case err != nil:
		return append(all, fmt.Sprintf("the problem %q: %v", r.Body, err))
	case !strings.HasPrefix(body.Type, server.ProblemBase) || body.Title == "" || body.Status != r.Status:
		all = append(all, fmt.Sprintf("a problem of status %d needs type, title and the same status: %s", r.Status, r.Body))
	}
	if seconds, err := strconv.ParseInt(r.Header.Get("Retry-After"), 10, 64); err == nil && body.RetryAfterMs != nil {
		if ms := *body.RetryAfterMs; ms < seconds*500 || ms > seconds*1000 {
			all = append(all, fmt.Sprintf("retryAfterMs is %d, not half to all of %d seconds", ms, seconds))
		}
	}
	return all
}

// succeeded reports whether an answer is a success that ran: 2xx or 3xx without
// marker.
func succeeded(r *Reply, marker string) bool {
	return r.Status >= 200 && r.Status < 400 && r.Header.Get(marker) == ""
}

// brief shows an answer in a failure.
func (r *Reply) brief() string {
	header := r.Header.Clone()
	for _, name := range []string{"Date", "Content-Length", "Connection"} {
		header.Del(name)
	}
	return fmt.Sprintf("%d %s, %v, %q", r.Status, http.StatusText(r.Status), header, r.Body)
}
