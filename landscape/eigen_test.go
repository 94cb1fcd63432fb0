package landscape

import (
	"context"
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// withSpectrum is a dense matrix with the given eigenvalues and random
// eigenvectors.
func withSpectrum(values []float64, seed uint64) Dense {
	n := len(values)
	q := vectors(n, n)
	r := source(seed, 99)
	for _, v := range q {
		normals(v, r)
	}
	q = orthonormal(nil, q)
	a := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			sum := 0.0
			for k, v := range q {
				sum += values[k] * v[i] * v[j]
			}
			a.SetSym(i, j, sum)
		}
	}
	return Dense{a}
}

// spectrum is a few large values, some of them repeated or close, over a bulk
// that falls to 0 on both sides.
func spectrum(n int) []float64 {
	values := []float64{50, 20, 20, 20, 20, 20, 20, 7, 6.999, 5, -9, -9, -8}
	for i := len(values); i < n; i++ {
		values = append(values, 2*math.Exp(-float64(i)/20)*math.Cos(float64(i)))
	}
	return values
}

func sorted(values []float64, end End) []float64 {
	list := append([]float64(nil), values...)
	for i := range list {
		for j := i + 1; j < len(list); j++ {
			if end.compare(list[j], list[i]) < 0 {
				list[i], list[j] = list[j], list[i]
			}
		}
	}
	return list
}

func TestEigenFindsRepeatedAndCloseValues(t *testing.T) {
	values := spectrum(200)
	seeds := uint64(10)
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		a := withSpectrum(values, seed)
		for _, end := range []End{Largest, Smallest, Magnitude} {
			for _, block := range []int{1, 2, 4, 8} {
				count := 10
				if end == Smallest {
					count = 3
				}
				got, err := Eigen(context.Background(), a, EigenOptions{Count: count, End: end, Block: block, Tol: 1e-5, Seed: seed, MaxProducts: 2000})
				if err != nil {
					t.Fatal(err)
				}
				want := sorted(values, end)
				for i, p := range got.Pairs {
					// An eigenvalue is off by no more than the residual.
					if d := math.Abs(p.Value - want[i]); !(d <= 1e-5*math.Abs(want[i])) || p.Residual > 1e-5*math.Abs(p.Value) {
						t.Errorf("seed %d, %v, block %d, pair %d: %v, want %v (residual %.2g, %d products)", seed, end, block, i, p.Value, want[i], p.Residual, got.Products)
					}
					y := make([]float64, len(p.Vector))
					if err := a.Mul(context.Background(), [][]float64{y}, [][]float64{p.Vector}); err != nil {
						t.Fatal(err)
					}
					axpy(y, -p.Value, p.Vector)
					if r := norm(y); math.Abs(r-p.Residual) > 1e-10*50 || math.Abs(norm(p.Vector)-1) > 1e-12 {
						t.Errorf("seed %d: residual %v is said to be %v; length %v", seed, r, p.Residual, norm(p.Vector))
					}
				}
			}
		}
	}
}

// A basis as small as allowed restarts often and finds the same.
func TestEigenRestarts(t *testing.T) {
	values := spectrum(300)
	a := withSpectrum(values, 3)
	got, err := Eigen(context.Background(), a, EigenOptions{Count: 10, Block: 2, MaxBasis: 14, Tol: 1e-6, MaxProducts: 3000})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range sorted(values, Largest)[:10] {
		if d := math.Abs(got.Pairs[i].Value - want); d > 1e-6*want {
			t.Errorf("pair %d: %v, want %v", i, got.Pairs[i].Value, want)
		}
	}
}

func TestEigenOfSmallMatrices(t *testing.T) {
	for n := 1; n <= 6; n++ {
		values := make([]float64, n)
		for i := range values {
			values[i] = float64(i%3) - 1
		}
		got, err := Eigen(context.Background(), withSpectrum(values, 1), EigenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		want := sorted(values, Largest)
		if len(got.Pairs) != n {
			t.Fatalf("%d pairs of a matrix of %d rows", len(got.Pairs), n)
		}
		for i, p := range got.Pairs {
			if math.Abs(p.Value-want[i]) > 1e-12 {
				t.Errorf("%d rows: pair %d is %v, want %v", n, i, p.Value, want[i])
			}
		}
	}
	zero, err := Eigen(context.Background(), Dense{mat.NewSymDense(50, nil)}, EigenOptions{Count: 3})
	if err != nil || zero.Pairs[2].Value != 0 {
		t.Errorf("of the zero matrix: %v (%v)", zero, err)
	}
}

func TestEigenSaysWhatItLacks(t *testing.T) {
	a := withSpectrum(spectrum(100), 1)
	got, err := Eigen(context.Background(), a, EigenOptions{MaxProducts: 12, Tol: 1e-9})
	if !errors.Is(err, ErrProducts) || got == nil || len(got.Pairs) == 0 {
		t.Errorf("12 products give %v, %v", got, err)
	}
	for _, o := range []EigenOptions{{Count: -1}, {Tol: 2}, {Block: -1}, {MaxBasis: 3}, {End: 7}, {Start: [][]float64{{1}}}} {
		if _, err := Eigen(context.Background(), a, o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
	bad := mat.NewSymDense(3, []float64{1, 0, 0, 0, math.NaN(), 0, 0, 0, 1})
	if _, err := Eigen(context.Background(), Dense{bad}, EigenOptions{}); err == nil {
		t.Error("products that are not finite are accepted")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Eigen(ctx, a, EigenOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// The start of a search may be what another one found: it is then done at once.
func TestEigenStartsFromWhatIsKnown(t *testing.T) {
	a := withSpectrum(spectrum(200), 2)
	first, err := Eigen(context.Background(), a, EigenOptions{Count: 4, Tol: 1e-8, MaxProducts: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var start [][]float64
	for _, p := range first.Pairs {
		start = append(start, p.Vector)
	}
	again, err := Eigen(context.Background(), a, EigenOptions{Count: 4, Tol: 1e-7, Start: start})
	if err != nil {
		t.Fatal(err)
	}
	if again.Products > 24 {
		t.Errorf("%d products from the eigenvectors, %d from nothing", again.Products, first.Products)
	}
}
