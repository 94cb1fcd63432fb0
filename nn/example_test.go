package nn_test

import (
	"fmt"
	"log"

	"github.com/saddle-ml/saddle/nn"
)

// A network is a value. Build gives it parameters, all of them in one vector.
func Example() {
	net := nn.Sequential{
		nn.Conv2D{Filters: 8, Kernel: 3, Padding: nn.Same}, nn.ReLU{}, nn.MaxPool2D{Size: 2},
		nn.Flatten{},
		nn.Dropout{Rate: 0.5},
		nn.Named{Name: "logits", Layer: nn.Dense{Units: 10}},
	}
	m, err := nn.Build[float32](net, nn.SoftmaxCrossEntropy{}, []int{1, 28, 28}, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(m.Summary())
	fmt.Println(len(m.Params), "parameters; those of logits.bias are", m.Tensor("logits.bias"))
	// Output:
	// name      layer          output     parameters
	// input     -              [1 28 28]  -
	// conv1     Conv2D 3x3x8   [8 28 28]  80
	// relu1     ReLU           [8 28 28]  -
	// maxpool1  MaxPool2D 2x2  [8 14 14]  -
	// flatten1  Flatten        [1568]     -
	// dropout1  Dropout 0.5    [1568]     -
	// logits    Dense 10       [10]       15,690
	// total                               15,770
	// 15770 parameters; those of logits.bias are [0 0 0 0 0 0 0 0 0 0]
}

// A layer of one's own is a function. This one, swish, is x sigmoid(beta x) with
// a beta that is learned; its derivatives follow from the operations.
func ExampleFunc() {
	swish := nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node {
		beta := s.Param("beta", nn.Constant(1), 1)
		return s.Mul(x, s.Sigmoid(s.Mul(beta, x)))
	})
	net := nn.Sequential{swish, nn.Named{Name: "sharp", Layer: swish}}
	m, err := nn.Build[float64](net, nn.MeanSquaredError{}, []int{3}, 1)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range m.Parameters() {
		fmt.Println(p.Name, p.Shape, m.Tensor(p.Name))
	}
	m.Tensor("func1.beta")[0] = 0 // x/2
	m.Tensor("sharp.beta")[0] = 1000
	y, err := m.Predict([]float64{-2, 0, 6}) // one example
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f\n", y)
	// Output:
	// func1.beta [1] [1]
	// sharp.beta [1] [1]
	// [-0.000 0.000 3.000]
}
