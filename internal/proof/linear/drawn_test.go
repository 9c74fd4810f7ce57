package linear

import (
	"testing"

	idem "github.com/idemgen/idemgen/runtime"
)

// TestModel_DrawnFence: a fence that was drawn before a wait may be lower than
// one that was given meanwhile only where a sweeper removed that one's record.
func TestModel_DrawnFence(t *testing.T) {
	owned := func(fence idem.Fence) *output {
		return &output{known: true, claimed: idem.Claimed{State: idem.ClaimOwned, Fence: fence, Attempts: 1}}
	}
	later := operation{call: 2, end: 3, in: &input{verb: claim, fp: 'a', clocks: []int{0}}, out: owned(2)}
	released := operation{call: 4, end: 5, in: &input{verb: release, fence: 2, clocks: []int{0}}, out: &output{known: true}}
	for drawn, right := range map[bool]bool{true: true, false: false} {
		waited := operation{call: 1, end: 6, in: &input{verb: claim, fp: 'b', clocks: []int{0}, drawn: drawn}, out: owned(1)}
		h := &history{operations: []operation{later, released, waited}}
		if got := h.explained(); got != right {
			t.Errorf("drawn %t: explained: %t, want %t:\n%s", drawn, got, right, h)
		}
	}
}
