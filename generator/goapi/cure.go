package goapi

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/idemgen/idemgen/generator/plan"
)

// cure changes what oapi-codegen turns into code that does not compile. Nothing
// that it can handle comes out differently, and what travels never changes.
func cure(t *openapi3.T, given renames) {
	for _, item := range t.Paths.Map() {
		if item == nil || item.Ref != "" {
			continue
		}
		for method, op := range item.Operations() {
			copied := *op
			copied.Parameters = distinct(item.Parameters, op.Parameters)
			item.SetOperation(method, &copied)
		}
	}
	for _, c := range inventory(t) {
		if c.collection == "responses" && c.own != "" {
			renameResponse(t, c.name, c.own)
		}
	}
	for _, r := range given {
		if r.collection == "responses" {
			renameResponse(t, r.name, r.goName)
		} else if extensions := extensionsOf(t, r.collection, r.name); extensions != nil {
			(*extensions)["x-go-name"] = r.goName
		}
	}
}

// restate changes how a document says what oapi-codegen refuses, or leaves half
// declared.
func restate(t *openapi3.T) {
	all := gather(t)
	severalTypes(all)
	if mergeable(all) {
		all = gather(t)
	}
	undiscriminated(all)
	nameItems(t, all)
	plainParameters(all)
	plainText(all)
	hoist(t)
}

// plainText makes what is of type text/plain a string. Of a request body
// oapi-codegen would convert the octets to the schema's type, of which none but
// strings can be made so; an answer it would print as Go prints a value, which is
// text for numbers and truths too, but for nothing that is composed.
func plainText(all gathered) {
	text := func(content openapi3.Content, fits func(*openapi3.Schema) bool) {
		if media := content["text/plain"]; media != nil && media.Schema != nil && media.Schema.Value != nil && !fits(media.Schema.Value) {
			media.Schema = openapi3.NewStringSchema().NewRef()
		}
	}
	for _, body := range all.bodies {
		text(body.Content, func(s *openapi3.Schema) bool {
			return s.Type.Includes("string") && (s.Format == "" || s.Format == "byte")
		})
	}
	for _, response := range all.responses {
		text(response.Content, func(s *openapi3.Schema) bool {
			return len(s.OneOf)+len(s.AnyOf)+len(s.AllOf) == 0 && !s.Type.Includes("object") && !s.Type.Includes("array")
		})
	}
}

// distinct makes parameters of one operation distinct in Go. Header fields whose
// names differ in case only are one field (RFC 9110 §5.1), of which the first
// stays. Others that get one Go name, such as since and since<, are numbered.
func distinct(shared, own openapi3.Parameters) openapi3.Parameters {
	fields, goNames := map[string]bool{}, map[string]bool{}
	for _, p := range shared {
		if p != nil && p.Value != nil && own.GetByInAndName(p.Value.In, p.Value.Name) == nil {
			fields[p.Value.In+" "+strings.ToLower(p.Value.Name)] = true
			goNames[goNameOf(p.Value)] = true
		}
	}
	var kept openapi3.Parameters
	for _, p := range own {
		if p == nil || p.Value == nil || p.Value.In == openapi3.ParameterInPath {
			kept = append(kept, p)
			continue
		}
		if field := p.Value.In + " " + strings.ToLower(p.Value.Name); p.Value.In == openapi3.ParameterInHeader {
			if fields[field] {
				continue
			}
			fields[field] = true
		}
		name := goNameOf(p.Value)
		for base, n := name, 2; goNames[name]; n++ {
			name = base + strconv.Itoa(n)
		}
		goNames[name] = true
		if name != goNameOf(p.Value) {
			value := *p.Value
			value.Extensions = maps.Clone(value.Extensions)
			if value.Extensions == nil {
				value.Extensions = map[string]any{}
			}
			value.Extensions["x-go-name"] = name
			p = &openapi3.ParameterRef{Value: &value}
		}
		kept = append(kept, p)
	}
	return kept
}

func goNameOf(p *openapi3.Parameter) string {
	if own, ok := p.Extensions["x-go-name"].(string); ok {
		return own
	}
	return plan.GoName(p.Name)
}

