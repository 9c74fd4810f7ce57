// Package source reads OpenAPI documents. It is the only package of the
// generator that sees OpenAPI text: the other stages ask it for operations,
// schema members and annotation nodes, each with its place in a file.
package source
