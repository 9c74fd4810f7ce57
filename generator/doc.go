// Package generator turns annotated OpenAPI documents into Go packages, in
// stages with plain data between them.
//
// source reads the document and the local files that it refers to into nodes
// that know their place; it is the only stage that sees OpenAPI text.
//
// policy decodes x-idempotency and x-etag into typed values, merged from the
// root of the document down to the operation, each with the line that set it.
//
// plan resolves everything: operations and resources in order, the final Go
// names, router patterns, and the rules that look at more than one operation.
// It prints as JSON. Whether Go and the router take the names and paths is asked
// for when a package is to be generated, and by lint; see [Open] and [Look].
//
// goapi has oapi-codegen write models, routing, decoding and the strict server
// from a view of the document without the fields that the runtime handles, and
// reads the signatures that it chose.
//
// wiring prints the typed glue: the Service interface, the sealed results, one
// policy literal per operation and NewHandler.
//
// publish writes the document for clients: the source, with what the policies
// mean on the wire inserted into its text.
//
// scaffold fills in the files that a project starts with and then owns.
//
// lint judges what the first three stages made of a document; see [Lint].
//
// The first three stages collect what is wrong and report it together, sorted;
// nothing is emitted when there is an error. The package does not touch the
// disk: it is given a function that reads, and returns files.
package generator
