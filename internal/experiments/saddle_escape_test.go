package experiments

import (
	"context"
	"math"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

// Gradient descent goes into the saddle and stays, exactly; a trust region leaves.
func TestStrictSaddle(t *testing.T) {
	for spec, leaves := range map[string]bool{"gd:lr=0.5": false, "tr": true, "perturbed_gd:lr=0.5,wait=200": true, "hf:hessian=true": false} {
		m, err := optimizers.Parse(spec)
		if err != nil {
			t.Fatal(err)
		}
		p := &escape{left: 0.5, most: 400}
		r, err := strictSaddle(context.Background(), env(""), p, m, false)
		if err != nil {
			t.Fatal(err)
		}
		steps, work := r.leaving(0.5)
		last := r.Share[len(r.Share)-1]
		if leaves != !math.IsInf(steps, 1) || leaves && !(work > 0 && last >= 0) || !leaves && math.Abs(last-1) > 1e-12 {
			t.Errorf("%s: leaves after %v steps, %v at the end", spec, steps, last)
		}
	}
}

// The squared error of the mean image is the variance of the images.
func TestVarianceOfRows(t *testing.T) {
	if v := variance([]float64{1, 5, 3, 5, 5, 8}, 2); math.Abs(v-(8.0/3+2)) > 1e-14 {
		t.Errorf("variance %v", v)
	}
}

// Gradient and products of the function are those of its values.
func TestDerivativesOfTheSaddle(t *testing.T) {
	f := saddleFunction(0.3)
	x, v, g, hv := make([]float64, 10), make([]float64, 10), make([]float64, 10), make([]float64, 10)
	for i := range x {
		x[i], v[i] = 0.1*float64(i)-0.4, 1/float64(i+1)
	}
	at := func(s float64) []float64 {
		y := make([]float64, len(x))
		for i := range y {
			y[i] = x[i] + s*v[i]
		}
		return y
	}
	f.grad(g, x)
	if err := f.Linearize(x); err != nil {
		t.Fatal(err)
	}
	if err := f.HessianMul(hv, v); err != nil {
		t.Fatal(err)
	}
	slope, curvature := 0.0, 0.0
	for i := range v {
		slope += g[i] * v[i]
		curvature += hv[i] * v[i]
	}
	// Of a polynomial of degree 4: errors of h² times the higher derivatives, below 1, and rounding.
	const h = 1e-3
	up, mid, down := f.value(at(h)), f.value(x), f.value(at(-h))
	if d := (up - down) / (2 * h); math.Abs(d-slope) > h*h*(1+math.Abs(slope)) {
		t.Errorf("slope %v, by differences %v", slope, d)
	}
	if d := (up - 2*mid + down) / (h * h); math.Abs(d-curvature) > h*h*(1+math.Abs(curvature)) {
		t.Errorf("curvature %v, by differences %v", curvature, d)
	}
}
