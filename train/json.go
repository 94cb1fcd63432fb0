package train

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// pair is a field of a JSON object.
type pair struct {
	name  string
	value any
}

// object is a JSON object with its fields in the given order. A number that is
// not finite becomes null, as JSON has none.
func object(fields []pair) ([]byte, error) { return appendObject(nil, fields) }

func appendObject(b []byte, fields []pair) ([]byte, error) {
	b = append(b, '{')
	for i, p := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := json.Marshal(p.name)
		if err != nil {
			return nil, fmt.Errorf("train: %s: %w", p.name, err)
		}
		b = append(append(b, name...), ':')
		switch v := p.value.(type) { // the numbers of every step, without a detour
		case float64:
			b = appendNumber(b, v)
		case int:
			b = strconv.AppendInt(b, int64(v), 10)
		case int64:
			b = strconv.AppendInt(b, v, 10)
		default:
			text, err := json.Marshal(p.value)
			if err != nil {
				return nil, fmt.Errorf("train: %s: %w", p.name, err)
			}
			b = append(b, text...)
		}
	}
	return append(b, '}'), nil
}

func appendNumber(b []byte, v float64) []byte {
	if !finite(v) {
		return append(b, "null"...)
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
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
