package vectors

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Document is an OpenAPI document made from a fixture under one policy, and
// what the harness must know about its operations.
type Document struct {
	Content []byte            // JSON with sorted members: equal policies give equal octets
	Markers map[string]string // by operationId: the field that marks its replays
	Stores  []string          // names of the stores that policies ask for
}

// object is a node of the document.
type object = map[string]any

// Build makes the document for a fixture and a policy over the operations in
// named. With only, the fixture's other operations are left out.
func Build(fixture []Operation, policy, etag json.RawMessage, named map[string]bool, only bool) (*Document, error) {
	over, err := decodeAny(policy)
	if err != nil {
		return nil, err
	}
	overETag, err := decodeAny(etag)
	if err != nil {
		return nil, err
	}
	b := builder{
		doc:     &Document{Markers: map[string]string{}},
		paths:   object{},
		schemas: object{},
		stores:  map[string]bool{},
		homes:   map[string]bool{},
	}
	for i := range fixture {
		b.homes[fixture[i].Path] = b.homes[fixture[i].Path] || fixture[i].ETag != nil
	}
	for i := range fixture {
		op := &fixture[i]
		p := policies{}
		if p.idempotency, err = decodeAny(op.Idempotency); err != nil {
			return nil, fmt.Errorf("%s: %w", op.OperationID, err)
		}
		if p.etag, err = decodeAny(op.ETag); err != nil {
			return nil, fmt.Errorf("%s: %w", op.OperationID, err)
		}
		if named[op.OperationID] {
			if err := p.over(op, over, overETag); err != nil {
				return nil, fmt.Errorf("%s: %w", op.OperationID, err)
			}
		} else if only && !b.reads(op, fixture, named) {
			continue
		}
		if err := b.add(op, p); err != nil {
			return nil, fmt.Errorf("%s: %w", op.OperationID, err)
		}
	}
	return b.finish()
}

// policies are the annotations of one operation.
type policies struct {
	idempotency any
	etag        any
	inherited   object // members of x-etag that stand at the path item
}

// over puts a vector's policies over those of the fixture. What a method does
// not take stands at the path item, where it is inherited and ignored; a safe
// method takes no x-idempotency at all.
func (p *policies) over(op *Operation, policy, etag any) error {
	var err error
	if !safe(op.Method) {
		if p.idempotency, err = merge(p.idempotency, policy); err != nil {
			return fmt.Errorf("policy: %w", err)
		}
	}
	if p.etag == nil || etag == nil {
		return nil
	}
	if members, ok := etag.(object); ok {
		taken := object{}
		for name, value := range members {
			if takes(op.Method, name) {
				taken[name] = value
				continue
			}
			if p.inherited == nil {
				p.inherited = object{}
			}
			p.inherited[name] = value
		}
		etag = taken
	}
	if p.etag, err = merge(p.etag, etag); err != nil {
		return fmt.Errorf("etag: %w", err)
	}
	return nil
}

// definition are the members of x-etag that describe the resource: they stand
// once, at its home.
var definition = map[string]bool{
	"resource": true, "key": true, "strategy": true, "field": true, "type": true, "strength": true,
	"encoding": true, "variants": true, "lastModified": true, "appliedMarker": true, "stripSuffixes": true,
}

// takes reports whether an operation of this method may have a member of x-etag
// of its own.
func takes(method, name string) bool {
	switch {
	case definition[name]:
		return false
	case name == "alreadyApplied", name == "putEtag":
		return method == "PUT"
	case name == "require", name == "wildcard":
		return !safe(method)
	case name == "notModified":
		return safe(method)
	}
	return true
}

type builder struct {
	doc     *Document
	paths   object
	schemas object
	stores  map[string]bool
	homes   map[string]bool // paths of versioned resources
}

// reads reports whether op is the read operation of a resource that a named
// operation guards.
func (b *builder) reads(op *Operation, fixture []Operation, named map[string]bool) bool {
	if op.Method != "GET" {
		return false
	}
	for i := range fixture {
		if other := &fixture[i]; named[other.OperationID] && other.ETag != nil && other.Path == op.Path {
			return true
		}
	}
	return false
}

func (b *builder) add(op *Operation, p policies) error {
	item := b.item(op.Path)
	method := strings.ToLower(op.Method)
	if item[method] != nil {
		return fmt.Errorf("%s %s stands twice in the fixture", op.Method, op.Path)
	}
	operation := object{"operationId": op.OperationID, "responses": b.responses(op, p)}
	public := member(p.idempotency, "public") == true
	if !public {
		operation["security"] = []any{object{"caller": []any{}}}
	}
	if p.idempotency != nil {
		operation["x-idempotency"] = p.idempotency
	}
	if b.homes[op.Path] {
		b.resource(op.Path, item, p.inherited)
	}
	switch {
	case p.etag != nil:
		operation["x-etag"] = p.etag
	case b.homes[op.Path] && !safe(op.Method):
		operation["x-etag"] = false // what stands at the path item is not for it
	}
	body, err := requestBody(op.Request, p.idempotency)
	if err != nil {
		return err
	}
	if body != nil {
		operation["requestBody"] = body
	}
	item[method] = operation
	b.doc.Markers[op.OperationID] = marker(p.idempotency)
	if store, ok := member(p.idempotency, "store").(string); ok && store != "default" && !b.stores[store] {
		b.stores[store] = true
		b.doc.Stores = append(b.doc.Stores, store)
	}
	return nil
}