// letters gives schemas and responses whose names begin with a digit one that does
// with a letter, because oapi-codegen names what is within them by the name as it is
// written. A schema that a discriminator without a mapping names keeps it: it travels.
func letters(t *openapi3.T) {
	if t.Components == nil || !anyLetterless(t.Components.Schemas) && !anyLetterless(t.Components.Responses) {
		return
	}
	keep := map[string]bool{}
	walk(t, func(v reflect.Value) {
		s, ok := reflect.TypeAssert[*openapi3.Schema](v.Addr())
		if !ok || s.Discriminator == nil || len(s.Discriminator.Mapping) > 0 {
			return
		}
		for _, ref := range slices.Concat(s.OneOf, s.AnyOf) {
			keep[ref.Ref] = true
		}
	})
	anew := map[string]string{}
	letter(schemaPrefix, t.Components.Schemas, keep, anew)
	letter(responsePrefix, t.Components.Responses, keep, anew)
	follow(t, anew)
}

// letter renames the components whose names begin with a digit, unless they are to be
// kept, and notes the references that change.
func letter[V any](prefix string, components map[string]V, keep map[string]bool, anew map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(components)) {
		if !letterless(name) || keep[prefix+name] {
			continue
		}
		base := plan.GoName(name)
		free := base
		for n := 2; has(components, free); n++ {
			free = base + strconv.Itoa(n)
		}
		components[free] = components[name]
		delete(components, name)
		anew[prefix+name] = prefix + free
	}
}

// letterless reports whether a name begins with a digit.
func letterless(name string) bool {
	first, _ := utf8.DecodeRuneInString(name)
	return unicode.IsDigit(first)
}

func anyLetterless[V any](components map[string]V) bool {
	for name := range components {
		if letterless(name) {
			return true
		}
	}
	return false
}

func has[V any](m map[string]V, key string) bool {
	_, ok := m[key]
	return ok
}

// follow has references to components go to other names.
func follow(t *openapi3.T, anew map[string]string) {
	change := func(ref *string) {
		if other, ok := anew[*ref]; ok {
			*ref = other
		}
	}
	walk(t, func(v reflect.Value) {
		switch ref := v.Addr().Interface().(type) {
		case *openapi3.SchemaRef:
			change(&ref.Ref)
		case *openapi3.ResponseRef:
			change(&ref.Ref)
		case *openapi3.Discriminator:
			for value, to := range ref.Mapping {
				change(&to.Ref)
				ref.Mapping[value] = to
			}
		}
	})
}

const (
	schemaPrefix   = "#/components/schemas/"
	responsePrefix = "#/components/responses/"
)

// inline replaces references to anything but a component by copies of what they refer
// to, because oapi-codegen finds a Go type for components only. A schema that contains
// itself cannot be written out.
func inline(t *openapi3.T) {
	walk(t, func(v reflect.Value) {
		switch ref := v.Addr().Interface().(type) {
		case *openapi3.SchemaRef:
			if deep(ref.Ref) && !recursive(ref.Value, ref.Value, map[*openapi3.Schema]bool{}) {
				ref.Ref, ref.Value = "", copyInPlace(ref.Value)
			}
		case *openapi3.ParameterRef:
			if deep(ref.Ref) {
				ref.Ref, ref.Value = "", copyInPlace(ref.Value)
			}
		case *openapi3.HeaderRef:
			if deep(ref.Ref) {
				ref.Ref, ref.Value = "", copyInPlace(ref.Value)
			}
		case *openapi3.ResponseRef:
			if deep(ref.Ref) {
				ref.Ref, ref.Value = "", copyInPlace(ref.Value)
			}
		case *openapi3.RequestBodyRef:
			if deep(ref.Ref) {
				ref.Ref, ref.Value = "", copyInPlace(ref.Value)
			}
		}
	})
}

// deep reports whether a reference is local and not #/components/kind/name.
func deep(ref string) bool {
	return strings.HasPrefix(ref, "#/") && (!strings.HasPrefix(ref, "#/components/") || strings.Count(ref, "/") != 3)
}

// recursive reports whether root is within s, on a way that names no component.
func recursive(s, root *openapi3.Schema, seen map[*openapi3.Schema]bool) bool {
	if s == nil || seen[s] {
		return s == root && s != nil
	}
	seen[s] = true
	parts := slices.Concat(s.AllOf, s.AnyOf, s.OneOf, openapi3.SchemaRefs{s.Items, s.Not, s.AdditionalProperties.Schema})
	for _, p := range s.Properties {
		parts = append(parts, p)
	}
	return slices.ContainsFunc(parts, func(p *openapi3.SchemaRef) bool {
		return p != nil && (p.Ref == "" || deep(p.Ref)) && recursive(p.Value, root, seen)
	})
}
