package goapi

import (
	"context"
	"path"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// internalize moves what the document takes from other files into its own
// components, under the shortest name that is free, because oapi-codegen would
// want a Go package for every other file. It returns the schemas of files that
// imports has in a Go package, by the names that they got.
func internalize(t *openapi3.T, imports map[string]string) map[string]foreign {
	found := map[string]foreign{}
	if t.Components != nil {
		for name, s := range t.Components.Schemas {
			if s == nil || s.Ref == "" || s.RefPath() == nil {
				continue
			}
			if at := s.RefPath(); imports[at.Path] != "" {
				found[name] = foreign{at.Path, at.Fragment, imports[at.Path], true}
			}
		}
	}
	names := map[string]string{}
	taken := map[string]bool{}
	for _, used := range componentNames(t) {
		taken[used] = true
	}
	t.InternalizeRefs(context.Background(), func(t *openapi3.T, ref openapi3.ComponentRef) string {
		collection := ref.CollectionName()
		pkg, mapped := imports[ref.RefPath().Path]
		mapped = mapped && collection == "schemas"
		if name, ok := openapi3.ReferencesComponentInRootDocument(t, ref); ok && !mapped {
			return path.Base(name)
		}
		target := collection + " " + ref.RefPath().String()
		if name, ok := names[target]; ok {
			return name
		}
		base := shortName(ref.RefPath().Path, ref.RefPath().Fragment)
		name := base
		for n := 2; taken[collection+"/"+name]; n++ {
			name = base + strconv.Itoa(n)
		}
		taken[collection+"/"+name] = true
		names[target] = name
		if mapped {
			found[name] = foreign{ref.RefPath().Path, ref.RefPath().Fragment, pkg, false}
		}
		return name
	})
	return found
}

// shortName is the last token of a fragment, or else the file's own name.
func shortName(file, fragment string) string {
	name := path.Base(fragment)
	if fragment == "" || fragment == "/" {
		name = strings.TrimSuffix(path.Base(file), path.Ext(file))
	}
	name = strings.NewReplacer("~1", "_", "~0", "_").Replace(name)
	return openapi3.InvalidIdentifierCharRegExp.ReplaceAllString(name, "_")
}

// componentNames returns "collection/name" of every component.
func componentNames(t *openapi3.T) []string {
	c := t.Components
	if c == nil {
		return nil
	}
	var list []string
	list = keys(list, "schemas", c.Schemas)
	list = keys(list, "parameters", c.Parameters)
	list = keys(list, "headers", c.Headers)
	list = keys(list, "requestBodies", c.RequestBodies)
	list = keys(list, "responses", c.Responses)
	list = keys(list, "securitySchemes", c.SecuritySchemes)
	list = keys(list, "examples", c.Examples)
	list = keys(list, "links", c.Links)
	return keys(list, "callbacks", c.Callbacks)
}

func keys[V any](list []string, collection string, m map[string]V) []string {
	for name := range m {
		list = append(list, collection+"/"+name)
	}
	return list
}