// item returns the path item, with its parameters.
func (b *builder) item(path string) object {
	if item, ok := b.paths[path].(object); ok {
		return item
	}
	item := object{}
	var list []any
	for _, name := range parameters(path) {
		list = append(list, object{"name": name, "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	if list != nil {
		item["parameters"] = list
	}
	b.paths[path] = item
	return item
}

// responses are what the operation declares: its answer and default.
func (b *builder) responses(op *Operation, p policies) object {
	status := 200
	if op.Answer.Status != nil {
		status = *op.Answer.Status
	}
	success := object{"description": "success"}
	if op.Answer.Body != nil && *op.Answer.Body != "" {
		schema := object{"type": "object"}
		if b.homes[op.Path] {
			schema = b.versioned(op.Path)
		}
		success["content"] = object{"application/json": object{"schema": schema}}
	}
	all := object{
		fmt.Sprint(status): success,
		"default": object{
			"description": "everything else",
			"content":     object{"application/json": object{"schema": object{"type": "object"}}},
		},
	}
	if op.Method == "PUT" && creates(p.etag) {
		all["201"] = success
	}
	return all
}

// creates reports whether an operation may be asked to create its resource.
func creates(etag any) bool {
	if role := member(etag, "role"); role == "create" || role == "upsert" {
		return true
	}
	require, _ := member(etag, "require").([]any)
	return slices.Contains(require, any("ifNoneMatch"))
}

func (b *builder) finish() (*Document, error) {
	b.readers()
	document := object{
		"openapi": "3.0.3",
		"info":    object{"title": "vectors", "version": "1"},
		"paths":   b.paths,
		"components": object{
			"securitySchemes": object{"caller": object{"type": "http", "scheme": "bearer"}},
			"schemas":         b.schemas,
		},
	}
	content, err := json.MarshalIndent(document, "", " ")
	b.doc.Content = content
	return b.doc, err
}

// bodyMember is a clause about one member, which may be absent only where it
// says so.
var bodyMember = regexp.MustCompile(`^"([^"]+)"(, when present,)? is an? (string|number|integer|boolean|object|array)$`)

// requestBody makes the request body that the fixture describes in words. A key
// in the body must be in its schema.
func requestBody(text string, idempotency any) (object, error) {
	properties := object{}
	schema := object{"type": "object", "additionalProperties": true, "properties": properties}
	body := object{"content": object{"application/json": object{"schema": schema}}}
	for i, clause := range strings.Split(text, ";") {
		clause = strings.TrimSpace(clause)
		known := bodyMember.FindStringSubmatch(clause)
		switch {
		case i == 0 && (clause == "" || clause == "no body"):
			return nil, nil
		case i == 0 && clause == "any media type":
			body = object{"content": object{"*/*": object{"schema": object{"type": "string", "format": "binary"}}}}
		case i == 0 && clause == "JSON object":
		case i == 0 && mediaType.MatchString(clause) && clause != "application/json":
			body = object{"content": object{clause: object{"schema": object{"type": "string", "format": "binary"}}}}
		case clause == "required":
			body["required"] = true
		case known != nil:
			properties[known[1]] = object{"type": known[3]}
			if known[3] == "array" {
				properties[known[1]] = object{"type": "array", "items": object{}}
			}
			if known[2] == "" {
				schema["required"] = append(asList(schema["required"]), known[1])
			}
		case clause == "every other member takes any value":
		default:
			return nil, fmt.Errorf("the request %q says %q, which this harness does not understand", text, clause)
		}
	}
	if source, ok := member(idempotency, "key", "source").(string); ok {
		if pointer, ok := strings.CutPrefix(source, "body:"); ok {
			declare(schema, pointer)
		}
	}
	return body, nil
}

// mediaType is a clause that is the name of a media type.
var mediaType = regexp.MustCompile(`^[a-z]+/[a-z0-9.+*-]+$`)

func asList(node any) []any {
	list, _ := node.([]any)
	return list
}

// declare puts a string member into a schema.
func declare(schema object, pointer string) {
	names := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, name := range names {
		name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		properties, _ := schema["properties"].(object)
		if properties == nil {
			properties = object{}
			schema["properties"] = properties
		}
		if i == len(names)-1 {
			properties[name] = object{"type": "string"}
			return
		}
		next, ok := properties[name].(object)
		if !ok {
			next = object{"type": "object", "additionalProperties": true}
			properties[name] = next
		}
		schema = next
	}
}
