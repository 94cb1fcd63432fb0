package nn

import "fmt"

// A Loss compares the output of a network with targets. All are means over
// the examples of a batch, so that batches of any sizes can be put together
// by their numbers of examples, but those that are joint (see Model.Joint).
type Loss interface {
	fmt.Stringer
	// Target says what one example's target is, given the shape of one
	// example's output: a class number below classes, or, if classes is 0, a
	// tensor of the shape.
	Target(output []int) (shape []int, classes int, err error)
	// Loss is the mean loss, a scalar, of outputs z and targets y, whose first
	// axes are the batch.
	Loss(s *Scope, z, y *Node) *Node
	// OutputHessian is the product of the Hessian of the mean loss with respect
	// to z and a tensor u of the shape of z.
	OutputHessian(s *Scope, z, y, u *Node) *Node
	// Metrics are further numbers worth knowing, means over the examples.
	Metrics(s *Scope, z, y *Node) []Metric
}

// Metric is a named mean over examples, a scalar.
type Metric struct {
	Name  string
	Value *Node
}

// batch is the number of examples.
func batch(s *Scope, z *Node) float64 { return float64(max(1, s.Shape(z)[0])) }

// SoftmaxCrossEntropy is -log softmax(z)[y] for logits z over the last axis and
// class numbers y, averaged over examples and any axes between.
type SoftmaxCrossEntropy struct {
	// Smoothing e makes the target (1-e) of the class and e spread evenly over
	// all classes (Szegedy et al., arXiv 1512.00567).
	Smoothing float64
	// Probs makes targets probabilities of the shape of the output.
	Probs bool
}

func (SoftmaxCrossEntropy) String() string { return "softmax cross-entropy" }

// Target is a class number, or probabilities.
func (l SoftmaxCrossEntropy) Target(output []int) ([]int, int, error) {
	if len(output) == 0 || output[len(output)-1] < 2 {
		return nil, 0, fmt.Errorf("nn: %s needs an output of two classes or more in the last axis, not of shape %v", l, output)
	}
	if !(l.Smoothing >= 0 && l.Smoothing < 1) {
		return nil, 0, fmt.Errorf("nn: %s: smoothing %v; it must be at least 0 and below 1", l, l.Smoothing)
	}
	if l.Probs {
		return output, 0, nil
	}
	return output[:len(output)-1], output[len(output)-1], nil
}

// Loss is the mean cross-entropy.
func (l SoftmaxCrossEntropy) Loss(s *Scope, z, y *Node) *Node {
	if l.Probs {
		return s.Mean(s.SoftmaxCrossEntropyProbs(z, l.smooth(s, z, y)))
	}
	ce := s.Builder.SoftmaxCrossEntropy(z, y)
	if l.Smoothing == 0 {
		return s.Mean(ce)
	}
	// sum q log softmax(z) for the smoothed q, without writing q out.
	even := s.Neg(s.Mean(s.Builder.LogSoftmax(z, -1), -1))
	e := s.Const(l.Smoothing)
	return s.Mean(s.Add(s.Mul(s.Sub(s.Const(1), e), ce), s.Mul(e, even)))
}

func (l SoftmaxCrossEntropy) smooth(s *Scope, z, p *Node) *Node {
	if l.Smoothing == 0 || s.Err() != nil {
		return p
	}
	shape := s.Shape(z)
	e := s.Const(l.Smoothing)
	return s.Add(s.Mul(s.Sub(s.Const(1), e), p), s.Mul(e, s.Mul(s.ExpandDims(s.Sum(p, -1), -1), s.Const(1/float64(shape[len(shape)-1])))))
}

// OutputHessian is (p u - p <p, u>)/n with p = softmax(z), times the sum of the
// target where it is probabilities.
func (l SoftmaxCrossEntropy) OutputHessian(s *Scope, z, y, u *Node) *Node {
	if s.Err() != nil {
		return nil
	}
	p := s.Builder.Softmax(z, -1)
	pu := s.Mul(p, u)
	h := s.Sub(pu, s.Mul(p, s.ExpandDims(s.Sum(pu, -1), -1)))
	if l.Probs {
		h = s.Mul(h, s.ExpandDims(s.Sum(y, -1), -1))
	}
	shape := s.Shape(z)
	return s.Mul(h, s.Const(1/float64(max(1, size(shape[:len(shape)-1])))))
}

// Metrics is the accuracy: the share of examples whose largest logit is at the
// class.
func (l SoftmaxCrossEntropy) Metrics(s *Scope, z, y *Node) []Metric {
	if l.Probs {
		y = s.ArgMax(y, -1)
	}
	return []Metric{{"accuracy", s.Mean(s.Equal(s.ArgMax(z, -1), y))}}
}

