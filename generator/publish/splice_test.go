package publish

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/source"
)

// nasty is YAML in which it is hard to see where a value ends.
const nasty = `# head
literal: |
  a

  # no comment
    b: c
# a comment

kept: |+
  a

folded:
  deep: >-2
      indented
    less
quoted: {double: "a \" # } ] , \\", single: 'it''s } # "', plain: it's a "b", url: http://x/#y, "json":"}", empty: {}, none: , l: [],
  more: [ "]", '[', [a, {b: c}], ] , # }
  end: 1 }
wild: "closes
at the margin } #"
brackets: [
a,
{b: c}
]
several:
  plain text
  on lines # and a comment
  # another
short: text # }
colon: a:b  
nothing:
tilde: ~
list:
- a
-   b: c
    d:
    - e
    -
- - f
  - g
items:
    - x: |
        text
    # a comment of the list

anchored: &here !!map
  a: b
flowed: &there {a: b}
tagged: !!str "text"
"key: 'x' #": {'y': 1} # z
? complex
: value
ends:   # each is the last member of its object or list
- one: |
    literal
     # no comment

  # a comment
- two: |2-
      literal
- three: |+
    kept

- four:
- five: plain   # a comment
- six: plain
    on lines
  # a comment
- seven: {a: &x "]", b: !!str ']'}
- eight: "closes
 at the margin"
- nine:
  - ten: a # }
  -
- &y
  eleven: ~
- !!map
  twelve: >-

    folded

    on
-
  - - thirteen
- "fourteen"
- 15
- >
  sixteen

  # text
- seventeen
  on lines

  # a comment
-
tails:
- |
  literal
next:
- plain
  on lines
last:
  end: &e text
`

const nastyJSON = "{\n\t\"a\": {\"b\": [1, {\"c\": \"}\\\\\\\"]\"}], \"e\": {}, \"f\": [ ]},\n\t\"smile\": \"\\ud83d\\ude00 \\/ €\", \"g\": {\"h\": []},\n\t\"last\": [\n\t\t{ \"x\": null }\n\t]\n}"

// Adding to each object and list of a document, one after the other, adds there
// and nowhere else.
func TestEditor_EveryPlace(t *testing.T) {
	texts := map[string]string{
		"nasty.yaml": nasty, "nasty.json": nastyJSON, "minified.json": `{"a":{"b":[1,{"c":{}}]},"d":[]}`,
		"spaced.json": `{ "a" : { "b" : [ 1 ] } , "d" : [ ] }`, "bare.yaml": strings.TrimRight(nasty, "\n"),
		"crlf.yaml": strings.ReplaceAll(nasty, "\n", "\r\n"), "crlf.json": strings.ReplaceAll(nastyJSON, "\n", "\r\n"),
		"bom.yaml": "\ufeffa: {b: ü}\nc:\n  ä: ö\n", "bom.json": "\ufeff{\"ä\": {\"b\": \"ü\"}, \"c\": []}",
	}
	for _, pattern := range []string{"testdata/*/openapi.*", "../testdata/cases/*/openapi.yaml"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatal(pattern, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			texts[name] = string(text)
		}
	}
	places := 0
	for name, text := range texts {
		root, errs := source.ParseYAML(name, []byte(text))
		if strings.Contains(name, "/bad-") && errs.Errors() > 0 {
			continue
		}
		if errs.Errors() > 0 {
			t.Fatalf("%s: %v", name, errs)
		}
		each(root, func(n source.Node) {
			e := newEditor()
			switch n.Kind() {
			case source.Map:
				e.member(n, "new: key", object{{"it's", list{object{{"a", 1}, {"b", list{"c", true}}}}}, {"no", "on"}})
			case source.List:
				if a := e.to(n, source.List); a != nil {
					a.items = list{object{{"a", "x: y"}, {"b", object{{"c", 2}}}}, "new"}
				}
			}
			if e.errs.Errors() > 0 {
				t.Fatalf("%s%s: %v", name, n.Pointer(), e.errs)
			}
			places++
			checkAdded(t, name+"#"+n.Pointer(), text, string(e.changed(n.File())), n)
		})
	}
	if places < 500 {
		t.Errorf("%d places", places)
	}
}

// each visits the objects and lists that may be added to.
func each(n source.Node, visit func(source.Node)) {
	if n.Kind() != source.Map && n.Kind() != source.List || n.Shared() {
		return
	}
	visit(n)
	for _, e := range append(n.Entries(), n.Items()...) {
		each(e, visit)
	}
}

