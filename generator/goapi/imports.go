package goapi

import (
	"go/token"
	"maps"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/source"
)

// foreign is a schema whose Go type is in another package.
type foreign struct {
	file, fragment string // where it is
	pkg            string // import path
	own            bool   // the document has a component that only refers to it
}

const schemasRef = "#/components/schemas/"

// importTypes takes foreign schemas, which were moved into the components of t
// under the names of found, out again, and lets every reference lead to the type of
// the other package. That the reference is "import path#/Type" is what oapi-codegen
// needs to find the package in its import mapping. It reports schemas that have no
// name in Go.
func importTypes(t *openapi3.T, found map[string]foreign, doc *source.Document) diag.List {
	var errs diag.List
	refs := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		at, s := found[name], t.Components.Schemas[name]
		if s == nil || s.Value == nil {
			continue // the document has nothing there, which is reported
		}
		goName := typeName(at.fragment, s.Value)
		if !token.IsExported(goName) || plan.GoName(goName) != goName {
			errs.Add(referrer(doc, at), diag.RuleOapiCodegen, "x-go-name: Thing # at the schema, the name of its type in "+at.pkg,
				"import-mapping has %s in the Go package %s, where this schema has no name", at.file, at.pkg)
			continue
		}
		refs[schemasRef+name] = at.pkg + "#/" + goName
		if s.Ref = refs[schemasRef+name]; !at.own {
			delete(t.Components.Schemas, name)
		}
	}
	if len(refs) == 0 {
		return errs
	}
	lead := func(ref *string) {
		if other, ok := refs[*ref]; ok {
			*ref = other
		}
	}
	// References to a component that only refers to a foreign schema lead on, because
	// an alias of a foreign type cannot have methods, which responses need.
	for again := true; again; {
		again = false
		for name, s := range t.Components.Schemas {
			if _, known := refs[schemasRef+name]; !known && s != nil && refs[s.Ref] != "" {
				refs[schemasRef+name], again = refs[s.Ref], true
			}
		}
	}
	walk(t, func(v reflect.Value) {
		switch ref := v.Addr().Interface().(type) {
		case *openapi3.SchemaRef:
			lead(&ref.Ref)
		case *openapi3.Discriminator:
			for value, to := range ref.Mapping {
				lead(&to.Ref)
				ref.Mapping[value] = to
			}
		}
	})
	return errs
}

// typeName is the Go name of a schema in the package of its file; empty: it has none.
func typeName(fragment string, s *openapi3.Schema) string {
	if own, ok := s.Extensions["x-go-name"].(string); ok {
		return own
	}
	switch collection, last := path.Split(fragment); collection {
	case "/components/schemas/", "/$defs/", "/definitions/":
		return plan.GoName(source.Tokens("/" + last)[0])
	}
	return ""
}

// referrer is the place of a $ref to a foreign schema.
func referrer(doc *source.Document, at foreign) diag.Pos {
	pos := rootPos(doc)
	doc.Refs(func(ref source.Node) {
		if n := doc.Target(ref); n.Exists() && n.File().Name == at.file && n.Pointer() == at.fragment {
			pos = ref.Pos()
		}
	})
	return pos
}

// theirImports are the names of packages that oapi-codegen's code imports.
var theirImports = []string{
	"base64", "bytes", "cipher", "cookie", "flate", "io", "json", "mime", "multipart", "openapi3", "openapi_types", "os", "path",
	"reflect", "strictnethttp", "strings", "time", "url", "xml", "yaml", "errors", "gzip", "nullable", "idem", "etag",
}

// importMapping gives every package of imports a name that means nothing else in
// the code, in the form that oapi-codegen takes: by the import path, because
// importTypes refers to it by that.
func importMapping(t *openapi3.T, imports map[string]string) map[string]string {
	if len(imports) == 0 {
		return nil
	}
	taken := map[string]bool{}
	for _, name := range slices.Concat(theirImports, theirVariables) {
		taken[name] = true
	}
	walk(t, func(v reflect.Value) {
		if p, ok := reflect.TypeAssert[*openapi3.Parameter](v.Addr()); ok {
			taken[plan.Unexported(goNameOf(p))] = true
		}
	})
	mapping := map[string]string{}
	for _, pkg := range slices.Sorted(maps.Values(imports)) {
		if mapping[pkg] != "" {
			continue
		}
		base := strings.Map(func(r rune) rune {
			if r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' {
				return r
			}
			return -1
		}, strings.ToLower(ImportName(Import{Path: pkg})))
		if !token.IsIdentifier(base) || taken[base] {
			base += "types"
		}
		if !token.IsIdentifier(base) {
			base = "types"
		}
		name := base
		for n := 2; taken[name]; n++ {
			name = base + strconv.Itoa(n)
		}
		taken[name] = true
		mapping[pkg] = name + " " + pkg
	}
	return mapping
}

// openTypes returns the types of other packages that are interfaces, because their
// schemas allow anything, as the code writes them.
func openTypes(t *openapi3.T, mapping map[string]string) map[string]bool {
	open := map[string]bool{}
	if len(mapping) == 0 {
		return open
	}
	walk(t, func(v reflect.Value) {
		ref, ok := reflect.TypeAssert[*openapi3.SchemaRef](v.Addr())
		if !ok || ref.Value == nil {
			return
		}
		pkg, name, _ := strings.Cut(ref.Ref, "#/")
		s := ref.Value
		if as, _, ok := strings.Cut(mapping[pkg], " "); ok && len(s.Type.Slice())+len(s.Properties)+len(s.AllOf)+len(s.OneOf)+len(s.AnyOf) == 0 &&
			s.AdditionalProperties.Has == nil && s.AdditionalProperties.Schema == nil {
			open[as+"."+name] = true
		}
	})
	return open
}
