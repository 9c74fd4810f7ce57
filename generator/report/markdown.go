package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Markdown writes the report for a comment on a pull request.
func (p *Page) Markdown(w io.Writer) error {
	var b strings.Builder
	for i := range p.APIs {
		if i > 0 {
			b.WriteString("\n")
		}
		p.APIs[i].markdown(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (a *API) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "## %s: retry safety %s (%d %%)\n\n%s\n\n", inline(a.Title), a.Grade, a.Score, a.Verdict)
	fmt.Fprintf(b, "%d operations, %d change something: %d keyed, %d guarded, %d undecided.\n\n", a.Operations, a.Unsafe, a.Keyed, a.Guarded, a.Open)
	b.WriteString("| operation | method is | keys | tags | stored | findings |\n|---|---|---|---|---|---|\n")
	for _, r := range a.Rows {
		name := "`" + r.Method + " " + strings.NewReplacer("|", `\|`, "`", "'").Replace(r.Path) + "`"
		if r.ID != "" {
			name += " " + inline(r.ID)
		}
		var numbers []string
		for _, f := range r.Findings {
			numbers = append(numbers, fmt.Sprint(f.Number))
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", name, r.Semantics, r.Keys.markdown(), r.Tags.markdown(), strings.Join(r.Stored, " "), strings.Join(numbers, ", "))
	}
	for _, h := range slices.Concat(a.Hazards, a.Notes) {
		fmt.Fprintf(b, "\n**%d.** `%s`", h.Number, h.Place())
		if h.Rule != "" {
			fmt.Fprintf(b, " %s", h.Rule)
		}
		fmt.Fprintf(b, " %s: %s\n", h.Severity, inline(h.Message))
		if h.Fix != "" {
			fmt.Fprintf(b, "```yaml\n%s\n```\n", strings.ReplaceAll(h.Fix, "```", "` ` `"))
		}
	}
}

func (c Cell) markdown() string {
	if c.Text == "" {
		return ""
	}
	text := c.Text
	if c.State == "open" {
		text = "**" + text + "**"
	}
	if len(c.More) > 0 {
		text += ": " + inline(strings.Join(c.More, ", "))
	}
	return text
}

// inline is text that Markdown leaves alone, also in a cell of a table.
func inline(s string) string {
	return strings.NewReplacer("|", `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "<", "&lt;", "\n", " ").Replace(s)
}
