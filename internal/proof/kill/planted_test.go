package kill

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestAudit_Planted breaks the promise in each way that can be seen in the rows
// and the answers.
func TestAudit_Planted(t *testing.T) {
	const (
		paid     = `{"id":1,"ref":"r","attempt":"a1"}`
		declined = `{"ref":"r","attempt":"a1"}`
	)
	one := []row{{1, "r", "a1"}}
	tests := []struct {
		name  string
		rows  []row
		acked string // empty: nothing is
		loss  stage  // of attempt a1; zero: it is not lost
		end   bool
		want  kind // empty: nothing is wrong
	}{
		{"kept", one, paid, 0, true, ""},
		{"declined", nil, declined, 0, true, ""},
		{"under way", one, "", 0, false, ""},
		{"killed in the commit, done", one, paid, committing, true, ""},
		{"killed in the commit, not done", nil, "", committing, false, ""},
		{"killed after the commit", one, "", committed, false, ""},
		{"killed before", []row{{1, "r", "a2"}}, `{"id":1,"ref":"r","attempt":"a2"}`, written, true, ""},

		{"two rows", []row{{1, "r", "a1"}, {2, "r", "a2"}}, paid, 0, false, duplicate},
		{"no row", nil, paid, 0, false, missing},
		{"another row", []row{{2, "r", "a1"}}, paid, 0, false, different},
		{"another execution", []row{{1, "r", "a2"}}, paid, 0, false, different},
		{"a row of a declined order", one, declined, 0, false, surviving},
		{"a row of the dead", one, "", running, false, surviving},
		{"an answer of the dead", nil, declined, written, false, surviving},
		{"no row of what was committed", nil, "", committed, false, forgotten},
		{"an answer to what was committed by another", []row{{1, "r", "a1"}, {1, "s", "a2"}}, `{"id":1,"ref":"r","attempt":"a2"}`, committed, false, forgotten},
		{"a row without an answer", one, "", 0, true, blocked},
		{"an answer that is none", one, `{}`, 0, false, unexpected},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHarness(&site{rows: func(context.Context) ([]row, error) { return test.rows, nil }})
			o := order{ref: "r", decline: test.acked == declined}
			if test.acked != "" {
				a := answer{status: 201, body: test.acked}
				if o.decline {
					a.status = 422
				}
				h.acknowledge(o, a)
			}
			if test.loss != unseen {
				h.losses["a1"] = loss{o, test.loss}
			}
			must(t, h.audit(t.Context(), test.end))
			switch {
			case test.want == "" && h.broken():
				t.Errorf("found %q", h.problems)
			case test.want != "" && !h.broken(test.want):
				t.Errorf("found %q, want %s", h.problems, test.want)
			}
		})
	}
}

func TestAudit_Unreadable(t *testing.T) {
	gone := errors.New("gone")
	h := newHarness(&site{rows: func(context.Context) ([]row, error) { return nil, gone }})
	if err := h.audit(t.Context(), false); !errors.Is(err, gone) {
		t.Errorf("the error is %v, want %v", err, gone)
	}
}

func TestAcknowledge_Planted(t *testing.T) {
	first := answer{status: 201, media: "application/json", body: "{}"}
	for _, later := range []answer{
		{status: 200, media: first.media, body: first.body},
		{status: 201, media: "text/plain", body: first.body},
		{status: 201, media: first.media, body: "{} "},
	} {
		h := newHarness(&site{})
		h.acknowledge(order{ref: "r"}, first)
		again := first
		again.replayed = true
		h.acknowledge(order{ref: "r"}, again)
		if h.broken() {
			t.Errorf("a replay is %q", h.problems)
		}
		h.acknowledge(order{ref: "r"}, later)
		if !h.broken(different) {
			t.Errorf("%+v after %+v is not noticed", later, first)
		}
	}
}

// TestAsk_Planted has servers that do not answer as they should.
func TestAsk_Planted(t *testing.T) {
	tests := []struct {
		name string
		body string
		code int
		want kind
	}{
		{"blocked", `{"type":"https://example.com/problems#in-flight"}`, http.StatusConflict, blocked},
		{"another conflict", `{"type":"https://example.com/problems#key-reused"}`, http.StatusConflict, unexpected},
		{"a failure", `{"retry":"same-key"}`, http.StatusServiceUnavailable, unexpected},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.code)
				_, _ = io.WriteString(w, test.body)
			}))
			defer server.Close()
			h := newHarness(&site{})
			if test.want == blocked {
				h.patience = time.Millisecond
			}
			h.publish(&life{address: server.Listener.Addr().String()})
			h.ask(order{ref: "r"})
			if !h.broken(test.want) {
				t.Errorf("found %q, want %s", h.problems, test.want)
			}
		})
	}
}
