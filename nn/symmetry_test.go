package nn_test

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/saddle-ml/saddle/nn"
)

// A loss that does not change along a group of transformations of its
// parameters has a gradient g and a Hessian H that satisfy exact identities
// (Kunin et al., arXiv 2012.04728). They are theorems, so they test what
// compares with nothing else. Each says that some sum is zero; what is left of
// it is compared with the sum of the sizes of its terms, of which rounding
// leaves some 1e-16 an operation.
const symmetryTol = 1e-12

// group picks parameters: a factor for each, 0 for those outside.
type group []float64

// pick adds to the group, with the given factor, the elements of the named
// parameter whose index along the axis is i; of all, if the axis is negative.
func (p problem) pick(t *testing.T, a group, factor float64, name string, axis, i int) group {
	t.Helper()
	if a == nil {
		a = make(group, len(p.m.Params))
	}
	for _, q := range p.m.Parameters() {
		if q.Name != name {
			continue
		}
		for k := range q.Size() {
			if axis < 0 || k/volume(q.Shape[axis+1:])%q.Shape[axis] == i {
				a[q.Offset+k] += factor
			}
		}
		return a
	}
	t.Fatalf("no parameter %q", name)
	return nil
}

// of gives the elements of x that are in the group, times their factors.
func (a group) of(x []float64) []float64 {
	out := make([]float64, len(x))
	for i, f := range a {
		out[i] = f * x[i]
	}
	return out
}

// derivatives is the gradient and the Hessian.
func (p problem) derivatives(t *testing.T) ([]float64, *mat.Dense) {
	t.Helper()
	g, h := p.grad(t), columns(len(p.m.Params), p.product(t, hvp))
	if maxAbs(g...) < 1e-3 || largest(h) < 1e-3 {
		t.Fatalf("gradient of size %g and Hessian of size %g: nothing to test", maxAbs(g...), largest(h))
	}
	return g, h
}

// vanishes tests that <g, d> is zero and that H d + e is, element by element.
func vanishes(t *testing.T, g []float64, h *mat.Dense, d, e []float64) {
	t.Helper()
	sum, sizes := inner(g, d)
	if sizes == 0 {
		t.Fatal("the gradient is zero along the direction: nothing to test")
	}
	if !(math.Abs(sum) <= symmetryTol*sizes) {
		t.Errorf("<g, d> is %.3g of %.3g", sum, sizes)
	}
	// The largest row sets the scale: a row in which all is small may hold the
	// rounding of products that the others share with it.
	rows, scale := make([]float64, len(d)), 0.0
	for i := range rows {
		rows[i], sizes = inner(h.RawRowView(i), d)
		rows[i] += e[i]
		scale = math.Max(scale, sizes+math.Abs(e[i]))
	}
	if scale < 1e-4 {
		t.Fatalf("terms of size %g: nothing to test", scale)
	}
	for i, r := range rows {
		if !(math.Abs(r) <= symmetryTol*scale) {
			t.Errorf("element %d of H d + e is %.3g of %.3g", i, r, scale)
		}
	}
}

