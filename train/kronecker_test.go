package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// factored is a network with examples, at a random point.
type factored struct {
	m    *nn.Model[float64]
	x, y []float64
	n    int
}

func newFactored(t *testing.T, net nn.Layer, loss nn.Loss, input []int, n int) *factored {
	t.Helper()
	m, err := nn.Build[float64](net, loss, input, 3)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, uint64(n)))
	for i := range m.Params {
		m.Params[i] += 0.4 * r.NormFloat64()
	}
	f := &factored{m: m, n: n}
	for range n * product(input) {
		f.x = append(f.x, r.NormFloat64())
	}
	target, classes := m.Target()
	for range n * product(target) {
		if classes > 0 {
			f.y = append(f.y, float64(r.IntN(classes)))
		} else {
			f.y = append(f.y, r.Float64())
		}
	}
	return f
}

// sample is examples from to to, in parts of that size.
func (f *factored) sample(from, to, part int) *sample[float64] {
	in, out := sizes(f.m)
	s := &sample[float64]{programs: newPrograms(f.m)}
	s.programs.part = part
	s.hold(f.x[from*in:to*in], f.y[from*out:to*out], to-from)
	return s
}

// kronecker estimates the factors on a sample.
func (f *factored) kronecker(t *testing.T, s *sample[float64], o optimizers.KroneckerOptions) *optimizers.Kronecker[float64] {
	t.Helper()
	k, err := optimizers.NewKronecker[float64](Layout(f.m), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Update(s, f.m.Params, 0); err != nil {
		t.Fatal(err)
	}
	return k
}

// ggn is the Gauss-Newton matrix on a sample.
func (f *factored) ggn(t *testing.T, s *sample[float64]) *mat.SymDense {
	t.Helper()
	if err := s.Linearize(f.m.Params); err != nil {
		t.Fatal(err)
	}
	return matrixOf(t, len(f.m.Params), s.GaussNewtonMul)
}

// matrixOf is a symmetric matrix that its products are known of.
func matrixOf(t *testing.T, n int, mul func(dst, v []float64) error) *mat.SymDense {
	t.Helper()
	m := mat.NewSymDense(n, nil)
	column := make([]float64, n)
	for j := range n {
		unit := make([]float64, n)
		unit[j] = 1
		if err := mul(column, unit); err != nil {
			t.Fatal(err)
		}
		for i := range j + 1 {
			m.SetSym(i, j, column[i])
		}
	}
	return m
}

// apart is the largest difference of two matrices in the block [from, to), by the
// largest element of the second there.
func apart(a, b mat.Symmetric, from, to int) float64 {
	d, scale := 0.0, 0.0
	for i := from; i < to; i++ {
		for j := from; j < to; j++ {
			d, scale = math.Max(d, math.Abs(a.At(i, j)-b.At(i, j))), math.Max(scale, math.Abs(b.At(i, j)))
		}
	}
	return d / scale
}

// blockEnds are the places where the model's blocks begin and end.
func blockEnds(m *nn.Model[float64]) (ends [][2]int) {
	ps := m.Parameters()
	for _, b := range m.Blocks() {
		last := ps[b.Param+b.Tensors-1]
		ends = append(ends, [2]int{ps[b.Param].Offset, last.Offset + last.Size()})
	}
	return ends
}

var (
	mlpNet  = nn.Sequential{nn.Dense{Units: 5}, nn.Tanh{}, nn.Dense{Units: 4, NoBias: true}, nn.Sigmoid{}, nn.Dense{Units: 3}}
	deepNet = nn.Sequential{nn.Dense{Units: 5, NoBias: true}, nn.Dense{Units: 4, NoBias: true}, nn.Dense{Units: 3, NoBias: true}}
	normNet = nn.Sequential{nn.Dense{Units: 5}, nn.LayerNorm{}, nn.Tanh{}, nn.Dense{Units: 3}, nn.LayerNorm{NoShift: true}}
	convNet = nn.Sequential{nn.Conv2D{Filters: 4, Kernel: 3, Groups: 2, Padding: nn.Same}, nn.Tanh{}, nn.Conv2D{Filters: 2, Kernel: 2, Stride: 2}, nn.Flatten{}, nn.Dense{Units: 3}}
)

// TestKroneckerIsTheGaussNewtonMatrix holds the theorems: with exact targets the
// approximation equals the diagonal blocks of the Gauss-Newton matrix for one
// example and any network of dense layers, for any examples and a linear network
// with squared error, and in the blocks of scale and shift. Of convolutions it
// does where they are linear and the loss is a sum over positions (expand), or of
// their mean (reduce; Eschenhagen et al., arXiv 2311.00636, propositions 1, 2).
func TestKroneckerIsTheGaussNewtonMatrix(t *testing.T) {
	worst := 0.0
	for name, c := range map[string]struct {
		net    nn.Layer
		loss   nn.Loss
		input  []int
		n      int
		reduce bool
		blocks []int // those where it holds; nil means all
	}{
		"one datum, softmax":        {mlpNet, nn.SoftmaxCrossEntropy{}, []int{6}, 1, false, nil},
		"one datum, smoothed":       {mlpNet, nn.SoftmaxCrossEntropy{Smoothing: 0.1}, []int{6}, 1, false, nil},
		"one datum, sigmoid":        {mlpNet, nn.SigmoidCrossEntropy{}, []int{6}, 1, false, nil},
		"one datum, squared error":  {mlpNet, nn.MeanSquaredError{}, []int{6}, 1, false, nil},
		"one datum, huber":          {mlpNet, nn.Huber{Delta: 0.7}, []int{6}, 1, false, nil},
		"one datum, reduce":         {mlpNet, nn.SoftmaxCrossEntropy{}, []int{6}, 1, true, nil},
		"linear, squared error":     {deepNet, nn.MeanSquaredError{}, []int{6}, 9, false, nil},
		"scale and shift":           {normNet, nn.SoftmaxCrossEntropy{}, []int{6}, 9, false, []int{1, 3}},
		"one convolution, expand":   {nn.Sequential{nn.Conv2D{Filters: 2, Kernel: 3, Padding: nn.Same}, nn.Flatten{}}, nn.MeanSquaredError{}, []int{2, 4, 5}, 3, false, nil},
		"grouped, expand":           {nn.Sequential{nn.Conv2D{Filters: 4, Kernel: 2, Groups: 2, Dilation: 2}, nn.Flatten{}}, nn.MeanSquaredError{}, []int{4, 5, 5}, 3, false, []int{}},
		"mean of positions, reduce": {nn.Sequential{nn.Conv2D{Filters: 3, Kernel: 3, Stride: 2}, nn.GlobalAvgPool{}, nn.Dense{Units: 2, NoBias: true}}, nn.MeanSquaredError{}, []int{2, 7, 6}, 4, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFactored(t, c.net, c.loss, c.input, c.n)
			s := f.sample(0, c.n, c.n)
			k := f.kronecker(t, s, optimizers.KroneckerOptions{Targets: optimizers.TargetsExact, Reduce: c.reduce})
			got, want := matrixOf(t, len(f.m.Params), k.Mul), f.ggn(t, s)
			for i, at := range blockEnds(f.m) {
				if c.blocks != nil && !slices.Contains(c.blocks, i) {
					continue
				}
				e := apart(got, want, at[0], at[1])
				worst = math.Max(worst, e)
				if !(e <= 1e-13) {
					t.Errorf("block %d is %.3g apart from that of the Gauss-Newton matrix", i, e)
				}
			}
			if name == "grouped, expand" { // the blocks of single groups
				const per = 2 * 2 * 2 * 2 // filters, channels and taps of a group
				for g := range 2 {
					e := apart(got, want, g*per, (g+1)*per)
					if !(e <= 1e-13) {
						t.Errorf("the weights of group %d are %.3g apart", g, e)
					}
				}
			}
		})
	}
	t.Logf("largest relative difference %.2g", worst)
}

