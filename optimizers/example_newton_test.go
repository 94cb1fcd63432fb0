package optimizers_test

import (
	"context"
	"fmt"
	"log"

	"github.com/saddle-ml/saddle/optimizers"
)

// banana is Rosenbrock's function with its gradient and the products of its Hessian.
var banana = &optimizers.Func[float64]{
	G: func(dst, x []float64) float64 {
		a, b := 1-x[0], x[1]-x[0]*x[0]
		dst[0], dst[1] = -2*a-400*x[0]*b, 200*b
		return a*a + 100*b*b
	},
	H: func(dst, x, v []float64) {
		dst[0] = (2+1200*x[0]*x[0]-400*x[1])*v[0] - 400*x[0]*v[1]
		dst[1] = -400*x[0]*v[0] + 200*v[1]
	},
	GN: rosenbrock.GN,
}

// minimise prints where a method arrives from the usual start.
func minimise(m optimizers.Method) {
	r, err := optimizers.Minimize(context.Background(), banana, []float64{-1.2, 1}, m, optimizers.Until{GradNorm: 1e-6})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("x = %.4f, fewer than 50 steps: %v\n", r.X, r.Steps < 50)
}

func ExampleTrustRegion() {
	minimise(&optimizers.TrustRegion{})
	// Output: x = [1.0000 1.0000], fewer than 50 steps: true
}

func ExampleARC() {
	minimise(&optimizers.ARC{})
	// Output: x = [1.0000 1.0000], fewer than 50 steps: true
}

func ExampleCubicNewton() {
	minimise(&optimizers.CubicNewton{})
	// Output: x = [1.0000 1.0000], fewer than 50 steps: true
}

func ExampleNewtonCG() {
	minimise(&optimizers.NewtonCG{LineSearch: "wolfe"})
	// Output: x = [1.0000 1.0000], fewer than 50 steps: true
}

func ExampleLBFGS() {
	minimise(&optimizers.LBFGS{TolChange: optimizers.Zero})
	// Output: x = [1.0000 1.0000], fewer than 50 steps: true
}

func ExampleRegularizedNewton() {
	minimise(&optimizers.RegularizedNewton{Nonconvex: true})
	// Output: x = [1.0000 1.0000], fewer than 50 steps: true
}

func ExampleGaussNewton() {
	minimise(&optimizers.GaussNewton{Damping: 0.1})
	// Output: x = [1.0000 1.0000], fewer than 50 steps: true
}

// What a step tells: a trust region at a saddle, where the gradient is 0.
func ExampleReport() {
	saddle := &optimizers.Func[float64]{
		G: func(dst, x []float64) float64 {
			dst[0], dst[1] = 2*x[0], x[1]*x[1]*x[1]-x[1]
			return x[0]*x[0] + x[1]*x[1]*(x[1]*x[1]-2)/4
		},
		H: func(dst, x, v []float64) { dst[0], dst[1] = 2*v[0], (3*x[1]*x[1]-1)*v[1] },
	}
	watch := func(r optimizers.Report) error {
		if r.MinCurvature < 0 {
			fmt.Printf("gradient %.2f, curvature %.2f, a step of %.2f lowers the loss by %.2f\n", r.GradNorm, r.MinCurvature, r.StepNorm, r.Decrease)
		}
		return nil
	}
	r, err := optimizers.Minimize(context.Background(), saddle, []float64{0, 0}, &optimizers.TrustRegion{},
		optimizers.Until{GradNorm: 1e-10, Curvature: 1e-8, Watch: watch})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("loss %.2f, %s, lowest curvature %.2f\n", r.Loss, r.Status, r.Curvature)
	// Output:
	// gradient 0.00, curvature -1.00, a step of 1.00 lowers the loss by 0.25
	// loss -0.25, gradient norm reached, lowest curvature 2.00
}

// A mean of terms, a few of which each step looks at.
func ExampleSQN() {
	// The terms (a_i'x - b_i)²/2, all of them 0 at x = (1, -2).
	a, b := make([][2]float64, 200), make([]float64, 200)
	for i := range a {
		a[i] = [2]float64{float64(i%7) - 3, 10 * (float64(i%5) - 2)}
		b[i] = a[i][0] - 2*a[i][1]
	}
	f := &optimizers.Sum[float64]{N: len(a), Batch: 20,
		G: func(dst, x []float64, terms []int) (f float64) {
			clear(dst)
			for _, i := range terms {
				r := (a[i][0]*x[0] + a[i][1]*x[1] - b[i]) / float64(len(terms))
				dst[0], dst[1] = dst[0]+r*a[i][0], dst[1]+r*a[i][1]
				f += r * r * float64(len(terms)) / 2
			}
			return f
		},
		H: func(dst, x, v []float64, terms []int) {
			clear(dst)
			for _, i := range terms {
				r := (a[i][0]*v[0] + a[i][1]*v[1]) / float64(len(terms))
				dst[0], dst[1] = dst[0]+r*a[i][0], dst[1]+r*a[i][1]
			}
		}}
	m := &optimizers.SQN{LR: 0.5, Interval: 5, Curvature: 100}
	r, err := optimizers.Minimize(context.Background(), f, []float64{0, 0}, m, optimizers.Until{GradNorm: 1e-9})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("x = %.6f, fewer than 10 passes: %v\n", r.X, r.Steps < 100)
	// Output: x = [1.000000 -2.000000], fewer than 10 passes: true
}
