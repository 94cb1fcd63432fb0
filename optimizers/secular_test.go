package optimizers

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSecularCubicIsOptimal checks the conditions that only the global minimiser meets: (d+λ)y = -c, λ = σ|y|, and
// d_0 + λ ≥ 0, and that no random point is lower. Every fourth case is hard or nearly so.
func TestSecularCubicIsOptimal(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	hard := 0
	for trial := range 4000 {
		n := 1 + r.IntN(8)
		d, c := randoms(r, n), randoms(r, n)
		for i := range d {
			d[i] *= math.Pow(10, 6*r.Float64()-3)
			c[i] *= math.Pow(10, 6*r.Float64()-3)
		}
		if trial%5 == 0 || trial%50 == 1 {
			for i := range d {
				d[i] = math.Abs(d[i])
			}
		}
		slices.Sort(d)
		if trial%4 == 0 {
			c[0] *= []float64{0, 1e-20, 1e-100, 1e-9}[r.IntN(4)]
		}
		if trial%50 == 1 {
			d[0] = 0
		}
		sigma := math.Pow(10, 8*r.Float64()-4)
		y := make([]float64, n)
		lambda, value := secularCubic(d, c, sigma, y)
		length := norm(y)
		if !(lambda >= 0) || lambda+d[0] < 0 || math.Abs(lambda-sigma*length) > 1e-7*lambda+1e-300 {
			t.Fatalf("trial %d: d %v c %v σ %v: λ %v, σ|y| %v", trial, d, c, sigma, lambda, sigma*length)
		}
		for i := range y {
			if rest := (d[i]+lambda)*y[i] + c[i]; math.Abs(rest) > 1e-12*(math.Abs(c[i])+math.Abs(lambda*y[i])) {
				t.Fatalf("trial %d: d %v c %v σ %v: component %d leaves %v of %v", trial, d, c, sigma, i, rest, c[i])
			}
		}
		if d[0] < 0 && math.Abs(y[0])*(d[0]+lambda) < 1e-12*math.Abs(d[0]*y[0]) {
			hard++
		}
		m := func(y []float64) float64 {
			length, f := norm(y), 0.0
			for i, v := range y {
				f += v * (c[i] + d[i]*v/2)
			}
			return f + sigma*length*length*length/3
		}
		if got := m(y); math.Abs(got-value) > 1e-12*math.Abs(value) || value > 0 {
			t.Fatalf("trial %d: the model is %v at y, said %v", trial, got, value)
		}
		for range 20 {
			other := randoms(r, n)
			scale(other, length*math.Pow(10, r.Float64()-0.5)/norm(other))
			if r.IntN(2) == 0 {
				scale(other, 1e-3)
				axpy(other, 1, y)
			}
			if m(other) < value-1e-12*math.Abs(value) {
				t.Fatalf("trial %d: d %v c %v σ %v: m is %v at %v, %v at %v", trial, d, c, sigma, value, y, m(other), other)
			}
		}
	}
	if hard < 100 {
		t.Errorf("only %d hard cases", hard)
	}
	if lambda, value := secularCubic([]float64{1, 2}, []float64{0, 0}, 1, make([]float64, 2)); value != 0 || lambda > 1e-300 {
		t.Errorf("without a gradient: λ %v, value %v", lambda, value)
	}
}
