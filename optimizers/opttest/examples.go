package opttest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/saddle-ml/saddle/optimizers"
)

// Examples is a small training problem that can answer everything: the mean over 96 examples of (σ(w'a + b) - y)²/2,
// with targets y from such a model and noise. Its minibatches and draws depend on nothing but the step set by At, so a
// run can be resumed anywhere. It allocates nothing after its first step.
//
// Work counts what has been asked for, in forward-equivalents. The other fields make it fail.
type Examples[T optimizers.Float] struct {
	Work int64

	Poison func(grad []T, loss float64) float64 // changes the gradient of the minibatch and gives the loss beside it
	Fail   string                               // the name of a method of Sample, or Draw, that returns ErrExamples
	Lacks  optimizers.Oracle                    // taken out of what Has says

	inputs  [][]float64
	targets []float64
	random  rand.PCG
	step    uint64
	draws   int
	batch   sample[T]
	full    sample[T]
	drawn   []*sample[T]
}

// ErrExamples is the error that an Examples with Fail returns.
var ErrExamples = fmt.Errorf("opttest: asked to fail")

const examples, features, batchSize = 96, 6, 32

// Layout is the layout of the parameters: weights, a tensor that the loss does not depend on, and a bias. The weights are
// a block for methods with Kronecker factors.
func (e *Examples[T]) Layout() optimizers.Layout {
	return optimizers.Layout{
		{Name: "dense.weight", Shape: []int{3, 2}, Block: &optimizers.Block{Tensors: 1, In: features, Out: 1}},
		{Name: "norm.scale", Shape: []int{4}, Offset: features, Kind: optimizers.Norm},
		{Name: "dense.bias", Shape: []int{1}, Offset: features + 4, Kind: optimizers.Bias},
	}
}

const biasAt, parameters = features + 4, features + 5

// NewExamples builds the problem, at step 0.
func NewExamples[T optimizers.Float]() *Examples[T] {
	e := &Examples[T]{}
	e.random.Seed(7, 11)
	r := rand.New(&e.random)
	for range examples {
		a, score := make([]float64, features), 0.3
		for i := range a {
			a[i] = r.NormFloat64() * float64(i+1) / 3
			score += a[i] * float64(1-2*(i%2)) / float64(i+1)
		}
		e.inputs = append(e.inputs, a)
		e.targets = append(e.targets, sigmoid(score)+0.05*r.NormFloat64())
	}
	for i := range examples {
		e.full.rows = append(e.full.rows, i)
	}
	e.full.of, e.batch.of = e, e
	e.At(0)
	return e
}

// Start is where runs begin.
func (e *Examples[T]) Start() []T {
	x := make([]T, parameters)
	for i := range x {
		x[i] = T(0.1 * math.Cos(float64(3*i)))
	}
	return x
}

// At moves to a step: it changes the minibatch and the samples to be drawn.
func (e *Examples[T]) At(step int) {
	e.step, e.draws = uint64(step), 0
	e.random.Seed(e.step, 1)
	e.batch.choose(batchSize)
}

// Batch is the minibatch of the step.
func (e *Examples[T]) Batch() optimizers.Sample[T] { return &e.batch }

// Full is all examples.
func (e *Examples[T]) Full() optimizers.Sample[T] { return &e.full }

// Has is everything, less Lacks.
func (e *Examples[T]) Has() optimizers.Oracle {
	return (optimizers.NeedGrad | optimizers.NeedHessian | optimizers.NeedGaussNewton | optimizers.NeedSquaredGrads |
		optimizers.NeedSampledGrads | optimizers.NeedStructural | optimizers.NeedExampleGrads) &^ e.Lacks
}

// Draw is a sample of n examples, the same in every run at this step.
func (e *Examples[T]) Draw(n int) (optimizers.Sample[T], error) {
	if e.Fail == "Draw" {
		return nil, ErrExamples
	}
	if n < 1 || n >= examples {
		return nil, fmt.Errorf("opttest: a sample of %d examples is asked for; allowed are 1 to %d", n, examples-1)
	}
	if e.draws == len(e.drawn) {
		e.drawn = append(e.drawn, &sample[T]{of: e})
	}
	s := e.drawn[e.draws]
	e.draws++
	e.random.Seed(e.step, uint64(e.draws)+1)
	s.choose(n)
	return s, nil
}

// sample is some of the examples.
type sample[T optimizers.Float] struct {
	of   *Examples[T]
	rows []int
	at   [parameters]float64

	shown shown[T]
	one   []T // a gradient that is passed on
}

// choose picks n of the examples, each at most once (Fisher and Yates).
func (s *sample[T]) choose(n int) {
	s.rows = s.rows[:0]
	for i := range examples {
		s.rows = append(s.rows, i)
	}
	for i := range n {
		j := i + int(s.of.random.Uint64()%uint64(examples-i))
		s.rows[i], s.rows[j] = s.rows[j], s.rows[i]
	}
	s.rows = s.rows[:n]
}

func (s *sample[T]) Len() int { return len(s.rows) }

// call counts the work of a call, and fails if that is wanted.
func (s *sample[T]) call(method string, each int) error {
	if s.of.Fail == method {
		return ErrExamples
	}
	s.of.Work += int64(each * len(s.rows))
	return nil
}

func (s *sample[T]) Loss(x []T) (float64, error) {
	if err := s.call("Loss", optimizers.WorkLoss); err != nil {
		return 0, err
	}
	var point [parameters]float64
	widen(point[:], x)
	sum := 0.0
	for _, row := range s.rows {
		d := s.of.output(row, &point) - s.of.targets[row]
		sum += d * d / 2
	}
	return sum / float64(len(s.rows)), nil
}

