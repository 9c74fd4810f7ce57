package contract_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/contract"
	"github.com/idemgen/idemgen/runtime/etag"
	"github.com/idemgen/idemgen/runtime/store/memory"
)

type version int64

var codec = etag.Int64[version]()

// things is an implementation in memory, of the shape of generated code, with
// one of the mistakes that people make.
type things struct {
	mistake string
	mu      sync.Mutex
	rows    map[string]thing
	last    version // of all rows: a thing that comes again is another one
	meeting meeting
}

type thing struct {
	version version
	text    string
}

var resource = contract.Resource{Name: "Thing", Operations: []contract.Operation{
	{ID: "getThing", Method: "GET", Path: "/things/{id}", Policy: etag.Policy{Role: etag.RoleRead}},
	{ID: "putThing", Method: "PUT", Path: "/things/{id}", KeyHeader: "Idempotency-Key", Policy: guarded(etag.RoleUpdate)},
	{ID: "deleteThing", Method: "DELETE", Path: "/things/{id}", Policy: guarded(etag.RoleDelete)},
}}

// slots are things that a PUT may also create.
var slots = contract.Resource{Name: "Slot", Operations: []contract.Operation{
	{ID: "getSlot", Method: "GET", Path: "/slots/{id}", Policy: etag.Policy{Role: etag.RoleRead}},
	{ID: "putSlot", Method: "PUT", Path: "/slots/{id}", Policy: etag.Policy{
		Role: etag.RoleUpsert, Require: []etag.Field{etag.IfMatch, etag.IfNoneMatch}, RejectWildcard: true,
	}},
}}

func guarded(role etag.Role) etag.Policy {
	return etag.Policy{Role: role, Require: []etag.Field{etag.IfMatch}, RejectWildcard: true}
}

func operation(o contract.Operation) *idem.Operation {
	op := &idem.Operation{
		ID: o.ID, Method: o.Method, Path: o.Path, Pattern: o.Method + " " + o.Path,
		Precondition: &idem.Precondition{Resource: "Thing", ReadPath: o.Path, Policy: o.Policy},
	}
	if o.KeyHeader != "" {
		op.Idempotency = &idem.Idempotency{Scope: []string{"operation"}, TTL: time.Hour, Lease: time.Minute}
	}
	return op
}

func (s *things) serve(tb testing.TB, options ...idem.Option) http.Handler {
	tb.Helper()
	var ops []*idem.Operation
	for _, o := range slices.Concat(resource.Operations, slots.Operations) {
		ops = append(ops, operation(o))
	}
	h, err := idem.NewHandler(ops, append([]idem.Option{idem.WithStore(memory.New()), idem.WithLogger(nil)}, options...)...)
	if err != nil {
		tb.Fatal(err)
	}
	handlers := []func(http.ResponseWriter, *http.Request) error{s.get, s.put, s.delete, s.get, s.putSlot}
	for i, op := range ops {
		h.Router().HandleFunc(op.Pattern, func(w http.ResponseWriter, r *http.Request) {
			current := idem.CurrentOf(codec, func(context.Context) (etag.Current[version], error) {
				s.mu.Lock()
				defer s.mu.Unlock()
				if t, ok := s.rows[r.PathValue("id")]; ok {
					return etag.Found(t.version), nil
				}
				return etag.NotFound[version](), nil
			})
			h.Serve(w, r, op, current, func(w http.ResponseWriter, r *http.Request) {
				if err := handlers[i](w, r); err != nil {
					h.ResponseError(w, r, err)
				}
			})
		})
	}
	return h.Router()
}

func (s *things) get(w http.ResponseWriter, r *http.Request) error {
	s.mu.Lock()
	t, ok := s.rows[r.PathValue("id")]
	if s.mistake == "a tag of the moment" {
		t.version = s.last
		s.last++
	}
	s.mu.Unlock()
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return nil
	}
	return idem.Version(codec, t.version).Visit(w, answer(http.StatusOK, t.text))
}

func answer(status int, text string) func(http.ResponseWriter) error {
	return func(w http.ResponseWriter) error {
		w.WriteHeader(status)
		_, err := io.WriteString(w, text)
		return err
	}
}

// matches is the condition of a write. Called with the lock held, it is what
// `WHERE version = ANY (…)` is in SQL.
func (s *things) matches(id string, expect etag.Match[version]) bool {
	t, ok := s.rows[id]
	expected := expect.Versions()
	return ok && (s.mistake == "no predicate" || slices.Contains(expected, t.version))
}

func (s *things) put(w http.ResponseWriter, r *http.Request) error {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	visit, err := s.update(r, string(text), idem.ExpectMatch(r.Context(), codec))
	if err != nil {
		return err
	}
	return visit(w)
}

