package nn

import "fmt"

// LogSumExp is Rho·log Σ exp((z - y)/Rho) over all the examples, for an output z
// and a number y each: a smooth maximum of z - y, behind a Dense unit without
// bias a test of second-order methods (Mishchenko, arXiv 2112.02089). Rho 0 means
// 1.
//
// It is no mean: it couples all examples, and on some of them it is another
// function.
type LogSumExp struct{ Rho float64 }

func (l LogSumExp) String() string { return fmt.Sprintf("log-sum-exp(%g)", l.rho()) }

func (l LogSumExp) rho() float64 {
	if l.Rho == 0 {
		return 1
	}
	return l.Rho
}

// Joint is true: see Model.Joint.
func (LogSumExp) Joint() bool { return true }

// Target is a number.
func (l LogSumExp) Target(output []int) ([]int, int, error) {
	if !(l.rho() > 0) {
		return nil, 0, fmt.Errorf("nn: %s: rho must be positive", l)
	}
	if len(output) != 1 || output[0] != 1 {
		return nil, 0, fmt.Errorf("nn: %s needs an output of shape [1], not %v", l, output)
	}
	return output, 0, nil
}

// scaled is (z - y)/Rho.
func (l LogSumExp) scaled(s *Scope, z, y *Node) *Node {
	return s.Mul(flat(s, s.Sub(z, y)), s.Const(1/l.rho()))
}

// Loss is over all examples of the batch. The largest is taken out first, as a
// constant: it has no share in the derivatives, whose rounding would grow with it.
func (l LogSumExp) Loss(s *Scope, z, y *Node) *Node {
	x := l.scaled(s, z, y)
	most := s.StopGradient(s.Max(x))
	return s.Mul(s.Add(s.Builder.LogSumExp(s.Sub(x, most)), most), s.Const(l.rho()))
}

// OutputHessian is (p u - p <p, u>)/Rho with p = softmax((z - y)/Rho).
func (l LogSumExp) OutputHessian(s *Scope, z, y, u *Node) *Node {
	if s.Err() != nil {
		return nil
	}
	p := s.Reshape(s.Builder.Softmax(l.scaled(s, z, y), 0), s.Shape(z)...)
	pu := s.Mul(p, u)
	return s.Mul(s.Sub(pu, s.Mul(p, s.Sum(pu))), s.Const(1/l.rho()))
}

// Metrics are none.
func (LogSumExp) Metrics(*Scope, *Node, *Node) []Metric { return nil }
