package experiments

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/study"
	"github.com/saddle-ml/saddle/landscape"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

func init() {
	register(Experiment{
		Name:  "wide-minima",
		About: "wide networks have local minima that are not global; an added neuron removes one; barriers between solutions fall with the width",
		Paper: "Sun, Li, Liang, Ding & Srikant 2020, arXiv 2007.01429; Ding, Li & Sun 2019, arXiv 1911.01413; Liang, Sun, Lee & Srikant 2018, arXiv 1805.08671; Ainsworth, Hayase & Srinivasa 2023, arXiv 2209.04836",
		Claim: `for almost every activation there are data for which a network of any width has a sub-optimal local minimum; with one
			exponential neuron and a penalty on its output weight that point is no minimum any more; the barrier between two solutions
			falls with the width, most of all when the hidden units are matched`,
		Differs: `the minimum is constructed in one dimension: all units of a tanh layer alike, 12 points, and targets whose residuals
			are orthogonal to the layer's first derivatives and have second moments that bend upwards. Then the Hessian is a sum
			of squares and of a positive block for each unit, so it is positive except along changes of the output weights that
			keep their sum, and along those the function does not change at all. Barriers are between networks 784-h-10 trained
			on 2000 images of MNIST, h from 8 to 256, three pairs each.`,
		Takes: "5 s",
		Run:   wideMinima,
	})
}

// badMinimum is what is found at the constructed point of one width.
type badMinimum struct {
	Width      int
	Loss       float64
	Gradient   float64   // its length
	Values     []float64 // eigenvalues, ascending
	Around     float64   // least rise of the loss over random points nearby
	Escape     float64   // loss to which descent goes from random weights
	Stay       float64   // loss to which descent from nearby goes
	WithNeuron float64   // smallest eigenvalue with the neuron, at a critical point of the two
	NeuronGrad float64   // length of the gradient there
	Removed    float64   // loss to which descent goes with the neuron
	NeuronOut  float64   // size of the neuron's output weight there
}

// Points, and the weight and bias of the units that are all alike.
const (
	badPoints = 12
	badWeight = 1.3
	badBias   = 0.4
	badOut    = 1.0 // sum of the output weights
	penalty   = 1e-3
)

func wideMinima(ctx context.Context, e *Env) (*Result, error) {
	res := &Result{}
	for _, width := range []int{12, 48} {
		b, err := Keep(ctx, e, fmt.Sprintf("minimum-%d-seed%d", width, e.Seed), func() (*badMinimum, error) {
			e.Note("a local minimum of %d units for %d points", width, badPoints)
			return constructed(ctx, width, e.Seed)
		})
		if err != nil {
			return nil, err
		}
		flat, least := 0, math.Inf(1)
		top := b.Values[len(b.Values)-1]
		for _, v := range b.Values {
			if math.Abs(v) <= 1e-10*top {
				flat++
			} else {
				least = min(least, v)
			}
		}
		res.Rows = append(res.Rows,
			Row{fmt.Sprintf("%d units, %d points: loss at the minimum", width, badPoints), "above 0", b.Loss, AtLeast(1e-3)},
			Row{"  length of the gradient", "0", b.Gradient, AtMost(1e-12)},
			Row{"  flat directions beside those of the output weights", "0", float64(flat - (width - 1)), Between(0, 0)},
			Row{"  least other eigenvalue", "above 0", least, AtLeast(1e-6)},
			Row{"  least rise of the loss at 1000 random points near", "above 0", b.Around, AtLeast(0)},
			Row{"  relative change of the loss by descent from near", "0", math.Abs(b.Stay/b.Loss - 1), AtMost(1e-6)},
			Row{"  loss of descent from random weights over it", "0", b.Escape / b.Loss, AtMost(0.1)},
			Row{"  with a neuron: length of the gradient where it is critical", "0", b.NeuronGrad, AtMost(1e-10)},
			Row{"  least eigenvalue there", "below 0", b.WithNeuron, AtMost(-1e-6)},
			Row{"  loss of descent from there over that of the minimum", "below 1", b.Removed / b.Loss, AtMost(0.9)})
	}
	return res, barriers(ctx, e, res)
}

// residuals are targets less outputs such that all that the theory asks for holds:
// orthogonal to tanh, to 1 and to tanh' and x tanh' at z, and with Σ r tanh” (x, 1)(x, 1)'
// the unit matrix. The shortest that do.
func residuals(x []float64) ([]float64, error) {
	const rows = 7
	a := mat.NewDense(rows, len(x), nil)
	for i, v := range x {
		t := math.Tanh(badWeight*v + badBias)
		first, second := 1-t*t, -2*t*(1-t*t)
		for k, w := range []float64{t, 1, first, first * v, second * v * v, second * v, second} {
			a.Set(k, i, w)
		}
	}
	want := mat.NewVecDense(rows, []float64{0, 0, 0, 0, 1, 0, 1})
	var r mat.VecDense
	if err := r.SolveVec(a, want); err != nil {
		return nil, fmt.Errorf("residuals: %w", err)
	}
	return r.RawVector().Data, nil
}

