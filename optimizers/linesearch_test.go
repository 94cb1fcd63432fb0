package optimizers

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// TestArmijoHoldsWhereItEnds checks the condition at the accepted rate, and that the rate before would not have done.
func TestArmijoHoldsWhereItEnds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	trials := map[int]bool{}
	for range 500 {
		// A quartic along the line, falling at 0.
		slope, bend, cubic, quartic := -r.Float64()*10, r.NormFloat64()*100, r.NormFloat64()*100, r.Float64()*1000
		f := func(a float64) (float64, error) { return 3 + a*(slope+a*(bend+a*(cubic+a*quartic))), nil }
		search := Armijo{C: 0.01 + 0.4*r.Float64(), Shrink: 0.2 + 0.7*r.Float64(), Max: 500}
		first := math.NaN()
		if r.IntN(2) == 0 {
			first, _ = f(1)
		}
		res, err := search.Search(f, 3, slope, first)
		if err != nil {
			t.Fatal(err)
		}
		trials[res.Trials] = true
		value, _ := f(res.Rate)
		if res.Rate <= 0 || value != res.Loss || value > 3+search.C*res.Rate*slope {
			t.Fatalf("rate %v, value %v, said %v; start 3, slope %v, C %v", res.Rate, value, res.Loss, slope, search.C)
		}
		if before := res.Rate / search.Shrink; before <= 1+1e-9 {
			if value, _ := f(before); value <= 3+search.C*before*slope-1e-9 {
				t.Errorf("rate %v is accepted, though %v would do", res.Rate, before)
			}
		}
		steps := math.Log(res.Rate) / math.Log(search.Shrink)
		if math.Abs(steps-math.Round(steps)) > 1e-6 {
			t.Errorf("rate %v is no power of %v", res.Rate, search.Shrink)
		}
	}
	if len(trials) < 4 {
		t.Errorf("the trials all ended early: %v", trials)
	}
}

func TestArmijoGivesUp(t *testing.T) {
	calls := 0
	rising := func(a float64) (float64, error) { calls++; return 1 + a, nil }
	if res, err := (Armijo{}).Search(rising, 1, -1, math.NaN()); err != nil || res.Rate != 0 || res.Loss != 1 || res.Trials != 60 || calls != 60 {
		t.Errorf("%+v %v after %d calls", res, err, calls)
	}
	for _, slope := range []float64{0, 1, math.NaN(), math.Inf(1)} {
		if res, err := (Armijo{}).Search(rising, 1, slope, math.NaN()); err != nil || res.Rate != 0 || res.Trials != 0 {
			t.Errorf("slope %v: %+v %v", slope, res, err)
		}
	}
	undefined := func(a float64) (float64, error) {
		if a > 0.5 {
			return math.NaN(), nil
		}
		return 1 - a, nil
	}
	if res, err := (Armijo{}).Search(undefined, 1, -1, math.Inf(1)); err != nil || res.Rate == 0 || res.Rate > 0.5 {
		t.Errorf("where the loss is not defined: %+v %v", res, err)
	}
	broken := errors.New("broken")
	if _, err := (Armijo{}).Search(func(float64) (float64, error) { return 0, broken }, 1, -1, 2); !errors.Is(err, broken) {
		t.Errorf("a failing loss: %v", err)
	}
}

func TestArmijoDefaults(t *testing.T) {
	// f(1) is just short of the decrease that C = 0.01 asks for, f(0.8) has it.
	f := func(a float64) (float64, error) {
		if a == 1 {
			return 10 - 0.0099, nil
		}
		return 10 - 0.0081, nil
	}
	res, err := (Armijo{}).Search(f, 10, -1, math.NaN())
	if err != nil || res.Rate != 0.8 || res.Trials != 2 {
		t.Errorf("%+v %v", res, err)
	}
	if res, err := (Armijo{Slack: 0.001}).Search(f, 10, -1, math.NaN()); err != nil || res.Rate != 1 {
		t.Errorf("with slack: %+v %v", res, err)
	}
}
