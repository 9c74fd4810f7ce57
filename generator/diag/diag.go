// Package diag carries what the generator has to say about its input:
// positioned diagnostics that are collected, sorted and printed together.
package diag

import (
	"cmp"
	"fmt"
	"slices"
)

// Pos is a place in an input file. Line and Col count from 1, Col in bytes;
// the zero Pos is an unknown place.
type Pos struct {
	File string
	Line int
	Col  int
}

// IsValid reports whether the line is known.
func (p Pos) IsValid() bool { return p.Line > 0 }

// String returns file:line:col, without the parts that are unknown.
func (p Pos) String() string {
	switch {
	case !p.IsValid():
		return p.File
	case p.Col <= 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	default:
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
	}
}

// Compare orders positions by file, line and column.
func (p Pos) Compare(q Pos) int {
	return cmp.Or(cmp.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Col, q.Col))
}

// Severity says whether a diagnostic stops the generation. The zero value is
// Error.
type Severity uint8

// An Error stops the generation; a Warning is only shown, and an Info is a
// proposal that nobody has to follow.
const (
	Error Severity = iota
	Warning
	Info
)

// String returns "error", "warning" or "info".
func (s Severity) String() string {
	switch s {
	case Warning:
		return "warning"
	case Info:
		return "info"
	}
	return "error"
}

// Diagnostic is one finding: where, which rule, what is wrong, and how to
// repair it.
type Diagnostic struct {
	Pos      Pos
	Rule     Rule   // "IDM014"
	Message  string // one line, without a full stop
	Fix      string // what to write instead; may be empty and may have several lines
	Severity Severity
}

// Error returns file:line:col: rule: message, so that a Diagnostic is an error.
func (d Diagnostic) Error() string {
	head := d.Pos.String()
	if head != "" {
		head += ": "
	}
	if d.Severity != Error {
		head += d.Severity.String() + ": "
	}
	return head + string(d.Rule) + ": " + d.Message
}

// List collects diagnostics. The zero List is empty and ready to use. It is not
// safe for concurrent use.
type List []Diagnostic

// Add appends an error.
func (l *List) Add(pos Pos, rule Rule, fix, format string, args ...any) {
	*l = append(*l, Diagnostic{Pos: pos, Rule: rule, Fix: fix, Message: fmt.Sprintf(format, args...)})
}

// Warn appends a warning.
func (l *List) Warn(pos Pos, rule Rule, fix, format string, args ...any) {
	*l = append(*l, Diagnostic{Pos: pos, Rule: rule, Fix: fix, Message: fmt.Sprintf(format, args...), Severity: Warning})
}

// Sort orders the list by position, then rule and message, and removes
// duplicates. The order does not depend on the order of the calls to Add.
func (l *List) Sort() {
	slices.SortStableFunc(*l, func(a, b Diagnostic) int {
		return cmp.Or(a.Pos.Compare(b.Pos), cmp.Compare(a.Severity, b.Severity),
			cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message), cmp.Compare(a.Fix, b.Fix))
	})
	*l = slices.Compact(*l)
}

// Errors counts the diagnostics that stop the generation.
func (l List) Errors() int {
	n := 0
	for _, d := range l {
		if d.Severity == Error {
			n++
		}
	}
	return n
}
