package vectors

import (
	"strings"
	"testing"
)

func TestParse_Refuses(t *testing.T) {
	const head, tail = `{"format":1,"sequences":[{"id":"K1","steps":[`, `]}]}`
	send := `"send":{"method":"GET","path":"/"}`
	tests := []struct{ name, text, want string }{
		{"format", `{"format":2}`, "format 2 is not known"},
		{"no object", `[]`, "cannot unmarshal"},
		{"member of a vector", `{"format":1,"sequences":[{"id":"K1","stepz":[]}]}`, `unknown field "stepz"`},
		{"member of a step", head + `{` + send + `,"expekt":{}}` + tail, `unknown field "expekt"`},
		{"member of an expectation", head + `{` + send + `,"expect":{"state":1}}` + tail, `unknown field "state"`},
		{"member of a request", head + `{"send":{"method":"GET","path":"/","query":""}}` + tail, `unknown field "query"`},
		{"no id", `{"format":1,"sequences":[{"steps":[]}]}`, "empty or taken"},
		{"id twice", `{"format":1,"sequences":[{"id":"K1"},{"id":"K1"}]}`, "empty or taken"},
		{"nothing", head + `{}` + tail, "a step must be one thing"},
		{"two things", head + `{"sweep":true,"advance":"1s"}` + tail, "a step must be one thing"},
		{"start without send", head + `{"start":"g"}` + tail, "start needs send"},
		{"expectation without answer", head + `{"sweep":true,"expect":{}}` + tail, "sweep has no answer"},
		{"parallel without allow", head + `{"parallel":2,"sends":[{}]}` + tail, "parallel needs"},
		{"count without parallel", head + `{` + send + `,"count":{"200":1}}` + tail, "members of parallel"},
		{"sameAs ahead", head + `{` + send + `,"expect":{"sameAs":0}}` + tail, "not an earlier step"},
		{"sameAs ahead in allow", head + `{"parallel":2,"sends":[{}],"allow":[{"sameAs":1}]}` + tail, "not an earlier step"},
		{"duration", head + `{"advance":5}` + tail, "a duration is a string"},
		{"two bodies", head + `{"send":{"method":"GET","path":"/","body":"","bodyBase64":""}}` + tail, "body and bodyBase64"},
		{"mode", `{"format":1,"sequences":[{"id":"K1","modes":["both"]}]}`, "neither tx nor lease"},
		{"problem type", head + `{` + send + `,"expect":{"problem":{"type":1}}}` + tail, "neither a string nor a list"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("f.json", []byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestParse_WithoutSequences(t *testing.T) {
	f, err := Parse("conditional.json", []byte(`{"format":1,"evaluations":[{"any":"thing"}]}`))
	if err != nil || len(f.Sequences) != 0 {
		t.Errorf("got %v, %v; want a file without sequences", f, err)
	}
}

func TestLoad_EmptyDirectory(t *testing.T) {
	if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "has no vectors") {
		t.Errorf("got %v, want an error that says there are no vectors", err)
	}
}

func TestDirectory(t *testing.T) {
	t.Setenv(Environment, "")
	if got := Directory("/repo"); !strings.HasSuffix(got, "testdata/vectors") {
		t.Errorf("by default %q, want the project's own copy", got)
	}
	t.Setenv(Environment, "other")
	if got := Directory("/repo"); got != "/repo/other" {
		t.Errorf("a relative directory is %q, want it below the root", got)
	}
	absolute := t.TempDir()
	t.Setenv(Environment, absolute)
	if got := Directory("/repo"); got != absolute {
		t.Errorf("got %q, want %q", got, absolute)
	}
}

func TestSetup_Lacks(t *testing.T) {
	tests := []struct {
		setup Setup
		needs []string
		want  string // prefix
	}{
		{Setups[0], []string{"clock", "gate", "parallel", "storeFault", "sweep"}, ""},
		{Setups[0], []string{"clock", "kill"}, "kill"},
		{Setups[1], []string{"kill", "sharedStore"}, ""},
		{Setups[1], []string{"kill", "operator"}, ""},
		{Setups[2], []string{"somethingNew"}, "somethingNew"},
	}
	for _, test := range tests {
		got := test.setup.Lacks(&Vector{Needs: test.needs})
		if !strings.HasPrefix(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%v lacks %q of %v, want %q", test.setup, got, test.needs, test.want)
		}
	}
}

func TestRedeployed(t *testing.T) {
	tests := []struct{ text, policy, etag string }{
		{`{"ttl":"5m"}`, `{"ttl":"5m"}`, ""},
		{`"optional"`, `"optional"`, ""},
		{`{}`, `{}`, ""},
		{`{"policy":{"ttl":"5m"}}`, `{"ttl":"5m"}`, ""},
		{`{"policy":true,"etag":{"tags":"one"}}`, `true`, `{"tags":"one"}`},
	}
	for _, test := range tests {
		policy, etag := redeployed([]byte(test.text))
		if string(policy) != test.policy || string(etag) != test.etag {
			t.Errorf("%s: got %s and %s", test.text, policy, etag)
		}
	}
}
