package plan

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/gorilla/mux"
)

// Router is a router that packages can be generated for.
type Router struct {
	Name  string // in idemgen.yaml
	Title string // in messages
	// Means are the characters that mean something else to it than themselves, so
	// that no path can have them.
	Means string
	// path writes a path template as the router wants it.
	path func(template string) string
	// open makes one that can be tried out, which is how the plan learns what it
	// cannot route: each has rules of its own, and says them by panicking or not
	// at all.
	open func() trial
}

// trial is a router that routes are registered with to see what becomes of them.
type trial struct {
	http.Handler
	handle func(method, path string, handler http.Handler)
	param  func(r *http.Request, name string) string
}

// Routers are all that are offered, the default first.
var Routers = []Router{
	{Name: "std", Title: "net/http", path: stdPath, open: func() trial {
		m := http.NewServeMux()
		return trial{
			m,
			func(method, path string, h http.Handler) { m.Handle(method+" "+path, h) },
			func(r *http.Request, name string) string { return r.PathValue(wildcard(name)) },
		}
	}},
	{Name: "chi", Title: "chi", Means: "*", path: namedPath, open: func() trial {
		m := chi.NewRouter()
		return trial{m, m.Method, chi.URLParam}
	}},
	{Name: "gorilla", Title: "gorilla/mux", path: escapedPath, open: func() trial {
		m := mux.NewRouter().SkipClean(true).UseEncodedPath()
		return trial{
			m,
			func(method, path string, h http.Handler) { m.Handle(path, h).Methods(method) },
			func(r *http.Request, name string) string {
				plain, _ := url.PathUnescape(mux.Vars(r)[name]) // "" is not what was sent
				return plain
			},
		}
	}},
}

// RouterNames are the names of all routers that are offered.
func RouterNames() []string {
	var names []string
	for _, r := range Routers {
		names = append(names, r.Name)
	}
	return names
}

// router returns the router of a name: the default for one that is not offered,
// which the configuration does not let through.
func router(name string) *Router {
	for i := range Routers {
		if Routers[i].Name == name {
			return &Routers[i]
		}
	}
	return &Routers[0]
}

// pattern returns what an operation is registered as.
func (r *Router) pattern(method, template string) string { return method + " " + r.path(template) }

// stdPath is the path for http.ServeMux. An OpenAPI path with a trailing slash
// means exactly that path, hence {$}.
func stdPath(template string) string {
	path := templateParam.ReplaceAllStringFunc(template, func(param string) string {
		return "{" + wildcard(templateParam.FindStringSubmatch(param)[1]) + "}"
	})
	if strings.HasSuffix(path, "/") {
		path += "{$}"
	}
	return path
}

// namedPath is the path for a router whose parameters may have any name.
func namedPath(template string) string { return templateParam.ReplaceAllString(template, "{$1}") }

// escapedPath is the path for a router that looks at what clients write.
func escapedPath(template string) string {
	var b strings.Builder
	literal := func(text string) {
		u := url.URL{Path: text, RawPath: text}
		if plain, err := url.PathUnescape(text); err == nil {
			u.Path = plain
		}
		b.WriteString(u.EscapedPath()) // as it is, unless no client may write it so
	}
	end := 0
	for _, at := range templateParam.FindAllStringIndex(template, -1) {
		literal(template[end:at[0]])
		b.WriteString(namedPath(template[at[0]:at[1]]))
		end = at[1]
	}
	literal(template[end:])
	return b.String()
}
