package kernel

import (
	"math"
	"runtime"
	"sync"
	"testing"
)

// smooth are the functions that are not exact, with settings, a second operand
// where they have one, and what they are in float64.
var smooth = []struct {
	fn   Fn
	p, y float64
	want func(x float64) float64
}{
	{Exp, 0, 0, math.Exp},
	{Expm1, 0, 0, math.Expm1},
	{Log, 0, 0, math.Log},
	{Log1p, 0, 0, math.Log1p},
	{Tanh, 0, 0, math.Tanh},
	{Sigmoid, 0, 0, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }},
	{Softplus, 0, 0, func(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }},
	{Erf, 0, 0, math.Erf},
	{Elu, 1.25, 0, func(x float64) float64 {
		if x > 0 {
			return x
		}
		return 1.25 * math.Expm1(x)
	}},
	{Gelu, 0, 0, func(x float64) float64 { return gated(x, 0.5*math.Erfc(-x*math.Sqrt(0.5))) }},
	{GeluTanh, 0, 0, func(x float64) float64 {
		return gated(x, 1/(1+math.Exp(-2*math.Sqrt(2/math.Pi)*(x+0.044715*(x*x*x)))))
	}},
	{Silu, 0, 0, func(x float64) float64 { return gated(x, 1/(1+math.Exp(-x))) }},
	{Logistic, 0, 0.25, func(z float64) float64 { return max(z, 0) - 0.25*z + math.Log1p(math.Exp(-math.Abs(z))) }},
	{Rsqrt, 0, 0, func(x float64) float64 { return 1 / math.Sqrt(x) }},
}

// gated is x y, and -0 for x = -Inf.
func gated(x, y float64) float64 {
	if math.IsInf(x, -1) {
		return math.Copysign(0, -1)
	}
	return x * y
}

// applySmooth computes one of the smooth functions.
func applySmooth[T Float](k int, dst, x []T) {
	if s := &smooth[k]; s.fn.Arity() == 2 {
		Map2(s.fn, dst, x, []T{T(s.y)})
	} else {
		Map1(s.fn, dst, x, s.p, 0)
	}
}

// TestFloat32Sweep: every function is within its documented bound of the exact
// value on every 97th float32, infinities and NaN among them.
func TestFloat32Sweep(t *testing.T) {
	stride := 97
	if testing.Short() || raceEnabled {
		stride = 97 * 61
	}
	was := level
	defer func() { level = was }()
	levels := int(detect()) + 1
	workers := runtime.GOMAXPROCS(0)
	const run = 8192
	type state struct {
		x, y  []float32
		want  [][]float64
		worst [][]float64 // by function and level
		at    [][]float32
	}
	states := make([]*state, workers)
	for w := range states {
		s := &state{x: make([]float32, run), y: make([]float32, run)}
		for range smooth {
			s.want = append(s.want, make([]float64, run))
			s.worst = append(s.worst, make([]float64, levels))
			s.at = append(s.at, make([]float32, levels))
		}
		states[w] = s
	}
	each := func(f func(w int, s *state)) {
		var wg sync.WaitGroup
		for w, s := range states {
			wg.Add(1)
			go func() { defer wg.Done(); f(w, s) }()
		}
		wg.Wait()
	}
	for first := 0; first < 1<<32; first += stride * run * workers {
		each(func(w int, s *state) {
			for i := range s.x {
				s.x[i] = math.Float32frombits(uint32(first + (w*run+i)*stride))
			}
			for k := range smooth {
				for i, x := range s.x {
					s.want[k][i] = smooth[k].want(float64(x))
				}
			}
		})
		for l := range levels {
			level = Level(l)
			each(func(w int, s *state) {
				for k := range smooth {
					applySmooth(k, s.y, s.x)
					for i, y := range s.y {
						want := s.want[k][i]
						if y == float32(want) || y != y && want != want {
							continue // within half an ulp
						}
						x := s.x[i]
						if e := ulps32(y, want); !(e <= s.worst[k][l]) {
							s.worst[k][l], s.at[k][l] = e, x
						}
					}
				}
			})
		}
	}
	for k, f := range smooth {
		for l := range levels {
			worst, at := 0.5, float32(0)
			for _, s := range states {
				if !(s.worst[k][l] <= worst) {
					worst, at = s.worst[k][l], s.at[k][l]
				}
			}
			t.Logf("%-10s %-8s %.3f ulp at %v", f.fn, Level(l), worst, at)
			if bound, _ := f.fn.Accuracy(); !(worst <= bound) {
				t.Errorf("%s, %s: %.3f ulp at %v, more than the %v promised", f.fn, Level(l), worst, at, bound)
			}
		}
	}
}

// ulps32 is the distance of y from want in units of want's last place in float32.
func ulps32(y float32, want float64) float64 {
	got := float64(y)
	if math.IsInf(got, 0) {
		got = math.Copysign(0x1p128, got)
	}
	_, e := math.Frexp(want)
	return math.Abs(got-want) / math.Ldexp(1, max(e, -125)-24)
}
