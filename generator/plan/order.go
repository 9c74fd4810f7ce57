package plan

import (
	"cmp"
	"slices"
	"strings"
)

// Registered returns the operations in the order in which they are registered,
// so that of two paths that fit the same request the more specific one comes
// first: some routers take the first that fits.
func (a *API) Registered() []*Operation {
	list := make([]*Operation, len(a.Operations))
	for i := range a.Operations {
		list[i] = &a.Operations[i]
	}
	return registered(list)
}

func registered(ops []*Operation) []*Operation {
	return slices.SortedStableFunc(slices.Values(ops), func(a, b *Operation) int { return moreSpecific(a.Path, b.Path) })
}

// moreSpecific is negative when path template a comes before b. Where everything
// that fits a fits b, too, that is so: every segment of a is then at least as
// specific.
func moreSpecific(a, b string) int {
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	for i := range min(len(as), len(bs)) {
		if c := specific(as[i]).compare(specific(bs[i])); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(as), len(bs))
}

// segment is how specific a segment of a path template is.
type segment struct {
	params  int
	literal string // without the parameters
}

func specific(text string) segment {
	if !strings.Contains(text, "{") {
		return segment{0, text}
	}
	return segment{len(templateParam.FindAllStringIndex(text, -1)), templateParam.ReplaceAllString(text, "")}
}

func (s segment) compare(other segment) int {
	if s.params == 0 || other.params == 0 {
		return cmp.Or(cmp.Compare(min(s.params, 1), min(other.params, 1)), cmp.Compare(s.literal, other.literal))
	}
	return cmp.Or(
		cmp.Compare(len(other.literal), len(s.literal)),
		cmp.Compare(other.params, s.params), // each is at least one character
		cmp.Compare(s.literal, other.literal),
	)
}
