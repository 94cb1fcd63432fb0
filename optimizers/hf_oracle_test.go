package optimizers_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/saddle-ml/saddle/optimizers"
)

// TestHFSolvesTheDampedSystem compares where CG ends, which backtracking may not take, with the solution by Cholesky of
// (B + (λ+decay)I) s = -g. The gradient is the minibatch's, B that of the curvature sample.
func TestHFSolvesTheDampedSystem(t *testing.T) {
	for _, h := range []optimizers.HF{
		{Curvature: 30},
		{Curvature: 30, Hessian: true, WeightDecay: 0.3},
		{Curvature: 30, Precondition: "squares", Damping: 2},
		{Curvature: 1000, WarmStart: 1, Damping: 0.01},
	} {
		h.CGIters, h.CGProgress = 60, optimizers.Zero
		t.Run(fmt.Sprintf("%+v", h), func(t *testing.T) {
			p := newRegression(5)
			o, x := hfOn(t, h, 6), []float64{1, -2, 3, -1, 0.5, 2}
			for k := range 4 {
				p.next()
				before, g := slices.Clone(x), make([]float64, 6)
				if _, err := p.batch.Grad(g, before); err != nil {
					t.Fatal(err)
				}
				r := step(t, o, x, optimizers.Problem[float64](p))
				if r.Rejected || r.CGStop != optimizers.StopResidual {
					t.Fatalf("step %d: rejected %v, CG stopped by %s", k, r.Rejected, r.CGStop)
				}
				sample := p.drawn[0]
				want := newton(t, sample, g, before, r.Damping, h.WeightDecay)
				for i, got := range o.State().Vectors["cg_solution"] {
					if d := math.Abs(got - want[i]); d > 1e-9*mat.Norm(mat.NewVecDense(6, want), 2) {
						t.Errorf("step %d, unknown %d is %v, by Cholesky %v", k, i, got, want[i])
					}
				}
				if lowest := lowestCurvature(t, sample) + h.WeightDecay; r.MinCurvature < lowest*(1-1e-9) {
					t.Errorf("step %d: curvature %v seen; the lowest there is is %v", k, r.MinCurvature, lowest)
				}
			}
		})
	}
}

// matrix is the curvature of a sample.
func matrix(t *testing.T, l *linear) *mat.SymDense {
	t.Helper()
	b := mat.NewSymDense(6, nil)
	for i := range 6 {
		unit, column := make([]float64, 6), make([]float64, 6)
		unit[i] = 1
		if err := l.HessianMul(column, unit); err != nil {
			t.Fatal(err)
		}
		for j := i; j < 6; j++ {
			b.SetSym(i, j, column[j])
		}
	}
	return b
}

// newton is the step that HF approaches.
func newton(t *testing.T, l *linear, g, x []float64, damping, decay float64) []float64 {
	t.Helper()
	b, right := matrix(t, l), mat.NewVecDense(6, nil)
	for i := range 6 {
		b.SetSym(i, i, b.At(i, i)+damping+decay)
		right.SetVec(i, -g[i]-decay*x[i])
	}
	var c mat.Cholesky
	if !c.Factorize(b) {
		t.Fatal("the curvature is not positive definite")
	}
	s := mat.NewVecDense(6, nil)
	if err := c.SolveVecTo(s, right); err != nil {
		t.Fatal(err)
	}
	return s.RawVector().Data
}

func lowestCurvature(t *testing.T, l *linear) float64 {
	t.Helper()
	var e mat.EigenSym
	if !e.Factorize(matrix(t, l), false) {
		t.Fatal("no eigenvalues")
	}
	return slices.Min(e.Values(nil))
}
