package servertest

import (
	"fmt"
	"strings"
	"testing"
)

// ended is how a spy's test ends.
type ended struct{ how, why string }

// A spy is a test that tells how it ended instead of ending.
type spy struct{ testing.TB }

func (spy) Helper()                        {}
func (spy) Skipf(format string, a ...any)  { panic(ended{"skipped", fmt.Sprintf(format, a...)}) }
func (spy) Fatalf(format string, a ...any) { panic(ended{"failed", fmt.Sprintf(format, a...)}) }

// url calls URL for a test that may end there.
func url(t *testing.T, variable string) (url string, end ended) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			end = r.(ended)
		}
	}()
	return URL(spy{t}, variable), ended{}
}

func TestURL(t *testing.T) {
	tests := []struct {
		variable, value, required string
		how                       string // empty: goes on
	}{
		{Postgres, "postgres://there", "", ""},
		{Postgres, "postgres://there", "1", ""},
		{Postgres, "", "", "skipped"},
		{Postgres, "", "0", "skipped"},
		{Postgres, "", "1", "failed"},
		{MySQL, "", "1", "failed"},
		{Redis, "", "1", "failed"},
		{NATS, "", "1", "failed"},
		{MySQL8, "", "1", "skipped"},
		{RedisCluster, "", "1", "failed"},
		{"IDEMGEN_POSTGRESS", "postgres://there", "", "failed"},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s=%s,%s", test.variable, test.value, test.required), func(t *testing.T) {
			t.Setenv(test.variable, test.value)
			t.Setenv(Required, test.required)
			got, end := url(t, test.variable)
			if end.how != test.how || test.how == "" && got != test.value {
				t.Errorf("%q, %v; want %s", got, end, test.how)
			}
			if end.how != "" && !strings.HasPrefix(end.why, test.variable+" ") {
				t.Errorf("%q does not begin with the variable", end.why)
			}
		})
	}
}
