package train

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// A loss that a transformation of the weights leaves as it is has a gradient at
// right angles to it, and so training conserves a quantity (Kunin et al., arXiv
// 2012.04728). In steps of finite size the laws are exact recursions: they hold
// for every step of a real run up to rounding.
const conservationTol = 1e-13

// law is a quantity: the sum of the weights of its group, or of their squares,
// each with a sign; 0 is for those outside.
type law struct {
	name   string
	square bool
	sign   []float64
}

// sum is Σ sign·u, or Σ sign·u·v.
func (l *law) sum(u, v []float64) float64 {
	total := 0.0
	for i, s := range l.sign {
		if l.square {
			s *= v[i]
		}
		total += s * u[i]
	}
	return total
}

// size is what the rounding of a sum is relative to.
func (l *law) size(u []float64) float64 {
	total := 0.0
	for i, s := range l.sign {
		if l.square {
			s *= u[i]
		}
		total += math.Abs(s * u[i])
	}
	return total
}

// lawOf begins a law of m.
func lawOf(m *nn.Model[float64], name string, square bool) *law {
	return &law{name, square, make([]float64, len(m.Params))}
}

// pick adds the elements of a parameter whose index along an axis is i.
func (l *law) pick(t *testing.T, m *nn.Model[float64], sign float64, name string, axis, i int) {
	t.Helper()
	for _, p := range m.Parameters() {
		if p.Name != name {
			continue
		}
		below := product(p.Shape[axis+1:])
		for k := range p.Size() {
			if k/below%p.Shape[axis] == i {
				l.sign[p.Offset+k] = sign
			}
		}
		return
	}
	t.Fatalf("no parameter %q", name)
}

// conserving are networks with the laws that they obey.
func conserving(t *testing.T) map[string]func() (*nn.Model[float64], data.Dataset, []*law) {
	build := func(shape []int, classes int, layers ...nn.Layer) (*nn.Model[float64], data.Dataset) {
		t.Helper()
		d, err := data.Blobs(70, classes, product(shape), 1, 4)
		if err != nil {
			t.Fatal(err)
		}
		set, err := data.Reshape(d, shape...)
		if err != nil {
			t.Fatal(err)
		}
		m, err := nn.Build[float64](nn.Sequential(layers), nn.SoftmaxCrossEntropy{}, shape, 3)
		if err != nil {
			t.Fatal(err)
		}
		// Biases begin at 0, where a law of theirs alone would say little.
		for i := range m.Params {
			m.Params[i] += 0.1 * math.Sin(float64(7*i))
		}
		return m, set
	}
	// A factor on all that comes into a unit before batch norm changes nothing, as
	// far as eps is nothing beside a variance.
	norm := nn.BatchNorm{Eps: 1e-300}
	return map[string]func() (*nn.Model[float64], data.Dataset, []*law){
		"softmax and relu": func() (*nn.Model[float64], data.Dataset, []*law) {
			m, d := build([]int{6}, 4, nn.Dense{Units: 5}, nn.ReLU{}, nn.Dense{Units: 7}, nn.ReLU{}, nn.Dense{Units: 4})
			laws := translations(t, m, "dense3", 7)
			laws = append(laws, rescales(t, m, "dense1", "dense2", 1, 5)...)
			return m, d, append(laws, rescales(t, m, "dense2", "dense3", 1, 7)...)
		},
		"batch norm": func() (*nn.Model[float64], data.Dataset, []*law) {
			m, d := build([]int{6}, 3, nn.Dense{Units: 5}, norm, nn.ReLU{}, nn.Dense{Units: 3})
			laws := append(translations(t, m, "dense2", 5), scales(t, m, "dense1", 1, 5)...)
			return m, d, append(laws, rescales(t, m, "batchnorm1", "dense2", 0, 5)...)
		},
		"convolutions": func() (*nn.Model[float64], data.Dataset, []*law) {
			m, d := build([]int{1, 6, 6}, 3, nn.Conv2D{Filters: 3, Kernel: 3}, nn.ReLU{}, nn.MaxPool2D{Size: 2},
				nn.Conv2D{Filters: 4, Kernel: 2, Padding: nn.Same}, norm, nn.ReLU{}, nn.Flatten{}, nn.Dense{Units: 3})
			laws := append(translations(t, m, "dense1", 16), scales(t, m, "conv2", 0, 4)...)
			for u := range 3 {
				l := lawOf(m, fmt.Sprint("in and out of channel ", u), true)
				l.pick(t, m, 1, "conv1.weight", 0, u)
				l.pick(t, m, 1, "conv1.bias", 0, u)
				l.pick(t, m, -1, "conv2.weight", 1, u)
				laws = append(laws, l)
			}
			return m, d, laws
		},
	}
}

