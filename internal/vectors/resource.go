package vectors

import (
	"maps"
	"strings"
)

// resourceName names the resource behind a path: /v1/widgets/{id} is a Widget.
func resourceName(path string) string {
	name := "Thing"
	for segment := range strings.SplitSeq(path, "/") {
		if segment != "" && !strings.HasPrefix(segment, "{") {
			name = segment
		}
	}
	name = strings.TrimSuffix(name, "s")
	return strings.ToUpper(name[:1]) + name[1:]
}

// versioned is the schema of a resource's representation.
func (b *builder) versioned(path string) object {
	name := resourceName(path)
	b.schemas[name] = object{
		"type":                 "object",
		"required":             []any{"version"},
		"additionalProperties": true,
		"properties":           object{"version": object{"type": "string"}},
	}
	return object{"$ref": "#/components/schemas/" + name}
}

// resource makes a path the home of a resource.
func (b *builder) resource(path string, item, inherited object) {
	home, _ := item["x-etag"].(object)
	if home == nil {
		home = object{"resource": resourceName(path)}
		item["x-etag"] = home
	}
	maps.Copy(home, inherited)
}

// readers gives every home of a resource an operation that reads it.
func (b *builder) readers() {
	for path, node := range b.paths {
		item := node.(object)
		if item["x-etag"] == nil || item["get"] != nil {
			continue
		}
		id := "read" + resourceName(path)
		item["get"] = object{
			"operationId": id,
			"security":    []any{object{"caller": []any{}}},
			"responses": object{
				"200": object{
					"description": "success",
					"content":     object{"application/json": object{"schema": b.versioned(path)}},
				},
				"default": object{"description": "everything else"},
			},
		}
		b.doc.Markers[id] = marker(nil)
	}
}
