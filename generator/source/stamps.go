package source

import (
	"reflect"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v4"
)

// stamps notes in the library's document where its parts are written, as the
// library does when it parses a text: oapi-codegen registers routes in that order,
// and the errors of the validation have their places from it.
type stamps struct {
	file  string
	types map[reflect.Type]*stamped
}

// stamped is what a type has of interest.
type stamped struct {
	origin  []int          // index of the field Origin
	inPlace []int          // fields whose values are written in the place of the whole
	shares  [][]int        // indexes of the fields that the library gives the same origin
	members map[string]int // fields by the names of their members
}

func (s *stamps) root(t *openapi3.T, n *yaml.Node) {
	s.types = map[reflect.Type]*stamped{}
	if len(n.Content) > 0 {
		t.Origin = s.origin(n.Content[0])
	}
	s.members(reflect.ValueOf(t), n)
}

func (s *stamps) origin(key *yaml.Node) *openapi3.Origin {
	return &openapi3.Origin{Key: &openapi3.Location{File: s.file, Line: key.Line, Column: key.Column, Name: key.Value}}
}

var originType = reflect.TypeFor[*openapi3.Origin]()

func (s *stamps) of(t reflect.Type) *stamped {
	if known, ok := s.types[t]; ok {
		return known
	}
	of := &stamped{members: map[string]int{}}
	s.types[t] = of
	if f, ok := t.FieldByName("Origin"); ok && f.Type == originType {
		of.origin = f.Index
	}
	for _, name := range []string{"Value", "Schema"} {
		if f, ok := t.FieldByName(name); ok {
			of.shares = append(of.shares, f.Index)
		}
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case !f.IsExported():
		case f.Anonymous || name == "" && (f.Name == "Value" || f.Name == "Schema"):
			of.inPlace = append(of.inPlace, i)
		case name != "" && name != "-":
			of.members[name] = i
		}
	}
	return of
}

// at stamps a value that is written under a key, and all that is in it.
func (s *stamps) at(v reflect.Value, key, n *yaml.Node) {
	v = pointed(v)
	switch v.Kind() {
	case reflect.Struct:
		s.members(v, n)
		s.mark(v, s.origin(key))
	case reflect.Map:
		s.members(v, n)
	case reflect.Slice:
		for i := range min(v.Len(), len(n.Content)) {
			// An item has no key, so it is where its first one is.
			if item := n.Content[i]; n.Kind == yaml.SequenceNode && item.Kind == yaml.MappingNode && len(item.Content) > 0 {
				s.at(v.Index(i), item.Content[0], item)
			}
		}
	}
}

// mark sets the place of a struct and of what it wraps. The schema of a parameter
// or of a media type has the place of that, too.
func (s *stamps) mark(v reflect.Value, o *openapi3.Origin) {
	of := s.of(v.Type())
	if of.origin != nil && v.CanSet() { // a map's values cannot be, and the library leaves them
		v.FieldByIndex(of.origin).Set(reflect.ValueOf(o))
	}
	for _, index := range of.shares {
		if inner := pointed(v.FieldByIndex(index)); inner.Kind() == reflect.Struct {
			s.mark(inner, o)
		}
	}
}

// members stamps what a mapping holds.
func (s *stamps) members(v reflect.Value, n *yaml.Node) {
	v = pointed(v)
	if n.Kind != yaml.MappingNode {
		return
	}
	child := func(string) reflect.Value { return reflect.Value{} }
	switch v.Kind() {
	case reflect.Map:
		child = func(name string) reflect.Value { return v.MapIndex(reflect.ValueOf(name)) }
	case reflect.Struct:
		var own any
		if v.CanAddr() {
			own = v.Addr().Interface()
		}
		switch all := own.(type) {
		case *openapi3.Paths:
			child = func(name string) reflect.Value { return reflect.ValueOf(all.Value(name)) }
		case *openapi3.Responses:
			child = func(name string) reflect.Value { return reflect.ValueOf(all.Value(name)) }
		case *openapi3.Callback:
			child = func(name string) reflect.Value { return reflect.ValueOf(all.Value(name)) }
		default:
			of := s.of(v.Type())
			for _, i := range of.inPlace {
				s.members(v.Field(i), n)
			}
			child = func(name string) reflect.Value {
				if i, ok := of.members[name]; ok {
					return v.Field(i)
				}
				return reflect.Value{}
			}
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		s.at(child(n.Content[i].Value), n.Content[i], n.Content[i+1])
	}
}

// pointed follows pointers; invalid behind nil, and for what is invalid.
func pointed(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return v
}
