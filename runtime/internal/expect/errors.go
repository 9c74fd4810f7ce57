package expect

// NoMatchError says that a write met no row of an expected version.
type NoMatchError struct{}

// Error says what to do with the error.
func (*NoMatchError) Error() string {
	return "idem: no row had an expected version: return this error from the handler, and the runtime answers 404 or 412"
}

// ExistsError says that a creation met something that exists.
type ExistsError struct{}

// Error says what to do with the error.
func (*ExistsError) Error() string {
	return "idem: the resource exists already: return this error from the handler, and the runtime answers 412"
}
