package lint

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/propose"
	"github.com/idemgen/idemgen/generator/source"
)

// uncheckedPreconditions are the parameters with a condition that is left to the
// handler.
func (s *subject) uncheckedPreconditions() []source.Parameter {
	if s.ETag != nil || s.Op.Method == http.MethodOptions || s.Op.Method == http.MethodTrace {
		return nil // the last two ignore preconditions (RFC 9110 §13.2.1)
	}
	return slices.DeleteFunc(s.doc.Parameters(s.Op), func(p source.Parameter) bool {
		return p.In != "header" || !slices.Contains(plan.PreconditionFields, http.CanonicalHeaderKey(p.Name))
	})
}

func preconditionUnchecked(s *subject) {
	for _, p := range s.uncheckedPreconditions() {
		s.add(p.Use, cmp.Or(s.tagFix(), ignoreName+": {IDM120: the handler checks it}"), "%s declares %s without x-etag: only the handler can check it", s.name, p.Name)
	}
}

func guardWithoutTag(s *subject) {
	if !s.unsafe() || s.ETag != nil || !slices.Contains(s.plan.OwnPreconditions, "If-Match") {
		return
	}
	for path := range s.tagged {
		if covers(path, s.Op.Path) {
			return
		}
	}
	s.add(s.Op.Pos, cmp.Or(s.tagFix(), "add a GET that answers with an ETag, or remove If-Match"), "%s takes If-Match, and no GET of %s or above answers with an ETag", s.name, s.Op.Path)
}

// tagFix is what to write to have an operation guarded; empty when there is no
// resource. A path without one of its own, such as /files/{id}/content, is about that
// of the path above.
func (s *subject) tagFix() string {
	if tag, read := s.tagged[s.Op.Path]; read && tag.annotated {
		return "x-etag: true # at the path item"
	}
	_, read := s.tagged[s.Op.Path]
	own := propose.Tag(s.doc, s.policies, s.Op.Path)
	if own != "" {
		own = "x-etag: " + own + " # at the path item"
	}
	if read || !s.unsafe() || policy.ResourceOf(s.doc, s.Op.Path) != "" {
		return own
	}
	home := ""
	for path, tag := range s.tagged {
		if covers(path, s.Op.Path) && !strings.Contains(s.Op.Path[len(path):], "{") && tag.resource != "" && len(path) > len(home) {
			home = path
		}
	}
	switch tag := s.tagged[home]; {
	case home == "":
		return own
	case tag.annotated:
		return "x-etag: " + tag.resource + " # at the operation"
	default:
		return "x-etag: " + tag.resource + " # at the operation, and x-etag: " + cmp.Or(propose.Tag(s.doc, s.policies, home), "true") + " at " + home
	}
}

// covers reports whether a path template is another one or a prefix of it:
// /pets/{id}/toys is about a part of /pets/{id}.
func covers(path, other string) bool {
	return path == other || strings.HasPrefix(other, strings.TrimSuffix(path, "/")+"/")
}

// tag is what is known about the ETag that a path is read with.
type tag struct {
	resource  string // whose it is; empty when nothing says so
	annotated bool   // by x-etag
}

// taggedPaths lists the paths whose GET answers with an ETag: by x-etag, in a
// declared header, or in the body, as Azure and OData do.
func taggedPaths(in Input) map[string]tag {
	paths := map[string]tag{}
	for _, o := range in.Policies.Operations {
		if o.Op.Method != http.MethodGet {
			continue
		}
		if o.ETag != nil {
			paths[o.Op.Path] = tag{o.ETag.Resource.V, true}
			continue
		}
		for _, r := range in.Document.Responses(o.Op) {
			if !r.Success() {
				continue
			}
			names := slices.Clone(r.Headers)
			for _, m := range r.Content {
				if m.Schema != "" {
					names = append(names, in.Document.Members(m.Schema)...)
				}
			}
			if slices.ContainsFunc(names, isTag) {
				paths[o.Op.Path] = tag{resource: policy.ResourceOf(in.Document, o.Op.Path)}
				break
			}
		}
	}
	return paths
}

func isTag(name string) bool {
	return slices.Contains([]string{"etag", "_etag", "@odata.etag"}, strings.ToLower(name))
}

// ignoresTag reports whether a write does not take the ETag that its path is read
// with.
func (s *subject) ignoresTag() bool {
	_, tagged := s.tagged[s.Op.Path]
	return tagged && slices.Contains([]string{"PUT", "PATCH", "DELETE"}, s.Op.Method) &&
		!slices.Contains(s.plan.OwnPreconditions, "If-Match")
}

func tagWithoutGuard(s *subject) {
	if !s.ignoresTag() {
		return
	}
	switch p := s.ETag; {
	case p == nil:
		s.add(s.Op.Pos, cmp.Or(s.tagFix(), ignoreName+": {IDM122: the ETag is for caches only}"), "%s ignores the ETag that GET %s answers with: the last writer wins", s.name, s.Op.Path)
	case len(p.Require.V) == 0:
		s.add(s.at(p.Require.From), "require: ["+string(policy.IfMatch)+"]", "x-etag.require of %s: a write without If-Match overwrites what GET %s gives an ETag for", s.name, s.Op.Path)
	}
}