func (s *sample[T]) Grad(dst, x []T) (float64, error) {
	if err := s.call("Grad", optimizers.WorkGrad); err != nil {
		return 0, err
	}
	var point, sum [parameters]float64
	widen(point[:], x)
	loss := 0.0
	for _, row := range s.rows {
		p := s.of.output(row, &point)
		d := p - s.of.targets[row]
		loss += d * d / 2
		s.of.add(&sum, row, d*p*(1-p))
	}
	loss /= float64(len(s.rows))
	s.mean(dst, &sum)
	if s == &s.of.batch && s.of.Poison != nil {
		loss = s.of.Poison(dst, loss)
	}
	return loss, nil
}

func (s *sample[T]) SquaredGrads(dst, x []T) error {
	if err := s.call("SquaredGrads", optimizers.WorkSquaredGrads); err != nil {
		return err
	}
	var point, sum [parameters]float64
	widen(point[:], x)
	for _, row := range s.rows {
		p := s.of.output(row, &point)
		var one [parameters]float64
		s.of.add(&one, row, (p-s.of.targets[row])*p*(1-p))
		for i, v := range one {
			sum[i] += v * v
		}
	}
	s.mean(dst, &sum)
	return nil
}

// ExampleGrads fails as Grad does, for methods that ask for it instead, and of the minibatch it is poisoned.
func (s *sample[T]) ExampleGrads(x []T, f func(example int, loss float64, g []T) error) error {
	if s.of.Fail == "Grad" {
		return ErrExamples
	}
	if err := s.call("ExampleGrads", optimizers.WorkExampleGrads); err != nil {
		return err
	}
	var point [parameters]float64
	widen(point[:], x)
	if s.one == nil {
		s.one = make([]T, parameters)
	}
	for _, row := range s.rows {
		p := s.of.output(row, &point)
		d := p - s.of.targets[row]
		var one [parameters]float64
		s.of.add(&one, row, d*p*(1-p))
		for i, v := range one {
			s.one[i] = T(v)
		}
		loss := d * d / 2
		if s == &s.of.batch && s.of.Poison != nil {
			loss = s.of.Poison(s.one, loss)
		}
		if err := f(row, loss, s.one); err != nil {
			return err
		}
	}
	return nil
}

// StructuralMul takes the score w'a + b for the hidden state.
func (s *sample[T]) StructuralMul(dst, v []T) error {
	if err := s.call("StructuralMul", optimizers.WorkStructural); err != nil {
		return err
	}
	s.multiply(dst, v, func(_, _ float64) float64 { return 1 })
	return nil
}

// SampledGrad has targets at a distance of 1 from the output, above or below: that has the variance of the normal
// distribution that the loss stands for.
func (s *sample[T]) SampledGrad(dst, x []T, draw int) error {
	if err := s.call("SampledGrad", optimizers.WorkSampledGrad); err != nil {
		return err
	}
	var point, sum [parameters]float64
	widen(point[:], x)
	var random rand.PCG
	for _, row := range s.rows {
		random.Seed(s.of.step, uint64(row)<<32|uint64(draw))
		sign := float64(random.Uint64()>>63)*2 - 1
		p := s.of.output(row, &point)
		s.of.add(&sum, row, sign*p*(1-p))
	}
	s.mean(dst, &sum)
	return nil
}

func (s *sample[T]) Linearize(x []T) error {
	if s.of.Fail == "Linearize" {
		return ErrExamples
	}
	widen(s.at[:], x)
	return nil
}

func (s *sample[T]) HessianMul(dst, v []T) error {
	if err := s.call("HessianMul", optimizers.WorkHessian); err != nil {
		return err
	}
	s.multiply(dst, v, func(p, y float64) float64 {
		slope := p * (1 - p)
		return slope*slope + (p-y)*slope*(1-2*p)
	})
	return nil
}

func (s *sample[T]) GaussNewtonMul(dst, v []T) error {
	if err := s.call("GaussNewtonMul", optimizers.WorkGaussNewton); err != nil {
		return err
	}
	s.multiply(dst, v, func(p, _ float64) float64 { return p * (1 - p) * p * (1 - p) })
	return nil
}

// multiply sets dst to the mean of c·z z'v, z the inputs and 1 of an example, c from its output and target.
func (s *sample[T]) multiply(dst, v []T, c func(p, y float64) float64) {
	var direction, sum [parameters]float64
	widen(direction[:], v)
	for _, row := range s.rows {
		z := direction[biasAt]
		for i, a := range s.of.inputs[row] {
			z += a * direction[i]
		}
		s.of.add(&sum, row, c(s.of.output(row, &s.at), s.of.targets[row])*z)
	}
	s.mean(dst, &sum)
}

func (s *sample[T]) mean(dst []T, sum *[parameters]float64) {
	for i, v := range sum {
		dst[i] = T(v / float64(len(s.rows)))
	}
}

// output is the model's for one example.
func (e *Examples[T]) output(row int, x *[parameters]float64) float64 {
	score := x[biasAt]
	for i, a := range e.inputs[row] {
		score += a * x[i]
	}
	return sigmoid(score)
}

// add adds c times an example's inputs, and c to the bias.
func (e *Examples[T]) add(sum *[parameters]float64, row int, c float64) {
	for i, a := range e.inputs[row] {
		sum[i] += c * a
	}
	sum[biasAt] += c
}

func sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }
