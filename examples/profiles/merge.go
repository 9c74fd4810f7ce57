package main

import (
	"fmt"
	"net/http"

	"github.com/idemgen/idemgen/examples/profiles/api"
)

// merge applies a merge patch to a profile (RFC 7396): a member that is there
// replaces, null removes, what is not named stays. The patch is a map, because a
// struct does not tell null from absent.
func merge(p api.Profile, patch map[string]any) (api.ProfileInput, *api.RefusedApplicationProblemPlusJSONResponse) {
	in := api.ProfileInput{Name: p.Name, Role: p.Role, City: p.City, Bio: p.Bio}
	wrong := func(format string, args ...any) (api.ProfileInput, *api.RefusedApplicationProblemPlusJSONResponse) {
		problem := refused(http.StatusUnprocessableEntity, fmt.Sprintf(format, args...))
		return in, &problem
	}
	optional := map[string]**string{"role": &in.Role, "city": &in.City, "bio": &in.Bio}
	for name, value := range patch {
		text, isText := value.(string)
		field, known := optional[name]
		switch {
		case name == "name" && isText:
			in.Name = text
		case name == "name":
			return wrong("name is a text, and every profile has one.")
		case !known:
			return wrong("A profile has no member %q that can be edited.", name)
		case value == nil:
			*field = nil
		case !isText:
			return wrong("%s is a text, or null.", name)
		default:
			*field = &text
		}
	}
	return in, check(&in)
}
