package source

import (
	"errors"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/idemgen/idemgen/generator/diag"
)

// misfit is one value of a wrong shape in the text of a decoding error, such as
// "line 6: cannot construct !!map into openapi3.Parameters in /paths/~1a/get".
var misfit = regexp.MustCompile(`line (\d+)(?:, column \d+)?: cannot (?:construct|unmarshal) !!(\w+)(?: ` + "`[^`]*`" + `)? into (\S+)(?: field "([^"]*)")?(?: in (/\S*?))?(?:;|\s|$)`)

// yamlError is what a value of YAML is reported with that JSON cannot have.
var yamlError = regexp.MustCompile(`yaml error: line (\d+): ([^;]*)`)

// loadError reports why kin-openapi refuses the document: each value of a wrong
// shape by itself, anything else as it is, at the $ref that it mentions if any.
func (l *loader) loadError(err error) {
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	found := misfit.FindAllStringSubmatch(text, -1)
	for _, m := range found {
		line, _ := strconv.Atoi(m[1])
		pointer := m[5]
		if m[4] != "" {
			pointer += "/" + EscapeToken(m[4])
		}
		node, pos := l.misplaced(line, pointer)
		got := tagKinds[m[2]]
		if node.Exists() {
			got = node.Kind().String()
		}
		want := wanted(m[3])
		if strings.HasPrefix(want, got) || node.Kind() == Int || node.Kind() == Float {
			got = node.Text()
		}
		l.list.Add(pos, diag.RuleLoad, "write "+want+" here", "%s must be %s, not %s", leafOf(pointer), want, got)
	}
	if len(found) > 0 {
		return
	}
	pos := l.doc.errorPos(err)
	if m := yamlError.FindStringSubmatch(text); m != nil {
		line, _ := strconv.Atoi(m[1])
		pos, text = l.doc.Files[0].at(line, 1), m[2]
	}
	for _, f := range l.doc.Files {
		f.eachRef(func(ref Node) {
			_, fragment, _ := strings.Cut(ref.Text(), "#")
			if strings.Contains(text, quote(ref.Text())) || fragment != "" && strings.Contains(text, quote("#"+fragment)) {
				pos = ref.Pos()
			}
		})
	}
	l.list.Add(pos, diag.RuleLoad, "compare the place with the OpenAPI "+l.doc.OpenAPI+" specification", "%s", strings.TrimSuffix(text, "."))
}

// misplaced finds the value that a decoding error is about: the files are not
// named in it, so that the line decides between them.
func (l *loader) misplaced(line int, pointer string) (Node, diag.Pos) {
	if pointer != "" {
		for _, f := range l.doc.Files {
			if n := f.Root.at(pointer); n.Exists() && n.value().Line == line {
				return n, n.Pos()
			}
		}
	}
	return Node{}, l.doc.Files[0].lineStart(line)
}

var tagKinds = map[string]string{
	"map": "an object", "seq": "a list", "str": "a string", "int": "an integer",
	"float": "a number", "bool": "a boolean", "null": "null", "timestamp": "a string",
}

// wanted is a Go type of the library in words.
func wanted(goType string) string {
	name := goType[strings.LastIndexByte(goType, '.')+1:]
	switch {
	case strings.HasPrefix(goType, "[]"), name == "Parameters", name == "Servers", name == "Tags",
		strings.HasSuffix(name, "Refs"), name == "SecurityRequirements":
		return "a list"
	case name == "string":
		return "a string"
	case name == "bool":
		return "true or false"
	case strings.HasPrefix(name, "uint"):
		return "an integer from 0 on"
	case strings.HasPrefix(name, "int"):
		return "an integer"
	case strings.HasPrefix(name, "float"):
		return "a number"
	}
	return "an object"
}

func leafOf(pointer string) string {
	tokens := Tokens(pointer)
	if len(tokens) == 0 {
		return "the value"
	}
	leaf := tokens[len(tokens)-1]
	if _, err := strconv.Atoi(leaf); err == nil && len(tokens) > 1 && tokens[len(tokens)-2] != "responses" {
		return tokens[len(tokens)-2] + "[" + leaf + "]"
	}
	return leaf
}

// errorPos finds the deepest place that an error of kin-openapi knows: the
// origin of one of its causes; else the start of the root file.
func (d *Document) errorPos(err error) diag.Pos {
	if pos, ok := d.Written(origin(err)); ok {
		return pos
	}
	if m := namedComponent.FindStringSubmatch(err.Error()); m != nil {
		for _, collection := range d.Files[0].Root.Get("components").Entries() {
			if n := collection.Get(m[1]); n.Exists() {
				return n.KeyPos()
			}
		}
	}
	return diag.Pos{File: d.Files[0].Name, Line: 1, Col: 1}
}

// capital reports whether a name is an extension's but for its capital X.
func capital(name string) bool { return strings.HasPrefix(name, "X-") }

// capitals returns the members that an error of kin-openapi is about, when all that is
// wrong with them is the capital X of their names. It knows the object around them only.
func (d *Document) capitals(err error) []Node {
	extra, ok := errors.AsType[*openapi3.ExtraSiblingFieldsError](err)
	if !ok {
		return nil
	}
	var all []Node
	for _, name := range extra.Fields {
		before := len(all)
		for _, f := range d.Files {
			if !capital(name) {
				return nil
			}
			f.look()
			for _, n := range f.capitals {
				if n.Key() == name {
					all = append(all, n)
				}
			}
		}
		if len(all) == before {
			return nil
		}
	}
	return all
}

// namedComponent is a component in an error without a place.
var namedComponent = regexp.MustCompile(`^invalid components: [a-z ]+"([^"]+)":`)

// Written returns where a part of the library's document was written, if it has an
// origin.
func (d *Document) Written(o *openapi3.Origin) (diag.Pos, bool) {
	if o == nil || o.Key == nil || d.byName[o.Key.File] == nil || o.Key.Line == 0 {
		return diag.Pos{}, false
	}
	return d.byName[o.Key.File].at(o.Key.Line, o.Key.Column), true
}

// origin returns the Origin field of the innermost cause that has one. The
// library has some sixty error types with that field and no interface for it.
func origin(err error) *openapi3.Origin {
	var found *openapi3.Origin
	for ; err != nil; err = errors.Unwrap(err) {
		v := reflect.ValueOf(err)
		if v.Kind() == reflect.Pointer && !v.IsNil() && v.Elem().Kind() == reflect.Struct {
			if f := v.Elem().FieldByName("Origin"); f.IsValid() {
				if o, ok := reflect.TypeAssert[*openapi3.Origin](f); ok && o != nil {
					found = o
				}
			}
		}
	}
	return found
}
