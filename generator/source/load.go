package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/idemgen/idemgen/generator/diag"
)

// Document is a loaded OpenAPI document. It is read-only and safe for
// concurrent use.
//
// Pointers are RFC 6901 JSON pointers ("/paths/~1pets/get") into the root file,
// or "file#pointer" into another one.
type Document struct {
	Files    []*File // the root file first, the others by name
	Ops      []Op    // in document order
	Webhooks []Op    // operations below webhooks, in document order
	OpenAPI  string  // version as written, "3.1.0"

	byName   map[string]*File
	overlays []*File

	mu     sync.Mutex
	loaded *openapi3.T // from Load, until View hands it out
}

// Load reads the document called name and the local files that it refers to,
// through read, and applies overlays to it in their order. The files that it
// refers to are not changed by them. Places of what an overlay wrote are in the
// overlay. It returns what it could read together with everything that is wrong,
// sorted; the Document is nil only when nothing useful could be read.
func Load(name string, read func(name string) ([]byte, error), overlays ...string) (*Document, diag.List) {
	l := loader{doc: &Document{byName: map[string]*File{}}, read: read}
	name = filepath.ToSlash(name)
	root := l.file(name, diag.Pos{File: name})
	if root == nil || !root.Root.Exists() || !l.version(root) {
		l.list.Sort()
		return nil, l.list
	}
	l.overlays(root, overlays)
	if l.list.Errors() > 0 && len(overlays) > 0 {
		// A document without all of its overlays would be judged for what they
		// would have changed.
		l.list.Sort()
		return nil, l.list
	}
	l.follow()
	slices.SortFunc(l.doc.Files[1:], func(a, b *File) int { return strings.Compare(a.Name, b.Name) })
	for _, f := range l.doc.Files {
		l.doc.checkRefs(f, &l.list)
	}
	l.doc.checkCycles(&l.list)
	l.doc.checkShapes(&l.list)
	l.doc.readOps(&l.list)
	if l.list.Errors() == 0 {
		l.validate()
	}
	l.list.Sort()
	return l.doc, l.list
}

type loader struct {
	doc  *Document
	read func(string) ([]byte, error)
	list diag.List
}

// file reads and parses a file once; at is what refers to it.
func (l *loader) file(name string, at diag.Pos) *File {
	if f, ok := l.doc.byName[name]; ok {
		return f
	}
	content, err := l.readFile(name, at)
	if err != nil {
		l.doc.byName[name] = nil
		return nil
	}
	f := parse(name, content, &l.list)
	l.doc.byName[name] = f
	l.doc.Files = append(l.doc.Files, f)
	return f
}

// readFile reads the content of a file; at is what refers to it.
func (l *loader) readFile(name string, at diag.Pos) ([]byte, error) {
	content, err := l.read(name)
	if err != nil {
		reason, fix := err.Error(), "create the file, or correct the name"
		var wrapped *fs.PathError
		switch {
		case strings.Contains(name, "://"):
			reason, fix = "only local files are read", "download it, and name the file"
		case errors.Is(err, fs.ErrNotExist):
			reason = "the file does not exist"
		case errors.As(err, &wrapped):
			reason = wrapped.Err.Error() // the name stands before it
		}
		l.list.Add(at, diag.RuleMissingFile, fix, "cannot read %s: %s", name, reason)
	}
	return content, err
}

// version reports whether the root file is an OpenAPI document that can be
// read.
func (l *loader) version(root *File) bool {
	const fix = "openapi: 3.1.0"
	if root.Root.Kind() != Map {
		l.list.Add(root.Root.Pos(), diag.RuleNotOpenAPI, fix, "not an OpenAPI document: the root is %s, not an object", root.Root.Kind())
		return false
	}
	if v := root.Root.Get("swagger"); v.Exists() {
		l.list.Add(v.KeyPos(), diag.RuleNotOpenAPI, "convert the document to OpenAPI 3, for example with swagger2openapi",
			"OpenAPI %s (Swagger) is not supported", v.Text())
		return false
	}
	v := root.Root.Get("openapi")
	for _, other := range []string{"arazzo", "asyncapi", "overlay"} {
		if o := root.Root.Get(other); o.Exists() && !v.Exists() {
			l.list.Add(o.KeyPos(), diag.RuleNotOpenAPI, fix, "not an OpenAPI document: the root has the member %s", other)
			return false
		}
	}
	switch {
	case !v.Exists():
		l.list.Add(root.Root.Pos(), diag.RuleNotOpenAPI, fix, "not an OpenAPI document: the root has no member openapi")
		return false
	case v.Kind() != String && v.Kind() != Float:
		l.list.Add(v.Pos(), diag.RuleNotOpenAPI, fix, "openapi must be a version such as 3.1.0, not %s", v.Kind())
		return false
	}
	if l.doc.OpenAPI = v.Text(); l.doc.OpenAPI == "" {
		l.list.Add(v.Pos(), diag.RuleNotOpenAPI, fix, "openapi must be a version such as 3.1.0, and is empty")
		return false
	}
	for _, known := range []string{"3.0", "3.1", "3.2"} {
		if l.doc.OpenAPI == known || strings.HasPrefix(l.doc.OpenAPI, known+".") {
			return true
		}
	}
	l.list.Add(v.Pos(), diag.RuleNotOpenAPI, fix, "OpenAPI %s is not supported; 3.0, 3.1 and 3.2 are", v.Text())
	return false
}

