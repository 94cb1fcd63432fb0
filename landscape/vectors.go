package landscape

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/saddle-ml/saddle/internal/safetensors"
)

// Overlap is the share of the squared length of g that lies in the space of the
// pairs' eigenvectors: 1 where g is a combination of them.
func Overlap(g []float64, pairs []Eigenpair) float64 {
	all := dot(g, g)
	if all == 0 {
		return 0
	}
	sum := 0.0
	for _, p := range pairs {
		c := dot(g, p.Vector)
		sum += c * c
	}
	return min(1, sum/all)
}

// SaveVectors writes the eigenvectors of pairs to a safetensors file, as float32,
// named vector0, vector1, ..., with their values and residuals beside them.
func SaveVectors(path string, pairs []Eigenpair) error {
	f := &safetensors.File{Meta: map[string]string{}}
	for i, p := range pairs {
		x := make([]float32, len(p.Vector))
		for j, v := range p.Vector {
			x[j] = float32(v)
		}
		name := fmt.Sprintf("vector%d", i)
		f.Tensors = append(f.Tensors, safetensors.New(name, []int{len(x)}, x))
		f.Meta[name] = fmt.Sprintf("%v %v", p.Value, p.Residual)
	}
	temporary := filepath.Join(filepath.Dir(path), ".partial-"+filepath.Base(path))
	w, err := os.Create(temporary)
	if err == nil {
		_, err = f.WriteTo(w)
		if closed := w.Close(); err == nil {
			err = closed
		}
	}
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		os.Remove(temporary)
		return fmt.Errorf("landscape: writing %s: %w", path, err)
	}
	return nil
}

// LoadVectors reads what SaveVectors wrote, for vectors of n numbers.
func LoadVectors(path string, n int) ([]Eigenpair, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("landscape: %w", err)
	}
	f, err := safetensors.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("landscape: %s: %w", path, err)
	}
	var pairs []Eigenpair
	for {
		name := fmt.Sprintf("vector%d", len(pairs))
		t, ok := f.Tensor(name)
		if !ok {
			break
		}
		if len(t.Shape) != 1 || t.Shape[0] != n {
			return nil, fmt.Errorf("landscape: %s: %s has shape %v; the model has %d parameters", path, name, t.Shape, n)
		}
		p := Eigenpair{Vector: make([]float64, n)}
		if err := safetensors.Read(t, p.Vector); err != nil {
			return nil, fmt.Errorf("landscape: %s: %w", path, err)
		}
		if _, err := fmt.Sscan(f.Meta[name], &p.Value, &p.Residual); err != nil {
			return nil, fmt.Errorf("landscape: %s: %s has no value: %w", path, name, err)
		}
		pairs = append(pairs, p)
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("landscape: %s has no eigenvectors", path)
	}
	return pairs, nil
}
