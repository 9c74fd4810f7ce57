package vectors

import (
	"slices"

	"github.com/idemgen/idemgen/generator/plan"
	"github.com/idemgen/idemgen/internal/servertest"
	"github.com/idemgen/idemgen/internal/vectors/server"
)

// Setup is a store and the way it is used.
type Setup struct {
	Store    string // a constant of package server
	Mode     string // tx or lease
	Variable string // of package servertest, names the server; empty: it needs none
	Router   string // that the packages are generated for
}

// Setups are all there are: neither memory nor Redis has transactions, and in
// lease mode the two forms of the PostgreSQL store execute the same statements.
// The routers but net/http's share one store, because a router comes before
// everything that a store has to do with.
var Setups = append([]Setup{
	{server.Memory, "lease", "", standard},
	{server.SQLite, "tx", "", standard},
	{server.SQLite, "lease", "", standard},
	{server.Postgres, "tx", servertest.Postgres, standard},
	{server.PostgresSQL, "tx", servertest.Postgres, standard},
	{server.Postgres, "lease", servertest.Postgres, standard},
	{server.MySQL, "tx", servertest.MySQL, standard},
	{server.MySQL, "lease", servertest.MySQL, standard},
	{server.Redis, "lease", servertest.Redis, standard},
}, routed()...)

// standard is net/http's router.
const standard = "std"

func routed() (setups []Setup) {
	for _, router := range plan.RouterNames() {
		if router != standard {
			setups = append(setups, Setup{server.SQLite, "tx", "", router})
		}
	}
	return setups
}

// String is the name of the setup's tests.
func (s Setup) String() string {
	if s.Router != standard {
		return s.Store + "-" + s.Mode + "-" + s.Router
	}
	return s.Store + "-" + s.Mode
}

// Runs reports whether a vector is one for this setup's mode.
func (s Setup) Runs(v *Vector) bool { return len(v.Modes) == 0 || slices.Contains(v.Modes, s.Mode) }

// Lacks names an ability that a vector needs and this harness or the store does
// not have; empty: none.
func (s Setup) Lacks(v *Vector) string {
	for _, need := range v.needs() {
		switch need {
		case "appliedMarker", "clock", "equalRepresentation", "gate", "operator", "parallel", "storeFault", "sweep":
		case "kill", "sharedStore":
			if s.Store == server.Memory {
				return need + " (the memory store lives and dies with one process)"
			}
		case "writers":
			if s.Store == server.SQLite && s.Mode == "tx" {
				return need + " (a file has one writer at a time: a transaction keeps all others waiting)"
			}
		default:
			return need
		}
	}
	return ""
}
