package linear

import (
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// TestModel_SharedCommit: a transaction may begin on a release that it shares a
// commit with, which others do not see yet; and it cannot be committed without
// that.
func TestModel_SharedCommit(t *testing.T) {
	running := idem.Record{
		State: idem.StateRunning, Fingerprint: fingerprint('a'), Fence: 1, Attempts: 1,
		LeaseLeft: leaseHalves * half, ExpiresIn: time.Duration(retention(false)) * half,
	}
	owned := idem.Claimed{State: idem.ClaimOwned, Fence: 1, Attempts: 1}
	claimed := operation{call: 1, end: 2, in: &input{verb: claim, fp: 'a', clocks: []int{0}}, out: &output{known: true, claimed: owned}}
	released := operation{call: 3, end: 10, in: &input{verb: release, fence: 1, clocks: []int{0}}, out: &output{known: true}}
	begun := func(freed bool) operation {
		return operation{call: 4, end: 5, in: &input{verb: begin, fp: 'b', tx: 1, clocks: []int{0}, freed: freed}, out: &output{known: true, claimed: owned}}
	}
	seen := operation{call: 6, end: 7, in: &input{verb: lookup, clocks: []int{0}}, out: &output{known: true, found: true, record: running}}
	committed := operation{call: 8, end: 9, in: &input{verb: txComplete, fp: 'b', tx: 1, answer: 1, clocks: []int{0}}, out: &output{known: true, applied: true}}
	tests := []struct {
		name    string
		history []operation
		right   bool
	}{
		{"shared", []operation{claimed, released, begun(true), seen, committed}, true},
		{"not shared", []operation{claimed, released, begun(false), seen, committed}, false},
		{"committed without the release", []operation{claimed, begun(true), seen, committed}, false},
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
