package functions

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/saddle-ml/saddle/optimizers"
)

// differences is the gradient by central differences of order 6 of the values.
func differences(f *Function, x []float64, step float64) []float64 {
	g, at := make([]float64, len(x)), append([]float64{}, x...)
	for i, v := range x {
		h := step * max(1, math.Abs(v))
		for k, c := range stencil {
			at[i] = v + float64(k+1)*h
			high := f.f(at)
			at[i] = v - float64(k+1)*h
			g[i] += c * (high - f.f(at)) / h
		}
		at[i] = v
	}
	return g
}

// TestGradients compares every gradient with differences of the values, at the starts and near them.
func TestGradients(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, f := range All() {
		for start, x0 := range f.Starts {
			x := append([]float64{}, x0...)
			for try := range 3 {
				if try > 0 {
					for i := range x {
						x[i] = x0[i] + 0.01*r.NormFloat64()
					}
				}
				got := make([]float64, len(x))
				f.Gradient(got, x)
				// Either error of the differences may be the larger one: that of the step, or rounding over the step.
				fine, coarse := differences(&f, x, 1e-4), differences(&f, x, 1e-3)
				scale := math.Abs(f.f(x))
				for i, g := range got {
					off := min(math.Abs(g-fine[i]), math.Abs(g-coarse[i]))
					if !(off <= 1e-7*(math.Abs(g)+scale)+1e-9) {
						t.Errorf("%s from %d: gradient %v at %d is off by %v", f.Name, start, g, i, off)
					}
				}
			}
		}
	}
}

// TestHessians compares gonum's Hessians with differences of the gradients, and asks for symmetry of the differences.
func TestHessians(t *testing.T) {
	compared := 0
	for _, f := range All() {
		for start, x := range f.Starts {
			by := f
			by.hess = nil
			n := len(x)
			columns := mat.NewDense(n, n, nil)
			for i := range n {
				unit, column := make([]float64, n), make([]float64, n)
				unit[i] = 1
				by.HessianMul(column, x, unit)
				columns.SetCol(i, column)
			}
			size := mat.Norm(columns, 1)
			var off mat.Dense
			off.Sub(columns, columns.T())
			if d := mat.Norm(&off, 1); !(d <= 1e-7*size) {
				t.Errorf("%s from %d: the Hessian is not symmetric by %v of %v", f.Name, start, d, size)
			}
			if f.hess == nil {
				continue
			}
			compared++
			off.Sub(columns, f.Hessian(x))
			g := make([]float64, n)
			f.Gradient(g, x)
			rounding := 1e-15 * mat.Norm(mat.NewVecDense(n, g), 1) / stencilStep
			if d := mat.Norm(&off, 1); !(d <= 1e-7*size+rounding) {
				t.Errorf("%s from %d: gonum's Hessian is off by %v of %v", f.Name, start, d, size)
			}
			v, got, want := make([]float64, n), make([]float64, n), make([]float64, n)
			for i := range v {
				v[i] = 1 / float64(i+2)
			}
			f.HessianMul(got, x, v)
			mat.NewVecDense(n, want).MulVec(f.Hessian(x), mat.NewVecDense(n, v))
			for i := range got {
				if math.Abs(got[i]-want[i]) > 1e-12*size {
					t.Errorf("%s: product %v, want %v", f.Name, got, want)
				}
			}
		}
	}
	if compared < 5 {
		t.Errorf("only %d Hessians of gonum's", compared)
	}
}

// TestArrivesFromEveryStart has each method reach a listed minimum, or a point with no gradient and no negative
// curvature, from every start.
func TestArrivesFromEveryStart(t *testing.T) {
	for spec, minima := range map[string]int{"tr": 81, "arc": 80, "newton_cg": 79, "regnewton:nonconvex": 77} {
		t.Run(spec, func(t *testing.T) {
			m, err := optimizers.Parse(spec)
			if err != nil {
				t.Fatal(err)
			}
			found := 0
			for _, f := range All() {
				for start := range f.Starts {
					o, err := Run(context.Background(), &f, start, m, 1e-8, 20000)
					if err != nil {
						t.Fatalf("%s from %d: %v", f.Name, start, err)
					}
					if o.End != Minimum && o.End != Resting {
						t.Errorf("%s from start %d: %s after %d steps, value %v, gradient %v, curvature %v: %s",
							f.Name, start, o.End, o.Steps, o.Value, o.GradNorm, o.Curvature, o.Why)
					}
					if o.End == Minimum {
						found++
					}
				}
			}
			// Which of several minima a run meets may turn on the last bit, that differs between processors.
			if found < minima-3 {
				t.Errorf("%d listed minima; %d have been reached", found, minima)
			}
		})
	}
}
