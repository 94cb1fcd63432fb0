package train

import (
	"context"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/autodiff/ops"
	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// recurrent is a small recurrent net that reads the five numbers of an example
// one after another. It gives its last state, or all of them.
type recurrent struct{ mark, all bool }

func (r recurrent) Apply(s *nn.Scope, x *nn.Node) *nn.Node {
	const units = 3
	in, hidden := s.Param("in", nn.Normal{Std: 0.7}, 1, units), s.Param("hidden", nn.Normal{Std: 0.7}, units, units)
	var h *nn.Node
	var states []*nn.Node
	for t := range 5 {
		z := s.MatMul(s.Slice(x, ops.Range{}, ops.Range{Start: t, Stop: t + 1}), in)
		if h != nil {
			z = s.Add(z, s.MatMul(h, hidden))
		}
		if h = s.Tanh(z); r.mark {
			h = s.Hidden(h)
		}
		states = append(states, h)
	}
	if r.all {
		return s.Concat(1, states...)
	}
	return h
}

// The matrix is J'J over the examples, J the Jacobian of all states: the
// Gauss-Newton matrix of a net with the states for output and a squared error,
// but for the error's factor. Parts of a sample make the whole.
func TestStructuralDampingIsTheChangeOfStates(t *testing.T) {
	m, d := small[float64](t, recurrent{mark: true}, nn.Dense{Units: 3})
	states, err := nn.Build[float64](recurrent{all: true}, nn.MeanSquaredError{}, []int{5}, 1)
	if err != nil {
		t.Fatal(err)
	}
	shared := len(states.Params)
	copy(states.Params, m.Params[:shared])
	const n, outputs = 20, 15
	b := batch[float64](t, d, 0, n)
	v := direction(len(m.Params), 5)
	other, err := ProblemOf(states, data.Batch[float64]{N: n, X: b.X, Y: make([]float64, n*outputs)})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Linearize(states.Params); err != nil {
		t.Fatal(err)
	}
	want := make([]float64, len(m.Params))
	if err := other.GaussNewtonMul(want[:shared], v[:shared]); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		want[i] *= outputs / 2.0
	}
	for _, part := range []int{n, 7, 1} {
		s := &sample[float64]{programs: newPrograms(m)}
		s.programs.part = part
		s.hold(b.X, b.Y, n)
		if err := s.Linearize(m.Params); err != nil {
			t.Fatal(err)
		}
		got := make([]float64, len(v))
		if err := s.StructuralMul(got, v); err != nil {
			t.Fatal(err)
		}
		if e := far(got, want); e > 1e-13 {
			t.Errorf("parts of %d: differs by %.2g of the largest element", part, e)
		}
	}
}

// HF with structural damping changes the states less in its first step, and
// learns; a network without states says that it has none.
func TestStructuralDampingThroughTraining(t *testing.T) {
	changes := map[string]float64{}
	for _, spec := range []string{"hf:curvature=100,damping=0.1", "hf:curvature=100,damping=0.1,structural=30"} {
		m, d := small[float64](t, recurrent{mark: true}, nn.Dense{Units: 3})
		before := append([]float64{}, m.Params...)
		s, err := ProblemOf(m, batch[float64](t, d, 0, d.Len()))
		if err != nil {
			t.Fatal(err)
		}
		c := Config{Epochs: 15, Batch: 100, Optimizer: parse(t, spec), Test: d, Observers: []Observer{ObserverFunc(func(e Event) error {
			if e, ok := e.(*Stepped); ok && e.Step == 1 {
				step, product := make([]float64, len(before)), make([]float64, len(before))
				for i := range step {
					step[i] = m.Params[i] - before[i]
				}
				if err := s.Linearize(before); err != nil {
					return err
				}
				if err := s.(optimizers.StructuralDamping[float64]).StructuralMul(product, step); err != nil {
					return err
				}
				for i := range step {
					changes[spec] += step[i] * product[i]
				}
			}
			return nil
		})}}
		h := mustFit(t, m, d, c)
		if accuracy, _ := h.Result.Test.Accuracy(); accuracy < 0.85 {
			t.Errorf("%s: accuracy %v", spec, accuracy)
		}
	}
	if with, without := changes["hf:curvature=100,damping=0.1,structural=30"], changes["hf:curvature=100,damping=0.1"]; !(with > 0 && with < without/2) {
		t.Errorf("the states change by %v, without structural damping by %v", with, without)
	}
	m, d := small[float64](t, plain()...)
	c := Config{Optimizer: parse(t, "hf:structural=1")}
	if _, err := Fit(context.Background(), m, d, c); err == nil || !strings.Contains(err.Error(), "hf needs structural damping") {
		t.Errorf("a network without states: %v", err)
	}
	s, err := ProblemOf(m, batch[float64](t, d, 0, 5))
	if err != nil {
		t.Fatal(err)
	}
	v := make([]float64, len(m.Params))
	if err := s.(optimizers.StructuralDamping[float64]).StructuralMul(v, v[:len(v):len(v)]); err == nil || !strings.Contains(err.Error(), "marks no hidden states") {
		t.Errorf("a product without states: %v", err)
	}
}
