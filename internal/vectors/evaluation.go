package vectors

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/idemgen/idemgen/internal/vectors/server"
)

// ownEvaluations is the directory of the project's copy of evaluations, below its
// root.
const ownEvaluations = "runtime/etag/testdata/vectors"

// Evaluation is one conditional request on a resource in a known state. Policy
// holds members of x-etag, and the role none for an operation without it.
type Evaluation struct {
	ID       string         `json:"id"`
	Area     string         `json:"area"`
	Title    string         `json:"title"`
	Rule     string         `json:"rule"`
	Basis    string         `json:"basis"`
	Note     string         `json:"note"`
	Method   string         `json:"method"`
	Policy   map[string]any `json:"policy"`
	Resource struct {
		Exists       bool       `json:"exists"`
		ETag         *string    `json:"etag"`
		LastModified *time.Time `json:"lastModified"`
	} `json:"resource"`
	Headers Fields    `json:"headers"`
	Expect  Evaluated `json:"expect"`
}

// Evaluated is what an evaluation expects. Where the request is not performed,
// nothing is written.
type Evaluated struct {
	Status    int               `json:"status"`
	Performed bool              `json:"performed"`
	Problem   string            `json:"problem"`
	Reason    string            `json:"reason"`
	Field     string            `json:"field"`
	Headers   map[string]string `json:"headers"`
	Absent    []string          `json:"absent"`
}

// LoadEvaluations reads the evaluations of every JSON file of a directory, by the
// name of the file. Members of policies that they leave out are filled in.
func LoadEvaluations(directory string) (map[string][]*Evaluation, error) {
	names, err := filepath.Glob(filepath.Join(directory, "*.json"))
	if err != nil {
		return nil, err
	}
	all := map[string][]*Evaluation{}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var parts struct {
			PolicyDefaults map[string]any
			Evaluations    json.RawMessage
		}
		if err := json.Unmarshal(content, &parts); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if parts.Evaluations == nil {
			continue // vectors of another kind
		}
		var list []*Evaluation
		if err := strict(parts.Evaluations, &list); err != nil {
			return nil, fmt.Errorf("%s: evaluations: %w", name, err)
		}
		for _, e := range list {
			policy := maps.Clone(parts.PolicyDefaults)
			maps.Copy(policy, e.Policy)
			e.Policy = policy
		}
		all[filepath.Base(name)] = list
	}
	return all, nil
}

// role is what the operation does to the resource.
func (e *Evaluation) role() string {
	role, _ := e.Policy["role"].(string)
	return role
}

// unitLevel says why an evaluation cannot be made over HTTP; empty: it can.
func (e *Evaluation) unitLevel() string {
	switch {
	case e.Resource.Exists && e.Resource.ETag == nil && e.role() != "none":
		return "a generated reader always has a version"
	case e.Policy["variants"] == true:
		return "variants are a matter of request fields"
	}
	for _, f := range e.Headers {
		for _, r := range f[1] {
			if r < ' ' && r != '\t' || r == 0x7F {
				return "the field holds an octet that cannot be sent"
			}
		}
	}
	return ""
}

// tag returns the opaque octets of the resource's tag, and whether it is weak.
func (e *Evaluation) tag() (opaque []byte, weak bool, err error) {
	if e.Resource.ETag == nil {
		return nil, false, nil
	}
	text, weak := strings.CutPrefix(*e.Resource.ETag, "W/")
	if len(text) < 2 {
		return nil, false, fmt.Errorf("%s is no tag", text)
	}
	octets, err := server.Octets(text[1 : len(text)-1])
	return []byte(octets), weak, err
}

// path is where the request goes: what creates by POST is at the collection.
func (e *Evaluation) path() string {
	if e.Method == "POST" && e.role() == "create" {
		return "/v1/things"
	}
	return "/v1/things/t1"
}

// Build makes the document of an operation with this policy, and of one that
// reads its resource.
func (e *Evaluation) Build() (*Document, error) {
	_, weak, err := e.tag()
	if err != nil {
		return nil, err
	}
	schema := object{"$ref": "#/components/schemas/Thing"}
	properties := object{"version": object{"type": "string"}}
	document := object{
		"openapi":    "3.0.3",
		"info":       object{"title": "evaluation", "version": "1"},
		"components": object{"schemas": object{"Thing": object{"type": "object", "required": []any{"version", "modified"}, "properties": properties}}},
	}
	properties["modified"] = object{"type": "string", "format": "date-time"}
	home := object{"resource": "Thing"}
	if weak {
		home["strength"] = "weak"
	}
	if e.Resource.LastModified != nil {
		home["lastModified"] = "/modified"
	}
	policy := object{"role": e.role()}
	method := e.Method
	if method == "HEAD" {
		method = "GET" // net/http serves it by GET's operation
	}
	for name, value := range e.Policy {
		list, isList := value.([]any)
		switch {
		case name == "role" || name == "variants" || name == "unsupported":
		case definition[name] && isList && len(list) == 0:
		case definition[name]:
			home[name] = value
		case takes(method, name):
			policy[name] = value
		}
	}
	success := object{"description": "success", "content": object{"application/json": object{"schema": schema}}}
	responses := object{"200": success, "default": object{"description": "everything else"}}
	switch {
	case method == "DELETE" || method == "OPTIONS" || method == "TRACE":
		responses["204"] = object{"description": "done"}
		delete(responses, "200")
	case method == "POST" && e.role() == "create":
		responses["201"] = success
		delete(responses, "200")
	case e.role() == "create" || e.role() == "upsert":
		responses["201"] = success
	}
	read := object{"operationId": "readThing", "responses": object{"200": success, "default": responses["default"]}}
	tested := object{"operationId": "testThing", "responses": responses}
	if method == "GET" {
		tested["operationId"] = "readThing"
	}
	item := object{
		"parameters": []any{object{"name": "thingId", "in": "path", "required": true, "schema": object{"type": "string"}}},
		"x-etag":     home,
		"get":        read,
	}
	paths := object{"/v1/things/{thingId}": item}
	switch {
	case e.role() == "none":
		delete(item, "x-etag")
		document["x-etag"] = object{"unsupported": e.Policy["unsupported"]}
	case method == "OPTIONS" || method == "TRACE":
		tested["x-etag"] = false // what stands at the path item is not for it
	default:
		tested["x-etag"] = policy
	}
	if template := strings.TrimSuffix(e.path(), "/t1"); template == e.path() {
		policy["resource"] = "Thing"
		paths[template] = object{"post": tested}
	} else {
		item[strings.ToLower(method)] = tested
	}
	document["paths"] = paths
	content, err := json.MarshalIndent(document, "", " ")
	return &Document{Content: content}, err
}
