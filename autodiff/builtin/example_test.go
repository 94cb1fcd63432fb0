package builtin_test

import (
	"fmt"
	"log"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff/builtin"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// A graph of Gorgonia's functions becomes one of the operations of package ops,
// which can be differentiated to any order and compiled.
func ExampleTranslation() {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(4, 3), gorgonia.WithName("x"))
	w := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(3, 2), gorgonia.WithName("w"))
	y := gorgonia.Must(gorgonia.Rectify(gorgonia.Must(gorgonia.Mul(x, w))))

	t := builtin.New(ops.On(y))
	n, err := t.Node(y)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(n.Op(), n.Shape())
	for _, operand := range n.Op().(*ops.Op).Operands() {
		fmt.Println(" ", operand.Op())
	}

	// What has no exact counterpart is refused by name.
	_, err = t.Node(gorgonia.Must(gorgonia.Sparsemax(x)))
	fmt.Println(err)
	// Output:
	// mul (4, 2)
	//   matmul(a, b)
	//   ge
	// builtin: node "Sparsemax{}()(%0)": operation Sparsemax{}() (*gorgonia.sparsemaxOp): has no exact counterpart, so it can be neither differentiated nor compiled
}
