package policy

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/source"
)

// kind decodes one type of value. example is a value that a reader can paste.
type kind[T any] struct {
	name    string // in the documentation: "duration"
	limits  string // in the documentation: "1m to 720h"
	example string
	schema  Schema // what an editor may accept; decode knows better
	decode  func(c *context, n source.Node) (T, bool)
}

// context is where a value stands: it words and positions what is wrong.
type context struct {
	list *diag.List
	name string // "x-idempotency.key.header"
	leaf string // "header"
	item bool   // the value is an item of a list
}

// fail reports a value that does not fit; value is what to write instead.
func (c *context) fail(n source.Node, rule diag.Rule, value, format string, args ...any) {
	fix := c.leaf + ": " + value
	c.list.Add(n.Pos(), rule, fix, "%s: %s", c.name, fmt.Sprintf(format, args...))
}

// typed reports a value of another type.
func (c *context) typed(n source.Node, want, example string) {
	if n.Kind() == source.Null {
		c.fail(n, diag.RuleWrongType, example, "null is not a value; write one or remove the member")
		return
	}
	got := n.Kind().String()
	if text := n.Text(); text != "" {
		got += " (" + text + ")"
	}
	c.fail(n, diag.RuleWrongType, example, "must be %s, not %s", want, got)
}

var boolean = kind[bool]{
	name: "boolean", example: "true", schema: Schema{"type": "boolean"},
	decode: func(c *context, n source.Node) (bool, bool) {
		if n.Kind() != source.Bool {
			c.typed(n, "true or false", "true")
			return false, false
		}
		return n.True(), true
	},
}

// oneOf decodes an enumeration. A value that YAML reads as a number or a
// boolean counts as its text, so that status 200 needs no quotes.
func oneOf[T ~string](values ...T) kind[T] {
	var words []string
	var enum []any
	for _, v := range values {
		words = append(words, string(v))
		enum = append(enum, string(v))
		if number, err := strconv.Atoi(string(v)); err == nil {
			enum = append(enum, number)
		}
	}
	return kind[T]{
		name: "enumeration", limits: strings.Join(words, ", "), example: words[0], schema: Schema{"enum": enum},
		decode: func(c *context, n source.Node) (T, bool) {
			text := n.Text()
			for _, v := range values {
				if string(v) == text && n.Kind() != source.Null {
					return v, true
				}
			}
			if n.Kind() != source.String {
				c.typed(n, "one of "+strings.Join(words, ", "), words[0])
				return "", false
			}
			example := words[0]
			if near, ok := diag.Nearest(text, words); ok {
				example = near
			}
			c.fail(n, diag.RuleRange, example, "%q is not one of %s", text, strings.Join(words, ", "))
			return "", false
		},
	}
}

func integer(low, high int) kind[int] {
	return kind[int]{
		name: "integer", limits: fmt.Sprintf("%d to %d", low, high), example: strconv.Itoa(low),
		schema: Schema{"type": "integer", "minimum": low, "maximum": high},
		decode: func(c *context, n source.Node) (int, bool) {
			if n.Kind() != source.Int {
				c.typed(n, "an integer", strconv.Itoa(low))
				return 0, false
			}
			v, err := strconv.Atoi(n.Text())
			if err != nil || v < low || v > high {
				near := low
				if err == nil && v > high {
					near = high
				}
				c.fail(n, diag.RuleRange, strconv.Itoa(near), "%s is out of range: %d to %d", n.Text(), low, high)
				return 0, false
			}
			return v, true
		},
	}
}

// integerOf decodes one of a few numbers.
func integerOf(values ...int) kind[int] {
	var words []string
	for _, v := range values {
		words = append(words, strconv.Itoa(v))
	}
	all := strings.Join(words, ", ")
	return kind[int]{
		name: "integer", limits: all, example: words[0], schema: Schema{"enum": values},
		decode: func(c *context, n source.Node) (int, bool) {
			if n.Kind() != source.Int {
				c.typed(n, "one of "+all, words[0])
				return 0, false
			}
			for i, v := range values {
				if words[i] == n.Text() {
					return v, true
				}
			}
			c.fail(n, diag.RuleRange, words[0], "%s is not one of %s", n.Text(), all)
			return 0, false
		},
	}
}

// duration decodes Go's syntax: 90s, 1h30m.
func duration(low, high time.Duration) kind[time.Duration] {
	limits := short(low) + " to " + short(high)
	return kind[time.Duration]{
		name: "duration", limits: limits, example: short(max(low, time.Second)), schema: durationSchema(low),
		decode: func(c *context, n source.Node) (time.Duration, bool) {
			text := n.Text()
			v, err := time.ParseDuration(text)
			switch {
			case n.Kind() == source.Int && text != "0":
				c.fail(n, diag.RuleWrongType, text+"s", "a duration needs a unit, such as %ss or %sm", text, text)
				return 0, false
			case n.Kind() != source.String && n.Kind() != source.Int:
				c.typed(n, "a duration such as 30s or 24h", short(max(low, time.Second)))
				return 0, false
			case err != nil:
				near := max(low, time.Second)
				if days, err := strconv.Atoi(strings.TrimSuffix(text, "d")); err == nil && days <= 365 {
					near = min(max(low, time.Duration(days)*24*time.Hour), high)
				}
				c.fail(n, diag.RuleWrongType, short(near), "%q is not a duration such as 30s, 15m or 24h", text)
				return 0, false
			case v < low || v > high:
				c.fail(n, diag.RuleRange, short(min(max(v, low), high)), "%s is out of range: %s", text, limits)
				return 0, false
			}
			return v, true
		},
	}
}