// The theorems fail where they should: with more examples, or without a linear
// network, the approximation is one.
func TestKroneckerIsAnApproximation(t *testing.T) {
	f := newFactored(t, mlpNet, nn.SoftmaxCrossEntropy{}, []int{6}, 9)
	s := f.sample(0, 9, 9)
	k := f.kronecker(t, s, optimizers.KroneckerOptions{Targets: optimizers.TargetsExact})
	got, want := matrixOf(t, len(f.m.Params), k.Mul), f.ggn(t, s)
	if e := apart(got, want, 0, blockEnds(f.m)[0][1]); e < 1e-3 {
		t.Errorf("the first block is only %.2g apart from that of the Gauss-Newton matrix", e)
	}
}

// TestSampledFactorsConverge: with targets drawn from the model the mean over
// draws comes nearer to that of exact targets, as one over the root of their
// number; so does the diagonal of parameters without a block.
func TestSampledFactorsConverge(t *testing.T) {
	gain := nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node { return s.Mul(x, s.Param("gain", nn.Constant(1), 5)) })
	for name, c := range map[string]struct {
		net   nn.Layer
		loss  nn.Loss
		input []int
	}{
		"softmax":       {mlpNet, nn.SoftmaxCrossEntropy{}, []int{6}},
		"sigmoid":       {mlpNet, nn.SigmoidCrossEntropy{}, []int{6}},
		"squared error": {mlpNet, nn.MeanSquaredError{}, []int{6}},
		"normalisation": {normNet, nn.SoftmaxCrossEntropy{}, []int{6}},
		"convolution":   {convNet, nn.SoftmaxCrossEntropy{}, []int{2, 4, 4}},
		"no block":      {nn.Sequential{nn.Dense{Units: 5}, gain, nn.Tanh{}, nn.Dense{Units: 3}}, nn.SoftmaxCrossEntropy{}, []int{6}},
	} {
		t.Run(name, func(t *testing.T) {
			const n = 12
			f := newFactored(t, c.net, c.loss, c.input, n)
			size := len(f.m.Params)
			s := f.sample(0, n, n)
			exact := matrixOf(t, size, f.kronecker(t, s, optimizers.KroneckerOptions{Targets: optimizers.TargetsExact}).Mul)
			if name == "no block" { // the diagonal is random with exact targets too
				ggn := f.ggn(t, s)
				for _, p := range f.m.Parameters() {
					if strings.HasSuffix(p.Name, ".gain") {
						for i := range p.Size() {
							exact.SetSym(p.Offset+i, p.Offset+i, ggn.At(p.Offset+i, p.Offset+i))
						}
					}
				}
			}
			k, err := optimizers.NewKronecker[float64](Layout(f.m), optimizers.KroneckerOptions{})
			if err != nil {
				t.Fatal(err)
			}
			// The relative error in the Frobenius norm after each of these draws.
			var errs []float64
			at := []int{25, 1600}
			for draw := range at[1] {
				s.step = uint64(draw)
				if err := k.Update(s, f.m.Params, 1-1/float64(draw+1)); err != nil {
					t.Fatal(err)
				}
				if slices.Contains(at, draw+1) {
					var d mat.Dense
					d.Sub(matrixOf(t, size, k.Mul), exact)
					errs = append(errs, mat.Norm(&d, 2)/mat.Norm(exact, 2))
				}
			}
			// 64 times the draws are expected to leave an eighth.
			if !(errs[1] < errs[0]/3 && errs[1] < 0.05) {
				t.Errorf("relative errors %.3f after %d draws and %.3f after %d", errs[0], at[0], errs[1], at[1])
			}
		})
	}
}

