package main

import (
	"fmt"
	"os"
	"time"
)

// progress shows that something goes on: on a terminal a line that is redrawn,
// elsewhere a line now and then.
type progress struct {
	t          *transcript
	name, text string
	live       bool
	last       time.Duration
}

// quiet is how long a log is left without a line.
const quiet = 10 * time.Second

func (t *transcript) progress(name, text string) *progress {
	f, ok := t.out.(*os.File)
	p := &progress{t: t, name: name, text: text, live: ok && terminal(f)}
	p.tick(0)
	return p
}

// tick shows the time that has passed.
func (p *progress) tick(elapsed time.Duration) {
	if !p.live && elapsed > 0 && elapsed-p.last < quiet {
		return
	}
	p.last = elapsed
	line := fmt.Sprintf("   %-8s  %s …", p.name, p.text)
	if elapsed > 0 {
		line += fmt.Sprintf(" %s", elapsed.Round(time.Second))
	}
	if p.live {
		p.t.printf("\r%s", line)
		return
	}
	p.t.printf("%s\n", line)
}

// end removes the live line.
func (p *progress) end() {
	if p.live {
		p.t.printf("\r%*s\r", len(p.text)+40, "")
	}
}