// neuronLoss is the squared error and penalty/2 times the square of the last weight.
type neuronLoss struct{ nn.MeanSquaredError }

// Loss is the loss and the penalty.
func (l neuronLoss) Loss(s *nn.Scope, z, y *nn.Node) *nn.Node {
	return s.Add(l.MeanSquaredError.Loss(s, z, y), l.Penalty(s))
}

// Penalty is that of the neuron's output weight.
func (neuronLoss) Penalty(s *nn.Scope) *nn.Node {
	var last *nn.Node
	for p, w := range s.Params() {
		if p.Kind == nn.Weight {
			last = w
		}
	}
	return s.Mul(s.Sum(s.Builder.Square(last)), s.Const(penalty/2))
}

// wideNet is a tanh layer, with an exponential neuron beside it or not.
func wideNet(width int, neuron bool, seed uint64) (*nn.Model[float64], error) {
	net := nn.Sequential{nn.Dense{Units: width}, nn.Tanh{}, nn.Dense{Units: 1}}
	if !neuron {
		return nn.Build[float64](net, nn.MeanSquaredError{}, []int{1}, nn.Seed(seed))
	}
	extra := nn.Sequential{nn.Dense{Units: 1}, nn.Exp{}, nn.Dense{Units: 1, NoBias: true}}
	both := nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node { return s.Add(s.Layer(net, x), s.Layer(extra, x)) })
	return nn.Build[float64](both, neuronLoss{}, []int{1}, nn.Seed(seed))
}

// constructed makes the minimum and measures it.
func constructed(ctx context.Context, width int, seed uint64) (*badMinimum, error) {
	x := landscape.Linspace(-1.5, 1.5, badPoints)
	r, err := residuals(x)
	if err != nil {
		return nil, err
	}
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = badOut*math.Tanh(badWeight*v+badBias) - r[i]
	}
	d, err := data.New(x, []int{1}, y, data.Target{Shape: []int{1}})
	if err != nil {
		return nil, err
	}
	m, err := wideNet(width, false, seed)
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(seed, 0x3d))
	b := &badMinimum{Width: width}
	if b.Escape, err = settle(ctx, m, d); err != nil {
		return nil, err
	}
	point := m.Params
	for j := range width {
		point[j], point[width+j], point[2*width+j] = badWeight, badBias, badOut/float64(width)
	}
	point[3*width] = 0
	p, err := landscape.At(m, d, 0)
	if err != nil {
		return nil, err
	}
	g, loss, err := p.Gradient()
	if err != nil {
		return nil, err
	}
	b.Loss, b.Gradient = loss, mat.Norm(mat.NewVecDense(len(g), g), 2)
	if b.Values, err = eigenvalues(ctx, p.Hessian()); err != nil {
		return nil, err
	}
	const radius = 1e-3
	b.Around = math.Inf(1)
	near := make([]float64, len(point))
	for range 1000 {
		shake(near, point, radius, rng)
		l, err := p.Sample.Loss(near)
		if err != nil {
			return nil, err
		}
		b.Around = min(b.Around, l-loss)
	}
	keep := append([]float64(nil), point...)
	copy(m.Params, near)
	if b.Stay, err = settle(ctx, m, d); err != nil {
		return nil, err
	}
	return b, b.addNeuron(ctx, keep, d, rng)
}

// addNeuron puts an exponential neuron beside the layer, with output weight 0: where
// its weight is 0 too, that is critical, since the residuals add to 0.
func (b *badMinimum) addNeuron(ctx context.Context, point []float64, d data.Dataset, rng *rand.Rand) error {
	m, err := wideNet(b.Width, true, 0)
	if err != nil {
		return err
	}
	clear(m.Params)
	copy(m.Params, point)
	p, err := landscape.At(m, d, 0)
	if err != nil {
		return err
	}
	g, _, err := p.Gradient()
	if err != nil {
		return err
	}
	b.NeuronGrad = mat.Norm(mat.NewVecDense(len(g), g), 2)
	values, err := eigenvalues(ctx, p.Hessian())
	if err != nil {
		return err
	}
	b.WithNeuron = values[0]
	shake(m.Params, append([]float64(nil), m.Params...), 1e-3, rng)
	b.Removed, err = settle(ctx, m, d)
	b.NeuronOut = math.Abs(m.Params[len(m.Params)-1])
	return err
}

// shake sets dst to a random point at a distance from x.
func shake(dst, x []float64, radius float64, rng *rand.Rand) {
	sum := 0.0
	for i := range dst {
		dst[i] = rng.NormFloat64()
		sum += dst[i] * dst[i]
	}
	for i := range dst {
		dst[i] = x[i] + radius/math.Sqrt(sum)*dst[i]
	}
}

