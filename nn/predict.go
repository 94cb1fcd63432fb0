package nn

import (
	"fmt"
	"slices"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
)

// inference is the model compiled for one batch size, not for training.
type inference[T Float] struct {
	batch int
	prog  *exec.Program[T]
	g     *Graph
}

// predictBatch is how many examples Predict takes at once.
const predictBatch = 256

// predictSizes is how many batch sizes stay compiled, those used last: each
// keeps the memory of a pass through the network.
const predictSizes = 4

// Predict gives the outputs for examples x, which lie one after another: of a
// classifier the logits. It is not safe for use by several goroutines at once.
func (m *Model[T]) Predict(x []T) ([]T, error) {
	in, out := size(m.input), size(m.output)
	if len(x)%in != 0 {
		return nil, fmt.Errorf("nn: predict: %d numbers are not a whole number of examples of shape %v", len(x), m.input)
	}
	n := len(x) / in
	z := make([]T, n*out)
	for at := 0; at < n; {
		k := min(predictBatch, n-at)
		p, err := m.inference(k)
		if err != nil {
			return nil, err
		}
		// Each time, as Params and Buffers may have been replaced.
		if err := m.Bind(p.g, p.prog, m.Params); err != nil {
			return nil, err
		}
		if err := p.prog.Set(p.g.X, x[at*in:(at+k)*in]); err != nil {
			return nil, err
		}
		if err := p.prog.Run(); err != nil {
			return nil, err
		}
		copy(z[at*out:], p.prog.Output(0))
		at += k
	}
	return z, nil
}

// Classify gives the class number with the largest output for each example.
func (m *Model[T]) Classify(x []T) ([]int, error) {
	if m.classes == 0 {
		return nil, fmt.Errorf("nn: classify: the model's loss, %s, has no classes", m.loss)
	}
	z, err := m.Predict(x)
	if err != nil {
		return nil, err
	}
	labels := make([]int, len(z)/m.classes)
	for i := range labels {
		row := z[i*m.classes : (i+1)*m.classes]
		for j, v := range row {
			if v > row[labels[i]] {
				labels[i] = j
			}
		}
	}
	return labels, nil
}

// inference is the program for a batch size, made unless it is there.
func (m *Model[T]) inference(batch int) (*inference[T], error) {
	for i, p := range m.eval {
		if p.batch == batch {
			copy(m.eval[1:i+1], m.eval[:i])
			m.eval[0] = p
			return p, nil
		}
	}
	g, err := m.Graph(batch, false)
	if err != nil {
		return nil, err
	}
	inputs := exec.Inputs{g.X}
	inputs = append(inputs, present(g.Buffers)...)
	prog, err := autodiff.Compile[T]([]*Node{g.Output}, inputs, exec.Params(g.Params))
	if err != nil {
		return nil, err
	}
	p := &inference[T]{batch, prog, g}
	m.eval = slices.Insert(m.eval[:min(len(m.eval), predictSizes-1)], 0, p)
	return p, nil
}

func present(nodes []*Node) []*Node {
	var out []*Node
	for _, n := range nodes {
		if n != nil {
			out = append(out, n)
		}
	}
	return out
}