// TestFactorsOfUnequalBatches: a sample in parts of unequal size has the factors
// of that at once, and they are the means of those of its parts, by their sizes.
func TestFactorsOfUnequalBatches(t *testing.T) {
	for name, net := range map[string]nn.Layer{"dense": mlpNet, "normalisation": normNet, "convolution": convNet} {
		input := []int{6}
		if name == "convolution" {
			input = []int{2, 4, 4}
		}
		for targets, word := range []string{"sampled", "exact", "empirical"} {
			for _, reduce := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %s %v", name, word, reduce), func(t *testing.T) {
					f := newFactored(t, net, nn.SoftmaxCrossEntropy{}, input, 11)
					o := optimizers.KroneckerOptions{Targets: optimizers.Targets(targets), Reduce: reduce}
					v := direction(len(f.m.Params), 1)
					whole := f.kronecker(t, f.sample(0, 11, 11), o)
					parts := f.kronecker(t, f.sample(0, 11, 4), o)
					a, b := make([]float64, len(v)), make([]float64, len(v))
					if err := whole.Mul(a, v); err != nil {
						t.Fatal(err)
					}
					if err := parts.Mul(b, v); err != nil {
						t.Fatal(err)
					}
					if e := relative(b, a); !(e <= 1e-13) {
						t.Errorf("in parts of 4 the product is %.3g apart", e)
					}
					if word == "sampled" {
						return // other examples have other draws
					}
					// Seven and four examples, the mean by their sizes.
					both := f.kronecker(t, f.sample(0, 7, 7), o)
					if err := both.Update(f.sample(7, 11, 4), f.m.Params, 7./11); err != nil {
						t.Fatal(err)
					}
					if err := both.Mul(b, v); err != nil {
						t.Fatal(err)
					}
					if e := relative(b, a); !(e <= 1e-13) {
						t.Errorf("the mean of unequal batches is %.3g apart", e)
					}
				})
			}
		}
	}
}