// translations: the same number added to all logits changes no softmax.
func translations(t *testing.T, m *nn.Model[float64], layer string, inputs int) (list []*law) {
	bias := lawOf(m, "biases of "+layer, false)
	for _, p := range m.Parameters() {
		if p.Name == layer+".bias" {
			for k := range p.Size() {
				bias.sign[p.Offset+k] = 1
			}
		}
	}
	list = append(list, bias)
	for i := range inputs {
		l := lawOf(m, fmt.Sprintf("weights of input %d of %s", i, layer), false)
		l.pick(t, m, 1, layer+".weight", 0, i)
		list = append(list, l)
	}
	return list
}

// scales: a factor on a unit before batch norm changes nothing.
func scales(t *testing.T, m *nn.Model[float64], layer string, axis, units int) (list []*law) {
	for u := range units {
		l := lawOf(m, fmt.Sprintf("unit %d of %s before batch norm", u, layer), true)
		l.pick(t, m, 1, layer+".weight", axis, u)
		l.pick(t, m, 1, layer+".bias", 0, u)
		list = append(list, l)
	}
	return list
}

// rescales: a factor on what comes into a relu unit, and its inverse on what goes
// out, change nothing.
func rescales(t *testing.T, m *nn.Model[float64], in, out string, axis, units int) (list []*law) {
	for u := range units {
		l := lawOf(m, fmt.Sprintf("in and out of unit %d of %s", u, in), true)
		l.pick(t, m, 1, in+".weight", axis, u)
		l.pick(t, m, 1, in+".bias", 0, u)
		l.pick(t, m, -1, out+".weight", 0, u)
		list = append(list, l)
	}
	return list
}

// recorded is a method that tells of each step: the gradient of the minibatch, and
// the weights before and after.
func recorded(m optimizers.Method, tell func(g, before, after []float64)) optimizers.Method {
	return optimizers.Own("recorded", nil, func(l optimizers.Layout) (optimizers.Stepper[float64], error) {
		o, err := optimizers.New[float64](m, l)
		g, before := make([]float64, l.Size()), make([]float64, l.Size())
		return optimizers.StepFunc[float64](func(ctx context.Context, x []float64, p optimizers.Problem[float64]) (optimizers.Report, error) {
			if _, err := p.Batch().Grad(g, x); err != nil {
				return optimizers.Report{}, err
			}
			copy(before, x)
			r, err := o.Step(ctx, x, p)
			tell(g, before, x)
			return r, err
		}), err
	})
}

// expectation is what a law says of a quantity, from its value at the beginning
// and the lengths of the gradients alone.
type expectation struct {
	law      *law
	value    float64 // Σ x, or Σ x²
	buffer   float64 // Σ b, or Σ x·b with the x that b came from
	last     float64 // Σ b²
	momentum []float64
}

