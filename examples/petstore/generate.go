package main

// The package api is generated from openapi.yaml, as idemgen.yaml says. In a
// module of your own this line is `go tool idemgen generate`.
//
//go:generate go run github.com/idemgen/idemgen/cmd/idemgen generate