// SigmoidCrossEntropy is the cross-entropy of sigmoid(z) and targets y in
// [0, 1] of the shape of z, summed over outputs and averaged over examples.
type SigmoidCrossEntropy struct{}

func (SigmoidCrossEntropy) String() string { return "sigmoid cross-entropy" }

// Target is a tensor of the shape of the output.
func (SigmoidCrossEntropy) Target(output []int) ([]int, int, error) { return output, 0, nil }

// Loss is the mean over examples of the sum over outputs.
func (SigmoidCrossEntropy) Loss(s *Scope, z, y *Node) *Node {
	if s.Err() != nil {
		return nil
	}
	return s.Mul(s.Sum(s.Builder.SigmoidCrossEntropy(z, y)), s.Const(1/batch(s, z)))
}

// OutputHessian is p (1-p) u / n with p = sigmoid(z).
func (SigmoidCrossEntropy) OutputHessian(s *Scope, z, _, u *Node) *Node {
	if s.Err() != nil {
		return nil
	}
	p := s.Builder.Sigmoid(z)
	return s.Mul(s.Mul(s.Mul(p, s.Sub(s.Const(1), p)), u), s.Const(1/batch(s, z)))
}

// Metrics is the squared error of sigmoid(z), summed over outputs.
func (SigmoidCrossEntropy) Metrics(s *Scope, z, y *Node) []Metric {
	if s.Err() != nil {
		return nil
	}
	e := s.Sum(s.Builder.Square(s.Sub(s.Builder.Sigmoid(z), y)))
	return []Metric{{"squared_error", s.Mul(e, s.Const(1/batch(s, z)))}}
}

// MeanSquaredError is the mean of (z-y)^2 over examples and outputs.
type MeanSquaredError struct{}

func (MeanSquaredError) String() string { return "mean squared error" }

// Target is a tensor of the shape of the output.
func (MeanSquaredError) Target(output []int) ([]int, int, error) { return output, 0, nil }

// Loss is the mean over all elements.
func (MeanSquaredError) Loss(s *Scope, z, y *Node) *Node {
	return s.Mean(s.Builder.Square(s.Sub(z, y)))
}

// OutputHessian is 2u over the number of elements.
func (MeanSquaredError) OutputHessian(s *Scope, z, _, u *Node) *Node {
	if s.Err() != nil {
		return nil
	}
	return s.Mul(u, s.Const(2/float64(size(s.Shape(z)))))
}

// Metrics is the squared error summed over outputs.
func (MeanSquaredError) Metrics(s *Scope, z, y *Node) []Metric {
	if s.Err() != nil {
		return nil
	}
	e := s.Sum(s.Builder.Square(s.Sub(z, y)))
	return []Metric{{"squared_error", s.Mul(e, s.Const(1/batch(s, z)))}}
}

// Huber is the mean over examples and outputs of r^2/2 where |r| < Delta, else
// Delta (|r| - Delta/2), with r = z-y. A Delta of 0 means 1.
type Huber struct{ Delta float64 }

func (h Huber) String() string { return fmt.Sprintf("huber(%g)", h.delta()) }

func (h Huber) delta() float64 {
	if h.Delta == 0 {
		return 1
	}
	return h.Delta
}

// Target is a tensor of the shape of the output.
func (h Huber) Target(output []int) ([]int, int, error) {
	if !(h.Delta >= 0) {
		return nil, 0, fmt.Errorf("nn: %s: delta must be positive", h)
	}
	return output, 0, nil
}

// Loss is the mean over all elements. With c = r clamped to [-Delta, Delta], each
// is c (r - c/2).
func (h Huber) Loss(s *Scope, z, y *Node) *Node {
	r := s.Sub(z, y)
	c := s.Builder.Clamp(r, -h.delta(), h.delta())
	return s.Mean(s.Mul(c, s.Sub(r, s.Mul(s.Const(0.5), c))))
}

// OutputHessian is u where |r| <= Delta, over the number of elements.
func (h Huber) OutputHessian(s *Scope, z, y, u *Node) *Node {
	if s.Err() != nil {
		return nil
	}
	near := s.LessEqual(s.Builder.Abs(s.Sub(z, y)), s.Const(h.delta()))
	return s.Mul(s.Mul(near, u), s.Const(1/float64(size(s.Shape(z)))))
}

// Metrics is the squared error summed over outputs.
func (h Huber) Metrics(s *Scope, z, y *Node) []Metric { return MeanSquaredError{}.Metrics(s, z, y) }
