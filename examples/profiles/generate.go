package main

// The package api is generated from openapi.yaml, as idemgen.yaml says.
//
//go:generate go run github.com/idemgen/idemgen/cmd/idemgen generate
