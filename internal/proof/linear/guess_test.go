package linear

import (
	"math"
	"testing"

	idem "github.com/idemgen/idemgen/runtime"
)

// TestModel_GuessedFence: the owner of a fence that nobody was told, because its
// claim's return was lost, may be met by a client that guesses it; a fence that
// was given to another run before is no guess.
func TestModel_GuessedFence(t *testing.T) {
	lost := operation{call: 1, end: math.MaxInt64, in: &input{verb: claim, fp: 'a', clocks: []int{0}}, out: new(output)}
	guess := operation{call: 2, end: 3, in: &input{verb: complete, fence: 1, answer: 1, clocks: []int{0}}, out: &output{known: true}}
	seen := operation{call: 4, end: 5, in: &input{verb: lookup, clocks: []int{0}}, out: &output{
		known: true, found: true, record: idem.Record{
			State: idem.StateDone, Fingerprint: fingerprint('a'), Fence: 1, Attempts: 1,
			ExpiresIn: keepHalves * half, Response: *response(1),
		},
	}}
	told := operation{call: -3, end: -2, in: &input{verb: claim, fp: 'a', clocks: []int{0}}, out: &output{
		known: true, claimed: idem.Claimed{State: idem.ClaimOwned, Fence: 1, Attempts: 1},
	}}
	given := operation{call: -1, end: 0, in: &input{verb: release, fence: 1, clocks: []int{0}}, out: &output{known: true}}
	tests := []struct {
		name    string
		history []operation
		right   bool
	}{
		{"right", []operation{lost, guess, seen}, true},
		{"nobody's", []operation{guess, seen}, false},
		{"another run's", []operation{told, given, lost, guess, seen}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := &history{operations: test.history}
			if got := h.explained(); got != test.right {
				t.Errorf("explained: %t, want %t:\n%s", got, test.right, h)
			}
		})
	}
}
