package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/idemgen/idemgen/generator"
)

func TestWrite_FailureLeavesEveryFileAsItWas(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, content := range map[string]string{"api/a.go": "old", "plain": "a file where a directory is needed"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	n, err := write([]change{
		{File: generator.File{Name: "api/a.go", Content: []byte("new")}, old: []byte("old")},
		{File: generator.File{Name: "plain/b.go", Content: []byte("new")}, missing: true},
	})
	if err == nil || n != 0 {
		t.Fatalf("write returned %d, %v; want an error", n, err)
	}
	if got, _ := os.ReadFile("api/a.go"); string(got) != "old" {
		t.Errorf("api/a.go is %q", got)
	}
	if entries, _ := os.ReadDir("api"); len(entries) != 1 {
		t.Errorf("temporary files are left: %v", entries)
	}
}

func TestWrite_KeepsModeAndSkipsEqualFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a.go", []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	n, err := write([]change{
		{File: generator.File{Name: "a.go", Content: []byte("new")}, old: []byte("old")},
		{File: generator.File{Name: "b.go", Content: []byte("same")}, old: []byte("same")},
	})
	if err != nil || n != 1 {
		t.Fatalf("write returned %d, %v", n, err)
	}
	info, err := os.Stat("a.go")
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode of a.go: %v, %v", info.Mode(), err)
	}
	if _, err := os.Stat("b.go"); err == nil {
		t.Error("an equal file was written")
	}
}

// What a link leads to is replaced, and the link stays.
func TestWrite_FollowsLinks(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a.go", []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a.go", "link.go"); err != nil {
		t.Skip(err)
	}
	if _, err := write([]change{{File: generator.File{Name: "link.go", Content: []byte("new")}, old: []byte("old")}}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat("link.go")
	if got, _ := os.ReadFile("a.go"); err != nil || info.Mode().IsRegular() || string(got) != "new" {
		t.Errorf("the link is %v (%v), and leads to %q", info.Mode(), err, got)
	}
}
