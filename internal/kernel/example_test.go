package kernel_test

import (
	"fmt"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// A block of numbers goes through a few functions, cut anywhere.
func ExampleMap2() {
	x := []float64{-1, 0, 2}
	kernel.Map1(kernel.Square, x, x, 0, 0)
	kernel.Map2(kernel.Add, x, x, []float64{0.5}) // a number for every element
	fmt.Println(x)
	// Output: [1.5 0.5 4.5]
}

// The loss of two rows of logits, and its gradient for a mean over them.
func ExampleSoftmaxCrossEntropyRows() {
	logits := []float64{0, 0, 0, 0, 100, 0, 0, 0}
	labels := []float64{3, 0}
	loss, grad := make([]float64, 2), make([]float64, 8)
	kernel.SoftmaxCrossEntropyRows(loss, grad, logits, labels, 2, 4, 0.5)
	fmt.Printf("%.4f %.4f\n", loss[0], grad[:4])
	// Output: 1.3863 [0.1250 0.1250 0.1250 -0.3750]
}
