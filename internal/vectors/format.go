package vectors

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// File is one set of vectors. What it holds besides sequences is not of this
// package.
type File struct {
	Name      string      `json:"-"` // base name
	Format    int         `json:"format"`
	Fixture   []Operation `json:"fixture"`
	Initial   *Resource   `json:"initial"`
	Sequences []Vector    `json:"sequences"`
}

// Operation is one operation of the fixture.
type Operation struct {
	OperationID string          `json:"operationId"`
	Method      string          `json:"method"`
	Path        string          `json:"path"`
	Idempotency json.RawMessage `json:"x-idempotency"`
	ETag        json.RawMessage `json:"x-etag"`
	Request     string          `json:"request"`
	Answer      Answer          `json:"answer"`
}

// Fields are header fields, one per line, in order. Names and values are octets
// written as Latin-1.
type Fields [][2]string

// Answer is what a handler answers, or what a script changes of it: members
// that are nil keep what they were. In headers and body {n} is the number of the
// run within the vector, from 1, and {v} the version of the resource after it. A
// run writes a row, its effect, unless its status is 400 or more; Effect decides
// where it is given. The server turns a panic into 500.
type Answer struct {
	Status      *int    `json:"status"`
	Headers     *Fields `json:"headers"`
	Body        *string `json:"body"`
	Effect      *bool   `json:"effect"`
	Panic       bool    `json:"panic"`
	KeepWrites  bool    `json:"keepWrites"`
	NotExecuted bool    `json:"notExecuted"`
}

// Resource is the state of a versioned resource.
type Resource struct {
	Exists  bool  `json:"exists"`
	Version int64 `json:"version"`
}

// Vector is one sequence. Policy merges over the x-idempotency of every operation
// that the steps name, ETag over their x-etag. Needs are abilities of the harness
// and the store; Modes says which modes the sequence is for, none means both.
// Script changes the answers of the first, second, ... run; its last entry
// repeats.
type Vector struct {
	ID       string          `json:"id"`
	Area     string          `json:"area"`
	Title    string          `json:"title"`
	Rule     string          `json:"rule"`
	Basis    string          `json:"basis"`
	Note     string          `json:"note"`
	Policy   json.RawMessage `json:"policy"`
	ETag     json.RawMessage `json:"etag"`
	Needs    []string        `json:"needs"`
	Modes    []string        `json:"modes"`
	Script   []Answer        `json:"script"`
	Initial  *Resource       `json:"initial"`
	Resource *Resource       `json:"resource"`
	Steps    []Step          `json:"steps"`
	Expect   Outcome         `json:"expect"`
}

// Outcome is what a vector expects in the end.
type Outcome struct {
	Effects  *int      `json:"effects"`
	Runs     *int      `json:"runs"`
	Resource *Resource `json:"resource"`
}

// Send is one request.
type Send struct {
	Method     string  `json:"method"`
	Path       string  `json:"path"`
	Headers    Fields  `json:"headers"`
	Body       *string `json:"body"`
	BodyBase64 *string `json:"bodyBase64"`
	Tenant     string  `json:"tenant"`
	Principal  string  `json:"principal"`
	Auth       string  `json:"auth"` // empty, none or revoked
}

// Content returns the octets of the request's body and whether it has one.
func (s *Send) Content() ([]byte, bool, error) {
	switch {
	case s.Body != nil && s.BodyBase64 != nil:
		return nil, false, errors.New("send has body and bodyBase64")
	case s.Body != nil:
		return []byte(*s.Body), true, nil
	case s.BodyBase64 != nil:
		b, err := base64.StdEncoding.DecodeString(*s.BodyBase64)
		return b, true, err
	}
	return nil, false, nil
}

// Step is one step. Which one it is follows from the members that are set; see
// [Step.Kind].
type Step struct {
	// Send alone is one request whose answer Expect checks. Hold is how long
	// its handler takes at least.
	Send   *Send   `json:"send"`
	Expect *Expect `json:"expect"`
	Hold   *Span   `json:"hold"`

	// Start names a gate at which the handler of Send waits, in tx mode inside
	// its transaction. Finish opens the gate and checks the answer. Disconnect
	// lets the client at the gate go away, Beat its heartbeat fire once.
	Start      string `json:"start"`
	Finish     string `json:"finish"`
	Disconnect string `json:"disconnect"`
	Beat       string `json:"beat"`

	// Parallel is a number of requests at once, which take Sends in turn; {i} in
	// a header is the request's index. Each answer must be one of Allow. Count
	// says how many have a status, or under "executed" are successes without a
	// marker. Processes spreads the requests over that many servers on one
	// store. With SameBodyPerSend every 2xx of one entry of Sends has one body,
	// and only one entry has any.
	Parallel        int            `json:"parallel"`
	Sends           []Send         `json:"sends"`
	Allow           []Expect       `json:"allow"`
	Count           map[string]int `json:"count"`
	Processes       int            `json:"processes"`
	SameBodyPerSend bool           `json:"sameBodyPerSend"`

	Advance  *Span `json:"advance"`  // moves the store's clock
	AppClock *Span `json:"appClock"` // sets the application's clock off: nothing may change
	Sweep    bool  `json:"sweep"`    // runs the sweeper to its end

	// Store is the operation in which the store fails from now on: claim,
	// complete, all or none.
	Store string `json:"store"`
	// Crash is the point of Send at which the process is killed; it is started
	// again on the same store. No answer is checked. The points are constants of
	// package server.
	Crash string `json:"crash"`
	// Operator resolves the unknown record of a request by hand.
	Operator *Operator `json:"operator"`
	// Set is the state that another writer gives the resource.
	Set *Resource `json:"set"`
	// Redeploy serves the same store under a new policy; see [Catalog.Case].
	Redeploy json.RawMessage `json:"redeploy"`
}

