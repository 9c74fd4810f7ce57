package generator_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/lint"
)

const badDir = "testdata/bad"

// TestBad_Documents reads the archives of testdata/bad: each document has an
// error, and the line above it says which rules must answer and where. A file
// without rules is there for others to refer to.
func TestBad_Documents(t *testing.T) {
	archives, err := filepath.Glob(filepath.Join(badDir, "*.txtar"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archive in %s: %v", badDir, err)
	}
	total := 0
	for _, archive := range archives {
		class := strings.TrimSuffix(filepath.Base(archive), ".txtar")
		a, err := txtar.ParseFile(archive)
		if err != nil {
			t.Fatal(err)
		}
		files := map[string][]byte{}
		for _, f := range a.Files {
			files[strings.Fields(f.Name)[0]] = f.Data
		}
		for i, f := range a.Files {
			name, want, judged := strings.Cut(f.Name, " ")
			if !judged {
				continue
			}
			total++
			t.Run(class+"/"+name, func(t *testing.T) {
				got := places(judge(t, name, files))
				if *update {
					a.Files[i].Name = name + " " + got
					return
				}
				if got != want {
					t.Errorf("errors %s, want %s", got, want)
				}
			})
		}
		if *update {
			if err := os.WriteFile(archive, txtar.Format(a), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if total < 200 {
		t.Errorf("%d bad documents, want at least 200", total)
	}
}

// places lists the errors as "IDM006 4:9, IDM011 7:3".
func places(list diag.List) string {
	var all []string
	for _, d := range list {
		if d.Severity == diag.Error {
			all = append(all, fmt.Sprintf("%s %s", d.Rule, strings.TrimPrefix(d.Pos.String(), d.Pos.File+":")))
		}
	}
	return strings.Join(all, ", ")
}

// judge runs all stages on a document that must not generate.
func judge(t *testing.T, name string, files map[string][]byte) diag.List {
	t.Helper()
	out, list := open(name, files)
	if len(out) > 0 || list.Errors() == 0 {
		t.Errorf("got %d files and %d errors, want errors only", len(out), list.Errors())
	}
	decent(t, name, files, out, list)
	for _, d := range list {
		t.Log(d)
	}
	return list
}

// A slip in the name of an annotation is one finding, whose fix is the annotation,
// and not also a mistake of the document.
func TestOpen_CapitalAnnotation(t *testing.T) {
	const document = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\nROOTpaths:\n  /a:\n    ITEMpost: {OPERATIONoperationId: a, responses: {'204': {description: D}}}\n"
	for place, annotation := range map[string]string{
		"ROOT": "X-Idempotency: {apply: [post]}\n", "ITEM": "X-Idempotency: true\n    ", "OPERATION": "X-Idempotency: true, ",
	} {
		text := strings.NewReplacer(place, annotation, "ROOT", "", "ITEM", "", "OPERATION", "").Replace(document)
		_, list := open("api.yaml", map[string][]byte{"api.yaml": []byte(text)})
		if len(list) != 1 || list[0].Rule != diag.RuleUnknownMember || !strings.HasPrefix(list[0].Fix, "x-idempotency: ") {
			t.Errorf("%s: %v", place, list)
		}
	}
}

// open generates a package from the document called name.
func open(name string, files map[string][]byte) ([]generator.File, diag.List) {
	config := &generator.Config{Version: 1, Packages: []generator.Package{{
		Spec: name, Router: "std", Output: generator.Output{Dir: "out", Package: "out"},
	}}}
	project, list := generator.Open(config, func(file string) ([]byte, error) {
		if content, ok := files[file]; ok {
			return content, nil
		}
		return nil, fs.ErrNotExist
	})
	if project == nil {
		return nil, list
	}
	out, more := generator.Generate(project)
	list = append(list, more...)
	list.Sort()
	return out, list
}

// leaks matches what is inside this program and means nothing to its users.
var leaks = regexp.MustCompile(`\*?(openapi3|codegen|yaml|source|policy|plan|goapi|ast|reflect)\.[A-Z]|0x?c0[0-9a-f]{6,}|!!(map|seq|str|int|float|bool|null)\b|map\[|%!|goroutine|runtime error|nil pointer|kin-openapi|(^|[^.\w])(json|yaml): [a-z]|report this|internal error`)

// decent checks what holds for every list of findings: it is sorted and the
// same each time, every finding stands in a file, and says it in plain words.
func decent(t *testing.T, name string, files map[string][]byte, out []generator.File, list diag.List) {
	t.Helper()
	if list.Errors() > 0 && len(out) > 0 {
		t.Errorf("%d files beside %d errors", len(out), list.Errors())
	}
	again, second := open(name, files)
	if !slices.Equal(list, second) || !slices.EqualFunc(out, again, func(a, b generator.File) bool {
		return a.Name == b.Name && bytes.Equal(a.Content, b.Content)
	}) {
		t.Errorf("two runs differ:\n%v\n%v", list, second)
	}
	fit(t, list, files)
}

// fit checks findings by themselves.
func fit(t *testing.T, list diag.List, files map[string][]byte) {
	t.Helper()
	sorted := slices.Clone(list)
	sorted.Sort()
	if !slices.Equal(list, sorted) {
		t.Errorf("not sorted: %v", list)
	}
	for _, d := range list {
		if complaint := misplaced(d.Pos, files); complaint != "" {
			t.Errorf("%v: %s", d, complaint)
		}
		if lint.About(d.Rule) == "" {
			t.Errorf("%v: no such rule", d)
		}
		said := d.Message + "\n" + d.Fix
		if leak := leaks.FindString(said); leak != "" {
			t.Errorf("%v (fix: %s): %q means nothing to a user", d, d.Fix, leak)
		}
		if i := strings.IndexFunc(said, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }); i >= 0 || !utf8.ValidString(said) {
			t.Errorf("%q: not fit for a terminal", said)
		}
		if d.Message == "" || strings.Contains(d.Message, "\n") || len(d.Message) > 1000 {
			t.Errorf("%q is not one line of text", d.Message)
		}
	}
	var printed bytes.Buffer
	if err := diag.Print(&printed, list, func(file string) []byte { return files[file] }); err != nil {
		t.Error(err)
	}
	if i := strings.IndexFunc(printed.String(), func(r rune) bool { return r != '\n' && r != '\t' && unicode.IsControl(r) }); i >= 0 || !utf8.Valid(printed.Bytes()) {
		t.Errorf("printed, not fit for a terminal: %q", printed.String())
	}
}

// misplaced says why a place is not one of the files.
func misplaced(pos diag.Pos, files map[string][]byte) string {
	content, ok := files[pos.File]
	if !ok {
		return "the file does not exist"
	}
	lines := bytes.Split(content, []byte("\n"))
	if pos.Line < 1 || pos.Line > len(lines) {
		return fmt.Sprintf("the file has %d lines", len(lines))
	}
	if line := lines[pos.Line-1]; pos.Col < 1 || pos.Col > len(line)+1 {
		return fmt.Sprintf("the line has %d bytes", len(line))
	}
	return ""
}