// step moves on, for x - LR·b with b = Momentum·b + (1-Dampening)·(g + WeightDecay·x).
// The gradient has no part along the transformation, so that only the decay adds
// to the buffer's.
func (e *expectation) step(s *optimizers.SGD, first bool, g, x []float64) {
	decay, mu, fresh := s.WeightDecay, s.Momentum, 1-s.Dampening
	if first {
		mu, fresh = 0, 1
	}
	for i := range g {
		e.momentum[i] = mu*e.momentum[i] + fresh*(g[i]+decay*x[i])
	}
	if !e.law.square {
		e.buffer = mu*e.buffer + fresh*decay*e.value
		e.value -= s.LR * e.buffer
		return
	}
	if s.Momentum == 0 {
		// R' = (1 - LR·WeightDecay)² R + LR²·|g|²
		keep := 1 - s.LR*decay
		e.value = keep*keep*e.value + s.LR*s.LR*e.law.sum(g, g)
		return
	}
	e.buffer = mu*(e.buffer-s.LR*e.last) + fresh*decay*e.value
	e.last = e.law.sum(e.momentum, e.momentum)
	e.value += -2*s.LR*e.buffer + s.LR*s.LR*e.last
}

// furthest trains under SGD and is how far any law is from what it says, relative
// to the sizes of the terms, and how far any quantity has moved.
func furthest(t *testing.T, s *optimizers.SGD, m *nn.Model[float64], d data.Dataset, laws []*law, method optimizers.Method) (apart, moved float64, which string) {
	var all []*expectation
	begin := map[*law]float64{}
	for _, l := range laws {
		begin[l] = l.sum(m.Params, m.Params)
		all = append(all, &expectation{law: l, value: begin[l], momentum: make([]float64, len(m.Params))})
	}
	first := true
	mustFit(t, m, d, Config{Epochs: 6, Batch: 16, Seed: 5, Optimizer: recorded(method, func(g, before, after []float64) {
		for _, e := range all {
			e.step(s, first, g, before)
			size := e.law.size(after)
			if off := math.Abs(e.law.sum(after, after)-e.value) / size; off > apart {
				apart, which = off, e.law.name
			}
			moved = max(moved, math.Abs(e.value-begin[e.law])/size)
		}
		first = false
	})})
	return apart, moved, which
}

func TestTrainingObeysConservationLaws(t *testing.T) {
	for _, s := range []optimizers.SGD{
		{LR: 0.1},
		{LR: 0.1, WeightDecay: 0.05},
		{LR: 0.05, Momentum: 0.9},
		{LR: 0.05, Momentum: 0.9, WeightDecay: 0.05},
		{LR: 0.05, Momentum: 0.8, WeightDecay: 0.05, Dampening: 0.5},
	} {
		for name, net := range conserving(t) {
			t.Run(optimizers.Spec(&s)+" "+name, func(t *testing.T) {
				m, d, laws := net()
				apart, moved, which := furthest(t, &s, m, d, laws, &s)
				if !(apart <= conservationTol) {
					t.Errorf("%s is %.3g of its size from what the law says", which, apart)
				}
				if moved < 1e-3 {
					t.Errorf("no quantity moved by more than %.3g of its size: nothing to test", moved)
				}
				t.Logf("%d laws, furthest %.2g (%s), moved %.2g", len(laws), apart, which, moved)
			})
		}
	}
}

// Adam, whose steps are not along the gradient, breaks the laws of gradient
// descent, and so does a unit that is not what a law takes it for.
func TestConservationLawsCanFail(t *testing.T) {
	s := &optimizers.SGD{LR: 0.1}
	m, d, laws := conserving(t)["softmax and relu"]()
	if apart, _, _ := furthest(t, s, m, d, laws, &optimizers.Adam{LR: 0.01}); apart < 1e-3 {
		t.Errorf("under Adam all laws hold to %.3g", apart)
	}
	m, d, _ = conserving(t)["softmax and relu"]()
	wrong := lawOf(m, "one unit's input only", true)
	wrong.pick(t, m, 1, "dense1.weight", 1, 0)
	if apart, _, _ := furthest(t, s, m, d, []*law{wrong}, s); apart < 1e-3 {
		t.Errorf("a law of half a unit holds to %.3g", apart)
	}
}
