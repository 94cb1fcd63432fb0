package data

import (
	"fmt"
	"math"
)

// LogSumExp is the numbers of the function
//
//	f(x) = rho·log Σ exp((a_i'x - b_i)/rho)
//
// of d variables, n examples a_i with targets b_i: a from the uniform distribution on (-1, 1), b from N(-1, 1), and then
// the same vector, the gradient at 0, taken from every a_i, so that x = 0 is the minimiser (Mishchenko, arXiv
// 2112.02089, who has n = 500, d = 200 and rho = 0.05 or 0.25). The smaller rho is, the less smooth f.
func LogSumExp(n, d int, rho float64, seed uint64) (*Arrays[float64], error) {
	if !(rho > 0) || math.IsInf(rho, 0) {
		return nil, fmt.Errorf("data: log-sum-exp with rho %v, it must be finite and positive", rho)
	}
	target := Target{Shape: []int{1}}
	if _, _, err := checkSpec(n, []int{d}, target); err != nil {
		return nil, err
	}
	r := newRandom(seed, useNoise, 0)
	a, b := make([]float64, n*d), make([]float64, n)
	for i := range a {
		a[i] = float64(r.next()>>11)*0x1p-52 - 1
	}
	least := math.Inf(1)
	for i := range b {
		b[i] = r.normal() - 1
		least = min(least, b[i])
	}
	sum, grad := 0.0, make([]float64, d)
	for i, v := range b {
		p := math.Exp((least - v) / rho)
		sum += p
		for j := range grad {
			grad[j] += float64(p * a[i*d+j])
		}
	}
	for i := range a {
		a[i] -= grad[i%d] / sum
	}
	return New(a, []int{d}, b, target)
}
