package kill

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
)

// A stage is how far a request has come in its worker.
type stage int

// The stages, in the order of an execution. A request that is replayed or
// refused is received and answered.
const (
	unseen     stage = iota // on its way to the worker, or its refusal or replay on the way back
	received                // the key is not claimed, or just being claimed
	running                 // the handler has begun, and has written nothing
	written                 // the handler has written its row
	committing              // the next thing is the commit, or it is happening
	committed               // recorded, and not answered
	answered                // given to the network
	stages
)

var stageNames = [stages]string{
	"before it arrived, or after a refusal or replay", "before the claim", "in the handler, before its write", "in the handler, after its write",
	"before or in the commit", "after the commit, before the answer", "answered, not delivered",
}

func (s stage) String() string { return stageNames[s] }

// between are the stages at which a kill is interesting: the harness proves
// nothing unless it has hit each of them.
var between = []stage{received, running, written, committing, committed}

// A point is the count-th time in the life of a worker that any request comes to
// a stage.
type point struct {
	Stage stage
	Count int64
}

// trace is the worker's end of the pipe that tells its parent how far its
// requests are. What is in a pipe survives its writer.
type trace struct {
	stop atomic.Pointer[stop] // nil: no request stands still
}

// A stop is a point at which a request stands still until somebody goes on with
// it or kills the worker.
type stop struct {
	stage stage
	left  atomic.Int64
	done  chan struct{}
}

func newStop(at point) *stop {
	s := &stop{stage: at.Stage, done: make(chan struct{})}
	s.left.Store(at.Count)
	return s
}

// Lines of a trace.
const (
	lineListening = "listening" // and an address
	lineReached   = "reached"   // and a stage and an attempt
	lineHeld      = "held"      // and the attempt that stands still
)

type attemptKey struct{}

// reach tells that the request of ctx has come to a stage.
func (t *trace) reach(ctx context.Context, s stage) {
	attempt, _ := ctx.Value(attemptKey{}).(string)
	say(lineReached, int(s), attempt)
	if stop := t.stop.Load(); stop != nil && stop.stage == s && stop.left.Add(-1) == 0 {
		say(lineHeld, attempt)
		<-stop.done
	}
}

// say writes one line at once.
func say(words ...any) {
	_, _ = fmt.Fprintln(os.Stdout, words...) // the parent is there or this process is not
}

// parse takes a line apart that say has written.
func parse(line string, into ...any) bool {
	n, err := fmt.Fscan(strings.NewReader(line), into...)
	return err == nil && n == len(into)
}
