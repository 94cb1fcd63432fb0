package optimizers

import (
	"errors"
	"fmt"
	"math/bits"
)

// grownOracles is what a minibatch that has grown can answer.
const grownOracles = NeedGrad | NeedHessian | NeedGaussNewton | NeedSquaredGrads | NeedSampledGrads | NeedExampleGrads | NeedNormDraws

// grown is a problem whose minibatch is larger: the problem's own with a fresh sample beside it, or the whole training
// set.
type grown[T Float] struct {
	of   Problem[T]
	all  Sample[T]
	join joined[T]
	work int64 // that the method does not know of
}

// startGrown starts the method inside a wrapper that grows the minibatch.
func startGrown[T Float](wrapper string, m Method, l Layout) (Optimizer[T], error) {
	o, err := startInner[T](wrapper, m, l)
	if err != nil {
		return nil, err
	}
	if more := o.Needs() &^ grownOracles; more != 0 {
		return nil, clash(wrapper, m.Name(), fmt.Sprintf("it needs %v of a minibatch that has several parts", more))
	}
	if growing(o) {
		return nil, clash(wrapper, m.Name(), "its minibatch grows already")
	}
	return o, nil
}

// grower is an optimizer whose minibatch grows.
type grower interface{ growsBatch() }

func growing[T Float](o Optimizer[T]) bool {
	_, ok := As[grower](o)
	return ok
}

// begin makes the minibatch of a step one of size examples, or of a few more.
func (g *grown[T]) begin(method string, p Problem[T], size int) error {
	g.of, g.all, g.work = p, nil, 0
	g.join.parts, g.join.record = g.join.parts[:0], nil
	batch, full := p.Batch(), p.Full()
	if batch == nil || full == nil {
		return fmt.Errorf("optimizers: %s: the problem lacks a minibatch or the whole training set", method)
	}
	g.join.of = g
	b, n := batch.Len(), full.Len()
	more := beside(b, size)
	switch {
	case more > 0 && b+more >= n && b < n:
		g.all = full
		g.join.parts, g.join.n = append(g.join.parts, full), n
		g.join.record = batch
		return nil
	case more <= 0 || b >= n:
		g.join.parts, g.join.n = append(g.join.parts, batch), b
		return nil
	}
	s, err := p.Draw(more)
	if err != nil {
		return fmt.Errorf("optimizers: %s: sample of %d examples beside the minibatch: %w", method, more, err)
	}
	if s == nil {
		return fmt.Errorf("optimizers: %s: the problem drew no sample of %d examples", method, more)
	}
	g.join.parts, g.join.n = append(g.join.parts, batch, s), b+more
	return nil
}

// beside is how many examples are drawn beside b for a minibatch of size: at least two and an eighth of b, as small
// passes are slow and batch normalisation needs two, and rounded up to 4 significant bits, so that samples come in few
// sizes, since a program is compiled for each.
func beside(b, size int) int {
	if size <= b {
		return 0
	}
	n := max(size-b, (b+7)/8, 2)
	shift := max(0, bits.Len(uint(n))-4)
	return (n + 1<<shift - 1) >> shift << shift
}

// end lets go of the step's samples.
func (g *grown[T]) end() {
	g.of, g.all = nil, nil
	clear(g.join.parts)
	g.join.record = nil
}

func (g *grown[T]) Batch() Sample[T]              { return &g.join }
func (g *grown[T]) Draw(n int) (Sample[T], error) { return g.of.Draw(n) }
func (g *grown[T]) Has() Oracle                   { return g.of.Has() & grownOracles }

// Full is the training set; a minibatch of all of it is itself, as methods look whether the two are the same.
func (g *grown[T]) Full() Sample[T] { return g.of.Full() }

// joined is a sample of one or two parts, which it weights by their examples.
type joined[T Float] struct {
	of     *grown[T]
	parts  []Sample[T]
	n      int
	record Sample[T] // the problem's minibatch where it is no part: its loss is looked at once, for the record
	room   []T       // the vector of a part

	length  float64 // norm of the last gradient
	squared float64 // norm squared of the first gradient of the step; -1 before there is one
}

func (j *joined[T]) Len() int { return j.n }

func (j *joined[T]) weight(k int) float64 { return float64(j.parts[k].Len()) / float64(j.n) }

// scratch is the room for the vector of a part.
func (j *joined[T]) scratch(n int) []T {
	if len(j.room) != n {
		j.room = make([]T, n)
	}
	return j.room
}

// recorded looks at the problem's minibatch where it would stay unseen: what trains keeps count of it.
func (j *joined[T]) recorded(x []T) error {
	if j.record == nil {
		return nil
	}
	s := j.record
	j.record = nil
	j.of.work += WorkLoss * int64(s.Len())
	_, err := s.Loss(x)
	return err
}