// maxFiles bounds the files of a document: whoever reads may have one for every
// name, of which each refers to the next. Published documents have some thousands
// at most, a file for each schema.
const maxFiles = 10_000

// follow reads the files that the root refers to, directly or not, up to maxFiles.
func (l *loader) follow() {
	full := false
	for next := 0; next < len(l.doc.Files) && !full; { // grows while it is read
		f := l.doc.Files[next]
		next++
		f.eachRef(func(ref Node) {
			r, remote, err := parseRef(f.Name, ref.Text())
			switch _, known := l.doc.byName[r.file]; {
			case full:
			case err != nil:
				l.list.Add(ref.Pos(), diag.RuleMissingRef, "", "$ref %q is not a URI reference", ref.Text())
			case remote:
				l.list.Add(ref.Pos(), diag.RuleRemoteRef, "download the file next to the document and refer to it by a relative path",
					"$ref %q leaves the local files", ref.Text())
			case !known && len(l.doc.Files) == maxFiles:
				full = true
				l.list.Add(ref.Pos(), diag.RuleLoad, "bundle the document into fewer files, or correct the $ref if files refer to ever more files",
					"$ref %q leads to one more file than the %d that a document may have", ref.Text(), maxFiles)
			default:
				l.file(r.file, ref.Pos())
			}
		})
	}
}

// validate loads the document with kin-openapi, which must succeed, and turns
// what its strict validation finds into warnings: many published documents are
// not strictly valid and generate well.
func (l *loader) validate() {
	t, err := l.doc.load()
	if err != nil {
		l.loadError(err)
		return
	}
	l.doc.loaded = t
	err = guard(func() error {
		return t.Validate(context.Background(), openapi3.EnableMultiError(), openapi3.DisableExamplesValidation(),
			openapi3.DisableSchemaDefaultsValidation(), openapi3.DisableSchemaPatternValidation())
	})
	// One fault in a component is found again in everything that refers to it.
	seen := map[diag.Pos]bool{}
	for _, finding := range flatten(err) {
		if nodes := l.doc.capitals(finding); len(nodes) > 0 {
			for _, n := range nodes {
				if key := n.Key(); !seen[n.KeyPos()] {
					seen[n.KeyPos()] = true
					l.list.Warn(n.KeyPos(), diag.RuleValidation, "x"+key[1:]+":", "%s is no extension: their names begin with a small x", key)
				}
			}
			continue
		}
		at := l.doc.errorPos(finding)
		if seen[at] {
			continue
		}
		seen[at] = true
		fix := ""
		if twice, ok := errors.AsType[*openapi3.DuplicateRequiredFieldError](finding); ok {
			fix = "remove one of the two " + quote(twice.Field) + " from required"
		}
		l.list.Warn(at, diag.RuleValidation, fix, "%s", firstLine(finding))
	}
}

// View returns a fresh kin-openapi document, safe to mutate.
func (d *Document) View() (*openapi3.T, error) {
	d.mu.Lock()
	t := d.loaded
	d.loaded = nil
	d.mu.Unlock()
	if t != nil {
		return t, nil
	}
	return d.load()
}

// load decodes the files once more.
func (d *Document) load() (t *openapi3.T, err error) {
	location := &url.URL{Path: d.Files[0].Name}
	_ = guard(func() error {
		t = d.decoded(d.loader(), location)
		return nil
	})
	if t != nil {
		return t, nil
	}
	err = guard(func() error {
		t, err = d.parsed(location)
		return err
	})
	return t, err
}

// parsed has the library parse the text of the files.
func (d *Document) parsed(location *url.URL) (*openapi3.T, error) {
	return d.loader().LoadFromDataWithPath(d.Files[0].text(), location)
}

func (d *Document) loader() *openapi3.Loader {
	return &openapi3.Loader{
		Context:               context.Background(),
		IncludeOrigin:         true,
		IsExternalRefsAllowed: true,
		ReadFromURIFunc: func(_ *openapi3.Loader, location *url.URL) ([]byte, error) {
			if location.Scheme != "" || location.Host != "" {
				return nil, fmt.Errorf("%s: remote references are not followed", location)
			}
			if f := d.byName[location.Path]; f != nil {
				return f.text(), nil
			}
			return nil, fmt.Errorf("%s: %w", location.Path, fs.ErrNotExist)
		},
	}
}

// guard turns a panic of the library on unforeseen input into an error.
func guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("kin-openapi cannot read the document: %v", r)
		}
	}()
	return f()
}

// flatten lists the errors of a multi-error.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	var all openapi3.MultiError
	if !errors.As(err, &all) {
		return []error{err}
	}
	var flat []error
	for _, e := range all {
		flat = append(flat, flatten(e)...)
	}
	return flat
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimSuffix(line, ".")
}
