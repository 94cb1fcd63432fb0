package exec_test

import (
	"fmt"
	"log"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// A program for x w' lists what it does: the transpose is a view, which costs
// nothing, and the product is the single instruction that runs.
func ExampleCompile() {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(2, 3), gorgonia.WithName("x"))
	w := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(1, 3), gorgonia.WithName("w"))
	b := ops.NewBuilder(g, tensor.Float32)
	y := b.MatMul(x, b.Transpose(w))
	if err := b.Err(); err != nil {
		log.Fatal(err)
	}
	p, err := exec.Compile[float32]([]*gorgonia.Node{y}, exec.Inputs{x}, exec.Params{w}, exec.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(p)

	weights := []float32{1, 10, 100}
	if err := p.Set(w, weights); err != nil {
		log.Fatal(err)
	}
	if err := p.Set(x, []float32{1, 2, 3, 4, 5, 6}); err != nil {
		log.Fatal(err)
	}
	for range 2 {
		if err := p.Run(); err != nil {
			log.Fatal(err)
		}
		fmt.Println(p.Shape(0), p.Output(0))
		weights[2] = 0 // read where they are by the next Run
	}
	// Output:
	// %0 = input("x") [2 3]
	// %1 = input("w") [1 3]
	// %2 = view[1 0] %1 [3 1]
	// %3 = gemm %0 %2 [2 1]
	// return %3
	// [2 1] [321 654]
	// [2 1] [21 54]
}
