package optimizers

import (
	"context"
	"math"
	"math/rand/v2"
)

// Noise adds normal noise to every gradient that a method sees, with a standard deviation that falls with the step t =
// 0, 1, 2, ...
//
//	g = g + ξ        ξ ~ N(0, Eta/(1+t)^Gamma)   each element, where |g| is at most Below
//
// (Neelakantan et al. 2015, equation 1; Gamma is theirs, Eta the smallest of the three they tried.) With Gamma 0 it is
// perturbed gradient descent, which leaves strict saddles behind in polynomial time where gradient descent may stay
// for ever (Jin et al. 2021, Algorithm 1); with Below it is perturbed only where the gradient is small, as in their
// first form of it (Jin et al. 2017, Algorithm 2). All gradients of one step get the same noise. It follows from Seed
// and the step, so that a resumed run has it too. The Report tells of the gradient without. The State is that of the
// wrapped method, with the number of steps.
//
// For starts at or near saddles, and for very deep nets that are hard to begin. A minibatch's gradient has noise of its
// own, which usually is enough.
type Noise struct {
	Eta   float64 `set:"eta" default:"0.01" range:"[0,inf)" help:"variance of the noise in the first step"`
	Gamma float64 `set:"gamma" default:"0.55" range:"[0,inf)" help:"how fast it falls: with the power gamma of the step"`
	Below float64 `set:"below" default:"0" range:"[0,inf)" help:"longest gradient that gets noise; 0: all do"`
	Seed  int     `set:"seed" default:"0" range:"[0,inf)" help:"of the noise"`
	Of    Method  // the method that gets the gradients
}

var _ Method = (*Noise)(nil)

// Name is that of the wrapped method, and +noise.
func (w *Noise) Name() string { return wrapperName("noise", w.Of) }

func (*Noise) info() Info {
	return Info{Name: "noise", Use: "normal noise on the gradients, less and less: leaves saddles"}
}

func (*Noise) word() string    { return "noise" }
func (w *Noise) inner() Method { return w.Of }

func (w *Noise) around(m Method) Method {
	c := *w
	c.Of = m
	return &c
}

func (w *Noise) start32(l Layout) (Optimizer[float32], error) { return startNoise[float32](w, l) }
func (w *Noise) start64(l Layout) (Optimizer[float64], error) { return startNoise[float64](w, l) }

func startNoise[T Float](w *Noise, l Layout) (Optimizer[T], error) {
	s, err := resolve("noise", w)
	if err != nil {
		return nil, err
	}
	o, err := startInner[T]("noise", s.Of, l)
	if err != nil {
		return nil, err
	}
	if _, twice := As[*noise[T]](o); twice {
		return nil, clash("noise", s.Of.Name(), "its gradients have noise already")
	}
	if err := refuseReducer("noise", s.Of.Name(), o); err != nil {
		return nil, err
	}
	n := &noise[T]{Optimizer: o, set: s, sources: make([]source, (l.Size()+blockSize-1)/blockSize)}
	for i := range n.sources {
		n.sources[i].normal = rand.New(&n.sources[i].bits)
	}
	n.problem.grad, n.pass = n.grad, n.block
	return n, nil
}

// source is the noise of one block.
type source struct {
	bits   rand.PCG
	normal *rand.Rand
}

type noise[T Float] struct {
	Optimizer[T]
	set     Noise
	problem gradProblem[T]
	sources []source
	steps   int

	// Of a pass over the gradient.
	g     []T
	sigma float64
	pass  func(worker, i int)
}

// Unwrap is the wrapped method's optimizer.
func (w *noise[T]) Unwrap() Optimizer[T] { return w.Optimizer }

func (w *noise[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if p == nil {
		return w.Optimizer.Step(ctx, x, nil)
	}
	w.problem.begin(p)
	r, err := w.Optimizer.Step(ctx, x, &w.problem)
	w.problem.end(&r, err)
	if err == nil {
		w.steps++
	}
	return r, err
}

func (w *noise[T]) grad(s *gradSample[T], dst, x []T) (float64, error) {
	loss, length, err := s.asItWas(dst, x)
	if err != nil || w.set.Eta == 0 || w.set.Below > 0 && length > w.set.Below {
		return loss, err
	}
	w.g, w.sigma = dst, math.Sqrt(w.set.Eta/math.Pow(1+float64(w.steps), w.set.Gamma))
	inBlocks(len(dst), w.pass)
	w.g = nil
	return loss, nil
}

// block adds the noise of one block, which has a source of its own so that it does not depend on who makes it.
func (w *noise[T]) block(_, i int) {
	s := &w.sources[i]
	s.bits.Seed(uint64(w.set.Seed)*0x9e3779b97f4a7c15+uint64(i), uint64(w.steps))
	g := block(w.g, i)
	for j := range g {
		g[j] += T(w.sigma * s.normal.NormFloat64())
	}
}

const noiseStep = "noise_step" // the name of what Noise adds to a State

func (w *noise[T]) State() State[T] {
	return withOwn(w.Optimizer.State(), Scalars{noiseStep: float64(w.steps)}, nil)
}

func (w *noise[T]) Restore(s State[T]) error {
	inner, own, err := takeOwn(s, ownNames{wrapper: "noise", counts: []string{noiseStep}})
	if err != nil {
		return err
	}
	if err := w.Optimizer.Restore(inner); err != nil {
		return err
	}
	w.steps = int(own.Scalars[noiseStep])
	return nil
}
