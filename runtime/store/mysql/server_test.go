package mysql

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/mysql/migrations"
)

func TestSkipsLocked(t *testing.T) {
	for version, want := range map[string]bool{
		"8.0.36":                    true,
		"8.4.0-commercial":          true,
		"9.1.0":                     true,
		"5.7.44-log":                false,
		"10.11.6-MariaDB-0+deb12u1": true,
		"10.6.0-MariaDB":            true,
		"10.5.23-MariaDB-log":       false,
		"5.5.5-10.11.6-MariaDB":     true,
		"5.5.5-10.4.1-MariaDB":      false,
		"11.4.2-MariaDB":            true,
		"unknown":                   false,
		"x.y.z":                     false,
	} {
		if got := skipsLocked(version); got != want {
			t.Errorf("skipsLocked(%q) = %v", version, got)
		}
	}
}

func TestLockName(t *testing.T) {
	id, other := idem.ID{1}, idem.ID{2}
	shop := &Store{options: options{prefix: "idem_"}, server: server{database: "shop"}}
	names := []string{
		shop.lockName(&id),
		shop.lockName(&other),
		(&Store{options: options{prefix: "idem_"}, server: server{database: "test"}}).lockName(&id),
		(&Store{options: options{prefix: "test_"}, server: server{database: "shop"}}).lockName(&id),
	}
	for i, name := range names {
		if len(name) > 64 || slices.Contains(names[:i], name) {
			t.Errorf("name %q is too long or not the only one", name)
		}
	}
	if names[0] != shop.lockName(&id) {
		t.Error("a name is not the same the second time")
	}
}

// What is sent is what goose would send: whole statements, no comments.
func TestUpStatements(t *testing.T) {
	files, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := migrations.FS.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		statements := upStatements(string(text))
		if len(statements) != strings.Count(strings.SplitN(string(text), "-- +goose Down", 2)[0], ";\n") {
			t.Errorf("%s: %d statements", file, len(statements))
		}
		for _, s := range statements {
			if strings.ContainsAny(s, ";") || strings.Contains(s, "--") || strings.TrimSpace(s) == "" {
				t.Errorf("%s: statement %q", file, s)
			}
		}
	}
}
