package experiments

import (
	"context"
	"fmt"
	"math"
	"sort"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/optimizers"
)

// linearModel is the mean over examples of a loss of the score w'x, and L2/2·|w|²:
// the models logistic and nls of package nn, in float64 on sparse rows, which
// makes a pass over a9a 9 and one over w8a 25 times shorter. It is a Problem of which
// every minibatch is everything, or Batch examples.
type linearModel struct {
	rows  *data.LIBSVM
	y     []float64
	norms []float64 // squared, of the rows
	d     int
	loss  pointLoss
	l2    float64

	size  int     // examples of a minibatch; 0 for all
	grow  float64 // how many times as many in each step, where it is above 1
	rand  *numpyGenerator
	order []int32
	draws int // of the step
	full  *linearSample
	batch *linearSample
	drawn []*linearSample
	sums  []float64 // of DrawByNorm
}

// pointLoss is the loss of one example with its derivatives in the score: f, f',
// and f” and its Gauss-Newton part.
type pointLoss struct {
	value  func(z, y float64) (f, slope float64)
	second func(z, y float64) (hessian, gaussNewton float64)
}

// logisticLoss is log(1 + exp(z)) - y z, for targets 0 and 1.
var logisticLoss = pointLoss{
	value: func(z, y float64) (float64, float64) {
		e := math.Exp(-math.Abs(z))
		f := math.Log1p(e) + max(z, 0) - y*z
		return f, sigmoid(z) - y
	},
	second: func(z, _ float64) (float64, float64) {
		p := sigmoid(z)
		return p * (1 - p), p * (1 - p)
	},
}

// squareLoss is (y - σ(z))², which is not convex.
var squareLoss = pointLoss{
	value: func(z, y float64) (float64, float64) {
		p := sigmoid(z)
		return (p - y) * (p - y), 2 * (p - y) * p * (1 - p)
	},
	second: func(z, y float64) (float64, float64) {
		p := sigmoid(z)
		s := p * (1 - p)
		return 2 * (s*s + (p-y)*s*(1-2*p)), 2 * s * s
	},
}

func sigmoid(z float64) float64 {
	e := math.Exp(-math.Abs(z))
	if z >= 0 {
		return 1 / (1 + e)
	}
	return e / (1 + e)
}

func newLinearModel(rows *data.LIBSVM, loss pointLoss, l2 float64, seed uint64) (*linearModel, error) {
	n := rows.Len()
	m := &linearModel{rows: rows, d: rows.Shape()[0], loss: loss, l2: l2, y: make([]float64, n), norms: make([]float64, n)}
	index := make([]int, n)
	for i := range index {
		index[i] = i
		_, v := rows.Row(i)
		for _, e := range v {
			m.norms[i] += e * e
		}
	}
	if err := rows.Read64(nil, m.y, index); err != nil {
		return nil, err
	}
	m.rand = newNumpyGenerator(seed)
	m.full = &linearSample{of: m}
	m.batch = &linearSample{of: m}
	m.order = make([]int32, n)
	return m, nil
}

// begin is before each step, which are counted from 0.
func (m *linearModel) begin(step int) {
	m.draws = 0
	if step > 0 && m.grow > 1 && m.size > 0 {
		m.size = min(len(m.y), int(math.Ceil(float64(m.size)*m.grow)))
	}
	if m.size > 0 && m.size < len(m.y) {
		m.choose(m.batch, m.size)
	}
}

// choose makes a uniform sample without replacement.
func (m *linearModel) choose(s *linearSample, n int) {
	s.terms, s.weights = append(s.terms[:0], m.rand.choose(m.order, n)...), nil
}

func (m *linearModel) Batch() optimizers.Sample[float64] {
	if m.size > 0 && m.size < len(m.y) {
		return m.batch
	}
	return m.full
}

func (m *linearModel) Full() optimizers.Sample[float64] { return m.full }

func (m *linearModel) Has() optimizers.Oracle {
	return optimizers.NeedGrad | optimizers.NeedHessian | optimizers.NeedGaussNewton | optimizers.NeedNormDraws
}

func (m *linearModel) Draw(n int) (optimizers.Sample[float64], error) {
	if n < 1 || n >= len(m.y) {
		return nil, fmt.Errorf("experiments: a sample of %d of %d examples", n, len(m.y))
	}
	s := m.more()
	m.choose(s, n)
	return s, nil
}

// more is memory for one more sample of the step.
func (m *linearModel) more() *linearSample {
	if m.draws == len(m.drawn) {
		m.drawn = append(m.drawn, &linearSample{of: m})
	}
	m.draws++
	return m.drawn[m.draws-1]
}

// linearSample is some of the examples.
type linearSample struct {
	of          *linearModel
	terms       []int32   // nil: all
	weights     []float64 // of the products; nil: all alike
	hessian     []float64 // f'' of each example times its weight, at the point of Linearize
	gaussNewton []float64
}

var (
	_ optimizers.BlockCurvature[float64] = (*linearSample)(nil)
	_ optimizers.NormDraws[float64]      = (*linearSample)(nil)
)

func (s *linearSample) Len() int {
	if s.terms == nil {
		return len(s.of.y)
	}
	return len(s.terms)
}

// row is example k of the sample.
func (s *linearSample) row(k int) (at []int32, v []float64, y float64) {
	if s.terms != nil {
		k = int(s.terms[k])
	}
	at, v = s.of.rows.Row(k)
	return at, v, s.of.y[k]
}

func score(at []int32, v, w []float64) float64 {
	z := 0.0
	for i, j := range at {
		z += v[i] * w[j]
	}
	return z
}

