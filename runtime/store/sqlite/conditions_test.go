package sqlite_test

import (
	"testing"

	"github.com/idemgen/idemgen/runtime/etag"
	"github.com/idemgen/idemgen/runtime/internal/expect"
)

type (
	number int64
	label  string
	uuid   [16]byte
)

// One row has each type of version, and a condition on it must find it.
func TestConditions(t *testing.T) {
	s := openTemp(t)
	mustExec(t, s.DB(), "CREATE TABLE versions (id INTEGER PRIMARY KEY, n INTEGER, l TEXT, u TEXT UNIQUE) STRICT")
	mustExec(t, s.DB(), "INSERT INTO versions VALUES (1, 7, 'a,b', '6ba7b810-0000-0000-0000-0000000000c8')")
	for name, where := range map[string]func() (string, []any){
		"n": func() (string, []any) {
			return expect.NewMatch(new(expect.Used), false, []number{7, 8}, etag.Int64[number]()).Where(etag.SQLite, "n", 2)
		},
		"l": func() (string, []any) {
			return expect.NewMatch(new(expect.Used), false, []label{"a,b", "c"}, etag.String[label]()).Where(etag.SQLite, "l", 2)
		},
		"u": func() (string, []any) {
			return expect.NewMatch(new(expect.Used), false, []uuid{{}, {0x6b, 0xa7, 0xb8, 0x10, 15: 0xc8}}, etag.UUID[uuid]()).Where(etag.SQLite, "u", 2)
		},
	} {
		condition, args := where()
		var n int
		err := s.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM versions WHERE id = ? AND "+condition, append([]any{1}, args...)...).Scan(&n)
		if err != nil || n != 1 {
			t.Errorf("%s: %d rows, error %v", name, n, err)
		}
	}
	for statement, want := range map[string]bool{
		"INSERT INTO versions (id) VALUES (1)":                                       true,
		"INSERT INTO versions (u) VALUES ('6ba7b810-0000-0000-0000-0000000000c8')":   true,
		"INSERT INTO versions (n) VALUES ('no number')":                              false,
		"INSERT INTO versions (id, l) SELECT 1, 'x' UNION ALL SELECT 1, 'y' LIMIT 1": true,
	} {
		if _, err := s.DB().ExecContext(t.Context(), statement); err == nil || etag.IsDuplicate(err) != want {
			t.Errorf("%s: %v", statement, err)
		}
	}
}
