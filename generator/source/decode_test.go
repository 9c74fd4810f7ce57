package source

import (
	"cmp"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/idemgen/idemgen/generator/diag"
)

// TestDocument_decoded demands that the library's document is the same, with the
// places of all its parts, whether it is made of nodes or parsed by the library.
func TestDocument_decoded(t *testing.T) {
	t.Parallel()
	made := 0
	for _, name := range examples(t) {
		d, list := Load(name, os.ReadFile)
		if d == nil || list.Errors() > 0 {
			continue
		}
		location := &url.URL{Path: name}
		ours := d.decoded(d.loader(), location)
		if ours == nil {
			t.Logf("%s is left to the library", name)
			continue
		}
		made++
		theirs, err := d.parsed(location)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		keysOnly(theirs)
		if way := difference(reflect.ValueOf(ours), reflect.ValueOf(theirs)); way != "" {
			t.Errorf("%s: %s", name, way)
		}
	}
	if made < 10 {
		t.Errorf("%d documents were made of nodes; want at least 10", made)
	}
}

// examples are the documents of the tests, and those in IDEMGEN_CORPUS.
func examples(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, dir := range []string{"../testdata", "../../examples", "testdata", cmp.Or(os.Getenv("IDEMGEN_CORPUS"), "../testdata")} {
		_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err == nil && slices.Contains([]string{".json", ".yaml", ".yml"}, filepath.Ext(path)) && !slices.Contains(all, path) {
				all = append(all, path)
			}
			return nil
		})
	}
	return all
}

// keysOnly takes out of the places of a document what idemgen does not read.
func keysOnly(t *openapi3.T) {
	seen := map[any]bool{}
	var walk func(reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if v.IsNil() || seen[v.Interface()] {
				return
			}
			seen[v.Interface()] = true
			if o, ok := reflect.TypeAssert[*openapi3.Origin](v); ok {
				o.Fields, o.Sequences = nil, nil
				if o.Key != nil {
					o.Key.EndLine, o.Key.EndColumn = 0, 0
				}
				return
			}
			if all := v.MethodByName("Map"); all.IsValid() && all.Type().NumIn() == 0 {
				walk(all.Call(nil)[0])
			}
			walk(v.Elem())
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() {
					walk(v.Field(i))
				}
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Map:
			for it := v.MapRange(); it.Next(); {
				walk(it.Value())
			}
		}
	}
	walk(reflect.ValueOf(t))
}

// difference is the way to the first difference of two values, empty when there is
// none. What stands beside a $ref the library keeps to itself besides applying it.
func difference(a, b reflect.Value) string {
	seen := map[uintptr]bool{}
	var find func(a, b reflect.Value) string
	find = func(a, b reflect.Value) string {
		switch {
		case a.IsValid() != b.IsValid():
			return ": one is missing"
		case !a.IsValid():
			return ""
		case a.Type() != b.Type():
			return ": a " + a.Type().String() + " and a " + b.Type().String()
		}
		switch a.Kind() {
		case reflect.Pointer:
			if !a.IsNil() && !b.IsNil() && seen[a.Pointer()] {
				return ""
			}
			seen[a.Pointer()] = true
			return find(a.Elem(), b.Elem())
		case reflect.Interface:
			return find(a.Elem(), b.Elem())
		case reflect.Struct:
			for i := range a.NumField() {
				name := a.Type().Field(i).Name
				if name == "sibling" {
					continue
				}
				if way := find(a.Field(i), b.Field(i)); way != "" {
					return "." + name + way
				}
			}
			return ""
		case reflect.Slice:
			if a.Len() != b.Len() || a.IsNil() != b.IsNil() {
				return ": another length"
			}
			for i := range a.Len() {
				if way := find(a.Index(i), b.Index(i)); way != "" {
					return fmt.Sprintf("[%d]%s", i, way)
				}
			}
			return ""
		case reflect.Map:
			if a.Len() != b.Len() || a.IsNil() != b.IsNil() {
				return ": another number of members"
			}
			for _, key := range a.MapKeys() {
				if way := find(a.MapIndex(key), b.MapIndex(key)); way != "" {
					return "." + key.String() + way
				}
			}
			return ""
		}
		if !a.Equal(b) {
			return fmt.Sprintf(": %v and %v", a, b)
		}
		return ""
	}
	return find(a, b)
}

// TestDocument_decoded_values demands the same of values that parsers of YAML read
// in different ways.
func TestDocument_decoded_values(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		"yes", "NO", "on", "y", "true", "True", "FALSE", "~", "null", "Null", "", "0o17", "017", "0x1F", "1_000", "+1", "-0", "1.50", "1e3", ".5", "1.",
		"12345678901234567890", "1e400", ".inf", "-.Inf", ".nan", "2020-06-11", "2020-06-11T16:32:50-03:00", "12:30:45", "=", "1.2.3", "'1'", `"true"`, "|\n              1\n",
		"!!str 1", "!md text", "!!binary aGk=", "&a 1", "[1, 'a', null]", "{1: a, true: b, 2020-01-01: c}", "{~: a}", "{<<: {a: 1}}", "{'<<': {a: 1}}", "{? [a] : b}", `"\u0085"`, `"a\/b"`,
		"<<", "é", "a: b",
	} {
		d := &Document{byName: map[string]*File{}}
		var list diag.List
		text := spec("  /a:\n    get:\n      operationId: a\n      responses:\n        '200':\n          description: A\n"+
			"          content:\n            a/b:\n             example: "+value+"\n", "  schemas: {A: {type: string, default: "+value+"}}\n")
		f := parse("api.yaml", []byte(text), &list)
		if !f.Root.Exists() {
			continue
		}
		d.Files, d.byName["api.yaml"] = []*File{f}, f
		location := &url.URL{Path: "api.yaml"}
		ours := d.decoded(d.loader(), location)
		if ours == nil {
			t.Logf("%q is left to the library", value)
			continue
		}
		theirs, err := d.parsed(location)
		if err != nil {
			t.Errorf("%s: %v", value, err)
			continue
		}
		keysOnly(theirs)
		if way := difference(reflect.ValueOf(ours), reflect.ValueOf(theirs)); way != "" {
			t.Errorf("%s: %s", value, way)
		}
	}
}
