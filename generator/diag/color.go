package diag

import "io"

// PrintColored is Print for a terminal: places are bold, rules and carets have the
// colour of the severity, and fixes are green.
func PrintColored(w io.Writer, list List, content func(file string) []byte) error {
	return printList(w, list, content, ansi)
}

// painter gives a text a colour; of a document it only gets what is visible.
type painter func(color, text string) string

// Colours, as parameters of the ANSI sequence "select graphic rendition".
const (
	bold   = "1"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func plain(_, text string) string { return text }

func ansi(color, text string) string {
	if text == "" {
		return ""
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// color is that of a severity.
func (s Severity) color() string {
	switch s {
	case Error:
		return red
	case Warning:
		return yellow
	}
	return cyan
}
