package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// JSON returns the API as indented JSON with a final newline. Equal APIs print
// equal bytes.
func (a *API) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(a); err != nil {
		return nil, fmt.Errorf("print the plan: %w", err)
	}
	return b.Bytes(), nil
}