// settle is the loss to which L-BFGS brings the model.
func settle(ctx context.Context, m *nn.Model[float64], d data.Dataset) (float64, error) {
	method, err := optimizers.Parse("lbfgs:iterations=200,evals=1000,tol_grad=1e-12,tol_change=1e-15")
	if err != nil {
		return 0, err
	}
	if _, err := train.Fit(ctx, m, d, train.Config{Optimizer: method, Epochs: 20, Batch: d.Len()}); err != nil {
		return 0, err
	}
	p, err := landscape.At(m, d, 0)
	if err != nil {
		return 0, err
	}
	return p.Sample.Loss(m.Params)
}

// eigenvalues are all of a small matrix, ascending.
func eigenvalues(ctx context.Context, a landscape.Matrix) ([]float64, error) {
	n := a.Size()
	v, dst := make([]float64, n), make([]float64, n)
	dense := mat.NewSymDense(n, nil)
	for i := range n {
		clear(v)
		v[i] = 1
		if err := a.Mul(ctx, [][]float64{dst}, [][]float64{v}); err != nil {
			return nil, err
		}
		for j := i; j < n; j++ {
			dense.SetSym(i, j, dst[j])
		}
	}
	var s mat.EigenSym
	if !s.Factorize(dense, false) {
		return nil, errors.New("the eigenvalues of the Hessian do not converge")
	}
	return s.Values(nil), nil
}

// barriers measures the line between networks trained from two seeds.
func barriers(ctx context.Context, e *Env, res *Result) error {
	const pairs = 3
	t, err := e.digits(ctx, 2000)
	if err != nil {
		return err
	}
	csv := [][]any{{"width", "pair", "barrier", "barrier_after_matching"}}
	plain, matched := chart.Series{Name: "as they are", Markers: true}, chart.Series{Name: "hidden units matched", Markers: true}
	for _, width := range []int{8, 32, 128, 256} {
		var before, after []float64
		for k := range pairs {
			h, err := Keep(ctx, e, fmt.Sprintf("barrier-%d-%d-seed%d", width, k, e.Seed), func() (h [2]float64, err error) {
				if k == 0 {
					e.Note("barriers of width %d", width)
				}
				return barrier(ctx, e, width, e.Seed+uint64(2*k), t.Train)
			})
			if err != nil {
				return err
			}
			before, after = append(before, h[0]), append(after, h[1])
			csv = append(csv, []any{width, k, h[0], h[1]})
		}
		for s, list := range map[*chart.Series][]float64{&plain: before, &matched: after} {
			st := study.StatOf(list)
			s.X, s.Y, s.Low, s.High = append(s.X, float64(width)), append(s.Y, st.Median), append(s.Low, st.Min), append(s.High, st.Max)
		}
		n := len(plain.Y) - 1
		res.Rows = append(res.Rows, Row{fmt.Sprintf("barrier at width %d", width), "", plain.Y[n], Want{}}, Row{"  after matching", "less", matched.Y[n], AtMost(plain.Y[n])})
	}
	last := len(plain.Y) - 1
	res.Rows = append(res.Rows,
		Row{"barrier at width 256 over that at 8, as they are", "below 1", plain.Y[last] / plain.Y[0], AtMost(1)},
		Row{"  after matching", "less", matched.Y[last] / matched.Y[0], AtMost(0.5)})
	if err := e.CSV("barriers.csv", csv); err != nil {
		return err
	}
	return e.Plot("wide-minima", chart.Grid{Rows: [][]chart.Chart{{{Title: "barrier between two networks of MNIST", X: chart.Axis{Label: "hidden units", Log: true},
		Y: chart.Axis{Label: "rise of the training loss over the line"}, Series: []chart.Series{plain, matched}, Width: 6.5, Height: 4}}}})
}

// barrier is how high the loss rises between networks of two seeds, before and after
// matching.
func barrier(ctx context.Context, e *Env, width int, seed uint64, d data.Dataset) (h [2]float64, err error) {
	var ends [2][]float64
	var m *nn.Model[float32]
	for k := range ends {
		m, err = nn.Build[float32](nn.Sequential{nn.Flatten{}, nn.Dense{Units: width}, nn.ReLU{}, nn.Dense{Units: 10}}, nn.SoftmaxCrossEntropy{}, d.Shape(), nn.Seed(seed+uint64(k)))
		if err != nil {
			return h, err
		}
		c := train.Config{Optimizer: &optimizers.SGD{LR: 0.02, Momentum: 0.9}, Epochs: 8, Batch: 50, Seed: seed + uint64(k)}
		if _, err := trained(ctx, e, fmt.Sprintf("width%d-seed%d", width, seed+uint64(k)), m, d, c); err != nil {
			return h, err
		}
		ends[k] = wide(m.Params)
	}
	p, err := landscape.At(m, d, 0)
	if err != nil {
		return h, err
	}
	same, _, err := landscape.Match(ends[0], ends[1], landscape.HiddenLayers(m), 0)
	if err != nil {
		return h, err
	}
	alpha := landscape.Linspace(0, 1, 21)
	for k, end := range [][]float64{ends[1], same} {
		loss, err := p.Line(ctx, ends[0], end, alpha)
		if err != nil {
			return h, err
		}
		h[k], _ = landscape.Barrier(alpha, loss)
	}
	return h, nil
}