func (s *things) update(r *http.Request, text string, expect etag.Match[version]) (func(http.ResponseWriter) error, error) {
	id := r.PathValue("id")
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.matches(id, expect) {
		return nil, expect.NoMatch()
	}
	if s.mistake == "check, then write" {
		s.mu.Unlock()
		s.meeting.wait(r.Context()) // somebody else is between check and write
		s.mu.Lock()
	}
	t := thing{version: s.rows[id].version + 1, text: text}
	if s.mistake == "a trigger moves the version once more" {
		t.version++
	}
	if s.mistake == "the version stays" {
		t.version--
	}
	s.rows[id] = t
	shown := t.version
	if v := expect.Versions(); s.mistake == "expected + 1" || s.mistake == "a trigger moves the version once more" {
		shown = v[0] + 1
	}
	return idem.Witnessed(expect.Applied(shown)).With(answer(http.StatusOK, t.text)), nil
}

// putSlot updates or inserts, as the client expects.
func (s *things) putSlot(w http.ResponseWriter, r *http.Request) error {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	visit, err := etag.SwitchUpsert(idem.ExpectMatchOrAbsent(r.Context(), codec),
		func(m etag.Match[version]) (func(http.ResponseWriter) error, error) {
			return s.update(r, string(text), m)
		},
		func(a etag.Absent[version]) (func(http.ResponseWriter) error, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			id := r.PathValue("id")
			if _, exists := s.rows[id]; exists && s.mistake != "an insert that replaces" {
				return nil, a.Exists()
			}
			s.rows[id] = thing{version: 1, text: string(text)}
			return idem.Witnessed(a.Applied(1)).With(answer(http.StatusCreated, string(text))), nil
		})
	if err != nil {
		return err
	}
	return visit(w)
}

func (s *things) delete(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	expect := idem.ExpectMatch(r.Context(), codec)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.matches(id, expect) {
		return expect.NoMatch()
	}
	if s.mistake != "a deletion that does nothing" {
		delete(s.rows, id)
	}
	return idem.Witnessed(expect.Applied(0)).Visit(w, answer(http.StatusNoContent, ""))
}

// A meeting lets the first two who come wait for each other, so that both are
// between check and write at the same time. The others pass.
type meeting struct {
	came atomic.Int32
	both chan struct{}
}

func (m *meeting) wait(ctx context.Context) {
	switch m.came.Add(1) {
	case 1:
		select {
		case <-m.both:
		case <-ctx.Done():
		}
	case 2:
		close(m.both)
	}
}

// check checks the rules whose name begins like this on things, or slots, with a
// mistake.
func check(t *testing.T, r contract.Resource, mistake, rules string) []contract.Violation {
	t.Helper()
	var s *things
	newServer := func(tb testing.TB, options ...idem.Option) http.Handler {
		s = &things{mistake: mistake, rows: map[string]thing{}, meeting: meeting{both: make(chan struct{})}}
		return s.serve(tb, options...)
	}
	return contract.CheckRule(t, newServer, r, contract.Seeds{
		Create: func(testing.TB, *contract.Client) contract.Params {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.last += 100
			id := strconv.Itoa(len(s.rows) + 1)
			s.rows[id] = thing{version: s.last, text: "new"}
			return contract.Params{"id": id}
		},
		Absent: func(testing.TB) contract.Params { return contract.Params{"id": "nobody has made it"} },
	}, contract.Bodies{
		"putThing": func(n int) contract.Body { return contract.JSON(fmt.Sprint("text ", n)) },
		"putSlot":  func(n int) contract.Body { return contract.JSON(fmt.Sprint("slot ", n)) },
	}, rules)
}

func TestCheck_Sound(t *testing.T) {
	for _, r := range []contract.Resource{resource, slots} {
		for _, v := range check(t, r, "", "") {
			t.Error(v)
		}
	}
}

// Every mistake breaks the rules that are about it, and the report says what
// happened.
func TestCheck_Mistakes(t *testing.T) {
	for mistake, want := range map[string][]string{
		"no predicate":                          {"a stale tag is refused", "an unknown tag is refused", "of requests at once with one tag"},
		"check, then write":                     {"of requests at once with one tag"},
		"expected + 1":                          {"a list of tags matches"},
		"a trigger moves the version once more": {"the tag of a write is the tag of the next read"},
		"the version stays":                     {"every write moves the tag", "a conditional read is 304"},
		"a tag of the moment":                   {"a read shows the same tag"},
		"a deletion that does nothing":          {"of requests at once with one tag"},
		"an insert that replaces":               {"of requests at once that create one resource"},
	} {
		t.Run(mistake, func(t *testing.T) {
			rules := ""
			if mistake == "check, then write" {
				rules = want[0] // alone, a request would wait for another one
			}
			r := resource
			if mistake == "an insert that replaces" {
				r = slots
			}
			violations := check(t, r, mistake, rules)
			for _, rule := range want {
				if !slices.ContainsFunc(violations, func(v contract.Violation) bool { return strings.HasPrefix(v.Rule, rule) }) {
					t.Errorf("nothing was found by %q among %v", rule, violations)
				}
			}
		})
	}
}
