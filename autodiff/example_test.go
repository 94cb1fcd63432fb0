package autodiff_test

import (
	"fmt"
	"log"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// The gradient of x³y at (2, 5), and the product of its Hessian with (1, 0),
// which is that matrix's first column (6xy, 3x²).
func Example() {
	g := gorgonia.NewGraph()
	x := autodiff.NewInput(g, tensor.Float64, "x")
	y := autodiff.NewInput(g, tensor.Float64, "y")
	b := ops.NewBuilder(g, tensor.Float64)
	f := b.Mul(b.Mul(b.Square(x), x), y)
	if err := b.Err(); err != nil {
		log.Fatal(err)
	}
	wrt := []*gorgonia.Node{x, y}
	grad, err := autodiff.Grad(f, wrt...)
	if err != nil {
		log.Fatal(err)
	}
	product, err := autodiff.HVP(f, wrt, []*gorgonia.Node{b.Const(1), b.Const(0)})
	if err != nil {
		log.Fatal(err)
	}
	p, err := autodiff.Compile[float64](append(grad, product...), exec.Inputs{x, y}, nil)
	if err != nil {
		log.Fatal(err)
	}
	for i, at := range []float64{2, 5} {
		if err := p.SetInput(i, []float64{at}); err != nil {
			log.Fatal(err)
		}
	}
	if err := p.Run(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("gradient", p.Output(0), p.Output(1))
	fmt.Println("Hessian times (1, 0)", p.Output(2), p.Output(3))
	// Output:
	// gradient [60] [8]
	// Hessian times (1, 0) [60] [12]
}

// A net with four hidden units learns exclusive or by gradient descent. The
// graph is written with Gorgonia's own functions alone; Saddle differentiates
// and runs it.
func ExampleCompile() {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(4, 2), gorgonia.WithName("x"))
	y := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(4, 1), gorgonia.WithName("y"))
	w1 := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(2, 4), gorgonia.WithName("w1"))
	b1 := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(1, 4), gorgonia.WithName("b1"))
	w2 := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(4, 1), gorgonia.WithName("w2"))

	hidden := gorgonia.Must(gorgonia.Mul(x, w1))
	hidden = gorgonia.Must(gorgonia.BroadcastAdd(hidden, b1, nil, []byte{0}))
	out := gorgonia.Must(gorgonia.Mul(gorgonia.Must(gorgonia.Rectify(hidden)), w2))
	loss := gorgonia.Must(gorgonia.Mean(gorgonia.Must(gorgonia.Square(gorgonia.Must(gorgonia.Sub(out, y))))))

	params := exec.Params{w1, b1, w2}
	grads, err := autodiff.Grad(loss, params...)
	if err != nil {
		log.Fatal(err)
	}
	p, err := autodiff.Compile[float64](append(grads, loss, out), exec.Inputs{x, y}, params)
	if err != nil {
		log.Fatal(err)
	}
	weights := [][]float64{{0.5, -0.6, 0.7, 0.4, -0.5, 0.6, 0.3, 0.5}, {0.1, 0, -0.2, -0.1}, {0.4, 0.5, -0.3, 0.6}}
	values := append([][]float64{{0, 0, 0, 1, 1, 0, 1, 1}, {0, 1, 1, 0}}, weights...)
	for i, v := range values {
		if err := p.SetInput(i, v); err != nil {
			log.Fatal(err)
		}
	}
	for step := range 101 {
		if err := p.Run(); err != nil {
			log.Fatal(err)
		}
		if step%50 == 0 {
			fmt.Printf("step %d: loss %.4f\n", step, p.Output(3)[0])
		}
		for i, w := range weights {
			for j, slope := range p.Output(i) {
				w[j] -= 0.1 * slope
			}
		}
	}
	for i, v := range p.Output(4) {
		fmt.Println(values[0][2*i:2*i+2], v > 0.5)
	}
	// Output:
	// step 0: loss 0.2132
	// step 50: loss 0.0156
	// step 100: loss 0.0007
	// [0 0] false
	// [0 1] true
	// [1 0] true
	// [1 1] false
}
