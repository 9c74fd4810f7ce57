package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/propose"
	"github.com/idemgen/idemgen/generator/source"
)

// proposeOverlay writes an overlay for a document that belongs to somebody else.
func proposeOverlay(cmd *cobra.Command, spec, output string) error {
	spec = filepath.ToSlash(spec)
	if spec == "-" {
		spec = stdinName
	}
	d := newDisk(cmd.InOrStdin())
	doc, errs := source.Load(spec, d.read)
	var policies *policy.Document
	if doc != nil {
		var more diag.List
		policies, more = policy.Read(doc)
		errs = append(errs, more...)
	}
	errs.Sort()
	if err := report(cmd, errs, d); err != nil {
		return err
	}
	proposals := propose.Propose(doc, policies)
	content := proposals.Overlay()
	if content == nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: no operation to annotate\n", spec)
		return nil
	}
	if output == "" || output == "-" {
		_, err := cmd.OutOrStdout().Write(content)
		return err
	}
	output = filepath.ToSlash(output)
	changes, err := compare([]generator.File{{Name: output, Content: content}})
	if err != nil {
		return err
	}
	if !changes[0].missing {
		return fmt.Errorf("%s exists and is not overwritten: %w", output, os.ErrExist)
	}
	if _, err := write(changes); err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "wrote  %s, %s\n", output, count(len(proposals.List), "proposal"))
	return nil
}
