package lint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
)

// Page is where a rule is documented.
func Page(id diag.Rule) string {
	return "https://github.com/idemgen/idemgen/blob/main/docs/rules.md#" + strings.ToLower(string(id))
}

// JSONVersion is the version of what WriteJSON writes. It rises when a member
// changes its meaning or goes away.
const JSONVersion = 1

// WriteJSON writes a report as JSON.
func WriteJSON(w io.Writer, r *Report, complete bool) error {
	type finding struct {
		Rule      diag.Rule `json:"rule"`
		Severity  string    `json:"severity"` // error, warning or info
		File      string    `json:"file"`
		Line      int       `json:"line,omitempty"`   // from 1
		Column    int       `json:"column,omitempty"` // from 1, in bytes
		Operation string    `json:"operation,omitempty"`
		Message   string    `json:"message"`
		Fix       string    `json:"fix,omitempty"`
		Docs      string    `json:"docs"`
	}
	out := struct {
		Version    int       `json:"version"`
		Complete   bool      `json:"complete"` // the rules judged every package
		Findings   []finding `json:"findings"`
		Suppressed int       `json:"suppressed"`
	}{JSONVersion, complete, []finding{}, r.Suppressed}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, finding{
			f.Rule, f.Severity.String(), f.Pos.File, f.Pos.Line, f.Pos.Col, f.Operation, f.Message, f.Fix, Page(f.Rule),
		})
	}
	return writeJSON(w, out)
}

func writeJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// WriteGitHub writes annotations for GitHub, which shows about ten of each kind and
// step.
func WriteGitHub(w io.Writer, r *Report) error {
	kinds := map[diag.Severity]string{diag.Error: "error", diag.Warning: "warning", diag.Info: "notice"}
	var b strings.Builder
	for _, f := range r.Findings {
		b.WriteString(Annotation(kinds[f.Severity], f.Pos, string(f.Rule), withFix(f)) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Annotation is the workflow command by which GitHub shows a message beside a line of
// a pull request. Kind is error, warning or notice.
func Annotation(kind string, pos diag.Pos, title, message string) string {
	// As actions/toolkit escapes them.
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	at := "file=" + property.Replace(path.Clean(pos.File))
	if pos.IsValid() {
		at += fmt.Sprintf(",line=%d", pos.Line)
	}
	if pos.Col > 0 {
		at += fmt.Sprintf(",col=%d", pos.Col)
	}
	return fmt.Sprintf("::%s %s,title=%s::%s", kind, at, property.Replace(title), data.Replace(message))
}

// withFix is the message, followed by the fix where there is one.
func withFix(f Finding) string {
	if f.Fix == "" {
		return f.Message
	}
	return f.Message + "\nfix: " + f.Fix
}

// fileURI writes a slash-separated name as a URI reference.
func fileURI(name string) string {
	if path.IsAbs(name) {
		return (&url.URL{Scheme: "file", Path: name}).String()
	}
	return (&url.URL{Path: path.Clean(name)}).String()
}
