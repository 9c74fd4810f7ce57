package etag

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// vectorFile is the format of the conditional vectors, as far as pure functions
// are concerned.
type vectorFile struct {
	PolicyDefaults vectorPolicy
	Evaluations    []struct {
		ID, Title, Method string
		Policy            json.RawMessage
		Resource          struct {
			Exists       bool
			ETag         *string
			LastModified *time.Time
		}
		Headers [][2]string
		Expect  struct {
			Status        int
			Problem       string
			Reason, Field string
		}
	}
	Parse []struct {
		ID, Title string
		Lines     []string
		Result    struct {
			Absent, Any, Malformed bool
			Tags                   *[]struct {
				Weak   bool
				Opaque string
			}
		}
	}
	Comparisons []struct {
		ID, A, B     string
		Strong, Weak bool
	}
}

type vectorPolicy struct {
	Role          string
	Require       []string
	Wildcard      string
	WeakIfMatch   string
	Malformed     string
	Missing       string
	Tags          string
	StripSuffixes []string
	Variants      bool
	Unsupported   string
	NotModified   *bool
	LastModified  any
}

func (v *vectorPolicy) policy(t *testing.T, strongTag bool, dated bool) *Policy {
	t.Helper()
	p := &Policy{
		Role: map[string]Role{
			"none": RoleNone, "read": RoleRead, "update": RoleUpdate, "upsert": RoleUpsert,
			"create": RoleCreate, "delete": RoleDelete, "action": RoleAction,
		}[v.Role],
		RejectWildcard: v.Wildcard == "reject", AcceptWeak: v.WeakIfMatch == "accept",
		MalformedRFC: v.Malformed == "rfc", OneTag: v.Tags == "one",
		Missing:       map[string]Missing{"auto": MissingAuto, "notFound": MissingNotFound, "preconditionFailed": MissingPreconditionFailed}[v.Missing],
		StripSuffixes: v.StripSuffixes, Variants: v.Variants, IgnoreUnsupported: v.Unsupported == "ignore",
		NoNotModified: v.NotModified != nil && !*v.NotModified, Weak: !strongTag, LastModified: dated,
	}
	for _, name := range v.Require {
		f := map[string]Field{"ifMatch": IfMatch, "ifNoneMatch": IfNoneMatch, "ifUnmodifiedSince": IfUnmodifiedSince}[name]
		if f == 0 {
			t.Fatalf("unknown field %q", name)
		}
		p.Require = append(p.Require, f)
	}
	return p
}

// latin1 turns the octets of a vector, written as Latin-1 code points, into a
// field value.
func latin1(s string) string {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

func vectors(t *testing.T) map[string]*vectorFile {
	t.Helper()
	dir := os.Getenv("IDEMGEN_VECTORS")
	if dir == "" {
		dir = "testdata/vectors"
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no vectors in %s (%v): IDEMGEN_VECTORS must name a directory with vector files", dir, err)
	}
	files := map[string]*vectorFile{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(data, &members); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if members["evaluations"] == nil && members["parse"] == nil && members["comparisons"] == nil {
			continue // vectors of another kind
		}
		f := new(vectorFile)
		if err := json.Unmarshal(data, f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		files[filepath.Base(name)] = f
	}
	if len(files) == 0 {
		t.Fatalf("no file in %s has evaluations, parse or comparisons", dir)
	}
	return files
}

func TestEvaluate_Vectors(t *testing.T) {
	for name, f := range vectors(t) {
		for _, v := range f.Evaluations {
			t.Run(name+"/"+v.ID, func(t *testing.T) {
				declared := f.PolicyDefaults
				if err := json.Unmarshal(v.Policy, &declared); err != nil {
					t.Fatal(err)
				}
				s := State{Exists: v.Resource.Exists}
				if v.Resource.ETag != nil {
					var ok bool
					if s.Tag, ok = ParseTag(latin1(*v.Resource.ETag)); !ok {
						t.Fatalf("the vector's tag %q does not parse", *v.Resource.ETag)
					}
					s.HasTag = true
				}
				if v.Resource.LastModified != nil {
					s.LastModified = *v.Resource.LastModified
				}
				h := http.Header{}
				for _, field := range v.Headers {
					h.Add(field[0], latin1(field[1]))
				}
				var c Conditions
				ParseConditions(v.Method, h, &c)
				got := Evaluate(v.Method, &c, &s, declared.policy(t, !s.Tag.Weak, v.Resource.LastModified != nil))
				want := v.Expect
				if want.Status < 300 {
					want.Status = 0
				}
				if got.Status != want.Status || got.Problem != want.Problem || want.Reason != "" && got.Reason != want.Reason {
					t.Errorf("%s: got %+v, want %+v", v.Title, got, want)
				}
				if want.Field != "" && got.Field != want.Field {
					t.Errorf("%s: field %q, want %q", v.Title, got.Field, want.Field)
				}
			})
		}
	}
}

func TestParse_Vectors(t *testing.T) {
	for name, f := range vectors(t) {
		for _, v := range f.Parse {
			t.Run(name+"/"+v.ID, func(t *testing.T) {
				lines := v.Lines
				for i, line := range lines {
					lines[i] = latin1(line)
				}
				if len(lines) == 0 {
					lines = nil
				}
				c, err := Parse(lines)
				if c.Malformed() != v.Result.Malformed || (err != nil) != v.Result.Malformed {
					t.Fatalf("%s: malformed %v (%v), want %v", v.Title, c.Malformed(), err, v.Result.Malformed)
				}
				if c.Any() != v.Result.Any || c.Present() == v.Result.Absent {
					t.Errorf("%s: any %v present %v", v.Title, c.Any(), c.Present())
				}
				if v.Result.Tags == nil {
					return
				}
				if c.Len() != len(*v.Result.Tags) {
					t.Fatalf("%s: %d tags, want %d", v.Title, c.Len(), len(*v.Result.Tags))
				}
				for i, want := range *v.Result.Tags {
					if got := c.At(i); got != (ETag{Opaque: latin1(want.Opaque), Weak: want.Weak}) {
						t.Errorf("%s: tag %d is %v, want %v", v.Title, i, got, want)
					}
				}
			})
		}
	}
}

func TestCompare_Vectors(t *testing.T) {
	for name, f := range vectors(t) {
		for _, v := range f.Comparisons {
			a, okA := ParseTag(latin1(v.A))
			b, okB := ParseTag(latin1(v.B))
			if !okA || !okB {
				t.Fatalf("%s/%s: %q or %q does not parse", name, v.ID, v.A, v.B)
			}
			if Strong(a, b) != v.Strong || Weak(a, b) != v.Weak {
				t.Errorf("%s/%s: %s, %s: strong %v weak %v, want %v %v", name, v.ID, a, b, Strong(a, b), Weak(a, b), v.Strong, v.Weak)
			}
		}
	}
}