// Operator is what somebody found out about the unknown record of a request.
type Operator struct {
	Resolve  string  `json:"resolve"` // done, or absent: nothing was done
	Send     *Send   `json:"send"`
	Response *Answer `json:"response"` // done only
}

// Kind names what a step does, and fails when its members do not fit together.
func (s *Step) Kind() (string, error) {
	var kinds []string
	add := func(kind string, is bool) {
		if is {
			kinds = append(kinds, kind)
		}
	}
	add("send", s.Send != nil && s.Start == "" && s.Crash == "")
	add("start", s.Start != "")
	add("crash", s.Crash != "")
	add("finish", s.Finish != "")
	add("disconnect", s.Disconnect != "")
	add("beat", s.Beat != "")
	add("parallel", s.Parallel != 0)
	add("advance", s.Advance != nil)
	add("appClock", s.AppClock != nil)
	add("sweep", s.Sweep)
	add("store", s.Store != "")
	add("operator", s.Operator != nil)
	add("set", s.Set != nil)
	add("redeploy", s.Redeploy != nil)
	if len(kinds) != 1 {
		return "", fmt.Errorf("a step must be one thing, this is %q", kinds)
	}
	kind := kinds[0]
	switch {
	case (kind == "start" || kind == "crash") && s.Send == nil:
		return "", fmt.Errorf("%s needs send", kind)
	case kind == "parallel" && (s.Parallel < 1 || len(s.Sends) == 0 || len(s.Allow) == 0):
		return "", errors.New("parallel needs a positive number, sends and allow")
	case kind == "operator":
		if o := s.Operator; o.Send == nil || (o.Resolve != "done" || o.Response == nil || o.Response.Status == nil) && (o.Resolve != "absent" || o.Response != nil) {
			return "", errors.New("operator needs send, and resolves it as done with a response that has a status, or as absent without one")
		}
	case s.Expect != nil && kind != "send" && kind != "finish":
		return "", fmt.Errorf("%s has no answer to expect", kind)
	case kind != "parallel" && (s.Sends != nil || s.Allow != nil || s.Count != nil || s.Processes != 0 || s.SameBodyPerSend):
		return "", fmt.Errorf("%s has members of parallel", kind)
	}
	return kind, nil
}

// needs returns the abilities that a vector says it needs, and those that its
// steps need anyway.
func (v *Vector) needs() []string {
	needs := slices.Clone(v.Needs)
	for i := range v.Steps {
		if v.Steps[i].Crash != "" {
			needs = append(needs, "kill")
		}
		if v.Steps[i].Processes > 1 {
			needs = append(needs, "sharedStore")
		}
		if v.Steps[i].Operator != nil {
			needs = append(needs, "operator")
		}
	}
	return needs
}

// requests returns every request that the step sends, or is about.
func (s *Step) requests() []Send {
	switch {
	case s.Send != nil:
		return []Send{*s.Send}
	case s.Operator != nil:
		return []Send{*s.Operator.Send}
	}
	return s.Sends
}

// expectations returns everything that an answer to the step may be.
func (s *Step) expectations() []Expect {
	if s.Expect != nil {
		return []Expect{*s.Expect}
	}
	return s.Allow
}

// Expect is what an answer must be. Members that are absent are not checked.
type Expect struct {
	Status     *int              `json:"status"`
	Replayed   *bool             `json:"replayed"`
	Headers    map[string]string `json:"headers"`
	Present    []string          `json:"present"`
	Absent     []string          `json:"absent"`
	Body       *string           `json:"body"`
	SameAs     *int              `json:"sameAs"`
	RetryAfter *[2]int           `json:"retryAfter"` // seconds
	Within     *Span             `json:"within"`
	Problem    *Problem          `json:"problem"`
}

// Problem is what a problem body must hold: one of the types, and every other
// member with the value given.
type Problem struct {
	Types   []string
	Members map[string]any
}

// UnmarshalJSON implements [json.Unmarshaler].
func (p *Problem) UnmarshalJSON(b []byte) error {
	var members map[string]any
	if err := json.Unmarshal(b, &members); err != nil {
		return err
	}
	switch t := members["type"].(type) {
	case nil:
	case string:
		p.Types = []string{t}
	case []any:
		for _, v := range t {
			s, ok := v.(string)
			if !ok {
				return fmt.Errorf("problem type %v is no string", v)
			}
			p.Types = append(p.Types, s)
		}
	default:
		return fmt.Errorf("problem type %v is neither a string nor a list", t)
	}
	delete(members, "type")
	p.Members = members
	return nil
}

// Span is a duration, written as in Go.
type Span time.Duration

// UnmarshalJSON implements [json.Unmarshaler].
func (d *Span) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("a duration is a string such as \"30s\": %w", err)
	}
	v, err := time.ParseDuration(text)
	*d = Span(v)
	return err
}
