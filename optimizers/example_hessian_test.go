package optimizers_test

import (
	"context"
	"fmt"

	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/optimizers/opttest"
)

// Rosenbrock's valley by the Hessian-free method with exact Hessian products.
func ExampleHF() {
	f := opttest.Func[float64](opttest.Rosenbrock)
	r, err := optimizers.Minimize(context.Background(), f, []float64{-1.2, 1}, &optimizers.HF{Hessian: true}, optimizers.Until{GradNorm: 1e-8})
	fmt.Printf("%.6f %v %v\n", r.X, r.Status, err)
	// Output: [1.000000 1.000000] gradient norm reached <nil>
}

// From a saddle, where the gradient is 0, along negative curvature to a minimum.
func ExampleNegativeCurvature() {
	f := opttest.Func[float64](opttest.Saddle)
	until := optimizers.Until{GradNorm: 1e-6, Curvature: 1e-6}
	r, err := optimizers.Minimize(context.Background(), f, []float64{0, 0}, &optimizers.NegativeCurvature{}, until)
	fmt.Printf("loss %.6f, %v %v\n", r.Loss, r.Status, err)
	// Output: loss 0.000000, gradient norm reached <nil>
}
