package nn

import (
	"fmt"
	"math"
)

// Penalised is a Loss with a term for the parameters alone: Loss has it in it,
// OutputHessian and Metrics do not. See Graph.GaussNewton.
type Penalised interface {
	Loss
	// Penalty is the term, a scalar, or nil for none.
	Penalty(s *Scope) *Node
}

// L2 is another loss and Lambda/2 times the squared length of the weights, or
// with All of all parameters, biases and normalisations too. It is part of the
// function: losses, gradients and products have it exactly, on any examples. An
// optimizer's weight_decay is not.
type L2 struct {
	Of     Loss
	Lambda float64
	All    bool
}

var _ Penalised = L2{}

func (l L2) String() string {
	if isNil(l.Of) {
		return "L2"
	}
	return fmt.Sprintf("%s + %g/2 |w|²", l.Of, l.Lambda)
}

// Target is that of the loss.
func (l L2) Target(output []int) ([]int, int, error) {
	if isNil(l.Of) {
		return nil, 0, fmt.Errorf("nn: L2: its loss is nil")
	}
	if !(l.Lambda >= 0) || math.IsInf(l.Lambda, 0) {
		return nil, 0, fmt.Errorf("nn: %s: lambda is %v; it must be finite and at least 0", l, l.Lambda)
	}
	return l.Of.Target(output)
}

// Loss is the loss and the penalty.
func (l L2) Loss(s *Scope, z, y *Node) *Node {
	loss := l.Of.Loss(s, z, y)
	if own := l.own(s); own != nil {
		return s.Add(loss, own)
	}
	return loss
}

// own is this penalty, without those of the loss.
func (l L2) own(s *Scope) *Node {
	if l.Lambda == 0 {
		return nil
	}
	var sum *Node
	for p, w := range s.Params() {
		if p.Kind != Weight && !l.All {
			continue
		}
		if square := s.Sum(s.Builder.Square(w)); sum == nil {
			sum = square
		} else {
			sum = s.Add(sum, square)
		}
	}
	if sum == nil {
		return s.Failf("there are no weights to penalise")
	}
	return s.Mul(sum, s.Const(l.Lambda/2))
}

// Penalty is half of Lambda times the squared length, and what the loss itself
// adds.
func (l L2) Penalty(s *Scope) *Node {
	own := l.own(s)
	of, ok := l.Of.(Penalised)
	if !ok {
		return own
	}
	more := of.Penalty(s)
	switch {
	case more == nil:
		return own
	case own == nil:
		return more
	}
	return s.Add(more, own)
}

// OutputHessian is that of the loss.
func (l L2) OutputHessian(s *Scope, z, y, u *Node) *Node { return l.Of.OutputHessian(s, z, y, u) }

// Metrics are those of the loss.
func (l L2) Metrics(s *Scope, z, y *Node) []Metric { return l.Of.Metrics(s, z, y) }

// Unwrap is the loss without the penalty.
func (l L2) Unwrap() Loss { return l.Of }

// Joint tells whether the loss couples its examples.
func (l L2) Joint() bool { return isJoint(l.Of) }

// isJoint tells whether a loss says that it couples its examples.
func isJoint(l Loss) bool {
	j, ok := l.(interface{ Joint() bool })
	return ok && j.Joint()
}
