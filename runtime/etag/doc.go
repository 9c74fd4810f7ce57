// Package etag parses, compares and evaluates entity tags and preconditions as
// RFC 9110 §8.8.3 and §13 say. It is pure: no I/O, and no allocation
// for a request with up to five tags.
//
// The typed expectations that generated code hands to a service, such as
// [Match], are here too.
package etag
