package goapi

import (
	"reflect"

	"github.com/getkin/kin-openapi/openapi3"
)

// clone copies a document so that nothing that oapi-codegen or a cure changes in
// the copy is changed in t. What two places share in t, they share in the copy.
// Reading the files once more would take ten times as long.
func clone(t *openapi3.T) *openapi3.T {
	return cloned(&cloner{done: map[any]reflect.Value{}}, t)
}

// copyInPlace copies what is written in one place, up to the references in it, so that
// two places that shared it can come to differ.
func copyInPlace[V any](v *V) *V {
	return cloned(&cloner{done: map[any]reflect.Value{}, inPlace: true}, v)
}

func cloned[V any](c *cloner, v *V) *V {
	copied, _ := reflect.TypeAssert[*V](c.pointer(reflect.ValueOf(v)))
	return copied
}

// cloner has the copy of every pointer that was met.
type cloner struct {
	done    map[any]reflect.Value
	inPlace bool // what a reference leads to is not copied
}

// keyed is a collection of kin-openapi that keeps its members to itself.
type keyed[V any] interface {
	Map() map[string]V
	Set(key string, value V)
}

func (c *cloner) pointer(v reflect.Value) reflect.Value {
	if v.IsNil() || v.Type().Elem().Kind() != reflect.Struct {
		return v // numbers and the like are replaced, not changed
	}
	if done, ok := c.done[v.Interface()]; ok {
		return done
	}
	switch from := v.Interface().(type) {
	case *openapi3.Origin:
		return v
	case *openapi3.Paths:
		to := &openapi3.Paths{Extensions: from.Extensions, Origin: from.Origin}
		return members(c, v, from, to)
	case *openapi3.Responses:
		to := &openapi3.Responses{Extensions: from.Extensions, Origin: from.Origin}
		return members(c, v, from, to)
	case *openapi3.Callback:
		to := &openapi3.Callback{Extensions: from.Extensions, Origin: from.Origin}
		return members(c, v, from, to)
	}
	to := reflect.New(v.Type().Elem())
	c.done[v.Interface()] = to // before its members, which may lead back to it
	to.Elem().Set(v.Elem())
	if ref := to.Elem().FieldByName("Ref"); !c.inPlace || !ref.IsValid() || ref.String() == "" {
		c.fields(to.Elem())
	}
	return to
}

// members fills the copy of a collection.
func members[V any, K keyed[V]](c *cloner, v reflect.Value, from, to K) reflect.Value {
	c.done[v.Interface()] = reflect.ValueOf(to)
	for key, member := range from.Map() {
		copied, _ := reflect.TypeAssert[V](c.pointer(reflect.ValueOf(member)))
		to.Set(key, copied)
	}
	return reflect.ValueOf(to)
}

// fields replaces what the fields of a copied struct refer to by copies.
func (c *cloner) fields(s reflect.Value) {
	for _, f := range s.Fields() {
		if f.CanSet() {
			c.replace(f)
		}
	}
}

func (c *cloner) replace(v reflect.Value) {
	if copied, changed := c.value(v); changed {
		v.Set(copied)
	}
}

// value copies what is not plain. The author's own data, such as examples and the
// values of extensions, is not changed by anybody.
func (c *cloner) value(v reflect.Value) (copied reflect.Value, changed bool) {
	switch v.Kind() {
	case reflect.Pointer:
		return c.pointer(v), true
	case reflect.Struct:
		to := reflect.New(v.Type()).Elem()
		to.Set(v)
		c.fields(to)
		return to, true
	case reflect.Slice:
		if v.IsNil() {
			return v, false
		}
		to := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(to, v)
		if plain(v.Type().Elem().Kind()) {
			return to, true
		}
		for i := range to.Len() {
			c.replace(to.Index(i))
		}
		return to, true
	case reflect.Map:
		if v.IsNil() {
			return v, false
		}
		to := reflect.MakeMapWithSize(v.Type(), v.Len())
		for it := v.MapRange(); it.Next(); {
			member := it.Value()
			if copied, changed := c.value(member); changed {
				member = copied
			}
			to.SetMapIndex(it.Key(), member)
		}
		return to, true
	}
	return v, false
}

func plain(k reflect.Kind) bool {
	return k != reflect.Pointer && k != reflect.Struct && k != reflect.Slice && k != reflect.Map
}
