package train

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
)

// pair is a field of a JSON object.
type pair struct {
	name  string
	value any
}

// object is a JSON object with its fields in the given order. A number that is
// not finite becomes null, as JSON has none.
func object(fields []pair) ([]byte, error) {
	b := []byte{'{'}
	for i, p := range fields {
		if v, ok := p.value.(float64); ok && (math.IsNaN(v) || math.IsInf(v, 0)) {
			p.value = nil
		}
		text, err := json.Marshal(p.value)
		if err != nil {
			return nil, fmt.Errorf("train: %s: %w", p.name, err)
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, "%q:%s", p.name, text)
	}
	return append(b, '}'), nil
}

// indented is JSON for people.
func indented(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}
