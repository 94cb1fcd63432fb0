package optimizers

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// run takes all steps there are.
func (l *Lanczos[T]) run(t testing.TB, a Operator[T], start []T) {
	t.Helper()
	if err := l.Start(start); err != nil {
		t.Fatal(err)
	}
	for more := true; more; {
		var err error
		if more, err = l.Step(context.Background(), a); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLanczosMakesTridiagonal checks Q'Q = I and Q'AQ = T element by element.
func TestLanczosMakesTridiagonal(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for trial := range 20 {
		n := 1 + r.IntN(40)
		a := symmetric(r, powers(r, n))
		l := Lanczos[float64]{MaxIter: 1 + r.IntN(n+5)}
		l.run(t, a.mul, randoms(r, n))
		k := l.Steps()
		if want := min(n, l.MaxIter); k != want || a.products != k {
			t.Fatalf("trial %d: %d steps and %d products; want %d", trial, k, a.products, want)
		}
		diagonal, beside := l.Tridiagonal()
		aq := make([]float64, n)
		for i := range k {
			if err := a.mul(aq, l.q[i]); err != nil {
				t.Fatal(err)
			}
			for j := range k {
				unit, want := 0.0, 0.0
				switch {
				case i == j:
					unit, want = 1, diagonal[i]
				case i == j+1:
					want = beside[j]
				case j == i+1:
					want = beside[i]
				}
				if got := dot(l.q[i], l.q[j]); math.Abs(got-unit) > 1e-14 {
					t.Errorf("trial %d: q%d'q%d = %v", trial, i, j, got)
				}
				if got := dot(aq, l.q[j]); math.Abs(got-want) > 1e-12*l.largest {
					t.Errorf("trial %d: q%d'A q%d = %v, T has %v", trial, i, j, got, want)
				}
			}
		}
	}
}

// TestLanczosFindsAllEigenvalues compares the Ritz values of a whole space, and the residuals of their vectors.
func TestLanczosFindsAllEigenvalues(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	n := 25
	eigenvalues := randoms(r, n)
	slices.Sort(eigenvalues)
	a := symmetric(r, eigenvalues)
	var l Lanczos[float64]
	l.run(t, a.mul, randoms(r, n))
	values, _, err := l.Ritz()
	if err != nil {
		t.Fatal(err)
	}
	v, av := make([]float64, n), make([]float64, n)
	for j, want := range eigenvalues {
		if math.Abs(values[j]-want) > 1e-13 {
			t.Errorf("value %d is %v; want %v", j, values[j], want)
		}
		l.CombineRitz(v, j)
		if err := a.mul(av, v); err != nil {
			t.Fatal(err)
		}
		axpy(av, -values[j], v)
		if norm(av) > 1e-13 || math.Abs(norm(v)-1) > 1e-13 {
			t.Errorf("vector %d has length %v and residual %v", j, norm(v), norm(av))
		}
	}
}

// TestLanczosStaysOrthogonal is the case that plain Lanczos loses: an outer eigenvalue that converges early.
func TestLanczosStaysOrthogonal(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	n := 60
	eigenvalues := randoms(r, n)
	eigenvalues[0] = 1e6
	a := symmetric(r, eigenvalues)
	single := func(dst, v []float32) error {
		wide, out := make([]float64, n), make([]float64, n)
		for i, e := range v {
			wide[i] = float64(e)
		}
		if err := a.mul(out, wide); err != nil {
			return err
		}
		for i, e := range out {
			dst[i] = float32(e)
		}
		return nil
	}
	var l Lanczos[float32]
	start := make([]float32, n)
	for i := range start {
		start[i] = float32(r.NormFloat64())
	}
	l.Tol = 1e-12 // on, into the rounding
	l.run(t, single, start)
	for i := range l.Steps() {
		for j := range i {
			if got := dot(l.q[i], l.q[j]); math.Abs(got) > 1e-6 {
				t.Fatalf("q%d'q%d = %v", i, j, got)
			}
		}
	}
}

func TestLanczosEndsInAnInvariantSpace(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	eigenvalues := []float64{1, 1, 1, 2, 2, -3, -3, -3, -3}
	a := symmetric(r, eigenvalues)
	var l Lanczos[float64]
	l.run(t, a.mul, randoms(r, len(eigenvalues)))
	if l.Steps() != 3 || l.Stop() != StopResidual {
		t.Errorf("%d steps, stop %q; three different eigenvalues", l.Steps(), l.Stop())
	}
	values, _, _ := l.Ritz()
	for i, want := range []float64{-3, 1, 2} {
		if math.Abs(values[i]-want) > 1e-13 {
			t.Errorf("Ritz values %v", values)
		}
	}
	zero := func(dst, _ []float64) error { clear(dst); return nil }
	l.run(t, zero, []float64{0, 2, 0})
	if l.Steps() != 1 || l.Stop() != StopResidual || l.Length() != 2 {
		t.Errorf("of the zero matrix: %d steps, stop %q, length %v", l.Steps(), l.Stop(), l.Length())
	}
}

func TestLanczosErrors(t *testing.T) {
	var l Lanczos[float64]
	for _, start := range [][]float64{{}, {0, 0}, {1, math.NaN()}, {1, math.Inf(1)}} {
		if err := l.Start(start); err == nil {
			t.Errorf("a start of %v was accepted", start)
		}
	}
	failed := errors.New("no product")
	if err := l.Start([]float64{1, 2}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Step(context.Background(), func(_, _ []float64) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("a failed product gives %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.Step(ctx, func(dst, v []float64) error { copy(dst, v); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context gives %v", err)
	}
	l.run(t, func(dst, _ []float64) error { dst[0], dst[1] = math.NaN(), 0; return nil }, []float64{1, 2})
	if l.Stop() != StopBreakdown || l.Steps() != 0 {
		t.Errorf("a product that is not finite: %d steps, stop %q", l.Steps(), l.Stop())
	}
}

// TestLowestFindsTheHiddenDirection has a single negative eigenvalue among many.
func TestLowestFindsTheHiddenDirection(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for trial := range 10 {
		n := 2 + r.IntN(60)
		eigenvalues := powers(r, n)
		eigenvalues[0] = -0.05
		a := symmetric(r, eigenvalues)
		var l lowest[float64]
		value, size, products, err := l.search(context.Background(), a.mul, n, 0, uint64(trial))
		if err != nil {
			t.Fatal(err)
		}
		av := make([]float64, n)
		if err := a.mul(av, l.vector); err != nil {
			t.Fatal(err)
		}
		if math.Abs(value+0.05) > 0.05*0.02 || math.Abs(dot(l.vector, av)-value) > 1e-10 || size < 0.05 || products > n {
			t.Errorf("n %d: lowest %v after %d products, v'Av %v", n, value, products, dot(l.vector, av))
		}
	}
	var l lowest[float64]
	if value, _, _, err := l.search(context.Background(), nil, 0, 0, 1); err != nil || !math.IsNaN(value) {
		t.Errorf("of nothing: %v %v", value, err)
	}
}

func ExampleLanczos() {
	// The matrix of second differences, whose eigenvalues are 2 - 2cos(πk/(n+1)).
	n := 100
	a := func(dst, v []float64) error {
		for i := range v {
			dst[i] = 2 * v[i]
			if i > 0 {
				dst[i] -= v[i-1]
			}
			if i < n-1 {
				dst[i] -= v[i+1]
			}
		}
		return nil
	}
	start := make([]float64, n)
	start[0] = 1
	l := Lanczos[float64]{}
	if err := l.Start(start); err != nil {
		panic(err)
	}
	for more := true; more; {
		more, _ = l.Step(context.Background(), a)
	}
	values, _, _ := l.Ritz()
	fmt.Printf("%.6f %.6f\n", values[0], values[n-1])
	fmt.Printf("%.6f\n", 2-2*math.Cos(math.Pi/float64(n+1)))
	// Output:
	// 0.000967 3.999033
	// 0.000967
}
