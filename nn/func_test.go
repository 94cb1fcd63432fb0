package nn_test

import (
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"

	"github.com/saddle-ml/saddle/nn"
)

// TestFuncOfGorgoniasFunctions has a layer written with them next to the same
// layers of this package: output, gradient and both products are equal.
func TestFuncOfGorgoniasFunctions(t *testing.T) {
	const tol = 1e-13 // the operations may be others, with other rounding
	must := func(n *nn.Node, err error) *nn.Node {
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	theirs := nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node {
		w := s.Param("weight", nn.GlorotUniform, s.Shape(x)[1], 4)
		b := s.Param("bias", nn.Zeros, 4)
		if s.Err() != nil {
			return nil
		}
		y := must(gorgonia.BroadcastAdd(must(gorgonia.Mul(x, w)), b, nil, []byte{0}))
		return must(gorgonia.HadamardProd(must(gorgonia.Tanh(y)), must(gorgonia.Sigmoid(y))))
	})
	ours := nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node {
		y := s.Layer(nn.Dense{Units: 4}, x)
		return s.Mul(s.Tanh(y), s.Sigmoid(y))
	})
	nets := func(l nn.Layer) problem {
		return newProblem(t, 3, nn.Sequential{l, nn.Dense{Units: 3}}, nn.SoftmaxCrossEntropy{}, 6, 5)
	}
	a, b := nets(theirs), nets(ours)
	copy(a.m.Params, b.m.Params)
	ga, gb := a.graph(t), b.graph(t)
	near(t, "output", run(t, a.m, ga, a.at(ga), 0, ga.Output)[0], run(t, b.m, gb, b.at(gb), 0, gb.Output)[0], tol)
	near(t, "gradient", a.grad(t), b.grad(t), tol)
	v := uniform(rand.New(rand.NewPCG(3, 18)), len(a.m.Params), -1, 1)
	near(t, "hvp", a.product(t, hvp)(v), b.product(t, hvp)(v), tol)
	near(t, "ggn", a.product(t, ggn)(v), b.product(t, ggn)(v), tol)
}
