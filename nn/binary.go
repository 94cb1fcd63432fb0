package nn

import "fmt"

// Logistic is log(1 + exp(-s z)) for one logit z an example, averaged over the
// examples, where s is 1 for class 1 and -1 for class 0: behind a single Dense
// unit it is logistic regression. It is the cross-entropy of sigmoid(z).
type Logistic struct{}

func (Logistic) String() string { return "logistic loss" }

// Target is class 0 or 1.
func (l Logistic) Target(output []int) ([]int, int, error) { return binary(l, output) }

// binary is the target of a loss of two classes and one output.
func binary(l Loss, output []int) ([]int, int, error) {
	if len(output) != 1 || output[0] != 1 {
		return nil, 0, fmt.Errorf("nn: %s needs an output of shape [1], not %v", l, output)
	}
	return []int{}, 2, nil
}

// Loss is the mean over examples.
func (Logistic) Loss(s *Scope, z, y *Node) *Node { return s.Mean(s.LogisticLoss(flat(s, z), y)) }

// flat is z without its axis of one output.
func flat(s *Scope, z *Node) *Node {
	if s.Err() != nil {
		return nil
	}
	return s.Reshape(z, size(s.Shape(z)))
}

// OutputHessian is p (1-p) u / n with p = sigmoid(z).
func (Logistic) OutputHessian(s *Scope, z, y, u *Node) *Node {
	return SigmoidCrossEntropy{}.OutputHessian(s, z, y, u)
}

// Metrics is the accuracy: the share of examples whose logit has the sign of the
// class.
func (Logistic) Metrics(s *Scope, z, y *Node) []Metric { return aboveIs1(s, z, y, 0) }

// aboveIs1 is the accuracy of saying class 1 where the output is above a number.
func aboveIs1(s *Scope, z, y *Node, threshold float64) []Metric {
	return []Metric{{"accuracy", s.Mean(s.Equal(s.Greater(flat(s, z), s.Const(threshold)), y))}}
}

// Brier is (p - y)² for one probability p and the class y, 0 or 1, averaged over
// the examples (Brier 1950). Behind Dense{Units: 1} and Sigmoid it is the
// non-convex least squares of Xu, Roosta and Mahoney (arXiv 1708.07827); its
// Gauss-Newton matrix is theirs.
type Brier struct{}

func (Brier) String() string { return "squared error of a probability" }

// Target is class 0 or 1.
func (l Brier) Target(output []int) ([]int, int, error) { return binary(l, output) }

// Loss is the mean over examples.
func (Brier) Loss(s *Scope, p, y *Node) *Node { return s.Mean(s.Square(s.Sub(flat(s, p), y))) }

// OutputHessian is 2u/n.
func (Brier) OutputHessian(s *Scope, p, y, u *Node) *Node {
	return MeanSquaredError{}.OutputHessian(s, p, y, u)
}

// Metrics is the accuracy: the share of examples whose probability is on the
// side of the class.
func (Brier) Metrics(s *Scope, p, y *Node) []Metric { return aboveIs1(s, p, y, 0.5) }
