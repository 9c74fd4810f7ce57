package wiring

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/dave/jennifer/jen"

	"github.com/idemgen/idemgen/generator/plan"
)

// literal builds a composite literal: members share a line until it is full or
// end starts the next. Members with their default value are left out.
type literal struct {
	lines   []jen.Code
	members []jen.Code // of the current line
	width   int        // of the current line, about
}

// fullLine is the width, without indentation, at which a line ends.
const fullLine = 108

// add adds a member whose value is about as wide as text.
func (l *literal) add(name string, value jen.Code, text string) *literal {
	return l.item(jen.Id(name).Op(":").Add(value), name+": "+text)
}

// item adds a member without a name, about as wide as text.
func (l *literal) item(value jen.Code, text string) *literal {
	width := len(text) + len(", ")
	if len(l.members) > 0 && l.width+width > fullLine {
		l.end()
	}
	l.members = append(l.members, value)
	l.width += width
	return l
}

func (l *literal) lit(name string, value string) *literal {
	return l.add(name, jen.Lit(value), strconv.Quote(value))
}

func (l *literal) flag(name string, set bool) *literal {
	if set {
		l.add(name, jen.True(), "true")
	}
	return l
}

func (l *literal) text(name, value, byDefault string) *literal {
	if value != byDefault {
		l.lit(name, value)
	}
	return l
}

func (l *literal) number(name string, value, byDefault int64) *literal {
	if value != byDefault {
		l.add(name, jen.Lit(int(value)), strconv.FormatInt(value, 10))
	}
	return l
}

func (l *literal) duration(name string, d plan.Duration) *literal {
	return l.add(name, duration(d), "30 * time.Second")
}

func (l *literal) strings(name string, list []string) *literal {
	if len(list) > 0 {
		l.add(name, jen.Index().String().Add(values(list)), fmt.Sprintf("[]string{%q}", list))
	}
	return l
}

// choice adds the constant of the runtime for a value that has one.
func (l *literal) choice(name, value string, constants map[string]string) *literal {
	if c := constants[value]; c != "" {
		l.add(name, jen.Qual(runtimePath, c), "idem."+c)
	}
	return l
}

func (l *literal) etag(name, constant string) *literal {
	if constant != "" {
		l.add(name, jen.Qual(etagPath, constant), "etag."+constant)
	}
	return l
}

// nested adds a struct on lines of its own, unless all its members are defaults.
func (l *literal) nested(name string, typ *jen.Statement, inner *literal) {
	if len(inner.lines)+len(inner.members) > 0 {
		l.end()
		l.add(name, typ.Add(inner.code(fullLine-16)), "")
		l.end()
	}
}

// end ends the line.
func (l *literal) end() {
	if len(l.members) > 0 {
		l.lines = append(l.lines, jen.List(l.members...))
		l.members, l.width = nil, 0
	}
}

// code returns the literal without its type: on one line if that is at most
// limit wide, else a line of members per line.
func (l *literal) code(limit int) jen.Code {
	if len(l.lines) == 0 && l.width <= limit {
		return jen.Values(l.members...)
	}
	return l.block()
}

// block returns the literal without its type, a line of members per line.
func (l *literal) block() jen.Code {
	l.end()
	return jen.Custom(jen.Options{Open: "{", Close: "}", Separator: ",", Multi: true}, l.lines...)
}

// values returns {"a", "b"}.
func values(list []string) *jen.Statement {
	var codes []jen.Code
	for _, s := range list {
		codes = append(codes, jen.Lit(s))
	}
	return jen.Values(codes...)
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// duration returns d in its largest whole unit.
func duration(planned plan.Duration) jen.Code {
	d := time.Duration(planned)
	for _, unit := range []struct {
		d    time.Duration
		name string
	}{{time.Hour, "Hour"}, {time.Minute, "Minute"}, {time.Second, "Second"}, {time.Millisecond, "Millisecond"}} {
		if d != 0 && d%unit.d == 0 {
			return jen.Lit(int(d/unit.d)).Op("*").Qual("time", unit.name)
		}
	}
	return jen.Lit(int(d))
}
