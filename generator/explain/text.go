package explain

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Text writes a report for a terminal.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	for i, o := range r.Operations {
		if i > 0 {
			b.WriteString("\n")
		}
		o.text(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// JSON writes a report as indented JSON.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (o *Operation) text(b *strings.Builder) {
	name := o.Method + " " + o.Path
	if o.ID != name {
		name += "  " + o.ID
	}
	fmt.Fprintf(b, "%s  (%s)\n", name, o.Pos)
	for _, n := range o.Notes {
		fmt.Fprintf(b, "  %s\n", n)
	}
	o.Idempotency.text(b, "x-idempotency")
	o.ETag.text(b, "x-etag")
	b.WriteString("\n  order of checks\n")
	for _, c := range o.Checks {
		fmt.Fprintf(b, "    %d  %s\n", c.Step, c.What)
	}
	b.WriteString("\n  answers in place of the operation's own\n")
	rows := make([][]string, len(o.Answers))
	for i, a := range o.Answers {
		rows[i] = []string{a.status(), a.Problem, a.Retry, a.When}
	}
	columns(b, rows)
}

func (a Answer) status() string {
	if a.Status == 0 {
		return "first"
	}
	return fmt.Sprint(a.Status)
}

func (a *Annotation) text(b *strings.Builder, name string) {
	if a == nil {
		return
	}
	fmt.Fprintf(b, "\n  %s, switched on at %s\n", name, a.On.Pos)
	rows := make([][]string, len(a.Members))
	for i, m := range a.Members {
		value := m.Value
		if value == "" {
			value = "-"
		}
		rows[i] = []string{m.Name, value, m.From.String()}
	}
	columns(b, rows)
}

// columns writes rows as aligned columns.
func columns(b *strings.Builder, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			fmt.Fprintf(&line, "  %-*s", widths[i], cell)
		}
		fmt.Fprintf(b, "  %s\n", strings.TrimRight(line.String(), " "))
	}
}