// TestLogitsMayMoveTogether: the same number added to all logits changes no
// softmax, so for the weights from one input to all outputs, and for all output
// biases, <g, 1> = 0 and H 1 = 0, for targets of any sum.
func TestLogitsMayMoveTogether(t *testing.T) {
	hidden := nn.Sequential{nn.Dense{Units: 4}, nn.Tanh{}}
	type direction struct {
		name, param string
		axis, i     int
	}
	var dense, conv []direction
	for i := range 4 {
		dense = append(dense, direction{fmt.Sprint("weights of hidden unit ", i), "out.weight", 0, i})
	}
	dense = append(dense, direction{"biases", "out.bias", -1, 0})
	for c := range 2 {
		conv = append(conv, direction{fmt.Sprint("all windows over channel ", c), "out.weight", 1, c})
	}
	for y := range 2 {
		conv = append(conv, direction{fmt.Sprint("all windows in row ", y), "out.weight", 2, y})
	}
	conv = append(conv, direction{"biases", "out.bias", -1, 0})
	nets := []struct {
		name       string
		net        nn.Layer
		input      []int
		directions []direction
	}{
		{"dense", nn.Sequential{hidden, nn.Named{Name: "out", Layer: nn.Dense{Units: 3}}}, []int{3}, dense},
		{"convolution", nn.Sequential{nn.Conv2D{Filters: 2, Kernel: 2}, nn.Sigmoid{},
			nn.Named{Name: "out", Layer: nn.Conv2D{Filters: 3, Kernel: 2, Padding: nn.Same}}, nn.GlobalAvgPool{}}, []int{1, 4, 3}, conv},
	}
	for i, c := range nets {
		for _, loss := range []nn.SoftmaxCrossEntropy{{}, {Smoothing: 0.2}, {Probs: true}} {
			p := newProblem(t, uint64(i), c.net, loss, 5, c.input...)
			g, h := p.derivatives(t)
			for _, d := range c.directions {
				t.Run(fmt.Sprintf("%s, smoothing %g, probs %v, %s", c.name, loss.Smoothing, loss.Probs, d.name), func(t *testing.T) {
					vanishes(t, g, h, p.pick(t, nil, 1, d.param, d.axis, d.i), make([]float64, len(g)))
				})
			}
		}
	}
}

// part is one parameter, or a slice of it along an axis.
type part struct {
	name    string
	axis, i int
}

// TestScaleBeforeNormalisationIsFree: a factor on the weights of a unit before
// batch norm, or of a whole layer before layer norm, changes nothing, so with t
// those weights and P the projection on them <g, t> = 0 and H t + P g = 0. It
// holds as far as Eps is nothing beside a variance.
func TestScaleBeforeNormalisationIsFree(t *testing.T) {
	const eps = 1e-300
	first := func(l nn.Layer) nn.Layer { return nn.Named{Name: "first", Layer: l} }
	dense, conv := first(nn.Dense{Units: 3}), first(nn.Conv2D{Filters: 3, Kernel: 2})
	free := first(nn.Conv2D{Filters: 2, Kernel: 2, Groups: 2, NoBias: true})
	batch, layer := nn.BatchNorm{Eps: eps}, nn.LayerNorm{Eps: eps}
	head := nn.Sequential{nn.Tanh{}, nn.Flatten{}, nn.Dense{Units: 3}}
	unit := func(axis, n int, params ...string) (all [][]part) {
		for i := range n {
			var ps []part
			for _, name := range params {
				a := axis
				if name == "first.bias" {
					a = 0
				}
				ps = append(ps, part{name, a, i})
			}
			all = append(all, ps)
		}
		return all
	}
	whole := [][]part{{{"first.weight", -1, 0}, {"first.bias", -1, 0}}}
	for i, c := range []struct {
		name   string
		net    nn.Layer
		input  []int
		groups [][]part
	}{
		{"dense before batch norm", nn.Sequential{dense, batch, head}, []int{4}, append(unit(1, 3, "first.weight"), unit(1, 3, "first.weight", "first.bias")...)},
		{"dense before layer norm", nn.Sequential{dense, layer, head}, []int{4}, whole},
		{"convolution before batch norm", nn.Sequential{conv, batch, head}, []int{2, 3, 3}, append(unit(0, 3, "first.weight"), unit(0, 3, "first.weight", "first.bias")...)},
		{"convolution in groups before batch norm", nn.Sequential{free, batch, head}, []int{2, 3, 3}, unit(0, 2, "first.weight")},
		{"convolution before layer norm", nn.Sequential{conv, nn.LayerNorm{Axes: 3, Eps: eps}, head}, []int{2, 3, 3}, whole},
	} {
		p := newProblem(t, uint64(i), c.net, nn.SoftmaxCrossEntropy{}, 6, c.input...)
		g, h := p.derivatives(t)
		for k, parts := range c.groups {
			t.Run(fmt.Sprintf("%s, group %d", c.name, k), func(t *testing.T) {
				var a group
				for _, q := range parts {
					a = p.pick(t, a, 1, q.name, q.axis, q.i)
				}
				vanishes(t, g, h, a.of(p.m.Params), a.of(g))
			})
		}
	}
}

