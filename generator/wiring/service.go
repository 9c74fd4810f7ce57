package wiring

import (
	"strings"
	"unicode"

	"github.com/dave/jennifer/jen"

	"github.com/idemgen/idemgen/generator/plan"
)

// service writes the interface that the user implements, and before it those that
// it consists of.
func (w *writer) service() {
	var all []jen.Code
	for _, p := range w.api.Parts {
		methods := w.methods(p.Name)
		if len(methods) == 0 {
			continue
		}
		w.comment(p.Name + " is the part of Service with the operations of tag " + printable(p.Tag) + ".")
		w.file.Type().Id(p.Name).Interface(methods...)
		w.file.Line()
		all = append(all, jen.Id(p.Name))
	}
	about := "// Service is what you implement: one method per operation."
	if len(all) > 0 {
		about = "// Service is what you implement: one interface per tag, in one type or several."
	}
	w.file.Comment(about)
	w.file.Type().Id("Service").Interface(append(all, w.methods("")...)...)
	w.file.Line()
}

// methods are those of a part of Service; the empty name is that of what it has itself.
func (w *writer) methods(part string) []jen.Code {
	var methods []jen.Code
	for _, o := range w.operations {
		if o.Part != part {
			continue
		}
		if o.swapped != nil {
			methods = append(methods, w.mutate(&o)...)
			continue
		}
		methods = append(methods, comment(describe(&o))...)
		if o.Deprecated {
			methods = append(methods, comment("")...)
			methods = append(methods, comment("Deprecated: the API says so.")...)
		}
		methods = append(methods, jen.Id(o.Name).Params(o.arguments()...).Params(jen.Id(o.result()), jen.Error()))
	}
	separated := false
	for i := range w.api.Resources {
		r := &w.api.Resources[i]
		if !r.Keyed || r.Hashed || r.Part != part {
			continue
		}
		if !separated && len(methods) > 0 {
			methods = append(methods, jen.Line())
			separated = true
		}
		methods = append(methods, comment(r.Current+" returns the version of "+article(r.Name)+" as it is now.")...)
		methods = append(methods, jen.Id(r.Current).Params(ctx(), jen.Id("key").Id(r.KeyType)).
			Params(jen.Qual(etagPath, "Current").Types(jen.Id(r.Version)), jen.Error()))
		if w.states[r.Name] != "" {
			methods = append(methods, w.loadAndStore(r)...)
		}
	}
	return methods
}

func ctx() *jen.Statement { return jen.Id("ctx").Qual("context", "Context") }

// arguments are the parameters of the Service method.
func (o *operation) arguments() []jen.Code {
	args := []jen.Code{ctx(), jen.Id("req").Id(o.Name + "RequestObject")}
	if o.expects() {
		args = append(args, jen.Id("expect").Qual(etagPath, plan.ExpectType(o.Precondition.Expect)).Types(jen.Id(o.resource.Version)))
	}
	return args
}

// expects reports whether the handler gets the precondition as an argument.
func (o *operation) expects() bool { return o.Precondition != nil && o.Precondition.Expect != "" }

// result is the type that the Service method returns.
func (o *operation) result() string {
	if o.Precondition != nil {
		return o.Name + "Result"
	}
	return o.Name + "ResponseObject"
}

// describe is the comment of the Service method.
func describe(o *operation) string {
	text := o.Name + " handles " + o.Method + " " + o.Path
	if summary := strings.TrimRight(strings.TrimSpace(printable(o.Summary)), "."); summary != "" {
		text += ": " + summary
	}
	return text + "."
}

// printable is an author's text on one line.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// width is where comments wrap, without their indentation.
const width = 80

// comment returns text as line comments, wrapped between words.
func comment(text string) []jen.Code {
	var lines []jen.Code
	line := "//"
	for word := range strings.FieldsSeq(text) {
		if len(line) > 2 && len(line)+1+len(word) > width {
			lines = append(lines, jen.Comment(line))
			line = "//"
		}
		line += " " + word
	}
	return append(lines, jen.Comment(line))
}

// comment writes text as line comments above a declaration.
func (w *writer) comment(text string) {
	for _, line := range comment(text) {
		w.file.Add(line)
	}
}

// article returns a name with its indefinite article.
func article(name string) string {
	if strings.ContainsAny(name[:1], "AEIO") {
		return "an " + name
	}
	return "a " + name
}

// resource writes the types of a resource.
func (w *writer) resource(r *plan.Resource) {
	if r.Hashed {
		return
	}
	f := w.file
	w.comment(r.Version + " is the version of " + article(r.Name) + "; its ETag is made of it.")
	f.Type().Id(r.Version).Add(underlying[r.Type])
	f.Line()
	codec := jen.Qual(etagPath, codecs[r.Type])
	if r.Type == "timestamp" {
		codec.Call(conversion(jen.Qual("time", "Time"), jen.Id(r.Version)), conversion(jen.Id(r.Version), jen.Qual("time", "Time")))
	} else {
		codec.Types(jen.Id(r.Version)).Call()
	}
	f.Var().Id(r.Codec).Op("=").Add(codec)
	f.Line()
	if !r.Keyed {
		return
	}
	var fields []jen.Code
	for _, k := range r.Key {
		fields = append(fields, jen.Id(k.Field).Add(w.goType(w.keys[r.Name][k.Name])))
	}
	w.comment(r.KeyType + " identifies " + article(r.Name) + ".")
	f.Type().Id(r.KeyType).Id("struct").Add(jen.Custom(jen.Options{Open: "{", Close: "}", Separator: ";"}, fields...))
	f.Line()
	f.Func().Params(jen.Id("d").Id("decorator")).Id(r.Wrapper).Params(jen.Id("key").Id(r.KeyType)).Qual(runtimePath, "Current").Block(
		jen.Return(jen.Qual(runtimePath, "CurrentOf").Call(jen.Id(r.Codec),
			jen.Func().Params(ctx()).Params(jen.Qual(etagPath, "Current").Types(jen.Id(r.Version)), jen.Error()).Block(
				jen.Return(jen.Id("d").Dot("service").Dot(r.Current).Call(jen.Id("ctx"), jen.Id("key"))),
			))),
	)
	f.Line()
}

// oneLine is a block on one line.
func oneLine(statement jen.Code) jen.Code {
	return jen.Custom(jen.Options{Open: "{", Close: "}", Separator: ";"}, statement)
}

// conversion is a function from one type to another with the same underlying
// type.
func conversion(from, to *jen.Statement) jen.Code {
	return jen.Func().Params(jen.Id("v").Add(from)).Add(to).Add(oneLine(jen.Return(jen.Add(to).Call(jen.Id("v")))))
}

// underlying is the Go type of a version by the annotation's type.
var underlying = map[string]jen.Code{
	"int64":  jen.Int64(),
	"string": jen.String(),
	"uuid":   jen.Index(jen.Lit(16)).Byte(),

	"timestamp": jen.Qual("time", "Time"),
}

// codecs is the function of package etag that makes tags of a version.
var codecs = map[string]string{"int64": "Int64", "string": "String", "uuid": "UUID", "timestamp": "Timestamp"}
