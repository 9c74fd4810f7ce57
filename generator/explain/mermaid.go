package explain

import (
	"fmt"
	"io"
	"strings"
)

// Mermaid writes one flowchart: for each operation the checks in their order
// with the answers that they end in, and, where keys are kept, the states of a
// record.
func (r *Report) Mermaid(w io.Writer) error {
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	for i := range r.Operations {
		r.Operations[i].mermaid(&b, fmt.Sprintf("o%d", i+1))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// mermaid writes an operation; prefix makes its identifiers its own.
func (o *Operation) mermaid(b *strings.Builder, prefix string) {
	fmt.Fprintf(b, "  subgraph %s[%s]\n    direction TB\n", prefix, label(o.ID))
	fmt.Fprintf(b, "    %s_0([%s])\n", prefix, label(o.Method+" "+o.Path))
	last := prefix + "_0"
	for i, c := range o.Checks {
		id := fmt.Sprintf("%s_%d", prefix, i+1)
		open, closing := "[", "]"
		if len(c.Answers) > 0 {
			open, closing = "{{", "}}"
		}
		fmt.Fprintf(b, "    %s --> %s%s%s%s\n", last, id, open, label(fmt.Sprintf("%d. %s", c.Step, c.What)), closing)
		if len(c.Answers) > 0 {
			fmt.Fprintf(b, "    %s -.-> %s_a[%s]\n", id, id, answerLabel(c.Answers))
		}
		last = id
	}
	fmt.Fprintf(b, "    %s --> %s_sent([%s])\n", last, prefix, label("answer"))
	b.WriteString("  end\n")
	if o.keyed {
		o.states(b, prefix+"_record")
	}
}

// states draws the life of a record (ARCHITECTURE.md): in tx mode the claim
// becomes visible only with the answer, in lease mode before the handler runs.
func (o *Operation) states(b *strings.Builder, prefix string) {
	arrow := func(from, text, to string) {
		fmt.Fprintf(b, "    %s_%s -- %s --> %s_%s\n", prefix, from, label(text), prefix, to)
	}
	fmt.Fprintf(b, "  subgraph %s[%s]\n    direction LR\n", prefix, label("the key of "+o.ID))
	for _, s := range []string{"free", "running", "done"} {
		fmt.Fprintf(b, "    %s_%s([%s])\n", prefix, s, label(s))
	}
	arrow("free", "claim", "running")
	arrow("running", "answer recorded, kept for "+o.ttl, "done")
	arrow("running", "not performed: released", "free")
	arrow("done", "expired", "free")
	if o.mayTx {
		arrow("running", "tx: rolled back", "free")
	}
	if o.hold {
		fmt.Fprintf(b, "    %s_unknown([%s])\n", prefix, label("unknown"))
		arrow("running", "no news for "+o.lease, "unknown")
		arrow("unknown", "an operator: done", "done")
		arrow("unknown", "an operator: free", "free")
	} else {
		arrow("running", "no news for "+o.lease+", same request: claimed again", "running")
	}
	b.WriteString("  end\n")
}

// answerLabel lists what a check answers, a line each: one box for all keeps the
// diagram narrow.
func answerLabel(list []Answer) string {
	var lines []string
	for _, a := range list {
		text := a.status() + " " + a.Problem
		switch {
		case a.Status == 304:
			text = "304"
		case a.Problem == "":
			text = a.status() + " answer"
		}
		if a.Retry != "" {
			text += " (" + a.Retry + ")"
		}
		lines = append(lines, escape(text+": "+a.When))
	}
	return `"` + strings.Join(lines, "<br/>") + `"`
}

// label quotes a text for Mermaid.
func label(s string) string { return `"` + escape(s) + `"` }

func escape(s string) string {
	return strings.NewReplacer(`"`, "#quot;", "#", "#35;", "<", "#lt;", ">", "#gt;", "\n", " ").Replace(s)
}
