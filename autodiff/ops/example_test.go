package ops_test

import (
	"fmt"
	"log"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// An expression is written with a Builder and checked once, at its end.
func ExampleBuilder() {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(2, 3), gorgonia.WithName("x"))

	// Each row less its mean: the mean is repeated along the row.
	b := ops.NewBuilder(g, tensor.Float64)
	centred := b.Sub(x, b.ExpandDims(b.Mean(x, 1), 1))
	variance := b.Mean(b.Square(centred), 1)
	if err := b.Err(); err != nil {
		log.Fatal(err)
	}
	p, err := exec.Compile[float64]([]*gorgonia.Node{centred, variance}, exec.Inputs{x}, nil, exec.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if err := p.SetInput(0, []float64{1, 2, 3, 10, 10, 40}); err != nil {
		log.Fatal(err)
	}
	if err := p.Run(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("centred", p.Output(0))
	fmt.Printf("variance %.3f\n", p.Output(1))

	// What does not fit names the place and both shapes.
	b.In("dense1")
	b.Relu(b.MatMul(x, b.Fill(1, 4, 2)))
	fmt.Println(b.Err())
	// Output:
	// centred [-1 0 1 -10 -10 20]
	// variance [0.667 200.000]
	// ops: dense1: matmul(a, b): shapes [2 3] and [4 2]: inner sizes 3 and 4 differ
}
