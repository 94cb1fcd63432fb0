package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// arguments64 are n arguments for a function that has interesting values from lo
// to hi: half of them spread over that range, the others over all exponents,
// and edge cases.
func arguments64(r *rand.Rand, lo, hi float64, n int) []float64 {
	var x []float64
	for _, v := range []float64{1, 2, 0.5, math.Ln2, math.Ln2 / 2, math.Sqrt2, math.Sqrt(0.5), 1 << 52, 1 << 53,
		0x1p-1022, 0x1p-1074, 0x1.8p-1060, math.MaxFloat64, 708, 709.7, 709.79, 745, 745.2, 36.8, 37, 18.7, 22, 40, 5.9, 38.6, 37.5, lo, hi} {
		for _, w := range []float64{v, math.Nextafter(v, 0), math.Nextafter(v, math.Inf(1))} {
			x = append(x, w, -w)
		}
	}
	for range n / 2 {
		x = append(x, lo+(hi-lo)*r.Float64())
	}
	for range n / 4 {
		x = append(x, math.Copysign(math.Ldexp(1+r.Float64(), r.IntN(60)-50), r.Float64()-0.5))
	}
	for range n / 4 {
		x = append(x, math.Float64frombits(r.Uint64()))
	}
	return x
}

// TestFloat64Accuracy: every function is within its documented bound of the
// exact value, computed to 200 bits.
func TestFloat64Accuracy(t *testing.T) {
	n := 3000
	if testing.Short() || raceEnabled {
		n = 300
	}
	ranges := map[Fn][2]float64{
		Exp: {-746, 710}, Expm1: {-40, 40}, Log: {0, 4}, Log1p: {-1, 4}, Tanh: {-22, 22}, Sigmoid: {-746, 40},
		Softplus: {-746, 40}, Erf: {-6, 6}, Elu: {-40, 1}, Gelu: {-39, 9}, GeluTanh: {-22, 7}, Silu: {-760, 40},
		Logistic: {-40, 40}, Rsqrt: {0, 10},
	}
	type result struct {
		worst, at float64
	}
	for k, f := range smooth {
		t.Run(f.fn.String(), func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(k), 1))
			span := ranges[f.fn]
			var x []float64
			for _, v := range arguments64(r, span[0], span[1], n) {
				if w := f.want(v); !math.IsNaN(v) && !math.IsInf(v, 0) && !math.IsNaN(w) && v != 0 && (!math.IsInf(w, 0) || f.fn == Exp || f.fn == Expm1) {
					x = append(x, v)
				}
			}
			results := make([]result, detect()+1)
			for _, v := range x {
				if math.Abs(v) > 1e4 && (f.fn != Log && f.fn != Log1p && f.fn != Rsqrt) {
					continue // edge cases have their own test
				}
				want := bigFn(f.fn, bigOf(v), f.p, f.y)
				if f64, _ := want.Float64(); f64 == 0 || math.IsInf(f64, 0) {
					continue
				}
				for l := range results {
					got := at64(Level(l), k, v)
					if e := ulps64(got, want); !(e <= results[l].worst) {
						results[l] = result{e, v}
					}
				}
			}
			_, bound := f.fn.Accuracy()
			for l, s := range results {
				t.Logf("%-10s %-8s %.3f ulp at %v", f.fn, Level(l), s.worst, s.at)
				if !(s.worst <= bound) {
					t.Errorf("%s, %s: %.3f ulp at %v, more than the %v promised", f.fn, Level(l), s.worst, s.at, bound)
				}
			}
		})
	}
}

// at64 is smooth function k of x at a level.
func at64(l Level, k int, x float64) float64 {
	was := level
	defer func() { level = was }()
	level = l
	y := []float64{0}
	applySmooth(k, y, []float64{x})
	return y[0]
}
