package optimizers

// Averaging is an optimizer whose iterates are not the weights to use: a schedule-free method, or a wrapper that
// averages the iterates. Training goes on at x; whoever evaluates, exports or predicts asks for the weights first.
type Averaging[T Float] interface {
	// EvalWeights writes the weights for evaluation to dst, given the parameters x that training stands at. Neither x
	// nor the state changes. dst and x never overlap.
	EvalWeights(dst, x []T)
}
