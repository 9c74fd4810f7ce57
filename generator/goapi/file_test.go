package goapi

import (
	"go/format"
	"testing"
)

// A file is printed from its tree, without its imports, as gofmt prints the text that
// has other imports in their place.
func TestFormatted_AsGofmt(t *testing.T) {
	const head = "// Code generated. DO NOT EDIT.\n\npackage api\n\nimport (\n\t\"io\"\n\n\t\"example.com/zed\"\n)\n"
	for name, body := range map[string]string{
		"types":    "type A struct {\n  B int // of b\n  LongName string `json:\"x\"`\n}\ntype C = io.Reader\nvar D zed.D\n",
		"comments": "// Above all.\n\n// A is documented.\ntype A io.Reader\n\n// between\n\nvar D zed.D // behind\n// at the end\n",
		"function": "func f(os io.Reader) (x zed.D) {\n// first\nif os!=nil { return }\n\n\n\n/* last */\nreturn }\n",
	} {
		code := "// Package api is theirs.\npackage api\n\n// of imports\nimport (\n\t\"os\" // unused\n\t\"example.com/zed\"\n\t// between\n\t\"io\"\n)\n\n" + body
		f, err := parseFile(code)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := f.formatted("// Code generated. DO NOT EDIT.\n")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want, err := format.Source([]byte(head + "\n" + body))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if string(got) != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}

// What is not declared and stands before a dot is a package.
func TestMissing(t *testing.T) {
	f, err := parseFile("package api\n\nimport \"io\"\n\nvar a io.Reader\nvar b time.Time\nvar c Other\nfunc f(url string) int { return len(url.x) }\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := f.missing([]Import{{Path: "io"}}); len(got) != 1 || got[0] != "time" {
		t.Errorf("missing %q, want time", got)
	}
}
