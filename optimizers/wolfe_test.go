package optimizers

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// TestWolfeHoldsWhereItEnds checks both conditions at the returned rate, and that the point last kept is that one.
func TestWolfeHoldsWhereItEnds(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	trials := map[int]int{}
	for n := range 3000 {
		slope, bend, cubic, quartic := -r.Float64()*10, r.NormFloat64()*100, r.NormFloat64()*100, r.Float64()*1000
		value := func(a float64) float64 { return 3 + a*(slope+a*(bend+a*(cubic+a*quartic))) }
		deriv := func(a float64) float64 { return slope + a*(2*bend+a*(3*cubic+a*4*quartic)) }
		w := Wolfe{C2: 0.1 + 0.8*r.Float64(), Max: 100, Tol: 1e-12}
		last, kept := math.NaN(), 0.0
		look := func(a float64) (float64, float64, error) {
			last = a
			if n%5 == 0 && a > 2 {
				return math.NaN(), math.NaN(), nil
			}
			return value(a), deriv(a), nil
		}
		res, err := w.Search(look, func() { kept = last }, 3, slope, math.Pow(10, 4*r.Float64()-3), 1)
		if err != nil {
			t.Fatal(err)
		}
		trials[res.Trials]++
		if n%5 == 0 && res.Rate > 1.999 && res.Rate <= 2 && !res.Reached {
			continue // it falls up to where it is not defined
		}
		if !res.Reached || value(res.Rate) > 3+1e-4*res.Rate*slope || math.Abs(deriv(res.Rate)) > -w.C2*slope {
			t.Fatalf("%+v: value %v slope %v of %v", res, value(res.Rate), deriv(res.Rate), slope)
		}
		if res.Loss != value(res.Rate) || res.Slope != deriv(res.Rate) || kept != res.Rate {
			t.Fatalf("%+v: value %v slope %v kept %v", res, value(res.Rate), deriv(res.Rate), kept)
		}
	}
	if len(trials) < 6 {
		t.Errorf("all searches are alike: %v", trials)
	}
}

func TestWolfeGivesUp(t *testing.T) {
	calls := 0
	rising := func(a float64) (float64, float64, error) { calls++; return 1 + a, 1, nil }
	res, err := (Wolfe{}).Search(rising, func() {}, 1, -1, 1, 1)
	if err != nil || res.Rate != 0 || res.Loss != 1 || res.Reached || res.Trials != calls || calls > 26 {
		t.Errorf("%+v %v after %d calls", res, err, calls)
	}
	for _, slope := range []float64{0, 1, math.NaN()} {
		if res, err := (Wolfe{}).Search(rising, func() {}, 1, slope, 1, 1); err != nil || res.Rate != 0 || res.Trials != 0 {
			t.Errorf("slope %v: %+v %v", slope, res, err)
		}
	}
	// Falling for ever: the way out is followed, and the lowest point seen is the result.
	falling := func(a float64) (float64, float64, error) { return -a, -1, nil }
	if res, err := (Wolfe{Max: 4}).Search(falling, func() {}, 0, -1, 1, 1); err != nil || res.Reached || res.Rate < 100 || res.Loss != -res.Rate {
		t.Errorf("falling: %+v %v", res, err)
	}
	failed := errors.New("no loss")
	if _, err := (Wolfe{}).Search(func(float64) (float64, float64, error) { return 0, 0, failed }, func() {}, 1, -1, 1, 1); !errors.Is(err, failed) {
		t.Errorf("a failed loss gives %v", err)
	}
}

// TestInterpolateFindsTheMinimumOfACubic compares with the root of the derivative.
func TestInterpolateFindsTheMinimumOfACubic(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	for range 1000 {
		at := r.NormFloat64()
		bend, cubic := r.Float64()+0.1, r.NormFloat64()
		f := func(x float64) linePoint { // f' = 2 bend (x-at) + 3 cubic (x-at)², with its minimum at x = at
			d := x - at
			return linePoint{x, d * d * (bend + cubic*d), d * (2*bend + 3*cubic*d)}
		}
		a, b := f(at-r.Float64()), f(at+r.Float64())
		if got := interpolate(a, b, -100, 100); math.Abs(got-at) > 1e-9*(1+math.Abs(at)) {
			t.Fatalf("%v, want %v", got, at)
		}
		if got := interpolate(b, a, at+1, 100); got != at+1 {
			t.Fatalf("%v is outside the bounds", got)
		}
	}
	if got := interpolate(linePoint{0, 0, -1}, linePoint{1, math.Inf(1), math.NaN()}, 0, 1); got != 0.5 {
		t.Errorf("beside an infinite value: %v", got)
	}
}