// TestTiedWeightsHaveNoBlock: what is used twice has the diagonal of the
// Gauss-Newton matrix, all uses in it.
func TestTiedWeightsHaveNoBlock(t *testing.T) {
	tied := nn.Shared{Name: "tied", Layer: nn.Dense{Units: 4}}
	f := newFactored(t, nn.Sequential{nn.Dense{Units: 4}, nn.Tanh{}, tied, nn.Tanh{}, tied, nn.Dense{Units: 3}}, nn.SoftmaxCrossEntropy{}, []int{4}, 6)
	for _, l := range Layout(f.m) {
		if tied := l.Name[:4] == "tied"; tied == (l.Block != nil) && l.Name != "dense1.bias" && l.Name != "dense2.bias" {
			t.Errorf("%s has the block %v", l.Name, l.Block)
		}
	}
	s := f.sample(0, 6, 6)
	ggn := f.ggn(t, s)
	for targets, word := range []string{"sampled", "exact"} {
		k, err := optimizers.NewKronecker[float64](Layout(f.m), optimizers.KroneckerOptions{Targets: optimizers.Targets(targets)})
		if err != nil {
			t.Fatal(err)
		}
		for draw := range 4000 {
			s.step = uint64(draw)
			if err := k.Update(s, f.m.Params, 1-1/float64(draw+1)); err != nil {
				t.Fatal(err)
			}
		}
		got := matrixOf(t, len(f.m.Params), k.Mul)
		for _, p := range f.m.Parameters() {
			if p.Name[:4] != "tied" {
				continue
			}
			for i := p.Offset; i < p.Offset+p.Size(); i++ {
				// A squared random number has a relative deviation of √2 or less: 0.1 is four of the mean's.
				if e := math.Abs(got.At(i, i)/ggn.At(i, i) - 1); !(e < 0.1) {
					t.Errorf("%s targets: element %d of %s is %v in the mean, in the Gauss-Newton matrix %v", word, i-p.Offset, p.Name, got.At(i, i), ggn.At(i, i))
				}
				for j := range i {
					if got.At(i, j) != 0 {
						t.Errorf("%s targets: element %d, %d is %v", word, i, j, got.At(i, j))
					}
				}
			}
		}
	}
}

