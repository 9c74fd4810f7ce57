package wiring

import "github.com/dave/jennifer/jen"

// other is what differs between the routers that are not net/http's.
type other struct {
	open    []jen.Code // makes the variable router, which calls unknown for what it does not know
	declare []jen.Code // members of idem.Other
}

var others = map[string]other{
	"chi": {
		open: []jen.Code{
			jen.Id("router").Op(":=").Qual(chiPath, "NewRouter").Call(),
			jen.Id("router").Dot("NotFound").Call(unknown()),
			jen.Id("router").Dot("MethodNotAllowed").Call(unknown()),
		},
		declare: []jen.Code{
			jen.Id("Handle").Op(":").Id("router").Dot("Method"),
			jen.Id("State").Op(":").Qual(chiPath, "RouteCtxKey"),
		},
	},
	"gorilla": {
		open: []jen.Code{
			// Unless told otherwise it redirects, by a status that makes a GET of a
			// POST, and takes %2F for a slash.
			jen.Id("router").Op(":=").Qual(muxPath, "NewRouter").Call().Dot("SkipClean").Call(jen.True()).Dot("UseEncodedPath").Call(),
			jen.Id("router").Dot("NotFoundHandler").Op("=").Qual("net/http", "HandlerFunc").Call(unknown()),
			jen.Id("router").Dot("MethodNotAllowedHandler").Op("=").Id("router").Dot("NotFoundHandler"),
		},
		declare: []jen.Code{
			jen.Id("Handle").Op(":").Func().Params(jen.List(jen.Id("method"), jen.Id("path")).String(), jen.Id("handler").Qual("net/http", "Handler")).Block(
				jen.Id("router").Dot("Handle").Call(jen.Id("path"), jen.Id("handler")).Dot("Methods").Call(jen.Id("method")),
			),
			jen.Id("Escaped").Op(":").Qual(muxPath, "Vars"),
		},
	},
}

const (
	chiPath = "github.com/go-chi/chi/v5"
	muxPath = "github.com/gorilla/mux"
)

func unknown() *jen.Statement { return jen.Id("h").Dot("Router").Call().Dot("Unknown") }

// routed writes the end of NewHandler: served is registered with the router.
func (w *writer) routed(served jen.Code) []jen.Code {
	router, found := others[w.api.Router]
	if !found { // net/http's
		return []jen.Code{jen.Return(jen.Id("HandlerWithOptions").Call(served, jen.Id("StdHTTPServerOptions").Add(multi(
			jen.Id("BaseURL").Op(":").Id("h").Dot("BaseURL").Call(),
			jen.Id("BaseRouter").Op(":").Id("h").Dot("Router").Call(),
			jen.Id("ErrorHandlerFunc").Op(":").Id("h").Dot("ParameterError"),
		))), jen.Nil())}
	}
	declared := append([]jen.Code{jen.Id("Router").Op(":").Id("router")}, router.declare...)
	args := []jen.Code{jen.Qual(runtimePath, "Other").Add(multi(declared...))}
	for _, o := range w.api.Registered() {
		args = append(args, jen.Qual(runtimePath, "Route").Values(
			jen.Id("Operation").Op(":").Op("&").Id(policyVar(o)), jen.Id("Serve").Op(":").Id("wrapper").Dot(o.Name)))
	}
	code := []jen.Code{
		jen.Id("wrapper").Op(":=").Op("&").Id("ServerInterfaceWrapper").Values(
			jen.Id("Handler").Op(":").Add(served), jen.Id("ErrorHandlerFunc").Op(":").Id("h").Dot("ParameterError")),
	}
	if len(w.api.Operations) == 0 { // webhooks only
		code = append(code, jen.Id("_").Op("=").Id("wrapper"))
	}
	code = append(code, router.open...)
	return append(code, jen.Return(jen.Id("h").Dot("Router").Call().Dot("On").Custom(
		jen.Options{Open: "(", Close: ")", Separator: ",", Multi: true}, args...), jen.Nil()))
}
