package runtime

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// Refusals are written by hand, and clients must not notice.
func TestProblem_AppendJSON(t *testing.T) {
	offset := 0
	for _, p := range []Problem{
		{},
		{Type: "t", Title: "a title", Status: 409},
		{
			Type: "https://example.com/#a&b", Title: "<t>", Status: 412, Detail: `quoted "tag" \ é …`, Instance: "urn:\u2028\x00\xff",
			Operation: "op", Retry: retrySame, RetryAfterMs: 750, Field: "If-Match", Offset: &offset, Reason: "stale",
			AcceptedFields: []string{"If-Match", "If-None-Match"}, Example: `If-Match: "…"`, CurrentETag: `W/"1"`,
		},
		{AcceptedFields: []string{}, Offset: new(int), RetryAfterMs: -1},
	} {
		want, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.appendJSON(nil); string(got) != string(want) {
			t.Errorf("wrote\n%s, json.Marshal writes\n%s", got, want)
		}
	}
}

func FuzzAppendString(f *testing.F) {
	f.Add("plain")
	f.Add("\"\\\u2028\u2029<>&\x7f\xff\x00é")
	f.Fuzz(func(t *testing.T, s string) {
		want, err := json.Marshal(s)
		if got := appendString(nil, s); err != nil || string(got) != string(want) {
			t.Errorf("wrote %s, json.Marshal writes %s, %v", got, want, err)
		}
	})
}

// The type of a problem is a link; it must lead somewhere.
func TestProblem_EveryTypeIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/problems.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kinds {
		section := "\n## " + k.suffix + "\n"
		_, text, found := strings.Cut(string(page), section)
		if !found {
			t.Errorf("docs/problems.md has no section %q", k.suffix)
			continue
		}
		if want := itoa(int64(k.status)); !strings.HasPrefix(text, want) {
			t.Errorf("section %q begins with %.10q, want the status %s", k.suffix, text, want)
		}
		if !strings.Contains(text[:min(len(text), 120)], "`"+k.retry+"`") {
			t.Errorf("section %q does not say retry %q first", k.suffix, k.retry)
		}
	}
	if got := strings.Count(string(page), "\n## "); got != len(kinds) {
		t.Errorf("docs/problems.md has %d sections for %d types", got, len(kinds))
	}
}
