package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Places are the JSON Schemas of an annotation, by where it stands.
type Places struct {
	Root, PathItem, Operation Schema
}

// IdempotencySchema returns the schemas of x-idempotency. Its members and their
// documentation are those of [IdempotencyMembers].
func IdempotencySchema() Places {
	members := IdempotencyMembers()
	methods := Schema{"type": "array", "items": applicable.schema}
	place := Schema{
		"title":       "x-idempotency",
		"description": "How a retry is recognized. true or required: a key is demanded; optional: one is honoured; exempt: deliberately none; false: none; or an object of members.",
		"anyOf": []Schema{
			{"type": "boolean"},
			{"enum": []string{"required", "optional", "exempt"}},
			objectOf(members[1:]),
		},
	}
	members[0].Schema = methods
	root := objectOf(members)
	root["title"] = "x-idempotency"
	root["description"] = "Defaults of the document, and with apply what they are switched on for."
	return Places{root, place, place}
}

// ETagSchema returns the schemas of x-etag.
func ETagSchema() Places {
	resources, members := ETagMembers()[0], ETagMembers()[1:]
	without := func(names ...string) []Member {
		return slices.DeleteFunc(slices.Clone(members), func(m Member) bool { return slices.Contains(names, m.Name) })
	}
	place := func(members []Member) Schema {
		return Schema{
			"title":       "x-etag",
			"description": "How a lost update is prevented. true: with the defaults; false: not here; a name: of this resource; or an object of members.",
			"anyOf":       []Schema{{"type": "boolean"}, {"type": "string", "pattern": exportable.String()}, objectOf(members)},
		}
	}
	definition := objectOf(slices.DeleteFunc(slices.Clone(members), func(m Member) bool { return !definitionNames[m.Name] }))
	resources.Schema = Schema{
		"type": "object", "propertyNames": Schema{"pattern": exportable.String()}, "additionalProperties": definition,
	}
	root := objectOf(append([]Member{resources}, without(notAtRoot...)...))
	root["title"] = "x-etag"
	root["description"] = "Defaults of the document, and resources that no path is the home of."
	return Places{root, place(without("unsupported")), place(members)}
}

// objectOf makes a closed object of members; dots in a name nest.
func objectOf(members []Member) Schema {
	object := Schema{"type": "object", "additionalProperties": false, "properties": Schema{}}
	for _, m := range members {
		inner := object
		parts := strings.Split(m.Name, ".")
		for _, parent := range parts[:len(parts)-1] {
			properties := inner["properties"].(Schema)
			if properties[parent] == nil {
				properties[parent] = Schema{"type": "object", "additionalProperties": false, "properties": Schema{}}
			}
			inner = properties[parent].(Schema)
		}
		inner["properties"].(Schema)[parts[len(parts)-1]] = m.documented()
	}
	return object
}

// documented is the schema of a member with what an editor shows beside it.
func (m Member) documented() Schema {
	s := maps.Clone(m.Schema)
	text := m.Doc
	if m.Default != "" {
		s["default"] = defaultValue(m.Default)
		text += fmt.Sprintf(" Default: %s.", m.Default)
	}
	switch {
	case m.Limits != "":
		text += fmt.Sprintf(" Values: %s.", m.Limits)
	case m.Type != "boolean":
		text += fmt.Sprintf(" A %s.", m.Type)
	}
	s["description"] = text
	return s
}

// defaultValue reads a default as it is written in a document.
func defaultValue(text string) any {
	var v any
	if inner, ok := strings.CutPrefix(text, "["); ok {
		list := []string{}
		if inner = strings.TrimSuffix(inner, "]"); inner != "" {
			list = strings.Split(inner, ", ")
		}
		return list
	}
	if json.Unmarshal([]byte(text), &v) == nil {
		return v
	}
	return text
}
