package plan

import "testing"

func TestOperationName(t *testing.T) {
	for _, c := range []struct{ id, method, path, want string }{
		{"listPets", "GET", "/pets", "ListPets"},
		{"put-a.thing", "PUT", "/a", "PutAThing"},
		{"get_pet_by_id", "GET", "/a", "GetPetById"},
		{"2fa", "POST", "/a", "N2fa"},
		{"", "POST", "/noid", "PostNoid"},
		{"", "GET", "/pets/{petId}/{$other}", "GetPetsPetIdOther"},
		{"", "GET", "/", "Get"},
		{"取得", "GET", "/a", "Empty"},
		{"über", "GET", "/a", "Über"},
	} {
		if got := operationName(c.id, c.method, c.path); got != c.want {
			t.Errorf("operationName(%q, %q, %q) = %q, want %q", c.id, c.method, c.path, got, c.want)
		}
	}
}