func (j *joined[T]) Loss(x []T) (loss float64, err error) {
	if err := j.recorded(x); err != nil {
		return 0, err
	}
	for k, s := range j.parts {
		l, err := s.Loss(x)
		if err != nil {
			return 0, err
		}
		loss += j.weight(k) * l
	}
	return loss, nil
}

func (j *joined[T]) Grad(dst, x []T) (loss float64, err error) {
	if err := j.recorded(x); err != nil {
		return 0, err
	}
	err = j.vectors(dst, func(s Sample[T], dst []T, weight float64) error {
		l, err := s.Grad(dst, x)
		loss += weight * l
		return err
	})
	if err != nil {
		return loss, err
	}
	if len(j.parts) == 1 {
		j.length = gradNorm(j.parts[0], dst)
	} else {
		j.length = norm(dst)
	}
	if j.squared < 0 {
		j.squared = j.length * j.length
	}
	return loss, nil
}

// GradNorm is the length of the last gradient.
func (j *joined[T]) GradNorm() (float64, bool) { return j.length, true }

// vectors sets dst to the weighted mean of what f gives for the parts.
func (j *joined[T]) vectors(dst []T, f func(s Sample[T], dst []T, weight float64) error) error {
	if err := f(j.parts[0], dst, j.weight(0)); err != nil || len(j.parts) == 1 {
		return err
	}
	other := j.scratch(len(dst))
	if err := f(j.parts[1], other, j.weight(1)); err != nil {
		return err
	}
	scale(dst, T(j.weight(0)))
	axpy(dst, T(j.weight(1)), other)
	return nil
}

func (j *joined[T]) Linearize(x []T) error {
	for _, s := range j.parts {
		if err := s.Linearize(x); err != nil {
			return err
		}
	}
	return nil
}

func (j *joined[T]) HessianMul(dst, v []T) error {
	return j.vectors(dst, func(s Sample[T], dst []T, _ float64) error { return s.HessianMul(dst, v) })
}

func (j *joined[T]) GaussNewtonMul(dst, v []T) error {
	return j.vectors(dst, func(s Sample[T], dst []T, _ float64) error { return s.GaussNewtonMul(dst, v) })
}

func (j *joined[T]) SquaredGrads(dst, x []T) error {
	return j.vectors(dst, func(s Sample[T], dst []T, _ float64) error {
		q, ok := SampleAs[SquaredGrads[T]](s)
		if !ok {
			return errNoSquares
		}
		return q.SquaredGrads(dst, x)
	})
}

var errNoSquares = errors.New("optimizers: a part of the minibatch gives no squared per-example gradients")

func (j *joined[T]) SampledGrad(dst, x []T, draw int) error {
	return j.vectors(dst, func(s Sample[T], dst []T, _ float64) error {
		q, ok := SampleAs[SampledGrads[T]](s)
		if !ok {
			return errors.New("optimizers: a part of the minibatch gives no gradients with sampled targets")
		}
		return q.SampledGrad(dst, x, draw)
	})
}

func (j *joined[T]) ExampleGrads(x []T, f func(example int, loss float64, g []T) error) error {
	if err := j.recorded(x); err != nil {
		return err
	}
	for _, s := range j.parts {
		if err := exampleGrads("minibatch", s, x, f); err != nil {
			return err
		}
	}
	return nil
}

// First is of the first part as far as that goes.
func (j *joined[T]) First(n int) (Sample[T], error) {
	if j.of.all != nil { // which is streamed
		return nil, errUncut
	}
	k, before := 0, 0
	if first := j.parts[0].Len(); n > first && len(j.parts) > 1 {
		k, before = 1, first
	}
	if n-before == j.parts[k].Len() && k == len(j.parts)-1 {
		return j, nil
	}
	cut, ok := SampleAs[Cut[T]](j.parts[k])
	if !ok {
		return nil, errUncut
	}
	s, err := cut.First(n - before)
	if err != nil || k == 0 {
		return s, err
	}
	return &joined[T]{of: j.of, parts: []Sample[T]{j.parts[0], s}, n: n, squared: -1}, nil
}

var errUncut = errors.New("optimizers: a part of the minibatch cannot be cut")

// Factors shows those of the parts, by their examples.
func (j *joined[T]) Factors(x []T, t Targets, reduce bool, f func(*FactorRows[T]) error) error {
	for k, s := range j.parts {
		q, ok := SampleAs[Factors[T]](s)
		if !ok {
			return errNoFactors
		}
		weight := j.weight(k)
		err := q.Factors(x, t, reduce, func(r *FactorRows[T]) error {
			part := *r
			part.Share *= weight
			return f(&part)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Passes are those of a part; there are none where the problem has no layers.
func (j *joined[T]) Passes(t Targets) int {
	if q, ok := SampleAs[Factors[T]](j.parts[0]); ok {
		return q.Passes(t)
	}
	return 0
}
