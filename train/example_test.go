package train_test

import (
	"context"
	"fmt"
	"log"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// A network with a layer of one's own, trained on two-dimensional spirals.
func Example() {
	ctx := context.Background()
	spirals, err := data.Open(ctx, "spirals", "")
	check(err)

	// x·sigmoid(βx), with a β that is learned, is one function.
	swish := nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node {
		beta := s.Param("beta", nn.Constant(1), 1)
		return s.Mul(x, s.Sigmoid(s.Mul(beta, x)))
	})
	net := nn.Sequential{nn.Dense{Units: 32}, swish, nn.Dense{Units: 32}, swish, nn.Dense{Units: 3}}
	model, err := nn.Build[float32](net, nn.SoftmaxCrossEntropy{}, spirals.Train.Shape(), nn.Seed(1))
	check(err)

	history, err := train.Fit(ctx, model, spirals.Train, train.Config{
		Optimizer: &optimizers.Adam{LR: 0.01}, Epochs: 20, Batch: 50, Test: spirals.Test,
	})
	check(err)
	fmt.Println("test accuracy above 97 %:", history.Result.Test.Metrics["accuracy"] > 0.97)
	// Output: test accuracy above 97 %: true
}

// The curvature of the loss at the current weights, along the gradient.
func ExampleProblemOf() {
	x := []float64{1, 0, 0, 1, 1, 1} // three examples
	y := []float64{0, 1, 1}
	model, err := nn.Build[float64](nn.Dense{Units: 2, Init: nn.Zeros}, nn.SoftmaxCrossEntropy{}, []int{2}, nn.Seed(1))
	if err != nil {
		log.Fatal(err)
	}
	p, err := train.ProblemOf(model, data.Batch[float64]{X: x, Y: y, N: 3})
	if err != nil {
		log.Fatal(err)
	}
	g, hg, gg := make([]float64, len(model.Params)), make([]float64, len(model.Params)), make([]float64, len(model.Params))
	loss, err := p.Grad(g, model.Params)
	if err != nil {
		log.Fatal(err)
	}
	if err := p.Linearize(model.Params); err != nil {
		log.Fatal(err)
	}
	if err := p.HessianMul(hg, g); err != nil {
		log.Fatal(err)
	}
	if err := p.GaussNewtonMul(gg, g); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("loss %.4f\n", loss)
	fmt.Printf("gradient %.4f\n", g)
	fmt.Printf("Hessian      %.4f\n", hg)
	fmt.Printf("Gauss-Newton %.4f\n", gg) // the same: a linear model
	// Output:
	// loss 0.6931
	// gradient [0.0000 0.0000 0.3333 -0.3333 0.1667 -0.1667]
	// Hessian      [0.1111 -0.1111 0.1667 -0.1667 0.1944 -0.1944]
	// Gauss-Newton [0.1111 -0.1111 0.1667 -0.1667 0.1944 -0.1944]
}
