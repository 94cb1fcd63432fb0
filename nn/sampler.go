package nn

import (
	"fmt"
	"math"
)

// A Sampler is a Loss whose output stands for a distribution over targets: a
// softmax for classes, a normal distribution for squared errors. It is what
// estimates of the Fisher matrix need that draw targets from the model.
//
// SampledGrad is, for each example on its own, the gradient of its loss with
// respect to z with such a target: of mean 0, and with the Hessian of the
// example's loss as its covariance. It is a tensor of the shape of z, not divided
// by the number of examples, and a constant to differentiation. Random numbers
// come from s.Key and s.Stream.
type Sampler interface {
	Loss
	SampledGrad(s *Scope, z, y *Node) *Node
}

var _, _, _, _ Sampler = SoftmaxCrossEntropy{}, SigmoidCrossEntropy{}, MeanSquaredError{}, Huber{}
var _, _ Sampler = Logistic{}, Brier{}

// AsSampler is the loss, or the one that it is around, as a Sampler, if it is one. A
// loss around another says by Unwrap which that is, if its own part has nothing to
// do with targets.
func AsSampler(l Loss) (Sampler, bool) {
	for {
		if s, ok := l.(Sampler); ok {
			return s, true
		}
		w, ok := l.(interface{ Unwrap() Loss })
		if !ok {
			return nil, false
		}
		l = w.Unwrap()
	}
}

// SampledGrad is the Sampler's gradient with respect to the output, of each
// example; each call draws anew. The gradient of the mean loss with such targets
// is its pullback, divided by the number of examples.
func (g *Graph) SampledGrad() (*Node, error) {
	l, ok := AsSampler(g.loss)
	if !ok {
		return nil, fmt.Errorf("nn: %s does not say which distribution its outputs stand for, so that no targets can be drawn", g.loss)
	}
	s := g.scope
	u := s.StopGradient(l.SampledGrad(s, s.StopGradient(g.Output), g.Y))
	return u, s.Err()
}

// uniform are random numbers on [0, 1) in steps of 2^-24.
func (s *Scope) uniform(shape []int) *Node { return s.Uniform(s.Key(), s.Stream(), shape...) }

// normal are random numbers of the standard normal distribution (Box and Muller
// 1958).
func (s *Scope) normal(shape []int) *Node {
	// 1-u is never 0.
	r := s.Sqrt(s.Mul(s.Const(-2), s.Log1p(s.Neg(s.uniform(shape)))))
	return s.Mul(r, s.Cos(s.Mul(s.Const(2*math.Pi), s.uniform(shape))))
}

// SampledGrad is p less one-hot for p = softmax(z) and a class drawn from it,
// whatever the smoothing: that moves the targets, not the curvature. Where
// there are axes between batch and classes, each place has its own class, and
// where targets are probabilities, their sum is the covariance's factor.
func (l SoftmaxCrossEntropy) SampledGrad(s *Scope, z, y *Node) *Node {
	if s.Err() != nil {
		return nil
	}
	shape := s.Shape(z)
	// The class with the first arrival, arrivals being exponential with rates p,
	// is drawn by p: it is the largest of z - log(e), e exponential.
	u := s.Maximum(s.uniform(shape), s.Const(0x1p-25))
	arrival := s.Log(s.Neg(s.Log1p(s.Neg(u))))
	class := s.ArgMax(s.Sub(z, arrival), -1)
	g := s.Sub(s.Builder.Softmax(z, -1), s.OneHot(class, shape[len(shape)-1]))
	if l.Probs {
		g = s.Mul(g, s.ExpandDims(s.Sqrt(s.Sum(y, -1)), -1))
	}
	if places := size(shape[1 : len(shape)-1]); places != 1 {
		g = s.Mul(g, s.Const(1/math.Sqrt(float64(places))))
	}
	return g
}

// SampledGrad is p less y for p = sigmoid(z) and each y drawn as 1 with
// probability p.
func (SigmoidCrossEntropy) SampledGrad(s *Scope, z, _ *Node) *Node {
	if s.Err() != nil {
		return nil
	}
	p := s.Builder.Sigmoid(z)
	return s.Sub(p, s.Less(s.uniform(s.Shape(z)), p))
}

// SampledGrad is p less y for p = sigmoid(z) and y drawn as 1 with probability p.
func (Logistic) SampledGrad(s *Scope, z, y *Node) *Node {
	return SigmoidCrossEntropy{}.SampledGrad(s, z, y)
}

// SampledGrad is that of targets drawn from the normal distribution around p whose
// log-density the loss is.
func (Brier) SampledGrad(s *Scope, p, y *Node) *Node { return MeanSquaredError{}.SampledGrad(s, p, y) }

// SampledGrad is that of targets drawn from the normal distribution around z
// whose log-density the loss is: its variance is half the number of outputs.
func (MeanSquaredError) SampledGrad(s *Scope, z, _ *Node) *Node {
	if s.Err() != nil {
		return nil
	}
	shape := s.Shape(z)
	return s.Mul(s.normal(shape), s.Const(math.Sqrt(2/float64(size(shape[1:])))))
}

// SampledGrad is normal where |z-y| <= Delta, and 0 elsewhere: the covariance is
// the Hessian, though no distribution over targets has this loss.
func (h Huber) SampledGrad(s *Scope, z, y *Node) *Node {
	if s.Err() != nil {
		return nil
	}
	shape := s.Shape(z)
	near := s.LessEqual(s.Builder.Abs(s.Sub(z, y)), s.Const(h.delta()))
	return s.Mul(s.Mul(near, s.normal(shape)), s.Const(1/math.Sqrt(float64(size(shape[1:])))))
}
