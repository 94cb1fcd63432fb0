package landscape_test

import (
	"context"
	"fmt"
	"log"

	"github.com/saddle-ml/saddle/landscape"
	"gonum.org/v1/gonum/mat"
)

// The two largest eigenvalues of a matrix of which only the products are used.
func ExampleEigen() {
	a := landscape.Dense{Symmetric: mat.NewSymDense(3, []float64{2, 1, 0, 1, 2, 0, 0, 0, 3})}
	found, err := landscape.Eigen(context.Background(), a, landscape.EigenOptions{Count: 2})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range found.Pairs {
		fmt.Printf("%.3f\n", p.Value)
	}
	// Output:
	// 3.000
	// 3.000
}