// TestScaleMovesAcrossARectifier: a factor on what comes into a relu unit, bias
// included, and its inverse on what goes out change nothing, so with t1 and t2
// those weights and P1, P2 the projections on them <g, t1> = <g, t2> and
// H (t1-t2) + (P1-P2) g = 0.
func TestScaleMovesAcrossARectifier(t *testing.T) {
	for _, f := range []nn.Layer{nn.ReLU{}, nn.LeakyReLU{Slope: 0.2}} {
		nets := []struct {
			name    string
			net     nn.Layer
			input   []int
			inAxis  int // of the unit in the weights before and after it
			outAxis int
			units   int
		}{
			{"dense", nn.Sequential{nn.Named{Name: "in", Layer: nn.Dense{Units: 4}}, f, nn.Named{Name: "out", Layer: nn.Dense{Units: 3}}}, []int{3}, 1, 0, 4},
			{"convolution", nn.Sequential{nn.Named{Name: "in", Layer: nn.Conv2D{Filters: 3, Kernel: 2, Padding: nn.Same}}, f, nn.MaxPool2D{Size: 2, Stride: 1},
				nn.Named{Name: "out", Layer: nn.Conv2D{Filters: 2, Kernel: 2}}, nn.Tanh{}, nn.Flatten{}, nn.Dense{Units: 3}}, []int{1, 4, 4}, 0, 1, 3},
		}
		for i, c := range nets {
			p := newProblem(t, uint64(i), c.net, nn.SoftmaxCrossEntropy{}, 6, c.input...)
			g, h := p.derivatives(t)
			for u := range c.units {
				t.Run(fmt.Sprintf("%T, %s, unit %d", f, c.name, u), func(t *testing.T) {
					a := p.pick(t, nil, 1, "in.weight", c.inAxis, u)
					a = p.pick(t, a, 1, "in.bias", 0, u)
					a = p.pick(t, a, -1, "out.weight", c.outAxis, u)
					vanishes(t, g, h, a.of(p.m.Params), a.of(g))
				})
			}
		}
	}
}

// TestIdentitiesCanFail guards the tests above: without what makes the loss
// indifferent, what is left is far above the tolerance.
func TestIdentitiesCanFail(t *testing.T) {
	smooth := nn.Sequential{nn.Named{Name: "in", Layer: nn.Dense{Units: 4}}, nn.Tanh{}, nn.Named{Name: "out", Layer: nn.Dense{Units: 3}}}
	p := newProblem(t, 0, smooth, nn.SigmoidCrossEntropy{}, 6, 3)
	g, h := p.derivatives(t)
	in := p.pick(t, p.pick(t, nil, 1, "in.weight", 1, 0), 1, "in.bias", 0, 0)
	across := p.pick(t, append(group(nil), in...), -1, "out.weight", 0, 0)
	for name, c := range map[string]struct{ d, e []float64 }{
		"shift":  {p.pick(t, nil, 1, "out.bias", -1, 0), make([]float64, len(g))},
		"scale":  {in.of(p.m.Params), in.of(g)},
		"across": {across.of(p.m.Params), across.of(g)},
	} {
		sum, sizes := inner(g, c.d)
		left := times(h, c.d)
		for i := range left {
			left[i] += c.e[i]
		}
		if math.Abs(sum) < 1e-6*sizes || maxAbs(left...) < 1e-6*largest(h) {
			t.Errorf("%s: <g, d> is %.3g of %.3g, H d + e %.3g of %.3g; want neither near zero", name, sum, sizes, maxAbs(left...), largest(h))
		}
	}
}
