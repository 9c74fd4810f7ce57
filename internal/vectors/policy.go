package vectors

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

// off reports whether an annotation switches an operation off on purpose. A
// policy made of members leaves such an operation alone.
func off(annotation any) bool { return annotation == false || annotation == "exempt" }

// merge puts a vector's policy over the annotation of one operation, as
// x-idempotency and x-etag merge from level to level: objects member by member,
// lists as a whole, and a shorthand keeps the members that were there.
func merge(base, policy any) (any, error) {
	if policy == nil || off(policy) {
		if policy == nil {
			return base, nil
		}
		return policy, nil
	}
	above, ok := policy.(map[string]any)
	if !ok {
		switch policy {
		case true:
		case "required":
			above = map[string]any{"required": true}
		case "optional":
			above = map[string]any{"required": false}
		default:
			return nil, fmt.Errorf("a policy is an object or a shorthand, not %v", policy)
		}
		if off(base) {
			base = nil
		}
	}
	if off(base) {
		return base, nil
	}
	below, ok := base.(map[string]any)
	if !ok {
		switch base {
		case nil, true:
		case "required":
			below = map[string]any{"required": true}
		case "optional":
			below = map[string]any{"required": false}
		default:
			return nil, fmt.Errorf("an annotation is an object or a shorthand, not %v", base)
		}
	}
	merged := mergeObjects(below, above)
	if len(merged) == 0 {
		return true, nil
	}
	return merged, nil
}

func mergeObjects(below, above map[string]any) map[string]any {
	merged := maps.Clone(below)
	if merged == nil {
		merged = map[string]any{}
	}
	for name, value := range above {
		object, isObject := value.(map[string]any)
		under, wasObject := merged[name].(map[string]any)
		if isObject && wasObject {
			merged[name] = mergeObjects(under, object)
			continue
		}
		merged[name] = value
	}
	return merged
}

// decodeAny decodes an annotation; an absent one is nil.
func decodeAny(raw json.RawMessage) (any, error) {
	if raw == nil {
		return nil, nil
	}
	var v any
	err := json.Unmarshal(raw, &v)
	return v, err
}

// member returns a member of an annotation by its path, or nil.
func member(annotation any, path ...string) any {
	for _, name := range path {
		object, ok := annotation.(map[string]any)
		if !ok {
			return nil
		}
		annotation = object[name]
	}
	return annotation
}

// marker is the name of the field that marks replays of an operation.
func marker(annotation any) string {
	if name, ok := member(annotation, "replay", "marker").(string); ok {
		return name
	}
	if member(annotation, "profile") == "ietf" {
		return "Idempotency-Replayed"
	}
	return "Idempotent-Replayed"
}

// safe reports whether a method promises not to change anything (RFC 9110
// §9.2.1).
func safe(method string) bool {
	switch strings.ToUpper(method) {
	case "GET", "HEAD", "OPTIONS", "TRACE":
		return true
	}
	return false
}
