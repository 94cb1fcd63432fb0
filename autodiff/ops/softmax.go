package ops

// centred is x less its largest element along the axis, which no softmax
// changes: exponentials stay in range and small differences of large logits
// stay exact.
func (b *Builder) centred(x *Node, ax int) *Node {
	if b.err != nil || x == nil {
		return nil
	}
	return b.Sub(x, b.ExpandDims(b.StopGradient(b.Max(x, ax)), ax))
}

// LogSoftmax is the logarithm of Softmax, for logits of any size.
func (b *Builder) LogSoftmax(x *Node, ax int) *Node {
	if !b.ok("log_softmax", x) {
		return nil
	}
	ax, err := axis(ax, len(shapeOf(x)))
	if err != nil {
		return b.failf("log_softmax: %w", err)
	}
	z := b.centred(x, ax)
	return b.Sub(z, b.ExpandDims(b.LogSumExp(z, ax), ax))
}

// Softmax is e^x over its sum along the axis.
func (b *Builder) Softmax(x *Node, ax int) *Node { return b.Exp(b.LogSoftmax(x, ax)) }

// SoftmaxCrossEntropy is -log softmax(z)[y] for each class number y: logits z
// [..., classes] and labels y [...] give [...].
func (b *Builder) SoftmaxCrossEntropy(z, y *Node) *Node {
	if !b.ok("softmax_cross_entropy", z, y) {
		return nil
	}
	zs := shapeOf(z)
	if len(zs) == 0 || !equal(zs[:len(zs)-1], shapeOf(y)) {
		return b.failf("softmax_cross_entropy: logits of shape %v and labels of shape %v; want [... classes] and [...]", zs, shapeOf(y))
	}
	c := b.centred(z, -1)
	at := b.TakeAlong(c, b.ExpandDims(y, -1), -1)
	return b.Sub(b.LogSumExp(c, -1), b.Reshape(at, shapeOf(y)...))
}

// SoftmaxCrossEntropyProbs is -sum p log softmax(z) over the last axis, for
// probabilities p of the shape of z.
func (b *Builder) SoftmaxCrossEntropyProbs(z, p *Node) *Node {
	if !b.ok("softmax_cross_entropy", z, p) {
		return nil
	}
	if len(shapeOf(z)) == 0 || !equal(shapeOf(z), shapeOf(p)) {
		return b.failf("softmax_cross_entropy: logits of shape %v and probabilities of shape %v; want equal shapes", shapeOf(z), shapeOf(p))
	}
	return b.Neg(b.Sum(b.Mul(p, b.LogSoftmax(z, -1)), -1))
}

// SigmoidCrossEntropy is the cross-entropy of sigmoid(z) and targets y in
// [0, 1], element by element.
func (b *Builder) SigmoidCrossEntropy(z, y *Node) *Node { return b.LogisticLoss(z, y) }
