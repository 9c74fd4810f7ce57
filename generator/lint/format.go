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

// WriteGitHub writes workflow commands, which GitHub shows beside the lines of a
// pull request, about ten of each kind and step.
func WriteGitHub(w io.Writer, r *Report) error {
	kinds := map[diag.Severity]string{diag.Error: "error", diag.Warning: "warning", diag.Info: "notice"}
	// As actions/toolkit escapes them.
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "::%s file=%s", kinds[f.Severity], property.Replace(path.Clean(f.Pos.File)))
		if f.Pos.IsValid() {
			fmt.Fprintf(&b, ",line=%d", f.Pos.Line)
		}
		if f.Pos.Col > 0 {
			fmt.Fprintf(&b, ",col=%d", f.Pos.Col)
		}
		fmt.Fprintf(&b, ",title=%s::%s\n", property.Replace(string(f.Rule)), data.Replace(withFix(f)))
	}
	_, err := io.WriteString(w, b.String())
	return err
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
