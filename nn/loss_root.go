package nn

import (
	"fmt"
	"math"

	"github.com/saddle-ml/saddle/autodiff"
)

// Rooted is a Loss that takes its Hessian with respect to the output apart, as
// exact Kronecker factors and other estimates of the Gauss-Newton matrix need.
type Rooted interface {
	Loss
	// HessianRoot is B u, where BB' is the Hessian of the mean loss with respect
	// to z and u has the shape of z.
	HessianRoot(s *Scope, z, y, u *Node) *Node
	// Terms is the number of negative log-likelihoods that the loss is the mean of,
	// for an output of the shape, batch included.
	Terms(output []int) int
}

var _ = []Rooted{SoftmaxCrossEntropy{}, SigmoidCrossEntropy{}, Logistic{}, MeanSquaredError{}, Brier{}, Huber{}}

// AsRooted is the loss, or the one that it is around, as a Rooted, if it is one;
// see AsSampler.
func AsRooted(l Loss) (Rooted, bool) {
	for {
		if r, ok := l.(Rooted); ok {
			return r, true
		}
		w, ok := l.(interface{ Unwrap() Loss })
		if !ok {
			return nil, false
		}
		l = w.Unwrap()
	}
}

// A Root is a cotangent r of the output, of which the products r r' have the
// Hessian of the mean loss with respect to the output as their mean or sum.
type Root uint8

// The roots.
const (
	SampledRoot   Root = iota // E[r r'] is the Hessian: gradients at targets drawn from the model
	ColumnRoot                // the sum over unit vectors u of an example's output is the Hessian: B u
	EmpiricalRoot             // gradients at the targets of the data: the empirical Fisher matrix
)

// Root is the cotangent r of the output; u, of the output's shape, is only of use
// for ColumnRoot. With signed, r has a sign for each example, +1 or -1 at random:
// of sums over examples, the squares then are sums of squares in the mean.
func (g *Graph) Root(kind Root, u *Node, signed bool) (*Node, error) {
	s := g.scope
	var r *Node
	switch kind {
	case SampledRoot:
		d, err := g.SampledGrad()
		if err != nil {
			return nil, err
		}
		r = s.Mul(d, root(s, s.Shape(d)[0]))
	case ColumnRoot:
		l, ok := AsRooted(g.loss)
		if !ok {
			return nil, fmt.Errorf("nn: %s knows no root of its Hessian (see Rooted)", g.loss)
		}
		r = l.HessianRoot(s, g.Output, g.Y, u)
	case EmpiricalRoot:
		d, err := autodiff.Grad(g.Loss, g.Output)
		if err != nil {
			return nil, err
		}
		terms := s.Shape(d[0])[0]
		if l, ok := AsRooted(g.loss); ok {
			terms = l.Terms(s.Shape(d[0]))
		}
		r = s.Mul(d[0], s.Const(math.Sqrt(float64(terms))))
	default:
		return nil, fmt.Errorf("nn: root %d of the loss's Hessian; allowed are 0 to %d", kind, EmpiricalRoot)
	}
	if signed && s.Err() == nil {
		wide := []int{s.Shape(r)[0]}
		for range s.Shape(r)[1:] {
			wide = append(wide, 1)
		}
		r = s.Mul(r, s.Sub(s.Mul(s.Const(2), s.Greater(s.uniform(wide), s.Const(0.5))), s.Const(1)))
	}
	return r, s.Err()
}

// root is 1 over the root of n.
func root(s *Scope, n int) *Node { return s.Const(1 / math.Sqrt(float64(max(1, n)))) }

// HessianRoot is √p u - p <√p, u> over the root of the number of answers, times
// that of the target's sum where it is probabilities.
func (l SoftmaxCrossEntropy) HessianRoot(s *Scope, z, y, u *Node) *Node {
	if s.Err() != nil {
		return nil
	}
	p := s.Builder.Softmax(z, -1)
	qu := s.Mul(s.Exp(s.Mul(s.Const(0.5), s.Builder.LogSoftmax(z, -1))), u)
	r := s.Sub(qu, s.Mul(p, s.ExpandDims(s.Sum(qu, -1), -1)))
	if l.Probs {
		r = s.Mul(r, s.ExpandDims(s.Sqrt(s.Sum(y, -1)), -1))
	}
	return s.Mul(r, root(s, l.Terms(s.Shape(z))))
}

// Terms is the number of answers.
func (SoftmaxCrossEntropy) Terms(output []int) int { return size(output[:len(output)-1]) }

// HessianRoot is √(p (1-p)) u over the root of the number of examples.
func (l SigmoidCrossEntropy) HessianRoot(s *Scope, z, _, u *Node) *Node {
	if s.Err() != nil {
		return nil
	}
	p := s.Builder.Sigmoid(z)
	return s.Mul(s.Mul(s.Sqrt(s.Mul(p, s.Sub(s.Const(1), p))), u), root(s, l.Terms(s.Shape(z))))
}

// Terms is the number of examples.
func (SigmoidCrossEntropy) Terms(output []int) int { return output[0] }

// HessianRoot is that of SigmoidCrossEntropy.
func (Logistic) HessianRoot(s *Scope, z, y, u *Node) *Node {
	return SigmoidCrossEntropy{}.HessianRoot(s, z, y, u)
}

// Terms is the number of examples.
func (Logistic) Terms(output []int) int { return output[0] }

// HessianRoot is u times the root of 2 over the number of elements.
func (l MeanSquaredError) HessianRoot(s *Scope, z, _, u *Node) *Node {
	if s.Err() != nil {
		return nil
	}
	return s.Mul(s.Mul(u, s.Const(math.Sqrt2)), root(s, l.Terms(s.Shape(z))))
}

// Terms is the number of elements.
func (MeanSquaredError) Terms(output []int) int { return size(output) }

// HessianRoot is that of MeanSquaredError.
func (Brier) HessianRoot(s *Scope, p, y, u *Node) *Node {
	return MeanSquaredError{}.HessianRoot(s, p, y, u)
}

// Terms is the number of examples.
func (Brier) Terms(output []int) int { return output[0] }

// HessianRoot is u where |z-y| <= Delta, over the root of the number of elements.
func (h Huber) HessianRoot(s *Scope, z, y, u *Node) *Node {
	if s.Err() != nil {
		return nil
	}
	near := s.LessEqual(s.Builder.Abs(s.Sub(z, y)), s.Const(h.delta()))
	return s.Mul(s.Mul(near, u), root(s, h.Terms(s.Shape(z))))
}

// Terms is the number of elements.
func (Huber) Terms(output []int) int { return size(output) }
