package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/idemgen/idemgen/generator/diag"
)

// addColor adds the flag that every command has.
func addColor(root *cobra.Command) {
	root.PersistentFlags().String("color", "auto", "colour findings: always, never, or auto: on a terminal, unless NO_COLOR is set")
}

func colorFlag(cmd *cobra.Command) string { return cmd.Flag("color").Value.String() }

// printFindings writes findings with excerpts of what disk has read, in colour where
// that is wanted.
func printFindings(cmd *cobra.Command, w io.Writer, list diag.List, d *disk) error {
	mode := colorFlag(cmd)
	if mode == "always" || mode == "auto" && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(w) {
		return diag.PrintColored(w, list, d.source)
	}
	return diag.Print(w, list, d.source)
}

// isTerminal reports whether somebody may be looking.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
