package policy

import (
	"slices"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
)

// checkResources applies the rules that need all users of a resource.
func (r *reader) checkResources(all []*tagged, resources map[string]*resource) {
	contradicted := r.checkPaths(all)
	for _, name := range sortedKeys(resources) {
		res := resources[name]
		var reader *tagged
		for _, t := range res.users {
			if t.op.Method == "GET" && t.reads() && reader == nil {
				reader = t
			}
		}
		r.checkKeyOf(res)
		if reader == nil {
			r.unread(res, resources, contradicted)
			continue
		}
		r.checkVersion(res)
		r.checkDefinition(res)
	}
	for _, t := range all {
		r.checkMembers(t)
	}
}

// checkPaths reports paths whose readers and writers are about different things
// and returns the operations that contradict their reader.
func (r *reader) checkPaths(all []*tagged) (contradicted []*tagged) {
	reader := map[string]*tagged{}
	for _, t := range all {
		if t.reads() && reader[t.op.Path] == nil {
			reader[t.op.Path] = t
		}
	}
	for _, t := range all {
		if read := reader[t.op.Path]; read != nil && read.resource != t.resource {
			contradicted = append(contradicted, t)
			r.list.Add(t.named.Pos, diag.RuleResource, "x-etag: "+read.resource,
				"%s is about resource %s, and %s at %s about %s", t.name(), t.resource, read.name(), read.named.Pos, read.resource)
		}
	}
	return contradicted
}

// unread reports writes to a resource that nobody can read a tag of.
func (r *reader) unread(res *resource, resources map[string]*resource, contradicted []*tagged) {
	var read []string
	for _, name := range sortedKeys(resources) {
		for _, t := range resources[name].users {
			if t.op.Method == "GET" && t.reads() {
				read = append(read, name)
				break
			}
		}
	}
	for _, t := range res.users {
		if t.reads() || slices.Contains(contradicted, t) {
			continue
		}
		fix, hint := "x-etag: "+res.Name+" # on the GET that reads it", ""
		if near, ok := diag.Nearest(res.Name, read); ok {
			fix, hint = "x-etag: "+near, "; did you mean "+near+"?"
		}
		what := "demands an If-Match"
		if !slices.Contains(t.policy.Require.V, IfMatch) {
			what = "writes a version"
		}
		r.list.Add(t.named.Pos, diag.RuleResource, fix,
			"%s %s, and no GET with x-etag reads resource %s%s", t.name(), what, res.Name, hint)
	}
}

// checkKeyOf reports operations that lack a parameter of the key.
func (r *reader) checkKeyOf(res *resource) {
	if len(res.users) == 0 {
		return
	}
	key, at := res.keyOf()
	if _, explicit := res.settings["key"]; explicit {
		for _, t := range res.users {
			if t.op.Path != res.Home {
				continue
			}
			if missing, ok := r.hasKey(t.op, key); !ok {
				r.list.Add(at, diag.RuleResource, "key: ["+strings.Join(parameters(res.Home), ", ")+"]",
					"x-etag.key of resource %s: %s has no path parameter %s", res.Name, res.Home, missing)
				return
			}
		}
	}
	for _, t := range res.users {
		if t.op.Path == res.Home || t.collects() {
			continue
		}
		if missing, ok := r.hasKey(t.op, key); !ok {
			r.list.Add(t.named.Pos, diag.RuleResource, "add the path parameter {"+missing+"}, or write "+t.off(),
				"%s belongs to resource %s and lacks its path parameter %s", t.name(), res.Name, missing)
		}
	}
}
