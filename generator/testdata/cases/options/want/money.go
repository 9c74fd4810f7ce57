package options

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Money is what no generator writes: cents, sent as "1.50".
type Money struct{ Cents int64 }

func (m Money) MarshalJSON() ([]byte, error) {
	return json.Marshal(fmt.Sprintf("%d.%02d", m.Cents/100, m.Cents%100))
}

func (m *Money) UnmarshalJSON(text []byte) (err error) {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	m.Cents, err = strconv.ParseInt(strings.Replace(s, ".", "", 1), 10, 64)
	return err
}