// TestLargeLayersHaveADiagonal: beyond MaxDim the diagonal of the Gauss-Newton
// matrix stays, which of dense layers is exact.
func TestLargeLayersHaveADiagonal(t *testing.T) {
	f := newFactored(t, mlpNet, nn.SoftmaxCrossEntropy{}, []int{6}, 9)
	s := f.sample(0, 9, 4)
	k := f.kronecker(t, s, optimizers.KroneckerOptions{Targets: optimizers.TargetsExact, MaxDim: 2})
	got, want := matrixOf(t, len(f.m.Params), k.Mul), f.ggn(t, s)
	for i := range f.m.Params {
		if e := math.Abs(got.At(i, i) - want.At(i, i)); !(e <= 1e-13*math.Abs(want.At(i, i))+1e-18) {
			t.Errorf("element %d of the diagonal is %v, want %v", i, got.At(i, i), want.At(i, i))
		}
		for j := range i {
			if got.At(i, j) != 0 {
				t.Errorf("element %d, %d is %v", i, j, got.At(i, j))
			}
		}
	}
}

// TestEKFACHasTheCurvatureAlongItsEigenvectors: the eigenvalue that belongs to
// an eigenvector u is u'Fu, F the Gauss-Newton matrix, for any layer.
func TestEKFACHasTheCurvatureAlongItsEigenvectors(t *testing.T) {
	const damping = 0.01
	for name, net := range map[string]nn.Layer{"dense": mlpNet, "normalisation": normNet, "convolution": convNet} {
		input := []int{6}
		if name == "convolution" {
			input = []int{2, 4, 4}
		}
		for _, separate := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s %v", name, separate), func(t *testing.T) {
				f := newFactored(t, net, nn.SoftmaxCrossEntropy{}, input, 9)
				s := f.sample(0, 9, 4)
				k := f.kronecker(t, s, optimizers.KroneckerOptions{Targets: optimizers.TargetsExact, EKFAC: true, SeparateBias: separate})
				if err := k.InvertExact(damping); err != nil {
					t.Fatal(err)
				}
				if err := k.Update(s, f.m.Params, 0); err != nil {
					t.Fatal(err)
				}
				inverse, ggn := matrixOf(t, len(f.m.Params), k.Solve), f.ggn(t, s)
				for _, at := range blockEnds(f.m) {
					n := at[1] - at[0]
					var e mat.EigenSym
					if !e.Factorize(inverse.SliceSym(at[0], at[1]), true) {
						t.Fatal("no eigenvalues")
					}
					var u mat.Dense
					e.VectorsTo(&u)
					block := ggn.SliceSym(at[0], at[1])
					scale := mat.Norm(block, 2)
					for i, v := range e.Values(nil) {
						// Where eigenvalues coincide their eigenvectors are any: there only the trace is known.
						if i > 0 && math.Abs(v-e.Values(nil)[i-1]) < 1e-6*v || i < n-1 && math.Abs(v-e.Values(nil)[i+1]) < 1e-6*v {
							continue
						}
						along := mat.Inner(u.ColView(i), block, u.ColView(i))
						if d := math.Abs(1/v - damping - along); !(d <= 1e-9*scale) {
							t.Errorf("block at %d: the eigenvalue %d is %v, the curvature along its eigenvector %v", at[0], i, 1/v-damping, along)
						}
					}
				}
			})
		}
	}
}

// TestFactorsRefused: a loss of all examples together has none, and one that knows
// no root of its Hessian no exact ones.
func TestFactorsRefused(t *testing.T) {
	m, d := small[float64](t, plain()...)
	b := batch[float64](t, d, 0, 10)
	s, err := ProblemOf(m, data.Batch[float64]{X: b.X, Y: b.Y, N: 10})
	if err != nil {
		t.Fatal(err)
	}
	k, err := optimizers.NewKronecker[float64](Layout(m), optimizers.KroneckerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Update(s, m.Params[1:], 0); err == nil {
		t.Error("a parameter too few was accepted")
	}
	if err := k.Solve(make([]float64, len(m.Params)), m.Params); err == nil {
		t.Error("a solve before any inverse succeeded")
	}
	if err := k.Invert(0); err == nil {
		t.Error("damping 0 was accepted")
	}
}
