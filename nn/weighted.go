package nn

import "github.com/saddle-ml/saddle/autodiff"

// WeightedHessian is the product with a direction, a tensor for each parameter, of the Hessian of the mean over the
// examples of w_i times the loss of example i, w of the shape [batch]; the penalty has weight 1. It is for losses that
// are means over examples, not those that are functions of all of them together.
func (g *Graph) WeightedHessian(w *Node, v []*Node) ([]*Node, error) {
	slopes, err := autodiff.Grad(g.Loss, g.Output)
	if err != nil {
		return nil, err
	}
	weighted, err := g.weigh(slopes[0], w)
	if err != nil {
		return nil, err
	}
	grad, err := autodiff.VJP([]*Node{g.Output}, g.Params, []*Node{weighted})
	if err != nil {
		return nil, err
	}
	product, err := autodiff.JVP(grad, g.Params, v)
	if err != nil {
		return nil, err
	}
	return g.addPenalty(product, v)
}

// WeightedGaussNewton is the same with the Gauss-Newton matrix: J'CJ with the rows of C times w.
func (g *Graph) WeightedGaussNewton(w *Node, v []*Node) ([]*Node, error) {
	h := func(_, u *Node) (*Node, error) {
		c, err := g.OutputHessian(u)
		if err != nil {
			return nil, err
		}
		return g.weigh(c, w)
	}
	product, err := autodiff.GGNWith(h, g.Output, g.Params, v)
	if err != nil {
		return nil, err
	}
	return g.addPenalty(product, v)
}

// weigh multiplies the rows of a tensor of the output's shape, one an example.
func (g *Graph) weigh(rows, w *Node) (*Node, error) {
	shape := make([]int, len(g.scope.Shape(rows)))
	for i := range shape {
		shape[i] = 1
	}
	shape[0] = g.scope.Shape(rows)[0]
	product := g.scope.Mul(rows, g.scope.Reshape(w, shape...))
	return product, g.scope.Err()
}

// addPenalty adds the product of the penalty's Hessian.
func (g *Graph) addPenalty(product, v []*Node) ([]*Node, error) {
	if g.Penalty == nil {
		return product, nil
	}
	more, err := autodiff.HVP(g.Penalty, g.Params, v)
	if err != nil {
		return nil, err
	}
	for i := range product {
		product[i] = g.scope.Add(product[i], more[i])
	}
	return product, g.scope.Err()
}
