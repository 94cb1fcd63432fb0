package safetensors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// entry is what the header says of a tensor.
type entry struct {
	DType   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
}

// parseHeader reads the header in the order in which it is written, which is
// lost in a map, as are names given twice.
func parseHeader(b []byte) (*File, [][2]int, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, errors.New("it is not a JSON object")
	}
	f := &File{}
	var places [][2]int
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		name, ok := t.(string)
		if !ok || seen[name] {
			return nil, nil, fmt.Errorf("the name %v occurs twice", t)
		}
		seen[name] = true
		if name == metaName {
			if err := d.Decode(&f.Meta); err != nil {
				return nil, nil, err
			}
			delete(f.Meta, sumName)
			continue
		}
		var e entry
		if err := d.Decode(&e); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		f.Tensors = append(f.Tensors, Tensor{Name: name, DType: e.DType, Shape: e.Shape})
		places = append(places, e.Offsets)
	}
	if _, err := d.Token(); err != nil {
		return nil, nil, err
	}
	if rest, err := d.Token(); err != io.EOF {
		return nil, nil, fmt.Errorf("after its end comes %v", rest)
	}
	return f, places, nil
}
