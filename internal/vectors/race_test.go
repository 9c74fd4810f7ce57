//go:build race

package vectors

func init() { race = true }
