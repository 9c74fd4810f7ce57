package report

import (
	_ "embed"
	"html/template"
	"io"
	"strings"
)

//go:embed page.html.tmpl
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"lower": strings.ToLower,
	"join":  strings.Join,
	// A long path breaks behind its slashes.
	"segments": func(path string) []string { return strings.SplitAfter(path, "/") },
}).Parse(pageText))

// HTML writes the report as one page that needs nothing else: no script, no
// font, no network.
func (p *Page) HTML(w io.Writer) error { return page.Execute(w, p) }
