// Package goapi has oapi-codegen write the models, routing, decoding and strict
// server of a planned API, and reads from the result what the wiring needs. It
// is the only package that knows oapi-codegen.
package goapi

// Result is the code that oapi-codegen wrote, and what it declares.
type Result struct {
	Source    []byte                // formatted Go file; nil: there is nothing to serve
	Models    []byte                // formatted Go file, apart from Source; nil: they are in it
	Methods   []Method              // of ServerInterface, by Name
	Responses map[string][]Response // by operation name, then in the order of the file
	Imports   []Import              // of the file
	Declared  []string              // package-level names, ascending

	missing []string // packages that the file names and does not import
}

// Method is a method of ServerInterface.
type Method struct {
	Name   string
	Params []Param // after the writer and the request
}

// Param is a parameter of a method. Type is a Go expression in which packages
// have the names of [Result.Imports].
type Param struct{ Name, Type string }

// Import is an import of the file. Name is empty when the file gives none.
type Import struct{ Name, Path string }

// Response is a Go type that answers an operation.
type Response struct {
	Type   string // "GetPet200JSONResponse"
	Status string // "200", "2XX" or "default"
	Tag    string // what the type's name has between status and "Response": "JSON"
	Kind   Kind
	Body   string // KindNamed, KindEmbedded: the named type that it is made of, a Go expression
	Embeds string // KindEmbedded: the component response that it wraps
}

// Kind says how a value of a response type is made.
type Kind uint8

// KindOther is made by hand; KindEmpty of nothing; KindNamed by converting a
// Body; KindEmbedded by converting a Body to Embeds and wrapping it.
const (
	KindOther Kind = iota
	KindEmpty
	KindNamed
	KindEmbedded
)
