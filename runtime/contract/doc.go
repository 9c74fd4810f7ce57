// Package contract holds an implementation to what its API promises about
// conditional requests (RFC 9110 §13): no update is lost, a tag means the same
// everywhere, and a refused request changes nothing. Types prove that a handler
// has received the expectation of a write; only a test proves that its SQL uses
// it.
//
// idemgen writes a package idemtest beside the API when output.contract-test is
// set: a function RunX for each resource X, which calls [Run] with what the
// document says. A test of the implementation brings what only it knows:
//
//	func TestPets(t *testing.T) {
//		idemtest.RunPet(t, newServer, contract.Seeds{
//			Auth:   func(r *http.Request) { r.Header.Set("X-Api-Key", "test") },
//			Create: createPet,
//		}, idemtest.PetBodies{
//			ReplacePet: func(n int) contract.Body { return contract.JSON(api.PetInput{Name: fmt.Sprint("Tom ", n)}) },
//		})
//	}
//
// The server is served without the runtime's early comparison
// ([idem.WithoutPrecheck]), so that the handlers' own comparison is what is
// tested, over HTTP on a loopback address. Every rule has a server of its own.
package contract
