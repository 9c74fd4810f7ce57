package vectors

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// judge says what is wrong with the answers to parallel requests; markers are
// those of the step's sends, earlier the answers of the steps before.
func (s *Step) judge(replies []*Reply, markers []string, earlier []*Reply) []string {
	var all []string
	counts := map[string]int{"executed": 0}
	for i, r := range replies {
		marker := markers[i%len(markers)]
		if misses := s.allowed(r, marker, earlier); misses != nil {
			all = append(all, fmt.Sprintf("request %d was answered with what nothing allows: %s %v", i, r.brief(), misses))
		}
		counts[strconv.Itoa(r.Status)]++
		if succeeded(r, marker) {
			counts["executed"]++
		}
	}
	for _, what := range slices.Sorted(maps.Keys(s.Count)) {
		if counts[what] != s.Count[what] {
			all = append(all, fmt.Sprintf("%d answers are %s, want %d; all are %v", counts[what], what, s.Count[what], counts))
		}
	}
	if s.SameBodyPerSend {
		all = append(all, s.oneBody(replies)...)
	}
	return all
}

// allowed returns nil when an answer is one of those that are allowed, else why
// it is not the first of its status, or of any.
func (s *Step) allowed(r *Reply, marker string, earlier []*Reply) []string {
	var reasons []string
	for i := range s.Allow {
		c := compared{reply: r, expect: &s.Allow[i], marker: marker}
		if same := s.Allow[i].SameAs; same != nil {
			c.same = earlier[*same]
		}
		misses := c.mismatches()
		if misses == nil {
			return nil
		}
		if reasons == nil || s.Allow[i].Status != nil && *s.Allow[i].Status == r.Status {
			reasons = misses
		}
	}
	return reasons
}

// oneBody checks that only one entry of sends has successes, and that all of
// them have one body.
func (s *Step) oneBody(replies []*Reply) []string {
	bodies := map[int]map[string]bool{}
	for i, r := range replies {
		if r.Status < 200 || r.Status > 299 {
			continue
		}
		entry := i % len(s.Sends)
		if bodies[entry] == nil {
			bodies[entry] = map[string]bool{}
		}
		bodies[entry][string(r.Body)] = true
	}
	var all []string
	if len(bodies) > 1 {
		all = append(all, fmt.Sprintf("%d different requests succeeded under one key", len(bodies)))
	}
	for entry, set := range bodies {
		if len(set) > 1 {
			all = append(all, fmt.Sprintf("send %d was answered with %d different bodies: %q", entry, len(set), slices.Sorted(maps.Keys(set))))
		}
	}
	return all
}
