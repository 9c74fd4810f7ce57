package runtime

import (
	"testing"

	"github.com/idemgen/idemgen/runtime/etag"
)

// A row per form; the generator's plan has to choose alike.
func TestArgumentOf(t *testing.T) {
	const match, absent, date = etag.IfMatch, etag.IfNoneMatch, etag.IfUnmodifiedSince
	for _, c := range []struct {
		role       etag.Role
		require    []etag.Field
		collection bool
		want       argument
	}{
		{etag.RoleNone, nil, false, argNone},
		{etag.RoleRead, nil, false, argNone},
		{etag.RoleCreate, nil, true, argNone},
		{etag.RoleCreate, nil, false, argAbsent},
		{etag.RoleCreate, []etag.Field{absent}, false, argAbsent},
		{etag.RoleUpdate, []etag.Field{match}, false, argMatch},
		{etag.RoleUpdate, []etag.Field{match, absent}, false, argMatch},
		{etag.RoleUpdate, []etag.Field{match, date}, false, argMatch},
		{etag.RoleUpdate, []etag.Field{date}, false, argUnmodified},
		{etag.RoleUpdate, nil, false, argMaybeMatch},
		{etag.RoleDelete, []etag.Field{match}, false, argMatch},
		{etag.RoleAction, nil, false, argMaybeMatch},
		{etag.RoleUpsert, []etag.Field{match, absent}, false, argMatchOrAbsent},
		{etag.RoleUpsert, []etag.Field{date}, false, argMatchOrAbsent},
		{etag.RoleUpsert, []etag.Field{match}, false, argMatch},
		{etag.RoleUpsert, []etag.Field{absent}, false, argAbsent},
		{etag.RoleUpsert, nil, false, argMaybeMatchOrAbsent},
	} {
		p := &Precondition{Collection: c.collection, Policy: etag.Policy{Role: c.role, Require: c.require}}
		if got := argumentOf(p); got != c.want {
			t.Errorf("role %d demanding %v: %d, want %d", c.role, c.require, got, c.want)
		}
	}
}
