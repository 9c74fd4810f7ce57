// Package templates holds the text of the files that a project starts with.
package templates

import "embed"

// Files are the templates of package text/template, by file name, and the
// sample document openapi.yaml, which is copied as it is.
//
//go:embed *.tmpl openapi.yaml
var Files embed.FS
