package runtime_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	idem "github.com/idemgen/idemgen/runtime"
)

// A replay tells the trace of the request that was performed, and never sends
// it.
func TestReplay_TellsTheFirstTrace(t *testing.T) {
	const (
		first  = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
		second = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	)
	for _, tt := range []struct {
		name    string
		lines   []string
		encrypt bool
		want    string
	}{
		{"a trace", []string{first}, false, first},
		{"sealed", []string{first}, true, first},
		{"none", nil, false, ""},
		{"two lines", []string{first, second}, false, ""},
		{"a long line", []string{strings.Repeat("0", 256)}, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			op := placeOrder()
			op.Idempotency.Replay.Encrypt = tt.encrypt
			op.Idempotency.Replay.Headers = []string{"Traceparent"} // however it got there
			var told []string
			o, h := serve(t, op, idem.WithSealer(aesSealer(t, 1)), idem.WithMetrics(idem.Metrics{
				Replayed: func(_ context.Context, op *idem.Operation, traceparent string) {
					told = append(told, op.ID+" "+traceparent)
				},
			}))
			answer := o.handler
			o.handler = func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Traceparent", second)
				answer(w, r)
			}
			r := post("k", `{}`)
			r.Header["Traceparent"] = tt.lines
			wantStatus(t, do(h, r), 201)
			if len(told) != 0 {
				t.Errorf("the first request was told as a replay: %q", told)
			}
			retry := post("k", `{}`)
			retry.Header.Set("Traceparent", second)
			w := do(h, retry)
			wantStatus(t, w, 201)
			if want := []string{"placeOrder " + tt.want}; !slices.Equal(told, want) {
				t.Errorf("told %q, want %q", told, want)
			}
			if w.Header().Get("Traceparent") != "" {
				t.Errorf("the replay sends %v", w.Header())
			}
		})
	}
}

// Conflicts and refusals are no replays, and a panic goes no further.
func TestReplay_TellsReplaysOnly(t *testing.T) {
	told := 0
	op := placeOrder()
	op.Idempotency.Replay.MaxResponse = 1
	_, h := serve(t, op, idem.WithMetrics(idem.Metrics{
		Replayed: func(context.Context, *idem.Operation, string) { told++; panic("a bug of the hook") },
	}))
	wantStatus(t, do(h, post("k", `{}`)), 201)
	wantProblem(t, do(h, post("k", `{"other":1}`)), 409, "key-reused")
	wantProblem(t, do(h, post("k", `{}`)), 409, "response-unavailable")
	wantProblem(t, do(h, post("", `{}`)), 400, "key-missing")
	if told != 0 {
		t.Errorf("%d replays were told", told)
	}
	op.Idempotency.Replay.MaxResponse = 0
	_, h = serve(t, op, idem.WithMetrics(idem.Metrics{
		Replayed: func(context.Context, *idem.Operation, string) { told++; panic("a bug of the hook") },
	}))
	wantStatus(t, do(h, post("k", `{}`)), 201)
	wantStatus(t, do(h, post("k", `{}`)), 201)
	if told != 1 {
		t.Errorf("%d replays were told, want one", told)
	}
}
