package data

import (
	"fmt"
	"math"
)

// Blobs is n points around one centre per class, with as many points of every class, give or take one: example i
// is of class i mod classes and lies at
//
//	x = centre + spread·ε,   ε ~ N(0, I)
//
// where the centres are drawn from N(0, I) in dim dimensions. Two centres are about sqrt(2·dim) apart. The centres
// depend on seed and dim alone, so that a change of n or spread keeps them.
func Blobs(n, classes, dim int, spread float64, seed uint64) (*Arrays[float64], error) {
	if classes < 1 || dim < 1 {
		return nil, fmt.Errorf("data: blobs of %d classes in %d dimensions, both must be at least 1", classes, dim)
	}
	if err := checkSynthetic("blobs", n, classes, "spread", spread); err != nil {
		return nil, err
	}
	if _, err := checkShape("blobs", []int{max(n, classes), dim}); err != nil {
		return nil, err
	}
	centres := make([]float64, classes*dim)
	r := newRandom(seed, useCentres, 0)
	for i := range centres {
		centres[i] = r.normal()
	}
	x, y := make([]float64, n*dim), make([]float64, n)
	r = newRandom(seed, useNoise, 0)
	for i := range n {
		c := i % classes
		y[i] = float64(c)
		for j, at := range centres[c*dim : (c+1)*dim] {
			x[i*dim+j] = at + spread*r.normal()
		}
	}
	return New(x, []int{dim}, y, Target{Classes: classes})
}

// Spirals is n points in the plane on as many spirals as there are classes (arms), each going once around the
// origin. Example i is of class i mod arms; the k-th of the m points of arm a lies at
//
//	x = (t·cos φ, t·sin φ) + noise·ε,   t = (k+1)/m,   φ = 2π(t + a/arms),   ε ~ N(0, I)
//
// No line separates the classes; without noise neighbouring arms are 1/arms apart.
func Spirals(n, arms int, noise float64, seed uint64) (*Arrays[float64], error) {
	if arms < 1 {
		return nil, fmt.Errorf("data: spirals with %d arms, at least 1 is needed", arms)
	}
	if err := checkSynthetic("spirals", n, arms, "noise", noise); err != nil {
		return nil, err
	}
	if _, err := checkShape("spirals", []int{n, 2}); err != nil {
		return nil, err
	}
	x, y := make([]float64, 2*n), make([]float64, n)
	r := newRandom(seed, useNoise, 0)
	for i := range n {
		arm, k := i%arms, i/arms
		m := (n - arm + arms - 1) / arms
		t := float64(k+1) / float64(m)
		sin, cos := math.Sincos(2 * math.Pi * (t + float64(arm)/float64(arms)))
		x[2*i] = t*cos + noise*r.normal()
		x[2*i+1] = t*sin + noise*r.normal()
		y[i] = float64(arm)
	}
	return New(x, []int{2}, y, Target{Classes: arms})
}

func checkSynthetic(what string, n, classes int, name string, sigma float64) error {
	if n < classes {
		return fmt.Errorf("data: %s with %d examples of %d classes, every class needs at least one", what, n, classes)
	}
	if !(sigma >= 0) || math.IsInf(sigma, 0) {
		return fmt.Errorf("data: %s with %s %v, it must be finite and at least 0", what, name, sigma)
	}
	return nil
}