// durationSchema has the syntax; a schema cannot compare durations.
func durationSchema(low time.Duration) Schema {
	written := Schema{"type": "string", "pattern": `^([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$`}
	if low > 0 {
		return written
	}
	return Schema{"anyOf": []Schema{written, {"enum": []any{0, "0"}}}}
}

// short writes a duration without its zero parts: 24h, not 24h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

var units = []struct {
	suffix string
	bytes  int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"B", 1}}

// size decodes a number of bytes: 4096, 64KiB, 1MiB.
func size(low, high int64) kind[int64] {
	limits := bytesText(low) + " to " + bytesText(high)
	return kind[int64]{
		name: "size", limits: limits, example: "1MiB",
		schema: Schema{"anyOf": []Schema{
			{"type": "integer", "minimum": low, "maximum": high},
			{"type": "string", "pattern": "^[0-9]+ ?(B|KiB|MiB)?$"},
		}},
		decode: func(c *context, n source.Node) (int64, bool) {
			if n.Kind() != source.Int && n.Kind() != source.String {
				c.typed(n, "a size such as 64KiB or 1MiB", "1MiB")
				return 0, false
			}
			v, ok := parseSize(n.Text())
			if !ok {
				c.fail(n, diag.RuleWrongType, "1MiB", "%q is not a size such as 4096, 64KiB or 1MiB", n.Text())
				return 0, false
			}
			if v < low || v > high {
				c.fail(n, diag.RuleRange, bytesText(min(max(v, low), high)), "%s is out of range: %s", n.Text(), limits)
				return 0, false
			}
			return v, true
		},
	}
}

func parseSize(text string) (int64, bool) {
	factor := int64(1)
	for _, u := range units {
		if digits, ok := strings.CutSuffix(text, u.suffix); ok {
			text, factor = strings.TrimSpace(digits), u.bytes
			break
		}
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil || v < 0 || v > (1<<62)/factor {
		return 0, false
	}
	return v * factor, true
}

func bytesText(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return strconv.FormatInt(n>>20, 10) + "MiB"
	case n >= 1<<10 && n%(1<<10) == 0:
		return strconv.FormatInt(n>>10, 10) + "KiB"
	}
	return strconv.FormatInt(n, 10) + "B"
}

// text decodes a string that check accepts; check returns the normal form or
// what is wrong.
func text(name, example string, check func(string) (string, error)) kind[string] {
	return kind[string]{
		name: name, example: example, schema: Schema{"type": "string", "minLength": 1},
		decode: func(c *context, n source.Node) (string, bool) {
			if n.Kind() != source.String {
				c.typed(n, "a string", example)
				return "", false
			}
			v, err := check(n.Text())
			if err == nil {
				return v, true
			}
			f := finding{rule: diag.RuleRange, text: err.Error()}
			errors.As(err, &f)
			if f.instead == "" || f.instead == leaveOut && !c.item {
				f.instead = example
			}
			c.fail(n, f.rule, f.instead, "%s", f.text)
			return "", false
		},
	}
}

// list decodes a list, item by item.
func list[T any](item kind[T]) kind[[]T] {
	return kind[[]T]{
		name: "list of " + item.name, limits: item.limits, example: "[" + item.example + "]",
		schema: Schema{"type": "array", "items": item.schema},
		decode: func(c *context, n source.Node) ([]T, bool) {
			if n.Kind() != source.List {
				c.typed(n, "a list", "["+item.example+"]")
				return nil, false
			}
			all, good := []T{}, true
			for i, entry := range n.Items() {
				own := context{list: &diag.List{}, name: c.name, leaf: c.leaf, item: true}
				v, ok := item.decode(&own, entry)
				for _, d := range *own.list {
					d.Fix = c.leaf + ": " + repaired(n, i, strings.TrimPrefix(d.Fix, c.leaf+": "))
					*c.list = append(*c.list, d)
				}
				all, good = append(all, v), good && ok
			}
			return all, good
		},
	}
}

// repaired writes a list with one item replaced, so that a fix can be pasted as
// a whole; an item that has no place in the list is left out.
func repaired(list source.Node, bad int, instead string) string {
	var words []string
	for i, item := range list.Items() {
		word := item.Text()
		if i == bad {
			word = instead
		}
		if word != "" && word != leaveOut && !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return "[" + strings.Join(words, ", ") + "]"
}

// leaveOut instead of a value says that a list is better off without it.
const leaveOut = "-"

// finding is an error with the rule it breaks and the value to write instead.
type finding struct {
	rule    diag.Rule
	text    string
	instead string // empty: the example of the kind
}

func (f finding) Error() string { return f.text }

func broken(rule diag.Rule, format string, args ...any) error {
	return finding{rule: rule, text: fmt.Sprintf(format, args...)}
}

// insteadOf adds a better proposal than the example of the kind.
func insteadOf(err error, value string) error {
	f := finding{rule: diag.RuleRange, text: err.Error()}
	errors.As(err, &f)
	f.instead = value
	return f
}
