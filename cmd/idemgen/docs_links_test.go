package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	span    = regexp.MustCompile("`[^`\n]*`")
	unsaid  = regexp.MustCompile(`[^a-z0-9_ -]`)
)

// TestDocs_Links: what the pages refer to in this repository is there.
func TestDocs_Links(t *testing.T) {
	pages := []string{"../../README.md"}
	for _, pattern := range []string{docsDir + "/*.md", commandsDir + "/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	for _, page := range pages {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		prose := span.ReplaceAllString(fence.ReplaceAllString(string(content), ""), "")
		for _, m := range link.FindAllStringSubmatch(prose, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if problem := broken(filepath.Dir(page), m[1], content); problem != "" {
				t.Errorf("%s refers to %s: %s", page, m[1], problem)
			}
		}
	}
	for _, target := range []string{"nowhere.md", "problems.md#nothing"} {
		if broken(docsDir, target, nil) == "" {
			t.Errorf("%s is taken for a page", target)
		}
	}
}

// broken says why a link from a page in dir leads nowhere.
func broken(dir, target string, page []byte) string {
	file, anchor, anchored := strings.Cut(target, "#")
	content := page
	if file != "" {
		name := filepath.Join(dir, filepath.FromSlash(file))
		info, err := os.Stat(name)
		if err != nil {
			return "there is no such file"
		}
		if info.IsDir() {
			return ""
		}
		if content, err = os.ReadFile(name); err != nil {
			return err.Error()
		}
	}
	if !anchored {
		return ""
	}
	for _, m := range heading.FindAllStringSubmatch(string(content), -1) {
		// As GitHub makes anchors of headings.
		if strings.ReplaceAll(unsaid.ReplaceAllString(strings.ToLower(strings.TrimSpace(m[1])), ""), " ", "-") == anchor {
			return ""
		}
	}
	return "the page has no such heading"
}
