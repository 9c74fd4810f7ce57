package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// tutorialURL is where the tutorial's server listens. The test's own listens on
// a free port.
const tutorialURL = "http://127.0.0.1:8080"

// TestTutorial follows docs/tutorial.md from an empty directory to its end: each
// command is executed, each file written, each change made, and each output
// compared. A block that it does not understand fails. Requests are curl's, sent
// by this process.
func TestTutorial(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and links a module of its own")
	}
	page, err := os.ReadFile(docsDir + "/tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	r := newReader(t)
	for _, b := range blocks(string(page)) {
		if err := r.follow(b); err != nil {
			t.Fatalf("docs/tutorial.md:%d: %v", b.line, err)
		}
	}
	if r.steps < 10 || r.url == "" {
		t.Errorf("the tutorial has %d steps, and its server listens at %q", r.steps, r.url)
	}
}

// TestTutorial_Blocks: what differs from the page is noticed.
func TestTutorial_Blocks(t *testing.T) {
	for text, want := range map[string]string{
		"```sh\nrm -rf notes\n```\n":                              `unknown command "rm -rf notes"`,
		"```python\n1\n```\n":                                     `a block "python" means nothing`,
		"```yaml in go.mod\nmodule shop\n```\n":                   "go.mod does not contain",
		"```diff go.mod\n-module shop\n+module b\n```\n":          "go.mod does not contain",
		"```sh\nmkdir a\n```\n```text\nsomething\n```\n":          `nothing like "something" in the output`,
		"```diff go.mod\n-module notes\n+module shop\n```\n":      "",
		"```sh\nmkdir a\ncd a\n```\n```go a.go\npackage a\n```\n": "",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module notes\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		r := &reader{dir: dir, ctx: t.Context()}
		var err error
		for _, b := range blocks(text) {
			if err == nil {
				err = r.follow(b)
			}
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// block is a fenced block of a page.
type block struct {
	line           int
	language, rest string // of the info string: "go", "service.go"
	text           string
}

var fence = regexp.MustCompile("(?ms)^```([^`\n]*)\n(.*?)^```$")

func blocks(page string) (all []block) {
	page = strings.ReplaceAll(page, "\r\n", "\n")
	for _, m := range fence.FindAllStringSubmatchIndex(page, -1) {
		language, rest, _ := strings.Cut(page[m[2]:m[3]], " ")
		all = append(all, block{1 + strings.Count(page[:m[0]], "\n"), language, rest, page[m[4]:m[5]]})
	}
	return all
}

// reader does what the tutorial says.
type reader struct {
	ctx      context.Context
	dir      string   // the working directory
	checkout string   // of this module, which takes the place of a release
	env      []string // of the go command
	serve    func(binary string) (url string, err error)

	url    string // of the server; empty: none runs
	output string // of the last block of commands
	steps  int    // commands and requests so far
}

// newReader prepares a go command that takes modules from the module cache and
// nowhere else, after what they need was put there by the checkout's own.
func newReader(t *testing.T) *reader {
	t.Helper()
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	// The packages, and of all modules what they require: to add a module the go
	// command reads the requirements of modules that nothing is taken from.
	for _, args := range [][]string{{"mod", "graph"}, {"list", "-deps", "./cmd/idemgen", "./runtime/store/sqlite", "./examples/petstore/api"}} {
		load := exec.CommandContext(t.Context(), "go", args...)
		load.Dir = checkout
		if out, err := load.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	cache, err := exec.CommandContext(t.Context(), "go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	proxy := filepath.ToSlash(strings.TrimSpace(string(cache)))
	if !strings.HasPrefix(proxy, "/") { // C:/Users/…
		proxy = "/" + proxy
	}
	r := &reader{ctx: t.Context(), dir: t.TempDir(), checkout: checkout}
	r.env = append(os.Environ(), "GOPROXY=file://"+proxy+"/cache/download", "GOSUMDB=off", "GOWORK=off", "GOFLAGS=", "IDEMGEN_CONFIG=")
	r.serve = func(binary string) (string, error) { return startServer(t, binary, r.dir) }
	return r
}

func (r *reader) follow(b block) error {
	switch {
	case b.language == "sh":
		return r.commands(b.text)
	case b.language == "text" && b.rest == "":
		return r.expect(b.text)
	case b.language == "diff" && b.rest != "":
		return r.change(b.rest, b.text)
	case strings.HasPrefix(b.rest, "in "):
		return r.excerpt(strings.TrimPrefix(b.rest, "in "), b.text)
	case b.rest != "":
		r.output = ""
		return os.WriteFile(r.path(b.rest), []byte(b.text), 0o644)
	}
	return fmt.Errorf("a block %q means nothing here", b.language)
}

func (r *reader) path(name string) string { return filepath.Join(r.dir, filepath.FromSlash(name)) }

func (r *reader) commands(text string) error {
	r.output = ""
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		line = strings.TrimSpace(line)
		words, err := split(line)
		if err != nil {
			return err
		}
		out, err := r.command(words)
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", line, err, out)
		}
		r.output += out
		r.steps++
	}
	return nil
}

func (r *reader) command(words []string) (output string, err error) {
	switch line := strings.Join(words, " "); {
	case line == "go run .":
		return r.run()
	case line == "go mod tidy":
		// The cache lacks what only the tests of other modules import, and
		// whatever tidy says of that is no concern of the tutorial.
		return "", ignoring(r.goCommand("mod", "tidy", "-e"))
	case strings.HasPrefix(line, "go mod init "):
		if out, err := r.goCommand(words[1:]...); err != nil {
			return out, err
		}
		return r.goCommand("mod", "edit", "-replace", "github.com/idemgen/idemgen="+r.checkout)
	case words[0] == "go":
		return r.goCommand(words[1:]...)
	case words[0] == "curl":
		return r.curl(words[1:])
	case len(words) == 2 && words[0] == "mkdir":
		return "", os.Mkdir(r.path(words[1]), 0o777)
	case len(words) == 2 && words[0] == "cd":
		r.dir = r.path(words[1])
		_, err := os.Stat(r.dir)
		return "", err
	default:
		return "", fmt.Errorf("unknown command %q", line)
	}
}

func ignoring(_ string, err error) error { return err }

func (r *reader) goCommand(args ...string) (output string, err error) {
	cmd := exec.CommandContext(r.ctx, "go", args...)
	cmd.Dir, cmd.Env = r.dir, r.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// run builds the server, so that the process which is stopped is the server.
func (r *reader) run() (output string, err error) {
	binary := filepath.Join(r.dir, "server.exe")
	if out, err := r.goCommand("build", "-o", binary, "."); err != nil {
		return out, err
	}
	r.url, err = r.serve(binary)
	return "2026/01/01 00:00:00 serving " + tutorialURL, err
}

// startServer starts a server on a free port, and stops it with the test.
func startServer(t *testing.T, binary, dir string) (url string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, "-addr", "127.0.0.1:0")
	cmd.Dir = dir
	log, err := cmd.StderrPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	said := bufio.NewScanner(log)
	drained := make(chan struct{})
	t.Cleanup(func() { // after the test's context has ended, which kills the server
		<-drained
		_ = cmd.Wait()
	})
	defer func() {
		go func() {
			defer close(drained)
			for said.Scan() {
				t.Log(said.Text())
			}
		}()
	}()
	for said.Scan() {
		if _, url, ok := strings.Cut(said.Text(), "serving "); ok {
			return url, nil
		}
	}
	return "", fmt.Errorf("the server ended: %w", said.Err())
}

// curl sends what curl would send, and returns what curl -i would print.
func (r *reader) curl(args []string) (output string, err error) {
	method, url, body := "", "", ""
	header := http.Header{}
	for len(args) > 0 {
		flag, value := args[0], ""
		args = args[1:]
		if flag == "-X" || flag == "-H" || flag == "-d" {
			if len(args) == 0 {
				return "", fmt.Errorf("%s needs a value", flag)
			}
			value, args = args[0], args[1:]
		}
		switch flag {
		case "-i":
		case "-X":
			method = value
		case "-H":
			name, content, _ := strings.Cut(value, ":")
			header.Add(name, strings.TrimSpace(content))
		case "-d":
			body = value
		default:
			if url != "" || !strings.HasPrefix(flag, tutorialURL+"/") {
				return "", fmt.Errorf("%q is neither a flag that this test knows nor below %s", flag, tutorialURL)
			}
			url = r.url + strings.TrimPrefix(flag, tutorialURL)
		}
	}
	if method == "" && body != "" {
		method = http.MethodPost
	}
	ctx, cancel := context.WithTimeout(r.ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", response.Proto, response.Status)
	if err := response.Header.Write(&b); err != nil {
		return "", err
	}
	return strings.ReplaceAll(b.String(), "\r\n", "\n") + "\n" + string(content), nil
}

// expect looks for each line of a block in the last output.
func (r *reader) expect(text string) error {
	have := strings.Split(r.output, "\n")
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		pattern := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*") + "$")
		found := false
		for _, h := range have {
			found = found || pattern.MatchString(strings.TrimRight(h, "\r"))
		}
		if !found {
			return fmt.Errorf("nothing like %q in the output:\n%s", line, r.output)
		}
	}
	return nil
}

// excerpt looks for lines in a file.
func (r *reader) excerpt(name, text string) error {
	content, err := os.ReadFile(r.path(name))
	if err == nil && !strings.Contains("\n"+string(content), "\n"+text) {
		err = fmt.Errorf("%s does not contain\n%s", name, text)
	}
	return err
}

// change replaces the lines of a diff that begin with - by those with +.
func (r *reader) change(name, diff string) error {
	r.output = ""
	var before, after strings.Builder
	for line := range strings.Lines(diff) {
		content := line[1:]
		switch line[0] {
		case '-':
			before.WriteString(content)
		case '+':
			after.WriteString(content)
		case ' ':
			before.WriteString(content)
			after.WriteString(content)
		default:
			return fmt.Errorf("a line of a diff begins with -, + or a space, not %q", line)
		}
	}
	content, err := os.ReadFile(r.path(name))
	if err != nil {
		return err
	}
	if n := strings.Count(string(content), before.String()); n != 1 {
		return fmt.Errorf("%s does not contain once, but %d times:\n%s", name, n, before.String())
	}
	return os.WriteFile(r.path(name), []byte(strings.Replace(string(content), before.String(), after.String(), 1)), 0o644)
}

// split splits a line into words as a shell does: single quotes, no expansion.
func split(line string) (words []string, err error) {
	if strings.Count(line, "'")%2 != 0 || strings.ContainsAny(line, "$`;|&<>") {
		return nil, fmt.Errorf("a command has plain words and single quotes only: %s", line)
	}
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words, nil
}
