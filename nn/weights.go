package nn

import (
	"fmt"
	"io"
	"slices"

	"github.com/saddle-ml/saddle/internal/safetensors"
)

// Save writes the parameters and buffers, by name, in the safetensors format,
// with notes beside them (nil for none). The same values give the same bytes.
func (m *Model[T]) Save(w io.Writer, notes map[string]string) error {
	f := &safetensors.File{Meta: notes}
	for _, p := range m.Parameters() {
		f.Tensors = append(f.Tensors, safetensors.New(p.Name, p.Shape, m.Params[p.Offset:p.Offset+p.Size()]))
	}
	for _, p := range m.BufferList() {
		f.Tensors = append(f.Tensors, safetensors.New(p.Name, p.Shape, m.Buffers[p.Offset:p.Offset+p.Size()]))
	}
	if _, err := f.WriteTo(w); err != nil {
		return fmt.Errorf("nn: save: %w", err)
	}
	return nil
}

// Load sets the parameters and buffers to those that Save wrote, of a model
// with the same names and shapes in either precision, and returns the notes.
// After an error the model is as before.
func (m *Model[T]) Load(r io.Reader) (notes map[string]string, err error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("nn: load: %w", err)
	}
	f, err := safetensors.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("nn: load: %w", err)
	}
	params, buffers := make([]T, len(m.Params)), make([]T, len(m.Buffers))
	known := map[string]bool{}
	take := func(list []Param, dst []T) error {
		for _, p := range list {
			known[p.Name] = true
			t, ok := f.Tensor(p.Name)
			if !ok {
				return fmt.Errorf("nn: load: the file has no %s, which the model has with shape %v", p.Name, p.Shape)
			}
			if !slices.Equal(t.Shape, p.Shape) {
				return fmt.Errorf("nn: load: %s has shape %v in the file, the model's has %v", p.Name, t.Shape, p.Shape)
			}
			if err := safetensors.Read(t, dst[p.Offset:p.Offset+p.Size()]); err != nil {
				return fmt.Errorf("nn: load: %w", err)
			}
		}
		return nil
	}
	if err := take(m.Parameters(), params); err != nil {
		return nil, err
	}
	if err := take(m.BufferList(), buffers); err != nil {
		return nil, err
	}
	for _, t := range f.Tensors {
		if !known[t.Name] {
			return nil, fmt.Errorf("nn: load: the file has %s of shape %v, which the model does not have", t.Name, t.Shape)
		}
	}
	copy(m.Params, params)
	copy(m.Buffers, buffers)
	return f.Meta, nil
}
