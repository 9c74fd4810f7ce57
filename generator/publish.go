package generator

import (
	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/publish"
)

// Published is a document as clients shall read it.
type Published struct {
	Spec  string // name of the document
	Files []File // the root file first, then those that it refers to; complete
}

// Publish writes the published document of every package, in the order of the
// configuration. There are none when the list has an error. Equal packages give
// equal bytes.
func Publish(packages []Opened) ([]Published, diag.List) {
	var docs []Published
	var all diag.List
	for _, pkg := range packages {
		files, errs := publish.Publish(pkg.Document, pkg.Plan)
		all = append(all, errs...)
		d := Published{Spec: pkg.Config.Spec}
		for _, f := range files {
			d.Files = append(d.Files, File{f.Name, f.Content})
		}
		docs = append(docs, d)
	}
	all.Sort()
	if all.Errors() > 0 {
		return nil, all
	}
	return docs, all
}
