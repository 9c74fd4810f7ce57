package vectors

import "strings"

// find returns the operation that serves a request, or nil.
func find(fixture []Operation, method, target string) *Operation {
	path, _, _ := strings.Cut(target, "?")
	var wild *Operation
	for i := range fixture {
		op := &fixture[i]
		if !strings.EqualFold(op.Method, method) && !(method == "HEAD" && op.Method == "GET") {
			continue
		}
		if op.Path == path {
			return op
		}
		if wild == nil && matches(op.Path, path) {
			wild = op
		}
	}
	return wild
}

// matches reports whether a path fits a template, segment by segment.
func matches(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if strings.HasPrefix(want[i], "{") && strings.HasSuffix(want[i], "}") {
			if got[i] == "" {
				return false
			}
			continue
		}
		if want[i] != got[i] {
			return false
		}
	}
	return true
}

// parameters returns the names of the parameters of a path template.
func parameters(template string) []string {
	var names []string
	for segment := range strings.SplitSeq(template, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}

// named returns the ids of the operations that a vector's steps name.
func (v *Vector) named(fixture []Operation) map[string]bool {
	ids := map[string]bool{}
	for i := range v.Steps {
		for _, send := range v.Steps[i].requests() {
			if op := find(fixture, send.Method, send.Path); op != nil {
				ids[op.OperationID] = true
			}
		}
	}
	return ids
}
