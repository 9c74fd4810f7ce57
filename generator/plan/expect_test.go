package plan

import (
	"testing"

	"github.com/idemgen/idemgen/generator/policy"
)

// A row per form; argumentOf of the runtime has to choose alike.
func TestExpect(t *testing.T) {
	const match, absent, date = policy.IfMatch, policy.IfNoneMatch, policy.IfUnmodifiedSince
	for _, c := range []struct {
		role       policy.Role
		require    []policy.Field
		collection bool
		want       string
	}{
		{policy.RoleRead, nil, false, ""},
		{policy.RoleCreate, nil, true, ""},
		{policy.RoleCreate, nil, false, "Absent"},
		{policy.RoleCreate, []policy.Field{absent}, false, "Absent"},
		{policy.RoleUpdate, []policy.Field{match}, false, "Match"},
		{policy.RoleUpdate, []policy.Field{match, absent}, false, "Match"},
		{policy.RoleUpdate, []policy.Field{match, date}, false, "Match"},
		{policy.RoleUpdate, []policy.Field{date}, false, "Unmodified"},
		{policy.RoleUpdate, nil, false, "MaybeMatch"},
		{policy.RoleDelete, []policy.Field{match}, false, "Match"},
		{policy.RoleAction, nil, false, "MaybeMatch"},
		{policy.RoleUpsert, []policy.Field{match, absent}, false, "MatchOrAbsent"},
		{policy.RoleUpsert, []policy.Field{date}, false, "MatchOrAbsent"},
		{policy.RoleUpsert, []policy.Field{match}, false, "Match"},
		{policy.RoleUpsert, []policy.Field{absent}, false, "Absent"},
		{policy.RoleUpsert, nil, false, "MaybeMatchOrAbsent"},
	} {
		p := &policy.ETag{Role: policy.Value[policy.Role]{V: c.role}, Require: policy.Value[[]policy.Field]{V: c.require}}
		if got := ExpectType(expect(p, c.collection)); got != c.want {
			t.Errorf("%s demanding %v: %q, want %q", c.role, c.require, got, c.want)
		}
	}
}
