package wiring

import (
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/idemgen/idemgen/generator/plan"
)

// adapter writes the methods that oapi-codegen calls, each passing to Service.
func (w *writer) adapter() {
	f := w.file
	f.Comment("// strictAdapter gives Service the shape that oapi-codegen calls.")
	f.Type().Id("strictAdapter").Struct(jen.Id("service").Id("Service"))
	f.Line()
	for _, o := range w.operations {
		args := []jen.Code{jen.Id("ctx"), jen.Id("req")}
		if o.expects() {
			args = append(args, jen.Qual(runtimePath, "Expect"+plan.ExpectType(o.Precondition.Expect)).Call(jen.Id("ctx"), jen.Id(o.resource.Codec)))
		}
		answer := jen.Qual(runtimePath, "Answer")
		if o.Precondition != nil {
			answer.Types(jen.Id(o.Name + "ResponseObject"))
		}
		called := jen.Id("a").Dot("service").Dot(o.Name).Call(args...)
		if o.swapped != nil {
			called = jen.Add(w.swap(&o))
		}
		f.Func().Params(jen.Id("a").Id("strictAdapter")).Id(o.Name).
			Params(ctx(), jen.Id("req").Id(o.Name+"RequestObject")).
			Params(jen.Id(o.Name+"ResponseObject"), jen.Error()).
			Block(jen.Return(answer.Call(called)))
		f.Line()
	}
}

// decorator writes the methods of annotated operations, which pass through the
// runtime; the others are promoted from oapi-codegen's handler.
func (w *writer) decorator() {
	if !w.annotated() {
		return
	}
	f := w.file
	f.Comment("// decorator takes annotated operations through the runtime.")
	f.Type().Id("decorator").Struct(
		jen.Id("ServerInterface"),
		jen.Id("handler").Op("*").Qual(runtimePath, "Handler"),
		jen.Id("service").Id("Service"),
	)
	f.Line()
	for i := range w.operations {
		if o := &w.operations[i]; o.Annotated() {
			w.decorated(o)
		}
	}
}

func (w *writer) annotated() bool {
	return slices.ContainsFunc(w.operations, func(o operation) bool { return o.Annotated() })
}

func (w *writer) decorated(o *operation) {
	writerAndRequest := []jen.Code{
		jen.Id("w").Qual("net/http", "ResponseWriter"),
		jen.Id("r").Op("*").Qual("net/http", "Request"),
	}
	params := slices.Clone(writerAndRequest)
	args := []jen.Code{jen.Id("w"), jen.Id("r")}
	var key []jen.Code
	for i, p := range o.params {
		name := variable(p.Name)
		params = append(params, jen.Id(name).Add(w.goType(p.Type)))
		args = append(args, jen.Id(name))
		if o.resource != nil && i < len(o.PathParams) && isKey(o.resource, o.PathParams[i].Name) {
			key = append(key, jen.Id(o.PathParams[i].Field).Op(":").Id(name))
		}
	}
	current := jen.Nil()
	if o.Precondition != nil && o.Precondition.Keyed && !o.resource.Hashed {
		current = jen.Id("d").Dot(o.resource.Wrapper).Call(jen.Id(o.resource.KeyType).Values(key...))
	}
	next := jen.Id("d").Dot("ServerInterface").Dot(o.Name)
	if len(o.params) > 0 {
		next = jen.Func().Params(writerAndRequest...).Block(next.Call(args...))
	}
	w.file.Func().Params(jen.Id("d").Id("decorator")).Id(o.Name).Params(params...).Block(
		jen.Id("d").Dot("handler").Dot("Serve").Call(jen.Id("w"), jen.Id("r"), jen.Op("&").Id(policyVar(o.Operation)), current, next),
	)
	w.file.Line()
}

// variable keeps a parameter from hiding what the method uses.
func variable(name string) string {
	if slices.Contains([]string{"d", "w", "r", "http", "idem", "nil"}, name) {
		return name + "Param"
	}
	return name
}

// handler writes NewHandler.
func (w *writer) handler() {
	f := w.file
	var ops literal
	for i := range w.operations {
		name := policyVar(w.operations[i].Operation)
		ops.item(jen.Op("&").Id(name), name)
	}
	served := jen.Id("strict")
	if w.annotated() {
		served = jen.Id("decorator").Values(jen.Id("strict"), jen.Id("h"), jen.Id("service"))
	}
	strictOptions := multi(
		jen.Id("RequestErrorHandlerFunc").Op(":").Id("h").Dot("RequestError"),
		jen.Id("ResponseErrorHandlerFunc").Op(":").Id("h").Dot("ResponseError"),
	)
	body := []jen.Code{
		jen.List(jen.Id("h"), jen.Err()).Op(":=").Qual(runtimePath, "NewHandler").Call(
			jen.Index().Op("*").Qual(runtimePath, "Operation").Add(ops.block()), jen.Id("options").Op("...")),
		jen.If(jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Nil(), jen.Err())),
		jen.Id("strict").Op(":=").Id("NewStrictHandlerWithOptions").Call(
			jen.Id("strictAdapter").Values(jen.Id("service")), jen.Nil(), jen.Id("StrictHTTPServerOptions").Add(strictOptions)),
	}
	f.Comment("// NewHandler serves service. It fails when the options do not fit the policies.")
	f.Func().Id("NewHandler").Params(jen.Id("service").Id("Service"), jen.Id("options").Op("...").Qual(runtimePath, "Option")).
		Params(jen.Qual("net/http", "Handler"), jen.Error()).Block(append(body, w.routed(served)...)...)
}

// multi puts each element of a list into a line of its own.
func multi(list ...jen.Code) jen.Code {
	return jen.Custom(jen.Options{Open: "{", Close: "}", Separator: ",", Multi: true}, list...)
}
