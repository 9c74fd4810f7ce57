package wiring

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/idemgen/idemgen/generator/goapi"
	"github.com/idemgen/idemgen/generator/plan"
)

// results writes the sealed result of an operation with x-etag: other statuses
// are oapi-codegen's types, a 2xx comes from a constructor that needs the
// version.
func (w *writer) results(o *operation) {
	if o.Precondition == nil {
		return
	}
	f := w.file
	seal := plan.Unexported(o.Name) + "Result"
	success := plan.Unexported(o.Name) + "2XX"
	var made []string
	for _, r := range o.responses {
		if r.constructor != "" {
			made = append(made, r.constructor)
		}
	}
	text := o.result() + " answers " + o.Name + "."
	if len(made) > 0 {
		text = o.result() + " answers " + o.Name + "; a 2xx is made by " + strings.Join(made, " or ") + "."
	}
	w.comment(text)
	f.Type().Id(o.result()).Interface(jen.Id(o.Name+"ResponseObject"), jen.Id(seal).Params())
	f.Line()
	if len(made) > 0 {
		writer := jen.Id("w").Qual("net/http", "ResponseWriter")
		f.Type().Id(success).Func().Params(jen.Qual("net/http", "ResponseWriter")).Error()
		f.Line()
		f.Func().Params(jen.Id("visit").Id(success)).Id("Visit" + o.Name + "Response").Params(writer).Error().
			Add(oneLine(jen.Return(jen.Id("visit").Call(jen.Id("w")))))
		f.Func().Params(jen.Id(success)).Id(seal).Params().Block()
	}
	for _, r := range o.responses {
		if r.constructor == "" {
			f.Func().Params(jen.Id(r.Type)).Id(seal).Params().Block()
		}
	}
	f.Line()
	for _, r := range o.responses {
		if r.constructor != "" {
			w.constructor(o, &r, success)
		}
	}
}

// constructor writes the function that makes a 2xx of an operation.
func (w *writer) constructor(o *operation, r *response, success string) {
	var params []jen.Code
	var versioned *jen.Statement
	text := r.constructor + " answers with the version of what body shows."
	if o.expects() {
		params = append(params, jen.Id("applied").Qual(etagPath, "Applied").Types(jen.Id(o.resource.Version)))
		versioned = jen.Qual(runtimePath, "Witnessed").Call(jen.Id("applied"))
		text = r.constructor + " answers with the version that the write gave."
		if o.Precondition.Role == "delete" {
			text = r.constructor + " answers a delete that met the precondition."
		}
	} else {
		if o.resource.Hashed {
			versioned = jen.Qual(runtimePath, "Hashed").Call()
			text = r.constructor + " answers with the hash of what is sent."
		} else {
			params = append(params, jen.Id("version").Id(o.resource.Version))
			versioned = jen.Qual(runtimePath, "Version").Call(jen.Id(o.resource.Codec), jen.Id("version"))
		}
		if o.resource.Dated && o.Precondition.Role == "read" {
			params = append(params, jen.Id("modified").Qual("time", "Time"))
			versioned.Dot("ModifiedAt").Call(jen.Id("modified"))
			text = r.constructor + " answers with version and date of what body shows."
		}
		if r.Kind == goapi.KindEmpty {
			text = r.constructor + " answers with the version and no body."
		}
	}
	var value jen.Code
	switch r.Kind {
	case goapi.KindEmpty:
		value = jen.Id(r.Type).Values()
	case goapi.KindNamed:
		params = append(params, jen.Id("body").Add(w.goType(r.Body)))
		value = jen.Id(r.Type).Call(jen.Id("body"))
	case goapi.KindEmbedded:
		params = append(params, jen.Id("body").Add(w.goType(r.Body)))
		value = jen.Id(r.Type).Values(jen.Id(r.Embeds).Call(jen.Id("body")))
	default:
		params = append(params, jen.Id("response").Id(r.Type))
		value = jen.Id("response")
		text = strings.Replace(text, "what body shows", "what response shows", 1)
	}
	w.comment(text)
	visit := jen.Add(value).Dot("Visit" + o.Name + "Response")
	w.file.Func().Id(r.constructor).Params(params...).Id(o.result()).Block(
		jen.Return(jen.Id(success).Call(versioned.Dot("With").Call(visit))),
	)
	w.file.Line()
}
