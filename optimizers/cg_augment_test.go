package optimizers

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// diagonal is a preconditioner.
func diagonal(scales []float64) Operator[float64] {
	return func(dst, v []float64) error {
		for i := range dst {
			dst[i] = scales[i] * v[i]
		}
		return nil
	}
}

// lowestInPlane is the least value of the model in the span of u and v, the gradient v; along v alone where the lowest
// point is against it.
func lowestInPlane(a *dense, g, u, v []float64) float64 {
	au, av := make([]float64, len(u)), make([]float64, len(u))
	_, _ = a.mul(au, u), a.mul(av, v)
	m := mat.NewSymDense(2, []float64{dot(u, au), dot(u, av), dot(u, av), dot(v, av)})
	b := mat.NewVecDense(2, []float64{-dot(g, u), -dot(g, v)})
	var c mat.VecDense
	if err := c.SolveVec(m, b); err != nil {
		return math.NaN()
	}
	if c.AtVec(1) > 0 {
		return -b.AtVec(1) * b.AtVec(1) / m.At(1, 1) / 2
	}
	return -mat.Dot(&c, b) / 2
}

// TestCGAugmented: the first iterate is the lowest point of the plane of the start and the preconditioned gradient, the
// model falls with each of the others, and enough of them solve the system.
func TestCGAugmented(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 1))
	for trial := range 40 {
		n := 3 + r.IntN(15)
		a, g, u, scales := symmetric(r, powers(r, n)), randoms(r, n), randoms(r, n), powers(r, n)
		var precondition Operator[float64]
		z := slices.Clone(g)
		if trial%2 == 1 {
			precondition = diagonal(scales)
			_ = precondition(z, g)
		}
		want := lowestInPlane(a, g, u, z)
		last := math.Inf(1)
		for most := 1; most <= n; most++ {
			s := slices.Clone(u)
			a.products = 0
			c := CG[float64]{MaxIter: most, Augment: true, Keep: true}
			res, err := c.Solve(context.Background(), a.mul, precondition, g, s)
			if err != nil {
				t.Fatal(err)
			}
			if res.Iterations != most && res.Stop != StopResidual || res.Products != a.products {
				t.Fatalf("%+v, %d products", res, a.products)
			}
			value := a.value(g, s)
			if math.Abs(value-res.Value) > 1e-9*math.Abs(value) {
				t.Errorf("size %d: model %v, reported %v", n, value, res.Value)
			}
			if most == 1 && math.Abs(value-want) > 1e-9*math.Abs(want) {
				t.Errorf("size %d: %v after one iteration, the plane has %v", n, value, want)
			}
			if value > last+1e-9*math.Abs(last) {
				t.Errorf("size %d: %v after %d iterations, %v before", n, value, most, last)
			}
			last = value
		}
		s := slices.Clone(u)
		if _, err := (&CG[float64]{MaxIter: 20 * n, Tol: 1e-13, Augment: true}).Solve(context.Background(), a.mul, precondition, g, s); err != nil {
			t.Fatal(err)
		}
		var chol mat.Cholesky
		chol.Factorize(a.SymDense)
		best := mat.NewVecDense(n, nil)
		if err := chol.SolveVecTo(best, mat.NewVecDense(n, g)); err != nil {
			t.Fatal(err)
		}
		for i := range s {
			if math.Abs(s[i]+best.AtVec(i)) > 1e-8*(1+math.Abs(s[i])) {
				t.Errorf("size %d, unknown %d: %v, Cholesky %v", n, i, s[i], -best.AtVec(i))
			}
		}
	}
}

// TestCGAugmentedWithoutADirection: from 0 it is the plain method to the bit, a start along the preconditioned gradient
// is no plane, one against a direction of negative curvature is as it was, and a radius is refused.
func TestCGAugmentedWithoutADirection(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 2))
	a, g := symmetric(r, powers(r, 9)), randoms(r, 9)
	solve := func(c CG[float64], a *dense, s []float64) ([]float64, CGResult) {
		t.Helper()
		s = slices.Clone(s)
		res, err := c.Solve(context.Background(), a.mul, nil, g, s)
		if err != nil {
			t.Fatal(err)
		}
		return s, res
	}
	with, _ := solve(CG[float64]{MaxIter: 4, Augment: true}, a, make([]float64, 9))
	without, _ := solve(CG[float64]{MaxIter: 4}, a, make([]float64, 9))
	if !slices.Equal(with, without) {
		t.Errorf("from 0: %v, without %v", with, without)
	}
	line := slices.Clone(g)
	scale(line, 3)
	along, res := solve(CG[float64]{MaxIter: 1, Augment: true}, a, line)
	down, _ := solve(CG[float64]{MaxIter: 1}, a, make([]float64, 9))
	if v, want := a.value(g, along), a.value(g, down); math.Abs(v-want) > 1e-9*math.Abs(want) {
		t.Errorf("from along the gradient %v (%+v), along it alone %v", v, res, want)
	}
	bent := symmetric(r, []float64{-2, -1, 1, 1, 2, 3, 4, 5, 6})
	if s, res := solve(CG[float64]{MaxIter: 30, Augment: true}, bent, randoms(r, 9)); res.Stop != StopCurvature || res.MinCurvature > 0 {
		t.Errorf("of an indefinite matrix: %+v at %v", res, s)
	}
	if _, err := (&CG[float64]{Augment: true, Radius: 1}).Solve(context.Background(), a.mul, nil, g, line); err == nil {
		t.Error("no error for a radius")
	}
}
