package autodiff

import "fmt"

// HVP gives the product of the Hessian of a scalar with a direction v, a tensor
// for each variable: the tangent of the gradient (Pearlmutter 1994, as forward
// over reverse).
func HVP(loss *Node, wrt, v []*Node) ([]*Node, error) {
	out, err := HVPs(loss, wrt, [][]*Node{v})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// HVPs gives the products of the Hessian with several directions. All share
// the gradient and what it is made of.
func HVPs(loss *Node, wrt []*Node, vs [][]*Node) ([][]*Node, error) {
	var all []*Node
	for _, v := range vs {
		if err := fits("hvp", wrt, v); err != nil {
			return nil, err
		}
		all = append(all, present(v)...)
	}
	t, err := newTranslation("hvp", []*Node{loss}, wrt, all)
	if err != nil {
		return nil, err
	}
	vars := t.all(wrt)
	g, err := grad(t.b, t.of[loss], vars)
	if err != nil {
		return nil, err
	}
	if g, err = zeros(t.b, g, vars); err != nil {
		return nil, err
	}
	out := make([][]*Node, len(vs))
	for k, v := range vs {
		hv, err := pushforward(t.b, g, vars, t.all(v))
		if err != nil {
			return nil, err
		}
		if out[k], err = zeros(t.b, hv, vars); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// GGN gives the product of the generalised Gauss-Newton matrix J' H J with a
// direction v, a tensor for each variable. J is the Jacobian of the output of a
// network with respect to the variables and H the Hessian of the loss with
// respect to that output (Schraudolph 2002). The loss must depend on the
// variables through the output alone.
func GGN(loss, output *Node, wrt, v []*Node) ([]*Node, error) {
	hessian := func(output, u *Node) (*Node, error) {
		hu, err := HVP(loss, []*Node{output}, []*Node{u})
		if err != nil {
			return nil, err
		}
		return hu[0], nil
	}
	if err := through(loss, output, wrt); err != nil {
		return nil, err
	}
	return GGNWith(hessian, output, wrt, v)
}

// GGNWith is GGN for a loss that gives its own product of H with a tensor u of
// the output's shape.
func GGNWith(hessian func(output, u *Node) (*Node, error), output *Node, wrt, v []*Node) ([]*Node, error) {
	jv, err := JVP([]*Node{output}, wrt, v)
	if err != nil {
		return nil, err
	}
	hjv, err := hessian(output, jv[0])
	if err != nil {
		return nil, err
	}
	return VJP([]*Node{output}, wrt, []*Node{hjv})
}

// through refuses a loss that reaches a variable around the output.
func through(loss, output *Node, wrt []*Node) error {
	t, err := newTranslation("ggn", []*Node{loss, output}, wrt)
	if err != nil {
		return err
	}
	variable := make(map[*Node]bool)
	for _, v := range t.all(wrt) {
		variable[v] = true
	}
	seen := map[*Node]bool{t.of[output]: true}
	stack := []*Node{t.of[loss]}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[n] {
			continue
		}
		seen[n] = true
		if variable[n] {
			return fmt.Errorf("autodiff: ggn: the loss depends on %v beside the output %v, so its Gauss-Newton matrix is not that of the output", n, output)
		}
		stack = append(stack, operands(n)...)
	}
	return nil
}
