package goapi

import (
	"reflect"

	"github.com/getkin/kin-openapi/openapi3"
)

// walk visits every struct of a document once.
func walk(t *openapi3.T, visit func(reflect.Value)) {
	w := walker{visit: visit, seen: map[any]bool{}, fields: map[reflect.Type][]int{}}
	w.descend(reflect.ValueOf(t))
}

// gathered are parts of a document, each once. What a cure cuts off stays among them,
// where it hurts nobody.
type gathered struct {
	schemas    []*openapi3.Schema
	parameters []*openapi3.Parameter
	bodies     []*openapi3.RequestBody
	responses  []*openapi3.Response
}

// gather walks a document once for all cures that look at every part of a kind.
func gather(t *openapi3.T) gathered {
	var all gathered
	walk(t, func(v reflect.Value) {
		switch part := v.Addr().Interface().(type) {
		case *openapi3.Schema:
			all.schemas = append(all.schemas, part)
		case *openapi3.Parameter:
			all.parameters = append(all.parameters, part)
		case *openapi3.RequestBody:
			all.bodies = append(all.bodies, part)
		case *openapi3.Response:
			all.responses = append(all.responses, part)
		}
	})
	return all
}

type walker struct {
	visit  func(reflect.Value)
	seen   map[any]bool
	fields map[reflect.Type][]int // those of a struct that lead to structs
}

func (w *walker) descend(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || w.seen[v.Interface()] {
			return
		}
		w.seen[v.Interface()] = true
		switch keyed := v.Interface().(type) {
		case *openapi3.Paths:
			v = reflect.ValueOf(keyed.Map())
		case *openapi3.Responses:
			v = reflect.ValueOf(keyed.Map())
		case *openapi3.Callback:
			v = reflect.ValueOf(keyed.Map())
		default:
			v = v.Elem()
		}
		w.descend(v)
	case reflect.Struct:
		if v.CanAddr() {
			w.visit(v)
		}
		for _, i := range w.leading(v.Type()) {
			w.descend(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			w.descend(v.Index(i))
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			w.descend(it.Value())
		}
	}
}

// leading returns the fields of a struct that may lead to others: not numbers, nor
// the author's own data.
func (w *walker) leading(t reflect.Type) []int {
	fields, known := w.fields[t]
	if !known {
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() && f.Name != "Origin" && leads(f.Type) {
				fields = append(fields, i)
			}
		}
		w.fields[t] = fields
	}
	return fields
}

func leads(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return leads(t.Elem())
	}
	return t.Kind() == reflect.Struct
}