func (s *linearSample) penalty(w []float64) float64 {
	sum := 0.0
	for _, v := range w {
		sum += v * v
	}
	return s.of.l2 / 2 * sum
}

func (s *linearSample) Loss(w []float64) (float64, error) {
	sum := 0.0
	n := s.Len()
	for k := range n {
		at, v, y := s.row(k)
		f, _ := s.of.loss.value(score(at, v, w), y)
		sum += f
	}
	return sum/float64(n) + s.penalty(w), nil
}

func (s *linearSample) Grad(dst, w []float64) (float64, error) {
	clear(dst)
	sum := 0.0
	n := s.Len()
	for k := range n {
		at, v, y := s.row(k)
		f, slope := s.of.loss.value(score(at, v, w), y)
		sum += f
		slope /= float64(n)
		for i, j := range at {
			dst[j] += slope * v[i]
		}
	}
	for j, v := range w {
		dst[j] += s.of.l2 * v
	}
	return sum/float64(n) + s.penalty(w), nil
}

func (s *linearSample) Linearize(w []float64) error {
	n := s.Len()
	s.hessian, s.gaussNewton = resize(s.hessian, n), resize(s.gaussNewton, n)
	for k := range n {
		at, v, y := s.row(k)
		h, g := s.of.loss.second(score(at, v, w), y)
		weight := 1 / float64(n)
		if s.weights != nil {
			weight = s.weights[k]
		}
		s.hessian[k], s.gaussNewton[k] = weight*h, weight*g
	}
	return nil
}

func resize(v []float64, n int) []float64 {
	if cap(v) < n {
		return make([]float64, n)
	}
	return v[:n]
}

func (s *linearSample) HessianMul(dst, v []float64) error { return s.multiply(dst, v, s.hessian) }

func (s *linearSample) GaussNewtonMul(dst, v []float64) error {
	return s.multiply(dst, v, s.gaussNewton)
}

func (s *linearSample) multiply(dst, v, curvature []float64) error {
	for j, e := range v {
		dst[j] = s.of.l2 * e
	}
	for k, c := range curvature {
		at, x, _ := s.row(k)
		if c *= score(at, x, v); c != 0 {
			for i, j := range at {
				dst[j] += c * x[i]
			}
		}
	}
	return nil
}

// HessianMuls goes once through the rows.
func (s *linearSample) HessianMuls(dst, v [][]float64) error {
	return s.multiplyAll(dst, v, s.hessian)
}

// GaussNewtonMuls goes once through the rows.
func (s *linearSample) GaussNewtonMuls(dst, v [][]float64) error {
	return s.multiplyAll(dst, v, s.gaussNewton)
}

func (s *linearSample) multiplyAll(dst, v [][]float64, curvature []float64) error {
	for a := range v {
		for j, e := range v[a] {
			dst[a][j] = s.of.l2 * e
		}
	}
	for k, c := range curvature {
		at, x, _ := s.row(k)
		for a := range v {
			if z := c * score(at, x, v[a]); z != 0 {
				to := dst[a]
				for i, j := range at {
					to[j] += z * x[i]
				}
			}
		}
	}
	return nil
}

// DrawByNorm draws with replacement, example i with a probability in proportion to
// |f”|·|x|², the norm of its Hessian.
func (s *linearSample) DrawByNorm(n int, w []float64, gaussNewton bool) (optimizers.Sample[float64], int64, error) {
	m := s.of
	work := int64(optimizers.WorkLoss * len(m.y))
	if s != m.full || n < 1 {
		return nil, 0, fmt.Errorf("experiments: %d examples by norm, of a sample of %d", n, s.Len())
	}
	m.sums = resize(m.sums, len(m.y))
	total := 0.0
	for i := range m.y {
		at, v, y := s.row(i)
		h, g := m.loss.second(score(at, v, w), y)
		if gaussNewton {
			h = g
		}
		total += math.Abs(h) * m.norms[i]
		m.sums[i] = total
	}
	d := m.more()
	if total == 0 { // all scores are saturated: no example is better than another
		m.choose(d, min(n, len(m.y)))
		return d, work, nil
	}
	if math.IsInf(total, 1) || math.IsNaN(total) {
		return nil, work, fmt.Errorf("experiments: the norms of all examples add up to %v", total)
	}
	d.terms, d.weights = d.terms[:0], d.weights[:0]
	for range n {
		i := sort.SearchFloat64s(m.sums, m.rand.Float64()*total)
		i = min(i, len(m.y)-1)
		share := m.sums[i]
		if i > 0 {
			share -= m.sums[i-1]
		}
		if share == 0 { // a hit on the edge of an example that has none
			share = total
		}
		d.terms = append(d.terms, int32(i))
		d.weights = append(d.weights, total/(share*float64(n)*float64(len(m.y))))
	}
	return d, work, nil
}

// follow runs a method from w, which moves, and calls look before each step with
// the loss there and what the step before it has told; false ends the run.
func (m *linearModel) follow(ctx context.Context, w []float64, method optimizers.Method, look func(step int, loss float64, last *optimizers.Report) bool) error {
	o, err := optimizers.New[float64](method, optimizers.Flat(m.d))
	if err != nil {
		return err
	}
	if err := optimizers.Check(o, optimizers.Problem[float64](m)); err != nil {
		return err
	}
	var last *optimizers.Report
	for k := 0; ; k++ {
		loss, err := m.full.Loss(w)
		if err != nil {
			return err
		}
		if !look(k, loss, last) {
			return nil
		}
		m.begin(k)
		r, err := o.Step(ctx, w, m)
		if err != nil {
			return err
		}
		last = &r
	}
}