func checkAdded(t *testing.T, at, before, after string, n source.Node) {
	t.Helper()
	have, want := decode(t, at, after), decode(t, at, before)
	tokens := source.Tokens(n.Pointer())
	if n.Kind() == source.Map {
		added := map[string]any{"it's": []any{map[string]any{"a": 1, "b": []any{"c", true}}}, "no": "on"}
		want = with(want, tokens, func(v any) any { v.(map[string]any)["new: key"] = added; return v })
	} else {
		want = with(want, tokens, func(v any) any {
			return append(v.([]any), map[string]any{"a": "x: y", "b": map[string]any{"c": 2}}, "new")
		})
	}
	if !reflect.DeepEqual(have, want) {
		t.Fatalf("%s: added somewhere else or something else:\n%s", at, after)
	}
	// Behind what was written before nothing moved: comments, too, survive.
	if got := strings.Count(after, "#"); got != strings.Count(before, "#") {
		t.Fatalf("%s: comments came or went:\n%s", at, after)
	}
}

// decode reads JSON or YAML with string keys and integers as int.
func decode(t *testing.T, at, text string) any {
	t.Helper()
	text = strings.TrimPrefix(text, "\ufeff")
	if strings.HasPrefix(text, "{") {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%s: not JSON any more: %v\n%s", at, err, text)
		}
		return integers(v)
	}
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: not YAML any more: %v\n%s", at, err, text)
	}
	return integers(v)
}

func integers(v any) any {
	switch v := v.(type) {
	case float64:
		return int(v)
	case map[string]any:
		for key, value := range v {
			v[key] = integers(value)
		}
	case map[any]any:
		text := map[string]any{}
		for key, value := range v {
			s, err := yaml.Marshal(key)
			if err != nil {
				return err
			}
			text[strings.TrimSpace(string(s))] = integers(value)
		}
		return text
	case []any:
		for i := range v {
			v[i] = integers(v[i])
		}
	}
	return v
}

// with applies change to the value at a path.
func with(v any, tokens []string, change func(any) any) any {
	if len(tokens) == 0 {
		return change(v)
	}
	switch v := v.(type) {
	case map[string]any:
		v[tokens[0]] = with(v[tokens[0]], tokens[1:], change)
	case []any:
		i := 0
		for _, c := range tokens[0] {
			i = 10*i + int(c-'0')
		}
		v[i] = with(v[i], tokens[1:], change)
	}
	return v
}

// A reference that an alias repeats cannot be changed either.
func TestEditor_SharedReference(t *testing.T) {
	root, errs := source.ParseYAML("doc.yaml", []byte("a: &a {$ref: '#/x'}\nb: *a\n"))
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	e := newEditor()
	e.rename(root.Get("b").Get("$ref"), "#/y")
	if got := diagText(e.errs); !strings.Contains(got, "IDM051: cannot change $ref here") {
		t.Errorf("%q", got)
	}
}

// What is written at several places cannot be changed at one.
func TestEditor_Shared(t *testing.T) {
	const text = `a: &a {x: {y: {}}}
b: *a
c:
  <<: *a
  own: {}
d: &unused {z: {}}
e: []
`
	root, errs := source.ParseYAML("doc.yaml", []byte(text))
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	for _, tt := range []struct {
		node source.Node
		want string
	}{
		{root.Get("a"), "doc.yaml:1:1: IDM051: cannot change a here"},
		{root.Get("a").Get("x").Get("y"), "doc.yaml:1:12: IDM051: cannot change y here"},
		{root.Get("b"), "doc.yaml:2:1: IDM051: cannot change b here"},
		{root.Get("b").Get("x"), "cannot change x here"},
		{root.Get("c").Get("x"), "cannot change x here"},
		{root.Get("e"), "cannot add to what is a list, not an object"},
		{root.Get("c"), ""},
		{root.Get("c").Get("own"), ""},
		{root.Get("d").Get("z"), ""},
		{root, ""},
	} {
		e := newEditor()
		e.member(tt.node, "k", "v")
		e.member(tt.node, "k", "v") // reported once, added once
		got := diagText(e.errs)
		if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) || strings.Count(got, "\n") > 1 {
			t.Errorf("%s: %q, want %q", tt.node.Pointer(), got, tt.want)
		}
		if got := string(e.changed(root.File())); tt.want == "" && strings.Count(got, "k: v") != 1 {
			t.Errorf("%s: %s", tt.node.Pointer(), got)
		}
	}
}

func diagText(list diag.List) string {
	var b strings.Builder
	for _, d := range list {
		b.WriteString(d.Pos.String() + ": " + string(d.Rule) + ": " + d.Message + "\n")
	}
	return b.String()
}
