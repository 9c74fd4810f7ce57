package vectors

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestHarness runs sequences of this harness's own: the steps that it must know
// and the rules that it must tell apart, whether or not the vectors of the day
// have them. Then it plants wrong expectations and sees them noticed.
func TestHarness(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	files, err := Load("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var catalog Catalog
	var own, wrong []*Case
	for _, f := range files {
		for i := range f.Sequences {
			own = append(own, catalog.Case(f, &f.Sequences[i], standard))
		}
	}
	steps := files[slices.IndexFunc(files, func(f *File) bool { return f.Name == "steps.json" })]
	for _, p := range plants {
		wrong = append(wrong, catalog.Case(steps, p.vector(t), standard))
	}
	runner := newRunner(t, root, &catalog)
	for _, setup := range Setups {
		if setup.Router != standard {
			continue // what the harness can do does not depend on the router
		}
		t.Run(setup.String(), func(t *testing.T) {
			site := openSite(t, setup)
			for _, c := range own {
				if setup.Runs(c.Vector) {
					t.Run(c.Vector.TestName(), func(t *testing.T) { runCase(t, runner, c, site) })
				}
			}
		})
		if setup.Variable != "" && setup.Mode == "lease" {
			continue // what is noticed does not differ from that on other stores
		}
		t.Run(setup.String()+" notices", func(t *testing.T) {
			site := openSite(t, setup)
			for i, c := range wrong {
				if setup.Runs(c.Vector) && setup.Lacks(c.Vector) == "" {
					t.Run(plants[i].name, func(t *testing.T) {
						t.Parallel()
						plants[i].check(t, c, runner, site)
					})
				}
			}
		})
	}
}

// plant is a vector with a wrong expectation.
type plant struct {
	name string
	text string // of the vector: steps, expect and what else it needs
	want string // part of the fault that must be found
}

func (p *plant) vector(t *testing.T) *Vector {
	t.Helper()
	text := strings.NewReplacer(
		"SEND2", `{"method":"POST","path":"/v1/orders","headers":[["Idempotency-Key","k"],["Content-Type","application/json"]],"body":"{\"n\":2}","tenant":"t1"}`,
		"SEND", `{"method":"POST","path":"/v1/orders","headers":[["Idempotency-Key","k"],["Content-Type","application/json"]],"body":"{\"n\":1}","tenant":"t1"}`,
		"PUT", `{"method":"PUT","path":"/v1/widgets/w1","headers":[["If-Match","\"1\""],["Content-Type","application/json"]],"body":"{}","tenant":"t1"}`,
	).Replace(p.text)
	var v Vector
	if err := strict(json.RawMessage(text), &v); err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	v.ID = p.name
	if err := v.check(); err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	return &v
}

func (p *plant) check(t *testing.T, c *Case, r *Runner, site *Site) {
	t.Helper()
	if c.Err != nil {
		t.Fatal(c.Err)
	}
	faults := strings.Join(r.Run(c, site), "\n")
	if !strings.Contains(faults, p.want) {
		t.Errorf("the faults are %q, want one with %q", faults, p.want)
	}
}

var plants = []plant{
	{"status", `{"steps":[{"send":SEND,"expect":{"status":200}}]}`, "status is 201, want 200"},
	{"a replay that is none", `{"steps":[{"send":SEND,"expect":{"replayed":true}}]}`, "Idempotent-Replayed is []"},
	{"a first answer that is a replay", `{"steps":[{"send":SEND},{"send":SEND,"expect":{"replayed":false}}]}`, `Idempotent-Replayed is ["true"], want none`},
	{"header", `{"steps":[{"send":SEND,"expect":{"headers":{"Location":"/v1/orders/ord_2"}}}]}`, `Location is ["/v1/orders/ord_1"]`},
	{"present", `{"steps":[{"send":SEND,"expect":{"present":["X-Other"]}}]}`, "X-Other is absent"},
	{"absent", `{"steps":[{"send":SEND,"expect":{"absent":["Location"]}}]}`, "Location is"},
	{"body", `{"steps":[{"send":SEND,"expect":{"body":"{}"}}]}`, "body is"},
	{"another answer", `{"steps":[{"send":SEND},{"send":SEND2,"expect":{"sameAs":0}}]}`, "that of step 0 was"},
	{"retry-after", `{"steps":[{"send":SEND},{"send":SEND2,"expect":{"retryAfter":[1,30]}}]}`, "Retry-After is"},
	{"time", `{"steps":[{"send":SEND,"hold":"20ms","expect":{"within":"1ns"}}]}`, "the answer took"},
	{"problem type", `{"steps":[{"send":SEND},{"send":SEND2,"expect":{"problem":{"type":["in-flight","key-missing"]}}}]}`, "problem type is"},
	{"problem member", `{"steps":[{"send":SEND},{"send":SEND2,"expect":{"problem":{"type":"key-reused","retry":"none"}}}]}`, "problem member retry is new-key"},
	{"no problem", `{"steps":[{"send":SEND,"expect":{"problem":{"type":"key-reused"}}}]}`, "want application/problem+json"},
	{"runs", `{"steps":[{"send":SEND},{"send":SEND}],"expect":{"runs":2}}`, "the handler ran 1 times, want 2"},
	{"rows", `{"steps":[{"send":SEND}],"expect":{"effects":2}}`, "there are 1 rows, want 2"},
	{"rows of a transaction that is undone", `{"modes":["tx"],"script":[{"status":500,"effect":true}],"steps":[{"send":SEND}],"expect":{"effects":1}}`, "there are 0 rows, want 1"},
	{"rows of a lease that stay", `{"modes":["lease"],"script":[{"status":500,"effect":true}],"steps":[{"send":SEND}],"expect":{"effects":0}}`, "there are 1 rows, want 0"},
	{"version", `{"steps":[{"send":PUT}],"expect":{"resource":{"exists":true,"version":1}}}`, "is {Exists:true Version:2}"},
	{"existence", `{"steps":[{"send":PUT}],"expect":{"resource":{"exists":false}}}`, "is {Exists:true Version:2}"},
	{"the answer at a gate", `{"needs":["gate"],"steps":[{"start":"g","send":SEND},{"finish":"g","expect":{"status":409}}]}`, "status is 201, want 409"},
	{"a gate that is never reached", `{"needs":["gate"],"steps":[{"send":SEND},{"start":"g","send":SEND}]}`, "answered before its handler started"},
	{"a gate that stays shut", `{"needs":["gate"],"steps":[{"start":"g","send":SEND}]}`, "still waits at a gate"},
	{"a gate that is not there", `{"steps":[{"finish":"g"}]}`, "no request waits at gate"},
	{"a heartbeat that is switched off", `{"modes":["lease"],"policy":{"heartbeat":false},"steps":[{"start":"g","send":SEND},{"beat":"g"}]}`, "no heartbeat"},
	{"what nothing allows", `{"steps":[{"parallel":4,"sends":[SEND],"allow":[{"status":409}]}]}`, "what nothing allows"},
	{"count", `{"steps":[{"parallel":4,"sends":[SEND],"allow":[{}],"count":{"executed":2}}]}`, "1 answers are executed, want 2"},
	{"a crash point that is not reached", `{"needs":["kill"],"steps":[{"send":SEND},{"send":SEND,"crash":"afterClaim"}]}`, "before it came to the point"},
	{"a clock that did not move", `{"steps":[{"send":SEND},{"advance":"23h"},{"send":SEND,"expect":{"replayed":false}}]}`, "want none"},
	{"an operator who resolves what is not unknown", `{"modes":["lease"],"policy":{"onCrash":"hold"},"needs":["operator"],"steps":[{"send":SEND},{"operator":{"resolve":"absent","send":SEND}}]}`, "not among those that are unknown"},
	{"an operator who asks for another key", `{"modes":["lease"],"policy":{"onCrash":"hold"},"needs":["operator"],"steps":[{"operator":{"resolve":"absent","send":SEND}}]}`, "no record of createOrder has this key"},
	{"a store that works again", `{"steps":[{"store":"claim"},{"store":"none"},{"send":SEND,"expect":{"status":503}}]}`, "status is 201, want 503"},
}
